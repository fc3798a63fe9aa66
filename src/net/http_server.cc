#include "net/http_server.h"

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <future>
#include <utility>
#include <vector>

#include "base/log.h"
#include "net/connection.h"
#include "net/server_core.h"

namespace kelp::net {
namespace {

using asio::ip::tcp;

// Connections over the limit that are told so politely; more are closed without a word.
constexpr int64_t kRefusedConnectionsMax = 64;
// How long the acceptor rests when the process has no descriptors left.
constexpr auto kAcceptPause = std::chrono::milliseconds(100);
// How often Shutdown looks whether the last request is answered.
constexpr auto kDrainPoll = std::chrono::milliseconds(5);

std::chrono::steady_clock::duration SweepPeriod(const HttpServerOptions& options) {
  const Duration shortest =
      std::min({options.idle_timeout, options.read_timeout, options.write_timeout});
  return std::clamp<Duration>(shortest / 4, 5ms, 1s);
}

Result<tcp::endpoint> Resolve(asio::io_context& context, const std::string& listen) {
  ASSIGN_OR_RETURN(const HostPort at, ParseHostPort(listen));
  error_code error;
  if (at.host.empty()) return tcp::endpoint(tcp::v6(), at.port);
  const auto address = asio::ip::make_address(at.host, error);
  if (!error) return tcp::endpoint(address, at.port);
  tcp::resolver resolver(context);
  const auto found = resolver.resolve(at.host, std::to_string(at.port), error);
  if (error || found.empty()) {
    return InvalidArgumentError("cannot listen on " + listen + ": " + error.message());
  }
  return found.begin()->endpoint();
}

// Opens, binds and listens. "[::]" also takes IPv4.
Status Listen(tcp::acceptor& acceptor, tcp::endpoint endpoint, const std::string& listen) {
  error_code error;
  acceptor.open(endpoint.protocol(), error);
  if (error == asio::error::address_family_not_supported && endpoint.address().is_unspecified()) {
    endpoint = tcp::endpoint(tcp::v4(), endpoint.port());
    acceptor.open(endpoint.protocol(), error);
  }
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error && endpoint.address().is_v6()) {
    acceptor.set_option(asio::ip::v6_only(false), error);
  }
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (!error) acceptor.non_blocking(true, error);
  if (!error) return OkStatus();
  if (error == asio::error::address_in_use) {
    return AlreadyExistsError("cannot listen on " + listen +
                              ": another process uses this port; stop it or choose another port");
  }
  return ErrnoError("cannot listen on " + listen, error.value());
}

std::string EndpointText(const tcp::endpoint& endpoint) {
  error_code ignored;
  const std::string address = endpoint.address().to_string(ignored);
  return (endpoint.address().is_v6() ? "[" + address + "]" : address) + ":" +
         std::to_string(endpoint.port());
}

}  // namespace

ServerMetrics::ServerMetrics(MetricRegistry& registry, const MetricLabels& labels)
    : body_bytes(registry.AddCounter("http_request_body_bytes_total", "Bodies received.", labels)),
      refused_connections(Refused(registry, labels, "connections")),
      refused_head(Refused(registry, labels, "malformed")),
      refused_body_size(Refused(registry, labels, "body_size")),
      refused_memory(Refused(registry, labels, "memory")),
      refused_answer(Refused(registry, labels, "answers")),
      refused_queue(Refused(registry, labels, "queue")),
      timeouts(registry.AddCounter("http_timeouts_total",
                                   "Connections closed because the peer was too slow.", labels)),
      streams_cut(registry.AddCounter("http_streams_cut_total",
                                      "Streams cut off because the peer read too slowly.", labels)),
      connections(registry.AddGauge("http_connections", "Open connections.", labels)),
      latency(registry.AddLatency("http_request_seconds",
                                  "Time from a request's last byte to its answer's last byte.",
                                  labels)) {
  answers[0] = nullptr;
  for (int i = 1; i <= 5; ++i) {
    MetricLabels with_status = labels;
    with_status.emplace_back("status", std::to_string(i) + "xx");
    answers[i] = &registry.AddCounter("http_answers_total", "Answers by status.", with_status);
  }
}

