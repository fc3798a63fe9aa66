// TailHub: live tails, from the store's commits to server-sent events.
#ifndef KELP_SERVER_TAIL_HUB_H_
#define KELP_SERVER_TAIL_HUB_H_

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/metrics.h"
#include "base/sync.h"
#include "net/http_server.h"
#include "query/query.h"
#include "store/store.h"

namespace kelp::server {

// Rows of one tail in a second; more are reported as dropped. Nobody reads faster, and printing
// happens on the store's commit thread.
inline constexpr int64_t kTailRowsPerSecondMax = 10'000;
// Bytes queued for one tail, and for all of them; when readers are slower, rows are dropped and
// reported. The least is what a batch of usual rows takes.
inline constexpr size_t kTailQueueBytesMax = 1 << 20;
inline constexpr size_t kTailQueueBytesMin = 32 << 10;
inline constexpr size_t kTailQueuesBytesMax = 256 << 20;
// Each tail's part of kTailQueuesBytesMax when there are as many as there may be.
constexpr size_t TailQueueBytes(size_t tails_max) {
  return std::clamp(kTailQueuesBytesMax / std::max<size_t>(tails_max, 1), kTailQueueBytesMin,
                    kTailQueueBytesMax);
}
// A silent stream says that it is alive, so that proxies keep it open.
inline constexpr Duration kTailHeartbeat = 15s;

// Follows logstores for clients.
//
// Place:    the server owns one; GET .../tail adds to it.
// Owns:     the subscriptions and a thread for heartbeats and reports. Borrows `store`.
// Threads:  thread-safe. Rows are matched and printed on the store's commit thread.
// Limits:   tails_max → kUnavailable; see the constants above.
// Errors:   kNotFound (logstore).
// Tests:    server_test.cc
class TailHub {
 public:
  TailHub(store::Store& store, MetricRegistry& metrics, int tails_max);
  ~TailHub() { Stop(); }

  // Starts the stream on `responder` when all is well; else the caller answers.
  // Rows of several logstores say which they are of.
  Status Add(std::vector<store::LogstoreName> names, std::shared_ptr<const query::Query> query,
             const std::shared_ptr<net::Responder>& responder);
  // Ends all streams that read a logstore, before it is dropped.
  void End(const store::LogstoreName& name);
  // Ends all streams, for good.
  void Stop();

 private:
  class Tail;
  Status Subscribe(Tail& tail);
  void Forget(uint64_t id);
  template <typename F>
  void RemoveIf(F&& condition);
  void Run();

  store::Store& store_;
  const int tails_max_;
  Counter& dropped_rows_;
  Counter& refused_;
  Gauge& open_;
  Mutex mu_;
  CondVar wake_;
  std::map<uint64_t, std::shared_ptr<Tail>> tails_ GUARDED_BY(mu_);
  uint64_t next_id_ GUARDED_BY(mu_) = 0;
  bool stop_ GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace kelp::server

#endif  // KELP_SERVER_TAIL_HUB_H_
