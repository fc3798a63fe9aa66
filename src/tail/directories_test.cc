// Directories that are removed, moved away and made anew under files that are followed.
#include "tail/tail_fixture.h"

namespace kelp::tail {
namespace {

using testing::Bodies;

class DirectoriesTest : public testing::TailTest {
 protected:
  void RemoveDir(const std::string& name) {
    ASSERT_TRUE(RealEnv().files().RemoveTree(dir_ / name).ok());
    Settle();
  }
};

// While a deleted file is held open, the system does not tell that its directory is gone.
TEST_F(DirectoriesTest, OneThatIsMadeAnewIsSeenWhileAFileOfTheOldOneIsHeld) {
  dir_.MakeDir("sub");
  Start(Options("sub/*.log"));
  dir_.Append("sub/a.log", "one\n");
  Settle();
  RemoveDir("sub");
  dir_.MakeDir("sub");
  dir_.Append("sub/a.log", "two\n");
  Pass(500ms);
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two"}));
  dir_.Append("sub/a.log", "three\n");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two", "three"}));
}

TEST_F(DirectoriesTest, OneThatIsMadeLaterIsSeenAtOnce) {
  dir_.MakeDir("sub/deep");
  Start(Options("sub/deep/*.log"));
  dir_.Append("sub/deep/a.log", "one\n");
  Settle();
  RemoveDir("sub");
  Pass(500ms);
  dir_.MakeDir("sub/deep");
  Settle();
  dir_.Append("sub/deep/a.log", "two\n");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two"}));
}

// Its path is remembered as long as the old file is not read to its end.
TEST_F(DirectoriesTest, FilesOfOneThatTookThePlaceOfAnotherAreFollowedByEvents) {
  dir_.MakeDir("sub");
  Start(Options("s*/*.log"));
  dir_.Append("sub/a.log", "one\n");
  tail_->Step(Duration(0));
  dir_.Rename("sub", "other");
  tail_->Step(Duration(0));
  dir_.MakeDir("sub");
  dir_.Append("sub/a.log", "two\n");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two"}));
  dir_.Append("sub/a.log", "three\n");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two", "three"}));
}

}  // namespace
}  // namespace kelp::tail
