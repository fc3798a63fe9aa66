// LokiTails: live tails of the Loki API, from the store's commits to WebSockets.
//
// Place:    the server owns one; GET /loki/api/v1/tail adds to it.
// Owns:     the subscriptions and a thread for pings and reports. Borrows `store`.
// Threads:  thread-safe. Rows are matched and printed on the store's commit thread.
// Limits:   tails_max → kUnavailable; kTailRowsPerSecondMax and TailQueueBytes of tail_hub.h.
//           What is over is dropped, counted and reported.
// Errors:   kNotFound (logstore), kInvalidArgument (no WebSocket).
// Tests:    loki_api_test.cc
#ifndef KELP_SERVER_LOKI_TAIL_H_
#define KELP_SERVER_LOKI_TAIL_H_

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/metrics.h"
#include "base/sync.h"
#include "loki/log_query.h"
#include "net/http_server.h"
#include "store/store.h"

namespace kelp::server {

class LokiTails {
 public:
  LokiTails(Clock& clock, store::Store& store, MetricRegistry& metrics, int tails_max);
  ~LokiTails() { Stop(); }

  struct Request {
    std::vector<store::LogstoreName> logstores;
    std::shared_ptr<const loki::Expr> expr;
    bool categorize = false;
    // Rows from before; called once live rows are being gathered, so that none is left out.
    std::function<std::vector<loki::LogLine>()> earlier;
  };
  // Starts the stream on `responder` when all is well; else the caller answers.
  Status Add(Request tail, const net::HttpRequest& request,
             const std::shared_ptr<net::Responder>& responder);
  // Ends all streams, for good.
  void Stop();

 private:
  class Tail;
  void Run();
  std::vector<std::shared_ptr<Tail>> All() EXCLUDES(mu_);

  Clock& clock_;
  store::Store& store_;
  const size_t tails_max_;
  Counter& dropped_rows_;
  Counter& refused_;
  Gauge& open_;
  Mutex mu_;
  CondVar wake_;
  std::vector<std::shared_ptr<Tail>> tails_ GUARDED_BY(mu_);
  bool stop_ GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace kelp::server

#endif  // KELP_SERVER_LOKI_TAIL_H_
