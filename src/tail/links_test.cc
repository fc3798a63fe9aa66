// Symbolic and hard links to files.
#include <unistd.h>

#include "tail/passing_files.h"
#include "tail/tail_fixture.h"

namespace kelp::tail {
namespace {

using testing::Bodies;

class LinksTest : public testing::TailTest {
 protected:
  // Of what a link leads to, while the agent is down.
  void SleepThroughARotation() {
    dir_.MakeDir("target");
    dir_.Append("target/x", "one\n");
    ASSERT_EQ(::symlink((dir_ / "target/x").c_str(), (dir_ / "a.log").c_str()), 0);
    Start();
    AckAndStore();
    Stop();
    dir_.Append("target/x", "two\n");
    dir_.Rename("target/x", "target/x.1");
    dir_.Append("target/x", "three\n");
  }
};

TEST_F(LinksTest, TwoNamesOfOneFileAreReadOnce) {
  dir_.Append("a.log", "one\n");
  ASSERT_EQ(::link((dir_ / "a.log").c_str(), (dir_ / "b.log").c_str()), 0);
  ASSERT_EQ(::symlink("a.log", (dir_ / "c.log").c_str()), 0);
  Start();
  EXPECT_EQ(host_->Bodies(), (Bodies{"one"}));
  dir_.Append("b.log", "two\n");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two"}));
  dir_.Remove("a.log");
  Settle();
  dir_.Append("b.log", "three\n");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two", "three"}));
}

TEST_F(LinksTest, FollowsLinksThatPointElsewhere) {
  dir_.MakeDir("target");
  dir_.Append("target/x", "one\n");
  ASSERT_EQ(::symlink((dir_ / "target/x").c_str(), (dir_ / "a.log").c_str()), 0);
  Start();
  dir_.Append("target/x", "two\n");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two"}));
  // The target is rotated, as Docker does it.
  dir_.Append("target/x", "three\n");
  dir_.Rename("target/x", "target/x.1");
  dir_.Append("target/x", "four\n");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two", "three", "four"}));
  // The link is switched.
  dir_.Append("target/y", "five\n");
  dir_.Remove("a.log");
  ASSERT_EQ(::symlink((dir_ / "target/y").c_str(), (dir_ / "a.log").c_str()), 0);
  Settle();
  EXPECT_EQ(host_->rows.back().body, "five");
}

TEST_F(LinksTest, FollowsARotatedLinkTargetThatItSlept) {
  SleepThroughARotation();
  Start();
  EXPECT_EQ(host_->Bodies(), (Bodies{"two", "three"}));
}

// Where one file cannot be opened.
class FilesButOne final : public testing::PassingFiles {
 public:
  Result<std::unique_ptr<File>> OpenForRead(const std::string& path) override {
    if (path == without) return ResourceExhaustedError("cannot open " + path + " (test)");
    return PassingFiles::OpenForRead(path);
  }
  std::string without;
};

TEST_F(LinksTest, ARotatedLinkTargetThatCannotBeReadAtOnceIsReadLater) {
  SleepThroughARotation();
  FilesButOne files;
  files.without = dir_ / "target/x.1";
  env_.other_files = &files;
  Start();
  EXPECT_EQ(host_->Bodies(), (Bodies{"three"}));
  files.without.clear();
  Pass(3s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"three", "two"}));
  Stop();
  env_.other_files = nullptr;
}

}  // namespace
}  // namespace kelp::tail
