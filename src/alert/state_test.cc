#include "alert/state.h"

#include <gtest/gtest.h>

namespace kelp::alert {
namespace {

constexpr UnixNanos kMinute = 60'000'000'000;

class StateTest : public testing::Test {
 protected:
  StateTest() {
    alert_.project = "shop";
    alert_.name = "errors";
    alert_.condition = {"", Condition::Op::kGreater, 10};
    alert_.webhook = Webhook{"http://hook/", {}, "{{state}} {{value}} {{labels.pod}}"};
    alert_.hold = 2min;
    alert_.repeat = 10min;
  }

  // One evaluation; what it told, as "state value pod" each, and forgets it.
  std::string Run(UnixNanos minute, std::vector<Finding> findings, const std::string& error = "") {
    Advance(alert_, {error, std::move(findings)}, minute * kMinute, state_);
    std::string out;
    for (const Delivery& delivery : state_.waiting) out += delivery.body + ";";
    rows_ = state_.waiting.size();
    state_.waiting.clear();
    return out;
  }
  static Finding Pod(const std::string& pod, double value) { return {{{"pod", pod}}, value}; }

  Alert alert_;
  State state_;
  size_t rows_ = 0;
};

TEST_F(StateTest, FiresOnceTheConditionHasHeldLongEnough) {
  EXPECT_EQ(Run(1, {Pod("a", 11)}), "");
  EXPECT_STREQ(Overall(state_), "pending");
  EXPECT_EQ(Run(2, {Pod("a", 12)}), "");
  EXPECT_EQ(Run(3, {Pod("a", 13)}), "firing 13 a;");
  EXPECT_STREQ(Overall(state_), "firing");
  EXPECT_EQ(Run(4, {Pod("a", 14)}), "");
}

TEST_F(StateTest, AShortBurstFiresNothing) {
  EXPECT_EQ(Run(1, {Pod("a", 11)}), "");
  EXPECT_EQ(Run(2, {Pod("a", 1)}), "");
  EXPECT_EQ(Run(3, {Pod("a", 11)}), "");
  EXPECT_EQ(Run(4, {Pod("a", 11)}), "");
  EXPECT_STREQ(Overall(state_), "pending");
}

TEST_F(StateTest, RowsWithTheSameLabelsAreOneGroup) {
  alert_.hold = Duration(0);
  EXPECT_EQ(Run(1, {Pod("a", 11), Pod("a", 12)}), "firing 11 a;");
  EXPECT_EQ(state_.groups.size(), 1u);
  EXPECT_EQ(Run(2, {}), "resolved 11 a;");
}

TEST_F(StateTest, LabelsAreCutToWhatAStateMayHold) {
  alert_.hold = Duration(0);
  const std::string line = std::string(kLabelBytesMax - 1, 'x') + "é and more";
  EXPECT_EQ(Run(1, {Pod(line, 11)}), "firing 11 " + std::string(kLabelBytesMax - 1, 'x') + ";");
  // The same group the next time.
  EXPECT_EQ(Run(2, {Pod(line, 12)}), "");
  EXPECT_LT(PrintState(state_).size(), 2 * kLabelBytesMax);
}

TEST_F(StateTest, WhatFiredInSilenceIsNotResolvedAloud) {
  alert_.hold = Duration(0);
  state_.silenced_until = 2 * kMinute;
  EXPECT_EQ(Run(1, {Pod("a", 11)}), ";");
  EXPECT_EQ(Run(3, {}), ";");
  EXPECT_EQ(rows_, 1u);  // in the logstore it is
}

TEST_F(StateTest, WithoutForItFiresAtOnceAndIsResolvedWhenItIsOver) {
  alert_.hold = Duration(0);
  EXPECT_EQ(Run(1, {Pod("a", 11), Pod("b", 12)}), "firing 11 a;firing 12 b;");
  EXPECT_EQ(Run(2, {Pod("a", 1), Pod("b", 12)}), "resolved 11 a;");
  // A group that is gone fulfils nothing.
  EXPECT_EQ(Run(3, {}), "resolved 12 b;");
  EXPECT_STREQ(Overall(state_), "ok");
}

TEST_F(StateTest, WhatGoesOnIsRepeated) {
  alert_.hold = Duration(0);
  EXPECT_EQ(Run(1, {Pod("a", 11)}), "firing 11 a;");
  EXPECT_EQ(Run(10, {Pod("a", 11)}), "");
  EXPECT_EQ(Run(11, {Pod("a", 15)}), "firing 15 a;");
  alert_.repeat = Duration(0);
  EXPECT_EQ(Run(500, {Pod("a", 11)}), "");
}

TEST_F(StateTest, SilenceHoldsTheWebhookBackButNotTheRow) {
  alert_.hold = Duration(0);
  state_.silenced_until = 5 * kMinute;
  EXPECT_EQ(Run(1, {Pod("a", 11)}), ";");
  EXPECT_EQ(rows_, 1u);
  EXPECT_EQ(Run(4, {Pod("a", 11)}), "");
  // It goes on after the silence: now it is told.
  EXPECT_EQ(Run(5, {Pod("a", 12)}), "firing 12 a;");
  EXPECT_EQ(Run(6, {Pod("a", 12)}), "");
}

TEST_F(StateTest, AnErrorIsToldOnceAndChangesNoGroup) {
  alert_.hold = Duration(0);
  Run(1, {Pod("a", 11)});
  EXPECT_EQ(Run(2, {}, "no such field"), ";");
  EXPECT_EQ(rows_, 1u);
  EXPECT_STREQ(Overall(state_), "error");
  EXPECT_EQ(Run(3, {}, "no such field"), "");
  EXPECT_EQ(state_.groups.size(), 1u);
  EXPECT_EQ(Run(4, {Pod("a", 11)}), "");
  EXPECT_STREQ(Overall(state_), "firing");
}

TEST_F(StateTest, GroupsAreBounded) {
  alert_.hold = Duration(0);
  std::vector<Finding> many;
  for (size_t i = 0; i < kGroupsMax + 50; ++i) many.push_back(Pod(std::to_string(i), 11));
  Run(1, many);
  EXPECT_EQ(state_.groups.size(), kGroupsMax);
  EXPECT_EQ(rows_, kGroupsMax);
}

TEST_F(StateTest, MessagesThatWaitAreBoundedAndCounted) {
  alert_.hold = Duration(0);
  for (UnixNanos i = 0; i < static_cast<UnixNanos>(kWaitingMax) + 20; ++i) {
    Advance(alert_, {"", {Pod(std::to_string(i), 11)}}, i * kMinute, state_);
  }
  EXPECT_EQ(state_.waiting.size(), kWaitingMax);
  // Each run fires one and resolves another.
  EXPECT_EQ(state_.given_up, kWaitingMax + 20 + kWaitingMax + 19 - kWaitingMax);
}

TEST_F(StateTest, SurvivesBeingPrinted) {
  alert_.hold = Duration(0);
  Advance(alert_, {"", {Pod("a\"\n", 11.5), Pod("b", 12)}}, 7 * kMinute, state_);
  state_.silenced_until = 9;
  state_.error = "it \"broke\"";
  const auto again = ParseState(PrintState(state_));
  ASSERT_TRUE(again.ok()) << again.status().ToString();
  EXPECT_EQ(PrintState(*again), PrintState(state_));
  EXPECT_EQ(again->groups, state_.groups);
  EXPECT_EQ(again->waiting.size(), 2u);
  EXPECT_EQ(again->waiting[1].key, state_.waiting[1].key);
  EXPECT_NE(again->waiting[0].key, again->waiting[1].key);
  EXPECT_FALSE(ParseState("{\"groups\":7}").ok());
  EXPECT_FALSE(ParseState("[]").ok());
  EXPECT_TRUE(ParseState("").ok());
}

}  // namespace
}  // namespace kelp::alert
