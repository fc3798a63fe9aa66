// Asking other programs by HTTP/1.1: the network seam (HttpTransport) and the real thing
// (HttpClient).
//
//   HttpClient client({});
//   ASSIGN_OR_RETURN(HttpResponse answer, client.Send({.method = "POST", .url = url,
//                                                      .body = {head, rows}}));
#ifndef KELP_NET_HTTP_CLIENT_H_
#define KELP_NET_HTTP_CLIENT_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/units.h"
#include "net/http.h"

namespace kelp::net {

struct HttpClientRequest {
  std::string method = "GET";
  std::string url;
  HttpHeaders headers;                 // Host, Content-Length and User-Agent are added
  std::vector<std::string_view> body;  // sent one after the other; borrowed until the call returns
  Duration timeout = 30s;              // for the whole exchange, connecting included
  ByteSize response_bytes_max = 64_MiB;
  // Sending it twice does no harm, so it is sent again when a kept connection turns out dead.
  // GET and HEAD always are.
  bool repeatable = false;
};

// Sends one request and waits for its answer.
//
// Place:    outputs and programs take a HttpTransport&; the simulation has its own.
// Threads:  thread-safe: several requests may be under way at once.
// Blocking: until the answer is complete, the deadline, or Cancel().
// Errors:   an answer with any HTTP status is a value, not an error. Otherwise kUnavailable
// (refused,
//           reset, unknown host; the message says host:port and what the system said),
//           kDeadlineExceeded, kCancelled, kInvalidArgument (URL), kResourceExhausted (the answer
//           is over response_bytes_max), kPermissionDenied (TLS verification failed).
class HttpTransport {
 public:
  virtual ~HttpTransport() = default;
  virtual Result<HttpResponse> Send(const HttpClientRequest& request) = 0;
  // Ends every request under way, and refuses later ones, with kCancelled. Any thread.
  virtual void Cancel() {}
};

struct TlsClientOptions {
  std::string ca_file;    // PEM; empty: the system's certificates
  std::string cert_file;  // PEM; for servers that ask for one
  std::string key_file;
  std::string server_name;            // when the certificate names another host than the URL
  bool insecure_skip_verify = false;  // for trials only; logged
};

struct HttpClientOptions {
  Duration connect_timeout = 5s;    // per address
  Duration idle_timeout = 50s;      // kept connections older than this are not used again
  size_t idle_connections_max = 8;  // kept, all hosts together
  std::string user_agent = "kelp";
  // Refuse addresses of private networks with kInvalidArgument: for URLs that users choose.
  bool public_addresses_only = false;
  TlsClientOptions tls;
};

// The real network.
//
// Owns:     kept connections. Limits: idle_connections_max.
// Threads:  thread-safe; Cancel() is safe in a signal handler too.
// Tests:    http_client_test.cc, tls_test.cc
class HttpClient final : public HttpTransport {
 public:
  explicit HttpClient(HttpClientOptions options = {});
  ~HttpClient() override;
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  Result<HttpResponse> Send(const HttpClientRequest& request) override;

  // Gives pieces of a 2xx answer's body as they arrive; `on_chunk` returns false to stop (then the
  // result is ok). The body of another answer is gathered in the result. `request.timeout` holds
  // until the answer's head; after that, `chunk_timeout` between two pieces (0: for ever).
  using OnChunk = std::function<bool(std::string_view chunk)>;
  Result<HttpResponse> SendStreaming(const HttpClientRequest& request, const OnChunk& on_chunk,
                                     Duration chunk_timeout = Duration(0));

  void Cancel() override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kelp::net

#endif  // KELP_NET_HTTP_CLIENT_H_
