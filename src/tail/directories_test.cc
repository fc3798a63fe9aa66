// Directories that are removed, moved away and made anew under files that are followed.
#include <unistd.h>

#include <algorithm>

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

// --- directories that are symbolic links ---

class LinkedDirectoriesTest : public DirectoriesTest {
 protected:
  // As those do it who switch releases: there is always a link of this name.
  void Switch(const std::string& link, const std::string& target) {
    Link(link + ".new", target);
    dir_.Rename(link + ".new", link);
  }
  void Link(const std::string& link, const std::string& target) {
    ASSERT_EQ(::symlink(target.c_str(), (dir_ / link).c_str()), 0);
  }
  void FollowFirstRelease() {
    dir_.MakeDir("releases/1");
    dir_.MakeDir("releases/2");
    Link("current", "releases/1");
    Start(Options("current/*.log"));
    dir_.Append("current/app.log", "one\n");
    Settle();
  }
};

TEST_F(LinkedDirectoriesTest, ASwitchIsSeenAtOnce) {
  for (const std::string pattern : {"current/log/app.log", "c*/log/*.log"}) {
    SCOPED_TRACE(pattern);
    const std::string at = std::to_string(pattern.size());
    for (const std::string release : {"/releases/1", "/releases/2", "/releases/3"}) {
      dir_.MakeDir(at + release + "/log");
    }
    const std::string link = at + "/current";
    const std::string name = link + "/log/app.log";
    Link(link, "releases/1");
    FollowOptions options = Options(at + "/" + pattern);
    options.checkpoint_space = pattern;
    Start(std::move(options));
    dir_.Append(name, "one\n");
    Settle();
    Switch(link, "releases/2");
    dir_.Append(name, "two\n");
    Settle();
    Switch(link, "releases/3");
    Settle();
    dir_.Append(name, "three\n");
    Settle();
    EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two", "three"}));
    Stop();
  }
}

TEST_F(LinkedDirectoriesTest, WhatIsWrittenBehindTheOldTargetIsStillRead) {
  FollowFirstRelease();
  Switch("current", "releases/2");
  dir_.Append("current/app.log", "three\n");
  dir_.Append("releases/1/app.log", "two\n");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two", "three"}));
  Pass(tail_options_.rotated_linger + 10s);
  dir_.Append("releases/1/app.log", "late\n");
  Settle();
  EXPECT_EQ(host_->Bodies().back(), "late");
}

// Nobody holds it open: it is found where the link led.
TEST_F(LinkedDirectoriesTest, AClosedFileBehindTheOldTargetIsReadToItsEnd) {
  tail_options_.open_files_max = 1;
  dir_.MakeDir("releases/1");
  dir_.MakeDir("releases/2");
  Link("current", "releases/1");
  dir_.Append("current/a.log", "a\n");
  dir_.Append("current/b.log", "b\n");
  Start(Options("current/*.log"));
  dir_.Append("current/b.log", "bb\n");
  Settle();
  Pass(1s);
  Switch("current", "releases/2");
  Settle();
  Pass(tail_options_.deleted_linger + 5s);
  dir_.Append("releases/1/a.log", "aa\n");
  dir_.Append("releases/1/b.log", "bbb\n");
  Settle();
  Pass(1s);
  Bodies bodies = host_->Bodies();
  std::sort(bodies.begin(), bodies.end());
  EXPECT_EQ(bodies, (Bodies{"a", "aa", "b", "bb", "bbb"}));
  EXPECT_TRUE(host_->losses.empty());
}

// As Kubernetes makes its volumes: `app -> ..data/app`, `..data -> ..2024_11_21`.
TEST_F(LinkedDirectoriesTest, LinksThatLeadThroughLinksAreWatchedWhereTheyStand) {
  dir_.MakeDir("volume/..1/app");
  dir_.MakeDir("volume/..2/app");
  dir_.MakeDir("elsewhere");
  Link("volume/..data", "..1");
  Link("volume/app", "..data/app");
  Link("elsewhere/logs", "../volume/app");
  Link("file.log", "volume/app/a.log");
  Start(Options("elsewhere/logs/*.log"));
  FollowOptions options = Options("file.log");
  options.checkpoint_space = "test/link";
  testing::ReadingHost other;
  const FollowId id = tail_->Add(std::move(options), other);
  dir_.Append("volume/..1/app/a.log", "one\n");
  Settle();
  Switch("volume/..data", "..2");
  dir_.Append("volume/..2/app/a.log", "two\n");
  Settle();
  other.ReadAll();
  Settle();
  other.ReadAll();
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two"}));
  EXPECT_EQ(other.Bodies(), (Bodies{"one", "two"}));
  tail_->Remove(id);
  other.DropAll();
}

TEST_F(LinkedDirectoriesTest, AWayThatChangesButLeadsToTheSameIsWatchedAnew) {
  dir_.MakeDir("releases/1");
  dir_.MakeDir("releases/2");
  Link("blue", "releases/1");
  Link("green", "releases/1");
  Link("current", "blue");
  Start(Options("current/*.log"));
  dir_.Append("releases/1/app.log", "one\n");
  Settle();
  Switch("current", "green");
  Settle();
  EXPECT_EQ(rotated_.value(), 0u);
  Switch("green", "releases/2");
  dir_.Append("releases/2/app.log", "two\n");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two"}));
}

TEST_F(LinkedDirectoriesTest, ALinkThatIsRemovedAndMadeAgainIsFollowed) {
  FollowFirstRelease();
  dir_.Remove("current");
  Settle();
  dir_.Append("releases/1/app.log", "two\n");
  Settle();
  Link("current", "releases/2");
  dir_.Append("current/app.log", "three\n");
  Settle();
  dir_.Remove("current");
  Settle();
  Link("current", "releases/1");
  Settle();
  dir_.Append("current/app.log", "four\n");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two", "three", "four"}));
}

TEST_F(LinkedDirectoriesTest, ALinkThatLeadsToItselfIsNoneUntilItIsSwitched) {
  dir_.MakeDir("releases/1");
  Link("current", "releases/1");
  Link("loop", "loop");
  Start(Options("current/*.log"));
  dir_.Append("current/app.log", "one\n");
  Settle();
  Switch("current", "current");
  Settle();
  dir_.Append("releases/1/app.log", "two\n");
  Settle();
  Switch("current", "loop");
  Settle();
  dir_.MakeDir("releases/2");
  dir_.Append("releases/2/app.log", "three\n");
  Switch("current", "releases/2");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two", "three"}));
}

}  // namespace
}  // namespace kelp::tail
