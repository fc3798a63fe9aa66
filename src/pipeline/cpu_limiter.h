// CpuLimiter: says how long to rest so that the process stays within a number of cores.
//
// The process earns `cores` seconds of processor time for each second that passes, and pays for
// what all its threads use. Workers rest after a turn while there is debt; a turn is a fraction of
// a millisecond, so the rests are short and the pace is even. Threads that do not rest (an output's
// senders, say) are paid for by the workers, who feed them.
//
// Threads:  thread-safe. Blocking: never; the caller sleeps.
// Limits:   kBurst of unused time is kept, so that a rest is followed by a small burst only; debt
//           past kDebtMax is forgiven, so that one long step does not stop reading for minutes.
// Tests:    cpu_limiter_test.cc
#ifndef KELP_PIPELINE_CPU_LIMITER_H_
#define KELP_PIPELINE_CPU_LIMITER_H_

#include "base/sync.h"
#include "base/units.h"

namespace kelp::pipeline {

class CpuLimiter {
 public:
  // Both are times on the clock: what `cores` earn in 50 ms, and what they earn in 2 s.
  static constexpr Duration kBurst = 50ms;
  static constexpr Duration kDebtMax = 2s;

  // `cores` 0: no limit.
  explicit CpuLimiter(double cores) : cores_(cores) {}

  bool limited() const { return cores_ > 0; }
  // How long to rest, given the monotonic clock and the processor time of the process so far.
  Duration Rest(Duration now, Duration cpu);

 private:
  const double cores_;
  Mutex mu_;
  bool started_ GUARDED_BY(mu_) = false;
  Duration last_now_ GUARDED_BY(mu_){0};
  Duration last_cpu_ GUARDED_BY(mu_){0};
  double balance_ns_ GUARDED_BY(mu_) = 0;  // processor time; negative: debt
};

// Processor time of all threads of this process so far.
Duration ProcessCpuTime();

}  // namespace kelp::pipeline

#endif  // KELP_PIPELINE_CPU_LIMITER_H_
