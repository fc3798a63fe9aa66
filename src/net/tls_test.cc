// TLS over loopback, with certificates made on the spot.
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include <filesystem>

#include "net/http_client.h"
#include "net/http_server.h"
#include "net/test_socket.h"

namespace kelp::net {
namespace {

// Writes a key and a certificate for 127.0.0.1 and "kelp.test", signed by itself.
class TestCertificate {
 public:
  TestCertificate() {
    char dir[] = "/tmp/kelp_tls_XXXXXX";
    dir_ = mkdtemp(dir);
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* cert = X509_new();
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    X509_NAME* name = X509_get_subject_name(cert);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("kelp test"), -1, -1, 0);
    X509_set_issuer_name(cert, name);
    X509_EXTENSION* names =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1,DNS:kelp.test");
    X509_add_ext(cert, names, -1);
    X509_EXTENSION_free(names);
    X509_sign(cert, key, EVP_sha256());
    FILE* file = fopen(cert_file().c_str(), "w");
    PEM_write_X509(file, cert);
    fclose(file);
    file = fopen(key_file().c_str(), "w");
    PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    fclose(file);
    X509_free(cert);
    EVP_PKEY_free(key);
  }
  ~TestCertificate() { std::filesystem::remove_all(dir_); }
  std::string cert_file() const { return dir_ + "/cert.pem"; }
  std::string key_file() const { return dir_ + "/key.pem"; }

 private:
  std::string dir_;
};

class TlsTest : public testing::Test {
 protected:
  void StartServer(const std::string& client_ca = "") {
    HttpServerOptions options;
    options.body_bytes_max = 16_MiB;
    options.tls = TlsServerOptions{certificate_.cert_file(), certificate_.key_file(), client_ca};
    auto server =
        HttpServer::Start(options, [](HttpRequest request, std::shared_ptr<Responder> responder) {
          responder->Send(Text(200, std::move(request.body)));
        });
    ASSERT_TRUE(server.ok()) << server.status().ToString();
    server_ = *std::move(server);
    url_ = "https://" + server_->address() + "/";
  }

  TestCertificate certificate_;
  std::unique_ptr<HttpServer> server_;
  std::string url_;
};

TEST_F(TlsTest, CarriesRequestsOfAnySizeAndReusesConnections) {
  StartServer();
  HttpClient client({.tls = {.ca_file = certificate_.cert_file()}});
  for (const size_t size : {0u, 1u, 5u << 20}) {
    const std::string body(size, 'x');
    const auto answer = client.Send({.method = "POST", .url = url_, .body = {body, "end"}});
    ASSERT_TRUE(answer.ok()) << answer.status().ToString();
    EXPECT_EQ(answer->body, body + "end");
  }
}

TEST_F(TlsTest, RefusesACertificateThatNobodyItTrustsSigned) {
  StartServer();
  HttpClient client;
  const auto answer = client.Send({.url = url_});
  EXPECT_EQ(answer.status().code(), Code::kPermissionDenied) << answer.status().ToString();
  EXPECT_NE(answer.status().message().find("self-signed"), std::string_view::npos);
}

TEST_F(TlsTest, RefusesACertificateForAnotherName) {
  StartServer();
  const TlsClientOptions tls{.ca_file = certificate_.cert_file(), .server_name = "other.test"};
  HttpClient client({.tls = tls});
  EXPECT_EQ(client.Send({.url = url_}).status().code(), Code::kPermissionDenied);
  const TlsClientOptions right{.ca_file = certificate_.cert_file(), .server_name = "kelp.test"};
  HttpClient good({.tls = right});
  EXPECT_TRUE(good.Send({.url = url_}).ok());
}

TEST_F(TlsTest, SkipsVerificationOnlyWhenTold) {
  StartServer();
  HttpClient client({.tls = {.insecure_skip_verify = true}});
  EXPECT_TRUE(client.Send({.url = url_}).ok());
}

TEST_F(TlsTest, AsksClientsForACertificate) {
  StartServer(certificate_.cert_file());
  HttpClient without({.tls = {.ca_file = certificate_.cert_file()}});
  EXPECT_FALSE(without.Send({.url = url_}).ok());
  HttpClient with({.tls = {.ca_file = certificate_.cert_file(),
                           .cert_file = certificate_.cert_file(),
                           .key_file = certificate_.key_file()}});
  const auto answer = with.Send({.url = url_});
  EXPECT_TRUE(answer.ok()) << answer.status().ToString();
}

TEST_F(TlsTest, SurvivesPeersThatDoNotSpeakTls) {
  StartServer();
  TestSocket socket(server_->port());
  socket.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  socket.ReadToEnd();
  HttpClient client({.tls = {.ca_file = certificate_.cert_file()}});
  EXPECT_TRUE(client.Send({.url = url_}).ok());
  const auto plain = HttpServer::Start({}, [](HttpRequest, std::shared_ptr<Responder>) {});
  EXPECT_EQ(client.Send({.url = "https://" + (*plain)->address() + "/"}).status().code(),
            Code::kUnavailable);
}

TEST_F(TlsTest, SaysWhichFileIsUnusable) {
  const auto server =
      HttpServer::Start({.tls = TlsServerOptions{"/nowhere/cert.pem", certificate_.key_file(), ""}},
                        [](HttpRequest, std::shared_ptr<Responder>) {});
  EXPECT_EQ(server.status().code(), Code::kInvalidArgument);
  EXPECT_NE(server.status().message().find("/nowhere/cert.pem"), std::string_view::npos);
  HttpClient client({.tls = {.ca_file = "/nowhere/ca.pem"}});
  const auto answer = client.Send({.url = "https://127.0.0.1:1/"});
  EXPECT_EQ(answer.status().code(), Code::kInvalidArgument);
  EXPECT_NE(answer.status().message().find("/nowhere/ca.pem"), std::string_view::npos);
}

}  // namespace
}  // namespace kelp::net
