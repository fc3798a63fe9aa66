// Rotation by renaming, seen and unseen.
#include "tail/tail_fixture.h"

namespace kelp::tail {
namespace {

using testing::Bodies;
using RenamesTest = testing::TailTest;

TEST_F(RenamesTest, ReadsARenamedFileToItsEndBeforeTheNewOne) {
  dir_.Append("a.log", "one\n");
  Start();
  dir_.Append("a.log", "two\n");
  dir_.Rename("a.log", "a.log.1");
  dir_.Append("a.log.1", "three\n");
  dir_.Append("a.log", "new\n");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two", "three", "new"}));
  EXPECT_EQ(rotated_.value(), 1u);
  // A writer that has not noticed yet.
  dir_.Append("a.log.1", "late\n");
  Settle();
  EXPECT_EQ(host_->rows.back().body, "late");
  EXPECT_EQ(host_->rows.back().path, dir_ / "a.log");
}

TEST_F(RenamesTest, ReadsChainsOfRotationsInOrder) {
  dir_.Append("a.log", "1\n");
  Start();
  for (int i = 2; i < 6; ++i) {
    dir_.Rename("a.log", "a.log." + std::to_string(i));
    dir_.Append("a.log", std::to_string(i) + "\n");
    // The service sees it, but nobody reads: the output is down.
    tail_->Step(Duration(0));
    tail_->Step(Duration(0));
  }
  EXPECT_EQ(host_->Bodies(), (Bodies{"1"}));
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"1", "2", "3", "4", "5"}));
}

TEST_F(RenamesTest, FollowsARotationThatItSlept) {
  dir_.Append("a.log", "one\n");
  Start();
  AckAndStore();
  Stop();
  dir_.Append("a.log", "two\n");
  dir_.Rename("a.log", "a.log.1");
  dir_.Append("a.log", "new\n");
  Start();
  EXPECT_EQ(host_->Bodies(), (Bodies{"two", "new"}));
  EXPECT_EQ(host_->rows[0].path, dir_ / "a.log");
}

TEST_F(RenamesTest, FollowsAChainThatItKnewAndSlept) {
  dir_.Append("a.log", "1\n");
  Start();
  AckAndStore();
  dir_.Append("a.log", "2\n");
  dir_.Rename("a.log", "a.log.1");
  dir_.Append("a.log", "3\n");
  tail_->Step(Duration(0));
  ASSERT_TRUE(tail_->StoreCheckpoints().ok());
  Stop();
  dir_.Rename("a.log.1", "a.log.2");
  dir_.Rename("a.log", "a.log.1");
  dir_.Append("a.log", "4\n");
  Start();
  EXPECT_EQ(host_->Bodies(), (Bodies{"2", "3", "4"}));
}

TEST_F(RenamesTest, ARotatedFileThatMatchesIsNotReadAgain) {
  dir_.Append("a.log", "one\n");
  Start(Options("a.log*"));
  dir_.Rename("a.log", "a.log.1");
  dir_.Append("a.log", "two\n");
  Settle();
  dir_.Rename("a.log.1", "a.log.2");
  dir_.Rename("a.log", "a.log.1");
  dir_.Append("a.log", "three\n");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two", "three"}));
  Restart(Options("a.log*"));
  EXPECT_EQ(host_->Bodies(), (Bodies{}));
  dir_.Append("a.log", "four\n");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"four"}));
}

TEST_F(RenamesTest, NamesTellWhatCameAfterTheFirstStartWhenTheClockWasSetBack) {
  dir_.Append("a.log.7", "from before\n");
  dir_.Append("a.log", "one\n");
  env_.AdvanceWall(1h);  // as seen from here, what is made from now on is older than that
  Start();
  Restart();
  AckAndStore();
  Stop();
  dir_.Rename("a.log.7", "a.log.9");
  dir_.Rename("a.log", "a.log.3");
  LetATickPass();
  dir_.Append("a.log.2", "two\n");
  LetATickPass();
  dir_.Append("a.log.1", "three\n");
  dir_.Append("a.log", "four\n");
  Start();
  Pass(2s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"two", "three", "four"}));
}

TEST_F(RenamesTest, FilesThatCameAndWereRotatedBeforeTheirNameWasSeenAreRead) {
  dir_.Append("old.log.1", "from before the first start\n");
  LetATickPass();
  Start();
  Stop();
  dir_.Append("a.log", "one\n");
  dir_.Rename("a.log", "a.log-20261120");
  dir_.Append("a.log", "two\n");
  dir_.Rename("a.log", "a.log-20261121");
  Start();
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two"}));
  dir_.Append("b.log", "three\n");
  dir_.Rename("b.log", "b.log-20261121");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two", "three"}));
  AckAndStore();
  Stop();
  Start();
  EXPECT_EQ(host_->Bodies(), (Bodies{}));
}

TEST_F(RenamesTest, FindsAFileThatCameAndWasRotatedUnseen) {
  dir_.Append("a.log", "one\n");
  Start();
  AckAndStore();
  Stop();
  dir_.Rename("a.log", "a.log.2");
  dir_.Append("a.log", "two\n");
  dir_.Rename("a.log", "a.log.1");
  dir_.Append("a.log", "three\n");
  dir_.Append("a.log.err", "not one of ours\n");
  Start();
  EXPECT_EQ(host_->Bodies(), (Bodies{"two", "three"}));
}

TEST_F(RenamesTest, ACopyOfAFileIsNotItsPredecessor) {
  dir_.Append("a.log", "one\n");
  Start();
  dir_.Append("a.log.1", "one\n");  // copytruncate's copy
  Settle();
  dir_.Write("a.log", "");
  Settle();
  dir_.Append("a.log", "two\n");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two"}));
}

TEST_F(RenamesTest, ANameThatAFileHadOnItsWayWaitsForNobody) {
  dir_.Append("a.log", "one\n");
  Start();
  dir_.Rename("a.log", "b.log");
  Settle();
  dir_.Rename("b.log", "a.log");
  Settle();
  dir_.Append("b.log", "two\n");
  Pass(2s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two"}));
}

}  // namespace
}  // namespace kelp::tail
