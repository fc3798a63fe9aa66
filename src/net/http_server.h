// An HTTP/1.1 server on Boost.Asio.
//
//   HttpServerOptions options{.listen = "127.0.0.1:7700"};
//   ASSIGN_OR_RETURN(auto server, HttpServer::Start(options, [](HttpRequest request,
//                                                              std::shared_ptr<Responder> answer) {
//     answer->Send(Text(200, "hello " + request.path));
//   }));
//
// A few I/O threads parse and write and never block; handlers run on a pool of their own behind a
// bounded queue. What is too large, too slow, too much or malformed is refused here, before a
// handler sees it: 400, 408, 413, 431, 503 with Retry-After.
#ifndef KELP_NET_HTTP_SERVER_H_
#define KELP_NET_HTTP_SERVER_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/metrics.h"
#include "base/status.h"
#include "base/units.h"
#include "net/http.h"

namespace kelp::net {

// Answers one request: either Send(), or StartStream(), any number of Write(), Finish().
//
// Owns:     shared; may be kept and used after the handler returned, and after the server ended.
//           When the last reference goes and nothing was answered, 500 is sent; an unfinished
//           stream is cut off, so that the peer does not take it for complete.
// Threads:  thread-safe.
// Blocking: only WaitDrained().
// Limits:   a stream whose peer reads too slowly is cut off when more than
//           HttpServerOptions::stream_queue_bytes_max wait.
class Responder {
 public:
  virtual ~Responder() = default;

  // Sends the whole answer. A second answer to the same request is ignored and logged.
  virtual void Send(HttpResponse response) = 0;

  // Starts an answer of unknown length (chunked; for HTTP/1.0, until the connection closes).
  virtual void StartStream(int status, HttpHeaders headers) = 0;
  // Queues a piece. False when the peer is gone, or was cut off: stop producing.
  virtual bool Write(std::string chunk) = 0;
  // Bytes queued and not yet given to the system. Producers pause when it grows.
  virtual size_t queued_bytes() const = 0;
  // Waits until at most `queued_bytes_max` are queued. False when the peer is gone or `timeout`
  // passed. Never call it on an I/O thread (handler_threads = 0).
  virtual bool WaitDrained(size_t queued_bytes_max, Duration timeout) = 0;
  virtual void Finish() = 0;

  // Calls `fn` once when the peer goes away before the answer is complete; at once when it is
  // already gone; never after the answer was complete. `fn` runs on an I/O thread: keep it short.
  virtual void OnClose(std::function<void()> fn) = 0;
};

using Handler = std::function<void(HttpRequest, std::shared_ptr<Responder>)>;

// TLS for a server. Files are PEM.
struct TlsServerOptions {
  std::string cert_file;  // the certificate, then its chain
  std::string key_file;
  std::string client_ca_file;  // when given, clients must show a certificate that it signed
};

struct HttpServerOptions {
  std::string listen = "127.0.0.1:0";  // port 0: any free one, see HttpServer::port()
  int threads = 1;                     // I/O; one moves several GB/s
  int handler_threads = 4;             // 0: handlers run on the I/O thread and must not block
  size_t handler_queue_max = 256;      // requests waiting for a handler thread; more get 503

  ByteSize body_bytes_max = 1_MiB;
  // When set, decides the limit of one request from its head (body empty) instead.
  std::function<ByteSize(const HttpRequest& head)> body_limit;
  // All bodies being received or handled at once; more get 503. Bounds the server's memory.
  ByteSize bodies_bytes_max = 256_MiB;
  // All large answers that their peers have not taken yet; instead of more, 503. One alone may be
  // of any size. Streams have their own limit, below.
  ByteSize answers_bytes_max = 256_MiB;
  ByteSize header_bytes_max = 16_KiB;
  size_t connections_max = 1024;
  // What may wait in one stream's queue before its peer is cut off.
  ByteSize stream_queue_bytes_max = 8_MiB;

  Duration idle_timeout = 75s;   // between requests; longer than the usual client's 60 s
  Duration read_timeout = 15s;   // for one head; for a body, see bytes_per_second_min
  Duration write_timeout = 30s;  // without the peer taking a single byte
  // A body may take its time-out and its size at this pace, and so may an answer or a piece of a
  // stream: who sends or takes a byte now and then does not hold a connection for days.
  ByteSize bytes_per_second_min = 16_KiB;
  Duration retry_after = 1s;  // what a 503 of this server advises

  std::optional<TlsServerOptions> tls;
  MetricRegistry* metrics = nullptr;  // outlives the server; http_* metrics
  MetricLabels metric_labels;
};

// Listens on one address.
//
// Place:    kelp-server's API, the agent's status endpoint, tests.
// Owns:     its threads and connections. Borrows `metrics`.
// Threads:  thread-safe. The handler is called from several threads at once.
// Blocking: Start, Shutdown and the destructor.
// Limits:   see HttpServerOptions; each refusal is counted in http_refused_total by reason.
// Errors:   Start: kAlreadyExists when the port is in use, kInvalidArgument for a bad address or
//           unreadable TLS files, kPermissionDenied for a privileged port.
// Tests:    http_server_test.cc, tls_test.cc
class HttpServer {
 public:
  static Result<std::unique_ptr<HttpServer>> Start(HttpServerOptions options, Handler handler);
  // Shutdown(0) when nobody did.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Stops listening, waits up to `grace` for requests in progress, then closes every connection and
  // waits for running handlers to return. Streams do not end by themselves: close them first, or
  // let the grace pass.
  void Shutdown(Duration grace);

  uint16_t port() const;
  // "127.0.0.1:7700": where it really listens.
  const std::string& address() const;

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace kelp::net

#endif  // KELP_NET_HTTP_SERVER_H_
