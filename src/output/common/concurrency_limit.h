// ConcurrencyLimit: how many requests to one destination may be under way at once.
#ifndef KELP_OUTPUT_COMMON_CONCURRENCY_LIMIT_H_
#define KELP_OUTPUT_COMMON_CONCURRENCY_LIMIT_H_

#include "base/metrics.h"
#include "base/sync.h"
#include "base/units.h"

namespace kelp::output {

// Follows what the destination bears: one more when places are wanted and answers are quick, half
// when it says that it is overloaded or does not answer, a tenth less when answers become slow.
//
//   while (!limit.TryBegin()) limit.WaitForPlace();
//   ... the request ...
//   limit.End(outcome, latency, now);
//
// Threads:  thread-safe.
// Limits:   between 1 and `max`.
// Tests:    concurrency_limit_test.cc
class ConcurrencyLimit {
 public:
  enum class Outcome {
    kAnswered,   // served: its latency counts
    kOverload,   // 429, 503, no answer in time, no connection
    kUnrelated,  // refused for a reason that has nothing to do with load
  };

  // `gauge` shows the limit.
  ConcurrencyLimit(int max, Gauge& gauge);

  // Takes a place, or remembers that one more was wanted.
  bool TryBegin();
  // Returns when a place may be free, or after a tenth of a second: the caller may have to stop.
  void WaitForPlace();
  // Gives the place back. `now`: monotonic.
  void End(Outcome outcome, Duration latency, Duration now);
  int limit() const;

 private:
  void Answered(Duration latency, Duration now) REQUIRES(mu_);
  void Set(double limit) REQUIRES(mu_);

  const int max_;
  Gauge& gauge_;
  mutable Mutex mu_;
  CondVar place_;
  double limit_ GUARDED_BY(mu_);
  int busy_ GUARDED_BY(mu_) = 0;
  bool wanted_ GUARDED_BY(mu_) = false;
  double usual_ns_ GUARDED_BY(mu_) = 0;  // latency, smoothed; 0: not known
  Duration lowered_at_ GUARDED_BY(mu_) = Duration::min();
};

}  // namespace kelp::output

#endif  // KELP_OUTPUT_COMMON_CONCURRENCY_LIMIT_H_
