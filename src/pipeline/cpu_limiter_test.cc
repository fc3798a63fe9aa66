#include "pipeline/cpu_limiter.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace kelp::pipeline {
namespace {

// A process on a clock of its own: a worker whose turns cost processor time, and other threads that
// use some all the while.
struct Process {
  Duration now{0};
  Duration cpu{0};
  double others = 0;  // cores that other threads use

  void Pass(Duration wall, Duration used) {
    now += wall;
    cpu += used + Duration(static_cast<int64_t>(static_cast<double>(wall.count()) * others));
  }
  // Turns and rests until `end`; the longest rest.
  Duration Run(CpuLimiter& limiter, Duration turn, Duration end) {
    Duration longest{0};
    while (now < end) {
      Pass(turn, turn);
      Duration rest{0};
      for (Duration r = limiter.Rest(now, cpu); r.count() > 0; r = limiter.Rest(now, cpu)) {
        rest += std::min<Duration>(r, 10ms);
        Pass(std::min<Duration>(r, 10ms), Duration(0));
      }
      longest = std::max(longest, rest);
    }
    return longest;
  }
  double Cores(Duration from, Duration cpu_then) const {
    return static_cast<double>((cpu - cpu_then).count()) /
           static_cast<double>((now - from).count());
  }
};

TEST(CpuLimiterTest, HoldsTheProcessToItsCoresWithShortRests) {
  CpuLimiter limiter(0.2);
  Process process;
  const Duration longest = process.Run(limiter, 1ms, 10s);
  EXPECT_NEAR(process.Cores(Duration(0), Duration(0)), 0.2, 0.01);
  EXPECT_LE(longest, 10ms);
}

TEST(CpuLimiterTest, CountsWhatOtherThreadsUse) {
  CpuLimiter limiter(0.5);
  Process process{.others = 0.3};
  process.Run(limiter, 1ms, 10s);
  EXPECT_NEAR(process.Cores(Duration(0), Duration(0)), 0.5, 0.02);
}

TEST(CpuLimiterTest, ALongRestEarnsASmallBurstOnly) {
  CpuLimiter limiter(0.5);
  Process process;
  process.Run(limiter, 1ms, 1s);
  process.Pass(60s, Duration(0));
  const Duration before = process.cpu;
  const Duration then = process.now;
  process.Run(limiter, 1ms, then + 200ms);
  EXPECT_LE(process.cpu - before, 100ms + 30ms);
}

TEST(CpuLimiterTest, ForgivesADebtThatWouldTakeMinutes) {
  CpuLimiter limiter(0.1);
  limiter.Rest(Duration(0), Duration(0));
  EXPECT_EQ(limiter.Rest(1s, 100s), CpuLimiter::kDebtMax);
}

TEST(CpuLimiterTest, WithoutALimitNobodyRests) {
  CpuLimiter limiter(0);
  limiter.Rest(Duration(0), Duration(0));
  EXPECT_EQ(limiter.Rest(1s, 100s), Duration(0));
}

}  // namespace
}  // namespace kelp::pipeline
