#include "tail/checkpoint_tool.h"

#include <gtest/gtest.h>

#include "tail/testing.h"

namespace kelp::tail {
namespace {

using testing::TempDir;
using testing::TestEnv;

class CheckpointToolTest : public ::testing::Test {
 protected:
  Checkpoint Sample(uint64_t n) {
    Checkpoint c;
    c.origin = {n, n};
    c.space = "web/file";
    c.path = dir_ / "a.log";
    c.identity = {{1, n}, kNoTime, {3, 4}};
    c.resume = 100;
    c.emitted = 120;
    c.guard = {120, 77};
    c.cuts = {110, 118};
    c.ordinal = n;
    return c;
  }
  std::unique_ptr<CheckpointStore> Make() {
    auto store = OpenCheckpointDatabase(env_, path_);
    EXPECT_TRUE(store.ok() && (*store)->Start("web/file").ok());
    EXPECT_TRUE((*store)->Write({{Sample(1), Sample(2)}, {}}).ok());
    return std::move(store).value();
  }

  TempDir dir_;
  TestEnv env_;
  const std::string path_ = dir_ / "checkpoints.db";
};

TEST_F(CheckpointToolTest, ListsWhatIsThere) {
  Make();
  const auto all = ListCheckpoints(env_, path_);
  ASSERT_TRUE(all.ok()) << all.status().message();
  ASSERT_EQ(all->size(), 2u);
  EXPECT_EQ((*all)[0].origin, Sample(1).origin);
  EXPECT_EQ((*all)[1].guard, Sample(2).guard);
  EXPECT_EQ((*all)[1].cuts, Sample(2).cuts);
}

TEST_F(CheckpointToolTest, GoingForwardKeepsTheOrigin) {
  Make();
  const auto origin = SetCheckpoint(env_, path_, Sample(1).origin, 500);
  ASSERT_TRUE(origin.ok()) << origin.status().message();
  EXPECT_EQ(*origin, Sample(1).origin);
  const Checkpoint changed = ListCheckpoints(env_, path_)->front();
  EXPECT_EQ(changed.resume, 500u);
  EXPECT_EQ(changed.emitted, 500u);
  EXPECT_TRUE(changed.cuts.empty());
  EXPECT_EQ(changed.guard, Guard());
}

TEST_F(CheckpointToolTest, GoingBackMakesANewOrigin) {
  Make();
  const auto origin = SetCheckpoint(env_, path_, Sample(1).origin, 110);
  ASSERT_TRUE(origin.ok());
  EXPECT_NE(*origin, Sample(1).origin);
  const auto all = ListCheckpoints(env_, path_);
  ASSERT_EQ(all->size(), 2u);
  EXPECT_EQ((*all)[0].origin, *origin);
  EXPECT_EQ((*all)[0].resume, 110u);
}

TEST_F(CheckpointToolTest, TheEndIsWhereTheFileEndsNow) {
  Make();
  dir_.Append("a.log", "1234567");
  EXPECT_EQ(SetCheckpoint(env_, path_, Sample(1).origin, UINT64_MAX).status().code(),
            Code::kNotFound)
      << "another file has the name";
  Checkpoint same = Sample(1);
  const Result<FileInfo> info = env_.files().Stat(dir_ / "a.log");
  same.identity.key = FileKey::Of(*info);
  {
    auto store = OpenCheckpointDatabase(env_, path_);
    ASSERT_TRUE((*store)->Write({{same}, {}}).ok());
  }
  ASSERT_TRUE(SetCheckpoint(env_, path_, same.origin, UINT64_MAX).ok());
  const auto all = ListCheckpoints(env_, path_);
  EXPECT_EQ(all->front().resume, 7u);
  EXPECT_EQ(SetCheckpoint(env_, path_, all->front().origin, 8).status().code(),
            Code::kInvalidArgument)
      << "a file that is shorter counts as truncated";
}

TEST_F(CheckpointToolTest, RemovesOrigins) {
  Make();
  const auto removed = RemoveCheckpoints(env_, path_, {Sample(1).origin, {9, 9}});
  ASSERT_TRUE(removed.ok());
  EXPECT_EQ(*removed, 1u);
  EXPECT_EQ(ListCheckpoints(env_, path_)->size(), 1u);
}

TEST_F(CheckpointToolTest, SaysWhatIsWrong) {
  EXPECT_EQ(ListCheckpoints(env_, path_).status().code(), Code::kNotFound);
  EXPECT_EQ(env_.files().Stat(path_).status().code(), Code::kNotFound) << "nothing is made";
  {
    const auto agent = Make();
    EXPECT_EQ(ListCheckpoints(env_, path_).status().code(), Code::kAlreadyExists);
  }
  EXPECT_EQ(SetCheckpoint(env_, path_, {9, 9}, 0).status().code(), Code::kNotFound);
  EXPECT_EQ(SetCheckpoint(env_, path_, Sample(1).origin, 1ull << 63).status().code(),
            Code::kInvalidArgument);
  dir_.Write("checkpoints.db", "no database " + std::string(2000, 'x'));
  EXPECT_EQ(ListCheckpoints(env_, path_).status().code(), Code::kDataLoss);
  EXPECT_FALSE(env_.files().Stat(path_ + ".corrupt-1").ok()) << "it is left as it is";
}

}  // namespace
}  // namespace kelp::tail
