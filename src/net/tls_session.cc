#include "net/tls_session.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <climits>
#include <utility>

#include "base/log.h"

namespace kelp::net {
namespace {

// What OpenSSL says about the last failure, and forgets it.
std::string OpensslReason() {
  const unsigned long error = ERR_get_error();
  ERR_clear_error();
  if (error == 0) return "unknown reason";
  const char* reason = ERR_reason_error_string(error);
  return reason != nullptr ? reason : "error " + std::to_string(error);
}

bool IsAddress(const std::string& host) {
  in6_addr bytes;
  return inet_pton(AF_INET, host.c_str(), &bytes) == 1 ||
         inet_pton(AF_INET6, host.c_str(), &bytes) == 1;
}

}  // namespace

struct TlsClientContext::Rep {
  ~Rep() { SSL_CTX_free(context); }
  SSL_CTX* context = nullptr;
  std::string server_name;
};

TlsClientContext::TlsClientContext(std::unique_ptr<Rep> rep) : rep_(std::move(rep)) {}
TlsClientContext::~TlsClientContext() = default;

Result<std::shared_ptr<TlsClientContext>> TlsClientContext::Create(
    const TlsClientOptions& options) {
  auto rep = std::make_unique<Rep>();
  rep->server_name = options.server_name;
  rep->context = SSL_CTX_new(TLS_client_method());
  if (rep->context == nullptr) return InternalError("cannot set up TLS: " + OpensslReason());
  SSL_CTX* context = rep->context;
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_mode(context, SSL_MODE_AUTO_RETRY);
  SSL_CTX_set_verify(context, options.insecure_skip_verify ? SSL_VERIFY_NONE : SSL_VERIFY_PEER,
                     nullptr);
  if (options.insecure_skip_verify) {
    LOG(kWarning, "TLS certificates are not verified (insecure_skip_verify)");
  }
  if (options.ca_file.empty()) {
    SSL_CTX_set_default_verify_paths(context);
  } else if (SSL_CTX_load_verify_locations(context, options.ca_file.c_str(), nullptr) != 1) {
    return InvalidArgumentError("cannot read the CA certificates in " + options.ca_file + ": " +
                                OpensslReason());
  }
  if (!options.cert_file.empty()) {
    if (SSL_CTX_use_certificate_chain_file(context, options.cert_file.c_str()) != 1) {
      return InvalidArgumentError("cannot read the certificate " + options.cert_file + ": " +
                                  OpensslReason());
    }
    const std::string& key = options.key_file.empty() ? options.cert_file : options.key_file;
    if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1) {
      return InvalidArgumentError("cannot read the private key " + key + ": " + OpensslReason());
    }
  }
  return std::shared_ptr<TlsClientContext>(new TlsClientContext(std::move(rep)));
}

struct TlsSession::Rep {
  ~Rep() { SSL_free(ssl); }  // frees the BIOs too
  std::shared_ptr<TlsClientContext> context;
  SSL* ssl = nullptr;
  BIO* input = nullptr;
  BIO* output = nullptr;
};

TlsSession::TlsSession(std::unique_ptr<Rep> rep) : rep_(std::move(rep)) {}
TlsSession::~TlsSession() = default;

Result<std::unique_ptr<TlsSession>> TlsSession::Create(std::shared_ptr<TlsClientContext> context,
                                                       const std::string& url_host) {
  const std::string& name = context->rep().server_name;
  const std::string& host = name.empty() ? url_host : name;
  auto rep = std::make_unique<Rep>();
  rep->ssl = SSL_new(context->rep().context);
  rep->input = BIO_new(BIO_s_mem());
  rep->output = BIO_new(BIO_s_mem());
  if (rep->ssl == nullptr || rep->input == nullptr || rep->output == nullptr) {
    if (rep->ssl == nullptr) {
      BIO_free(rep->input);
      BIO_free(rep->output);
    }
    return InternalError("cannot set up TLS: " + OpensslReason());
  }
  BIO_set_mem_eof_return(rep->input, -1);  // an empty input means "wait", not "ended"
  SSL_set_bio(rep->ssl, rep->input, rep->output);
  SSL_set_connect_state(rep->ssl);
  X509_VERIFY_PARAM* verify = SSL_get0_param(rep->ssl);
  if (IsAddress(host)) {
    X509_VERIFY_PARAM_set1_ip_asc(verify, host.c_str());
  } else {
    X509_VERIFY_PARAM_set1_host(verify, host.c_str(), host.size());
    SSL_set_tlsext_host_name(rep->ssl, host.c_str());
  }
  rep->context = std::move(context);
  return std::unique_ptr<TlsSession>(new TlsSession(std::move(rep)));
}

Status TlsSession::Failure(const char* what, int ssl_error) {
  const long verdict = SSL_get_verify_result(rep_->ssl);
  if (verdict != X509_V_OK && SSL_get_verify_mode(rep_->ssl) != SSL_VERIFY_NONE) {
    ERR_clear_error();
    return PermissionDeniedError(std::string("the TLS certificate is not accepted: ") +
                                 X509_verify_cert_error_string(verdict));
  }
  std::string reason = OpensslReason();
  if (ssl_error == SSL_ERROR_SYSCALL) reason = "the connection broke";
  return UnavailableError(std::string("TLS ") + what + " failed: " + reason);
}

Result<TlsSession::Next> TlsSession::Handshake() {
  ERR_clear_error();
  const int done = SSL_do_handshake(rep_->ssl);
  if (done == 1) return Next::kDone;
  const int error = SSL_get_error(rep_->ssl, done);
  if (error == SSL_ERROR_WANT_READ) return Next::kWantInput;
  return Failure("handshake", error);
}

Result<TlsSession::Next> TlsSession::Encrypt(std::string_view plain) {
  while (!plain.empty()) {
    ERR_clear_error();
    size_t written = 0;
    if (SSL_write_ex(rep_->ssl, plain.data(), plain.size(), &written) != 1) {
      const int error = SSL_get_error(rep_->ssl, 0);
      if (error == SSL_ERROR_WANT_READ) return Next::kWantInput;
      return Failure("write", error);
    }
    plain.remove_prefix(written);
  }
  return Next::kDone;
}

Result<TlsSession::Next> TlsSession::Decrypt(char* buffer, size_t capacity, size_t* size) {
  ERR_clear_error();
  if (SSL_read_ex(rep_->ssl, buffer, capacity, size) == 1) return Next::kDone;
  const int error = SSL_get_error(rep_->ssl, 0);
  if (error == SSL_ERROR_WANT_READ) return Next::kWantInput;
  if (error == SSL_ERROR_ZERO_RETURN) return Next::kClosed;
  return Failure("read", error);
}

std::string TlsSession::Output() {
  std::string out(BIO_ctrl_pending(rep_->output), '\0');
  if (!out.empty()) BIO_read(rep_->output, out.data(), static_cast<int>(out.size()));
  return out;
}

void TlsSession::Feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t piece = std::min<size_t>(bytes.size(), INT_MAX);
    BIO_write(rep_->input, bytes.data(), static_cast<int>(piece));
    bytes.remove_prefix(piece);
  }
}

}  // namespace kelp::net
