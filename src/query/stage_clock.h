// StageClock: the processor time of one thread, split by stage of the query.
//
// Reading the clock is a system call, so a clock that is off does nothing.
//
// Threads: confined to the thread that it measures.
#ifndef KELP_QUERY_STAGE_CLOCK_H_
#define KELP_QUERY_STAGE_CLOCK_H_

#include <array>
#include <ctime>

#include "query/explain.h"

namespace kelp::query {

inline Duration ReadClock(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return std::chrono::seconds(now.tv_sec) + Duration(now.tv_nsec);
}

class StageClock {
 public:
  explicit StageClock(bool on) : on_(on) {}
  // The time from now on belongs to the next Lap.
  void Start() {
    if (on_) last_ = ReadClock(CLOCK_THREAD_CPUTIME_ID);
  }
  // The time since the last call belongs to `stage`.
  void Lap(Stage stage) {
    if (!on_) return;
    const Duration now = ReadClock(CLOCK_THREAD_CPUTIME_ID);
    cpu_[static_cast<size_t>(stage)] += now - last_;
    last_ = now;
  }
  const std::array<Duration, kStages>& cpu() const { return cpu_; }

 private:
  const bool on_;
  Duration last_{0};
  std::array<Duration, kStages> cpu_{};
};

}  // namespace kelp::query

#endif  // KELP_QUERY_STAGE_CLOCK_H_
