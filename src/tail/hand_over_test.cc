// Records that span a rotation.
#include "tail/tail_fixture.h"

namespace kelp::tail {
namespace {

using testing::Bodies;

constexpr char kTime[] = "2026-11-20T23:49:27.5Z ";

class HandOverTest : public testing::TailTest {
 protected:
  FollowOptions Cri() {
    FollowOptions options = Options();
    options.decoder = framing::MakeCriDecoder;
    return options;
  }
  void Line(const std::string& name, const std::string& rest) {
    dir_.Append(name, kTime + rest + "\n");
  }
};

TEST_F(HandOverTest, PiecesBeforeAndBehindARotationAreOneRow) {
  Line("a.log", "stdout F one");
  Start(Cri());
  Line("a.log", "stdout P tw");
  dir_.Rename("a.log", "a.log.1");
  Line("a.log", "stdout F o");
  Line("a.log", "stdout F three");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"one"}));
  Pass(2s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two", "three"}));
  EXPECT_EQ(host_->rows[1].origin, host_->rows[2].origin);
}

TEST_F(HandOverTest, AKillBeforeTheRowWasDeliveredRepeatsIt) {
  Line("a.log", "stdout F one");
  Start(Cri());
  AckAndStore();
  Line("a.log", "stdout P tw");
  Line("a.log", "stderr F err");
  dir_.Rename("a.log", "a.log.1");
  Line("a.log", "stdout F o");
  Pass(2s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "err", "two"}));
  ASSERT_TRUE(tail_->StoreCheckpoints().ok());
  Stop();
  Start(Cri());
  Pass(2s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"err", "two"}));
}

TEST_F(HandOverTest, AKillAfterTheRowWasDeliveredDoesNotRepeatIt) {
  Line("a.log", "stdout F one");
  Start(Cri());
  Line("a.log", "stdout P tw");
  dir_.Rename("a.log", "a.log.1");
  Line("a.log", "stdout F o");
  Pass(2s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two"}));
  Restart(Cri());
  Pass(10s);
  EXPECT_EQ(host_->Bodies(), (Bodies{}));
  Line("a.log", "stdout F three");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"three"}));
}

TEST_F(HandOverTest, WhatIsWrittenToARotatedFileAfterItsEndWasReachedIsGoneOnWith) {
  Line("a.log", "stdout F one");
  Start(Cri());
  dir_.Rename("a.log", "a.log.1");
  Pass(1s);  // read to its end, with nothing incomplete there
  Line("a.log.1", "stdout F two");
  Line("a.log.1", "stdout P thr");
  Line("a.log", "stdout F ee");
  Pass(2s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two", "three"}));
}

TEST_F(HandOverTest, ARecordGoesOnThroughAnyNumberOfFiles) {
  Line("a.log", "stdout F one");
  Start(Cri());
  Line("a.log", "stdout P t");
  dir_.Rename("a.log", "a.log.1");
  Line("a.log", "stdout P w");
  Line("a.log", "stderr F err");
  Pass(2s);
  dir_.Rename("a.log", "a.log.2");
  dir_.Append("a.log", "");  // nothing is ever written to this one
  Pass(2s);
  dir_.Rename("a.log", "a.log.3");
  Line("a.log", "stdout F o");
  Pass(2s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "err", "two"}));
  const OriginId last = host_->rows.back().origin;
  for (int files = 0; files < 3; ++files) {
    AckAndStore();
    Pass(1s);
  }
  Restart(Cri());
  Pass(10s);
  EXPECT_EQ(host_->Bodies(), (Bodies{}));
  Line("a.log", "stdout F three");
  Settle();
  EXPECT_EQ(host_->rows.back().origin, last);
}