Counter& ServerMetrics::Refused(MetricRegistry& registry, MetricLabels labels, const char* reason) {
  labels.emplace_back("reason", reason);
  return registry.AddCounter("http_refused_total", "Requests and connections refused.", labels);
}

Worker::Worker(ServerCore& c) : core(c), sweep_period(SweepPeriod(c.options)) {}

void Worker::Add(ConnectionBase* connection) {
  connections.insert(connection);
  core.metrics.connections.Add(1);
  ScheduleSweep();
}

void Worker::Remove(ConnectionBase* connection) {
  connections.erase(connection);
  core.metrics.connections.Add(-1);
  core.connections.fetch_sub(1);
  if (connections.empty()) timer.cancel();
}

void Worker::ScheduleSweep() {
  if (std::exchange(sweeping, true)) return;
  timer.expires_after(sweep_period);
  timer.async_wait([this](error_code) {
    sweeping = false;
    Sweep();
    if (!connections.empty()) ScheduleSweep();
  });
}

void Worker::Sweep() {
  const SteadyTime now = std::chrono::steady_clock::now();
  std::vector<ConnectionBase*> late;
  for (ConnectionBase* connection : connections) {
    if (connection->deadline <= now) late.push_back(connection);
  }
  for (ConnectionBase* connection : late) {
    // Closing one may end another only by way of the loop, so the pointers hold; a check is cheap.
    if (connections.count(connection) != 0) connection->OnDeadline();
  }
}

void StartPlainConnection(Worker& worker, tcp::socket socket, bool refuse) {
  std::make_shared<Connection<tcp::socket>>(worker, std::move(socket), refuse)->Start();
}

class HttpServer::Impl {
 public:
  Impl(HttpServerOptions options, Handler handler)
      : core_(std::move(options), std::move(handler),
              options.metrics != nullptr ? *options.metrics : own_metrics_) {}

  Status Start() {
    if (core_.options.tls) {
      ASSIGN_OR_RETURN(tls_, TlsAcceptor::Create(*core_.options.tls));
    }
    for (int i = 0; i < std::max(core_.options.threads, 1); ++i) {
      workers_.push_back(std::make_unique<Worker>(core_));
    }
    asio::io_context& context = workers_.front()->context;
    ASSIGN_OR_RETURN(const tcp::endpoint endpoint, Resolve(context, core_.options.listen));
    acceptor_ = std::make_unique<tcp::acceptor>(context);
    RETURN_IF_ERROR(Listen(*acceptor_, endpoint, core_.options.listen));
    error_code error;
    const tcp::endpoint local = acceptor_->local_endpoint(error);
    if (error) return IoError("cannot read the listening address: " + error.message());
    port_ = local.port();
    address_ = EndpointText(local);
    pause_ = std::make_unique<asio::steady_timer>(context);
    if (core_.options.handler_threads > 0) {
      core_.pool = std::make_unique<HandlerPool>(core_.options.handler_threads,
                                                 core_.options.handler_queue_max, core_.handler);
    }
    Accept();
    for (const auto& worker : workers_) {
      worker->thread = std::thread([&context = worker->context] { context.run(); });
    }
    running_ = true;
    return OkStatus();
  }

  void Shutdown(Duration grace) {
    if (!std::exchange(running_, false)) return;
    core_.draining = true;
    OnEachWorker([this](Worker& worker) {
      if (&worker == workers_.front().get()) {
        error_code ignored;
        acceptor_->close(ignored);
        pause_->cancel();
      }
      ForEachConnection(worker, [](ConnectionBase& connection) { connection.Drain(); });
    });
    const SteadyTime end = std::chrono::steady_clock::now() + grace;
    while (core_.connections > 0 && std::chrono::steady_clock::now() < end) {
      std::this_thread::sleep_for(kDrainPoll);
    }
    OnEachWorker([](Worker& worker) {
      ForEachConnection(worker, [](ConnectionBase& connection) { connection.Close(); });
    });
    if (core_.pool) core_.pool->Stop();
    for (const auto& worker : workers_) {
      worker->guard.reset();
      worker->thread.join();
    }
  }

