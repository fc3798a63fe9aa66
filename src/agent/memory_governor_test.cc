#include "agent/memory_governor.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace kelp::agent {
namespace {

// A process of which the batches hold all they may and the rest is what a test says.
struct FakeProcess {
  uint64_t rest = (20_MiB).bytes;
  uint64_t used = 0;
  int releases = 0;

  ProcessMemory Memory() {
    return {.resident = [this] { return rest + used; }, .release = [this] { ++releases; }};
  }
  // Seconds in which batches grow to the budget.
  void Run(MemoryGovernor& governor, int seconds) {
    for (int i = 0; i < seconds; ++i) used = governor.Tick(used).bytes;
  }
};

TEST(MemoryGovernorTest, BatchesGetTheirShareWhileThereIsRoom) {
  FakeProcess process;
  MemoryGovernor governor(128_MiB, process.Memory());
  EXPECT_EQ(governor.budget(), 48_MiB);
  EXPECT_EQ(governor.Tick(1000), 48_MiB) << "it is not asked for";
  process.Run(governor, 60);
  EXPECT_GT(governor.budget().bytes, (94_MiB).bytes) << "nine tenths, less the rest";
  for (int i = 0; i < MemoryGovernor::kIdleTicks; ++i) governor.Tick(0);
  EXPECT_EQ(governor.budget(), 48_MiB) << "a burst after a rest meets a small one";
}

TEST(MemoryGovernorTest, TheProcessStaysBelowItsLimit) {
  FakeProcess process;
  process.rest = (40_MiB).bytes;
  MemoryGovernor governor(64_MiB, process.Memory());
  process.Run(governor, 20);
  EXPECT_LE(process.rest + process.used, (64_MiB).bytes);
  EXPECT_GE(process.used, (16_MiB).bytes);
  EXPECT_GT(process.releases, 0);
}

TEST(MemoryGovernorTest, ShrinksAndGrowsInSteps) {
  FakeProcess process;
  MemoryGovernor governor(64_MiB, process.Memory());
  process.used = governor.budget().bytes;
  process.rest = (60_MiB).bytes;
  uint64_t before = governor.budget().bytes;
  for (int i = 0; i < 5; ++i) {
    const uint64_t now = governor.Tick(process.used).bytes;
    EXPECT_LE(now, before);
    EXPECT_GE(now, before / 2);
    before = now;
  }
  process.rest = (5_MiB).bytes;
  process.used = before;
  EXPECT_LT(governor.Tick(before).bytes, (48_MiB).bytes);
  process.Run(governor, 60);
  EXPECT_EQ(governor.budget(), 48_MiB);
}

TEST(MemoryGovernorTest, NeverGoesBelowWhatItNeedsToWork) {
  FakeProcess process;
  process.rest = (500_MiB).bytes;
  MemoryGovernor governor(16_MiB, process.Memory());
  process.Run(governor, 100);
  EXPECT_EQ(governor.budget(), MemoryGovernor::kBudgetMin);
}

TEST(MemoryGovernorTest, GivesMemoryBackOnceWhenIdle) {
  FakeProcess process;
  MemoryGovernor governor(64_MiB, process.Memory());
  for (int i = 0; i < 50; ++i) governor.Tick(0);
  EXPECT_EQ(process.releases, 1);
}

TEST(MemoryGovernorTest, KnowsItsOwnProcess) {
  EXPECT_GT(ResidentBytes(RealEnv().files()), (1_MiB).bytes);
}

}  // namespace
}  // namespace kelp::agent
