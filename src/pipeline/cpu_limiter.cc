#include "pipeline/cpu_limiter.h"

#include <time.h>

#include <algorithm>

namespace kelp::pipeline {

Duration CpuLimiter::Rest(Duration now, Duration cpu) {
  if (!limited()) return Duration(0);
  MutexLock lock(mu_);
  if (started_) {
    const double earned = static_cast<double>((now - last_now_).count()) * cores_;
    const auto used = static_cast<double>((cpu - last_cpu_).count());
    balance_ns_ =
        std::clamp(balance_ns_ + earned - used, -static_cast<double>(kDebtMax.count()) * cores_,
                   static_cast<double>(kBurst.count()) * cores_);
  }
  started_ = true;
  last_now_ = now;
  last_cpu_ = cpu;
  if (balance_ns_ >= 0) return Duration(0);
  return Duration(static_cast<int64_t>(-balance_ns_ / cores_));
}

Duration ProcessCpuTime() {
  timespec ts;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
  return Duration(static_cast<int64_t>(ts.tv_sec) * 1000000000 + ts.tv_nsec);
}

}  // namespace kelp::pipeline
