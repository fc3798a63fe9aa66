// TLS for HttpServer: the one file in which Asio meets OpenSSL.
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

#include "net/connection.h"
#include "net/server_core.h"

namespace kelp::net {

using TlsStream = asio::ssl::stream<asio::ip::tcp::socket>;

template <>
struct StreamTraits<TlsStream> {
  static constexpr bool kPlain = false;
  static asio::ip::tcp::socket& Socket(TlsStream& stream) { return stream.next_layer(); }
  static asio::awaitable<bool> Open(TlsStream& stream) {
    const auto [error] = co_await stream.async_handshake(asio::ssl::stream_base::server, kAwait);
    co_return !error;
  }
  static asio::awaitable<void> EndWriting(TlsStream& stream) {
    co_await stream.async_shutdown(kAwait);
  }
};

namespace {

class AsioTlsAcceptor final : public TlsAcceptor {
 public:
  Status Load(const TlsServerOptions& options) {
    error_code error;
    context_.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                             asio::ssl::context::no_tlsv1_1,
                         error);
    context_.use_certificate_chain_file(options.cert_file, error);
    if (error) return Unreadable("certificate", options.cert_file, error);
    context_.use_private_key_file(options.key_file, asio::ssl::context::pem, error);
    if (error) return Unreadable("private key", options.key_file, error);
    if (options.client_ca_file.empty()) return OkStatus();
    context_.load_verify_file(options.client_ca_file, error);
    if (error) return Unreadable("client CA", options.client_ca_file, error);
    context_.set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert,
                             error);
    return OkStatus();
  }

  void Start(Worker& worker, asio::ip::tcp::socket socket, bool refuse) override {
    std::make_shared<Connection<TlsStream>>(worker, TlsStream(std::move(socket), context_), refuse)
        ->Start();
  }

 private:
  static Status Unreadable(const char* what, const std::string& file, error_code error) {
    return InvalidArgumentError(std::string("cannot use the TLS ") + what + " " + file + ": " +
                                error.message());
  }
  asio::ssl::context context_{asio::ssl::context::tls_server};
};

}  // namespace

Result<std::unique_ptr<TlsAcceptor>> TlsAcceptor::Create(const TlsServerOptions& options) {
  auto acceptor = std::make_unique<AsioTlsAcceptor>();
  RETURN_IF_ERROR(acceptor->Load(options));
  return std::unique_ptr<TlsAcceptor>(std::move(acceptor));
}

}  // namespace kelp::net
