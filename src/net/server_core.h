// What HttpServer and its connections share. Internal to net/: includes Asio.
#ifndef KELP_NET_SERVER_CORE_H_
#define KELP_NET_SERVER_CORE_H_

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <unordered_set>
#include <utility>

#include "base/memory_budget.h"
#include "base/metrics.h"
#include "net/handler_pool.h"
#include "net/http_server.h"

namespace kelp::net {

using SteadyTime = std::chrono::steady_clock::time_point;

// The server's counters; without a registry they are kept, and shown to nobody.
struct ServerMetrics {
  ServerMetrics(MetricRegistry& registry, const MetricLabels& labels);
  static Counter& Refused(MetricRegistry& registry, MetricLabels labels, const char* reason);
  Counter* answers[6];  // by the hundreds of the status; [0] unused
  Counter& body_bytes;
  Counter& refused_connections;
  Counter& refused_head;
  Counter& refused_body_size;
  Counter& refused_memory;
  Counter& refused_answer;
  Counter& refused_queue;
  Counter& timeouts;
  Counter& streams_cut;
  Gauge& connections;
  LatencyHistogram& latency;
};

// Everything that all threads of one server read. Immutable but for the thread-safe members.
struct ServerCore {
  ServerCore(HttpServerOptions o, Handler h, MetricRegistry& registry)
      : options(std::move(o)),
        handler(std::move(h)),
        metrics(registry, options.metric_labels),
        bodies(options.bodies_bytes_max),
        answers(options.answers_bytes_max) {}
  const HttpServerOptions options;
  const Handler handler;
  ServerMetrics metrics;
  MemoryBudget bodies;
  MemoryBudget answers;
  std::unique_ptr<HandlerPool> pool;  // null: handlers run on the I/O thread
  std::atomic<int64_t> connections{0};
  std::atomic<bool> draining{false};
};

// A connection as its worker sees it. Confined to the worker's thread.
class ConnectionBase {
 public:
  virtual ~ConnectionBase() = default;
  virtual void OnDeadline() = 0;
  // The server drains: close now when idle, else after the answer under way.
  virtual void Drain() = 0;
  virtual void Close() = 0;
  SteadyTime deadline = SteadyTime::max();
};

// One I/O thread and its connections.
//
// Threads: everything but `context` is confined to the thread that runs it.
struct Worker {
  explicit Worker(ServerCore& c);
  void Add(ConnectionBase* connection);
  void Remove(ConnectionBase* connection);
  // Looks for passed deadlines as long as there are connections: no timer per request.
  void ScheduleSweep();
  void Sweep();

  ServerCore& core;
  boost::asio::io_context context{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard{
      context.get_executor()};
  boost::asio::steady_timer timer{context};
  const std::chrono::steady_clock::duration sweep_period;
  bool sweeping = false;
  std::unordered_set<ConnectionBase*> connections;
  std::thread thread;
};

// Takes over a socket that belongs to `worker.context`. `refuse`: answer 503 and close.
void StartPlainConnection(Worker& worker, boost::asio::ip::tcp::socket socket, bool refuse);

// The TLS side, in tls_server.cc.
class TlsAcceptor {
 public:
  virtual ~TlsAcceptor() = default;
  virtual void Start(Worker& worker, boost::asio::ip::tcp::socket socket, bool refuse) = 0;
  static Result<std::unique_ptr<TlsAcceptor>> Create(const TlsServerOptions& options);
};

}  // namespace kelp::net

#endif  // KELP_NET_SERVER_CORE_H_