  uint16_t port() const { return port_; }
  const std::string& address() const { return address_; }

 private:
  template <typename F>
  static void ForEachConnection(Worker& worker, F&& call) {
    const std::vector<ConnectionBase*> all(worker.connections.begin(), worker.connections.end());
    for (ConnectionBase* connection : all) {
      if (worker.connections.count(connection) != 0) call(*connection);
    }
  }

  // Runs `call` on each worker's thread and waits for all.
  void OnEachWorker(const std::function<void(Worker&)>& call) {
    std::vector<std::future<void>> done;
    for (const auto& worker : workers_) {
      auto task = std::make_shared<std::packaged_task<void()>>(
          [&call, worker = worker.get()] { call(*worker); });
      done.push_back(task->get_future());
      asio::post(worker->context, [task] { (*task)(); });
    }
    for (auto& future : done) future.wait();
  }

  void Accept() {
    Worker& worker = *workers_[next_++ % workers_.size()];
    acceptor_->async_accept(worker.context, [this, &worker](error_code error, tcp::socket socket) {
      if (error == asio::error::operation_aborted || core_.draining) return;
      if (error) return PauseAccept(error);
      Admit(worker, std::move(socket));
      Accept();
    });
  }

  void PauseAccept(error_code error) {
    LOG_RATE(10s, kError, "cannot accept a connection on {}: {}", address_, error.message());
    pause_->expires_after(kAcceptPause);
    pause_->async_wait([this](error_code stopped) {
      if (!stopped && !core_.draining) Accept();
    });
  }

  void Admit(Worker& worker, tcp::socket socket) {
    const auto limit = static_cast<int64_t>(core_.options.connections_max);
    const int64_t count = core_.connections.fetch_add(1) + 1;
    const bool refuse = count > limit;
    if (refuse) {
      core_.metrics.refused_connections.Add();
      LOG_RATE(10s, kWarning, "{}: more than {} connections; refusing new ones", address_, limit);
    }
    if (count > limit + kRefusedConnectionsMax) {
      core_.connections.fetch_sub(1);
      return;  // closes the socket
    }
    asio::post(worker.context, [this, &worker, refuse, socket = std::move(socket)]() mutable {
      if (core_.draining) {
        core_.connections.fetch_sub(1);
      } else if (tls_) {
        tls_->Start(worker, std::move(socket), refuse);
      } else {
        StartPlainConnection(worker, std::move(socket), refuse);
      }
    });
  }

  MetricRegistry own_metrics_;
  ServerCore core_;
  std::unique_ptr<TlsAcceptor> tls_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<tcp::acceptor> acceptor_;
  std::unique_ptr<asio::steady_timer> pause_;
  size_t next_ = 0;
  bool running_ = false;
  uint16_t port_ = 0;
  std::string address_;
};

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() { Shutdown(Duration(0)); }

Result<std::unique_ptr<HttpServer>> HttpServer::Start(HttpServerOptions options, Handler handler) {
  try {
    auto impl = std::make_unique<Impl>(std::move(options), std::move(handler));
    RETURN_IF_ERROR(impl->Start());
    return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
  } catch (const boost::system::system_error& error) {
    // Asio's contexts and threads throw when the process is out of descriptors or threads.
    return ResourceExhaustedError(std::string("cannot start the HTTP server: ") + error.what());
  } catch (const std::system_error& error) {
    return ResourceExhaustedError(std::string("cannot start the HTTP server: ") + error.what());
  }
}

void HttpServer::Shutdown(Duration grace) { impl_->Shutdown(grace); }
uint16_t HttpServer::port() const { return impl_->port(); }
const std::string& HttpServer::address() const { return impl_->address(); }

}  // namespace kelp::net
