// ScanPool: threads that help running queries, shared by all of them.
//
//   ScanPool pool(1);                              // with the caller: two threads a query
//   pool.Run(1, [&](size_t worker) { ... });       // worker 0 is the caller
//
// A query's own thread always takes part, so a busy pool makes queries slower and never makes them
// wait.
//
// Place:    the server makes one and names it in query::Limits.
// Owns:     its threads.
// Threads:  thread-safe. Destroy it when no Run is under way.
// Limits:   as many threads as the constructor is told.
// Tests:    explain_test.cc
#ifndef KELP_QUERY_SCAN_POOL_H_
#define KELP_QUERY_SCAN_POOL_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "base/sync.h"

namespace kelp::query {

class ScanPool {
 public:
  explicit ScanPool(size_t threads);
  ~ScanPool();
  ScanPool(const ScanPool&) = delete;
  ScanPool& operator=(const ScanPool&) = delete;

  size_t threads() const { return threads_.size(); }

  // Calls work(0) on this thread and work(1) to work(helpers) on threads of the pool, as far as
  // some are free before work(0) ends. Returns when none of these calls runs any more.
  void Run(size_t helpers, const std::function<void(size_t)>& work) EXCLUDES(mu_);

 private:
  struct Job {
    const std::function<void(size_t)>* work;
    size_t next = 1;
    size_t last = 0;
    size_t running = 0;
    CondVar idle;
  };

  void Serve() EXCLUDES(mu_);

  Mutex mu_;
  CondVar wake_;
  bool stopping_ GUARDED_BY(mu_) = false;
  std::deque<Job*> jobs_ GUARDED_BY(mu_);  // that still want helpers
  std::vector<std::thread> threads_;
};

}  // namespace kelp::query

#endif  // KELP_QUERY_SCAN_POOL_H_
