#include "output/common/concurrency_limit.h"

#include <gtest/gtest.h>

namespace kelp::output {
namespace {

using Outcome = ConcurrencyLimit::Outcome;

class ConcurrencyLimitTest : public ::testing::Test {
 protected:
  // As many requests at once as are let through, all with this outcome.
  int Round(ConcurrencyLimit& limit, Outcome outcome, Duration latency) {
    int begun = 0;
    while (limit.TryBegin()) ++begun;
    now += latency;
    for (int i = 0; i < begun; ++i) limit.End(outcome, latency, now);
    return begun;
  }
  Gauge gauge;
  Duration now{1h};
};

TEST_F(ConcurrencyLimitTest, RisesToTheMaximumWhileAnswersAreQuick) {
  ConcurrencyLimit limit(8, gauge);
  EXPECT_EQ(gauge.value(), 2);
  for (int i = 0; i < 50; ++i) EXPECT_LE(Round(limit, Outcome::kAnswered, 10ms), 8);
  EXPECT_EQ(limit.limit(), 8);
  EXPECT_EQ(gauge.value(), 8);
}

TEST_F(ConcurrencyLimitTest, StaysWhereItIsWhenNobodyWantsMore) {
  ConcurrencyLimit limit(8, gauge);
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(limit.TryBegin());
    limit.End(Outcome::kAnswered, 10ms, now += 10ms);
  }
  EXPECT_EQ(limit.limit(), 2);
}

TEST_F(ConcurrencyLimitTest, HalvesOncePerSecondOfOverloadDownToOne) {
  ConcurrencyLimit limit(8, gauge);
  for (int i = 0; i < 50; ++i) Round(limit, Outcome::kAnswered, 10ms);
  EXPECT_EQ(Round(limit, Outcome::kOverload, 10ms), 8);  // all eight fail: one lesson
  EXPECT_EQ(limit.limit(), 4);
  Round(limit, Outcome::kOverload, 10ms);
  EXPECT_EQ(limit.limit(), 4);
  for (int i = 0; i < 5; ++i) Round(limit, Outcome::kOverload, 2s);
  EXPECT_EQ(limit.limit(), 1);
  EXPECT_EQ(Round(limit, Outcome::kAnswered, 10ms), 1);
  for (int i = 0; i < 50; ++i) Round(limit, Outcome::kAnswered, 10ms);
  EXPECT_EQ(limit.limit(), 8);
}

TEST_F(ConcurrencyLimitTest, GivesWayWhenAnswersBecomeSlow) {
  ConcurrencyLimit limit(8, gauge);
  for (int i = 0; i < 50; ++i) Round(limit, Outcome::kAnswered, 10ms);
  Round(limit, Outcome::kAnswered, 3s);
  EXPECT_EQ(limit.limit(), 7);
  // Slow for long is the new usual.
  for (int i = 0; i < 100; ++i) Round(limit, Outcome::kAnswered, 3s);
  EXPECT_EQ(limit.limit(), 8);
}

TEST_F(ConcurrencyLimitTest, RefusalsSayNothingAboutLoad) {
  ConcurrencyLimit limit(8, gauge);
  for (int i = 0; i < 50; ++i) Round(limit, Outcome::kUnrelated, 10ms);
  EXPECT_EQ(limit.limit(), 2);
}

}  // namespace
}  // namespace kelp::output
