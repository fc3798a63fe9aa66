// HandlerPool: the threads on which handlers run, behind a bounded queue.
#ifndef KELP_NET_HANDLER_POOL_H_
#define KELP_NET_HANDLER_POOL_H_

#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include "base/metrics.h"
#include "base/sync.h"
#include "net/http_server.h"

namespace kelp::net {

// Runs handlers away from the I/O threads.
//
// Place:    HttpServer makes one; connections submit to it.
// Owns:     its threads. Borrows `handler`, which outlives it.
// Threads:  thread-safe; Stop from one thread.
// Blocking: Stop waits for the handlers that run.
// Limits:   queue_max waiting requests.
class HandlerPool {
 public:
  HandlerPool(int threads, size_t queue_max, const Handler& handler);
  ~HandlerPool() { Stop(); }

  // False, with nothing taken, when the queue is full or the pool has stopped.
  bool Submit(HttpRequest& request, std::shared_ptr<Responder>& responder);
  // Drops what waits and joins the threads.
  void Stop();
  size_t queued() const;

 private:
  struct Job {
    HttpRequest request;
    std::shared_ptr<Responder> responder;
  };
  void Run();

  const size_t queue_max_;
  const Handler& handler_;
  mutable Mutex mu_;
  CondVar work_;
  std::deque<Job> queue_ GUARDED_BY(mu_);
  bool stop_ GUARDED_BY(mu_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace kelp::net

#endif  // KELP_NET_HANDLER_POOL_H_
