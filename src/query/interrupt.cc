#include "query/interrupt.h"

#include <ctime>

namespace kelp::query {
namespace {

Duration Read(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return std::chrono::seconds(now.tv_sec) + Duration(now.tv_nsec);
}

}  // namespace

Interrupt::Interrupt(const Limits& limits)
    : limits_(limits),
      wall_begin_(Read(CLOCK_MONOTONIC)),
      cpu_begin_(Read(CLOCK_THREAD_CPUTIME_ID)) {}

bool Interrupt::Check() {
  if (stopped()) return true;
  if (limits_.cancelled != nullptr && limits_.cancelled->load(std::memory_order_relaxed)) {
    why_ = Why::kCancelled;
  } else if (Read(CLOCK_MONOTONIC) - wall_begin_ >= limits_.time) {
    why_ = Why::kTime;
  }
  return stopped();
}

void Interrupt::FillCost(Stats& stats) const {
  stats.cpu = Read(CLOCK_THREAD_CPUTIME_ID) - cpu_begin_;
  stats.wall = Read(CLOCK_MONOTONIC) - wall_begin_;
}

}  // namespace kelp::query
