#include "agent/config_watcher.h"

#include <gtest/gtest.h>

#include "base/ids.h"

namespace kelp::agent {
namespace {

// The real machine without inotify, until there is one.
class NoInotifyEnv final : public Env, public Clock {
 public:
  Clock& clock() override { return *this; }
  UnixNanos Now() override { return RealEnv().clock().Now(); }
  Duration Monotonic() override { return (holds ? began_ : RealEnv().clock().Monotonic()) + later; }
  FileSystem& files() override { return RealEnv().files(); }
  Random& random() override { return RealEnv().random(); }
  Result<std::unique_ptr<FileWatcher>> NewFileWatcher() override {
    ++asked;
    if (free) return RealEnv().NewFileWatcher();
    return ResourceExhaustedError("no inotify instance is left");
  }
  bool free = false;
  bool holds = false;  // time passes by `later` only
  int asked = 0;
  Duration later{0};

 private:
  const Duration began_ = RealEnv().clock().Monotonic();
};

class ConfigWatcherTest : public testing::Test {
 protected:
  ConfigWatcherTest()
      : dir_(testing::TempDir() + "kelp_config_watcher_" + RandomHex(RealEnv().random(), 8)) {}
  void SetUp() override { ASSERT_TRUE(files_.MakeDirs(dir_).ok()); }
  void TearDown() override { ASSERT_TRUE(files_.RemoveTree(dir_).ok()); }
  void Write(const std::string& name, const std::string& text) {
    ASSERT_TRUE(WriteFileAtomically(files_, dir_ + "/" + name, text).ok());
  }
  FileSystem& files_ = RealEnv().files();
  const std::string dir_;
};

TEST_F(ConfigWatcherTest, TellsOfChangedYamlFilesOnly) {
  ConfigWatcher watcher(RealEnv());
  watcher.SetDirectories({dir_});
  Write("notes.txt", "x");
  EXPECT_FALSE(watcher.Wait(5s));
  Write("a.yaml", "x");
  EXPECT_TRUE(watcher.Wait(5s));
  ASSERT_TRUE(files_.Remove(dir_ + "/a.yaml").ok());
  EXPECT_TRUE(watcher.Wait(5s));
}

TEST_F(ConfigWatcherTest, FindsADirectoryThatComesLater) {
  ConfigWatcher watcher(RealEnv());
  watcher.SetDirectories({dir_ + "/later"});
  ASSERT_TRUE(files_.MakeDirs(dir_ + "/later").ok());
  EXPECT_FALSE(watcher.Wait(Duration(0)));
  Write("later/a.yaml", "x");
  EXPECT_TRUE(watcher.Wait(5s));
}

TEST_F(ConfigWatcherTest, LooksForItselfWithoutInotify) {
  NoInotifyEnv env;
  ConfigWatcher watcher(env);
  watcher.SetDirectories({dir_});
  Write("a.yaml", "x");
  EXPECT_TRUE(watcher.Wait(Duration(0)));
  EXPECT_FALSE(watcher.Wait(Duration(0)));
}

TEST_F(ConfigWatcherTest, LooksOnceASecondHoweverOftenItIsAsked) {
  NoInotifyEnv env;
  env.holds = true;
  ConfigWatcher watcher(env);
  watcher.SetDirectories({dir_});
  EXPECT_FALSE(watcher.Wait(Duration(0)));
  Write("a.yaml", "x");
  env.later = 900ms;
  EXPECT_FALSE(watcher.Wait(Duration(0))) << "not due yet";
  env.later = 1s;
  EXPECT_TRUE(watcher.Wait(Duration(0)));
  Write("a.yaml", "longer");
  EXPECT_FALSE(watcher.Wait(Duration(0)));
  watcher.Wake();
  EXPECT_TRUE(watcher.Wait(1h)) << "whoever wakes it wants to know now";
}

TEST_F(ConfigWatcherTest, IsToldAgainWhenInotifyComesBack) {
  NoInotifyEnv env;
  ConfigWatcher watcher(env);
  watcher.SetDirectories({dir_});
  env.free = true;
  EXPECT_FALSE(watcher.Wait(Duration(0)));
  EXPECT_EQ(env.asked, 1) << "not all the time";
  env.later = 60s;
  Write("a.yaml", "x");
  EXPECT_TRUE(watcher.Wait(5s)) << "what came before the watch";
  EXPECT_EQ(env.asked, 2);
  Write("b.yaml", "x");
  EXPECT_TRUE(watcher.Wait(1h));
  watcher.Wake();
  EXPECT_FALSE(watcher.Wait(1h));
  EXPECT_EQ(env.asked, 2);
}

TEST_F(ConfigWatcherTest, WakeEndsAWait) {
  ConfigWatcher watcher(RealEnv());
  watcher.SetDirectories({dir_});
  watcher.Wake();
  EXPECT_FALSE(watcher.Wait(1h));
}

}  // namespace
}  // namespace kelp::agent