TEST_F(HandOverTest, AKillInAChainMakesTheSameRowAgain) {
  Line("a.log", "stdout P t");
  Start(Cri());
  dir_.Rename("a.log", "a.log.1");
  Line("a.log", "stdout P w");
  Pass(2s);
  AckAndStore();
  Stop();
  LetATickPass();
  dir_.Rename("a.log", "a.log.2");
  Line("a.log", "stdout F o");
  Start(Cri());
  Pass(2s);
  ASSERT_EQ(host_->Bodies(), (Bodies{"two"}));
  const testing::ReadRow row = host_->rows[0];
  ASSERT_TRUE(tail_->StoreCheckpoints().ok());
  Stop();
  Start(Cri());
  Pass(2s);
  ASSERT_EQ(host_->Bodies(), (Bodies{"two"}));
  EXPECT_EQ(host_->rows[0].origin, row.origin);
  EXPECT_EQ(host_->rows[0].end, row.end);
}

TEST_F(HandOverTest, AFileThatCameAndWasRotatedUnseenIsPartOfTheChain) {
  env_.without_inotify = true;
  Line("a.log", "stdout F one");
  Start(Cri());
  dir_.Rename("a.log", "a.log.1");
  Pass(2s);
  LetATickPass();
  Line("a.log.1", "stdout P t");
  Line("a.log", "stdout P w");
  dir_.Rename("a.log", "a.log.2");
  LetATickPass();
  Line("a.log", "stdout F o");
  Pass(10s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two"}));
}

TEST_F(HandOverTest, BeforeARecordIsGivenUpItsNameIsLookedAt) {
  env_.deaf_inotify = true;
  Line("a.log", "stdout P tw");
  Start(Cri());
  Pass(2s);
  dir_.Rename("a.log", "a.log.1");
  Line("a.log", "stdout F o");
  Pass(60s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"two"}));
}

TEST_F(HandOverTest, WhatIsToBeHandedOverIsNotSentWhileNobodyReads) {
  Line("a.log", "stdout F one");
  Start(Cri());
  Line("a.log", "stdout P tw");
  Settle();
  dir_.Rename("a.log", "a.log.1");
  Line("a.log", "stdout F o");
  // The output is full: much longer than half_line_timeout.
  for (int i = 0; i < 60; ++i) {
    env_.Advance(500ms);
    tail_->Step(Duration(0));
  }
  Pass(2s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two"}));
}

TEST_F(HandOverTest, WhatNobodyHasReadIsNotTakenForItsEnd) {
  Line("a.log", "stdout F one");
  Line("a.log", "stdout P tw");
  Start(Cri());
  Line("a.log", "stdout F o");
  Line("a.log", "stdout P thr");
  dir_.Rename("a.log", "a.log.1");
  for (int i = 0; i < 60; ++i) {
    env_.Advance(500ms);
    tail_->Step(Duration(0));
  }
  Line("a.log", "stdout F ee");
  Pass(2s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two", "three"}));
}

TEST_F(HandOverTest, WithoutASuccessorTheRestIsSentAfterSilence) {
  Line("a.log", "stdout P on");
  Start(Cri());
  dir_.Rename("a.log", "a.log.1");
  Pass(3s);
  EXPECT_EQ(host_->Bodies(), (Bodies{}));
  Pass(5s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"on"}));
}

TEST_F(HandOverTest, ATornLineIsNobodysToGoOnWith) {
  Line("a.log", "stdout F one");
  Start(Cri());
  dir_.Append("a.log", std::string(kTime) + "stdout F tor");
  dir_.Rename("a.log", "a.log.1");
  Line("a.log", "stdout P two");
  dir_.Append("a.log", std::string(kTime) + "stderr F tor");
  dir_.Rename("a.log", "a.log.2");
  Line("a.log", "stdout F three");
  Pass(3s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"one"}));
  Pass(15s);
  EXPECT_EQ(host_->Bodies().back(), "three");
  Restart(Cri());
  Pass(15s);
  EXPECT_EQ(host_->Bodies(), (Bodies{}));
}

TEST_F(HandOverTest, AFileThatGotItsNameBackIsNotWaitedFor) {
  Line("a.log", "stdout F one");
  Start(Cri());
  dir_.Rename("a.log", "b.log");
  dir_.Append("a.log", "");
  Pass(1s);
  dir_.Rename("b.log", "c.log");
  Settle();
  dir_.Rename("c.log", "b.log");
  Settle();
  Line("a.log", "stdout F two");
  Pass(2s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two"}));
}

}  // namespace
}  // namespace kelp::tail
