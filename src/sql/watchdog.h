// Watchdog: stops a statement whose time is over, whose caller is gone, or that makes the process
// grow too much.
//
// DuckDB keeps its tables and sorts within memory_limit, but not the values under way between two
// operators; so the process itself is looked at, too.
//
// Threads:  has one of its own.
// Tests:    sql_test.cc
#ifndef KELP_SQL_WATCHDOG_H_
#define KELP_SQL_WATCHDOG_H_

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

#include "base/sync.h"
#include "base/units.h"
#include "query/query.h"

namespace kelp::sql {

class Watchdog {
 public:
  enum class Why : uint8_t { kNone, kTime, kCancelled, kMemory };

  // Calls `stop` again and again once a limit is passed, until destroyed.
  Watchdog(const query::Limits& limits, std::function<void()> stop);
  ~Watchdog();
  // Which limit is passed. Looks itself when the thread has not yet: a scan sees the same limits
  // and may end the statement first. Memory is only the thread's to look at.
  Why why() const;

 private:
  void Run();
  // Of those limits that whoever runs the statement sees, too.
  Why Look() const;

  const query::Limits limits_;
  const std::function<void()> stop_;
  const std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
  std::atomic<Why> why_{Why::kNone};
  Mutex mu_;
  CondVar wake_;
  bool done_ GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace kelp::sql

#endif  // KELP_SQL_WATCHDOG_H_
