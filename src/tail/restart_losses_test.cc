// What was seen of files, not delivered, and destroyed before the agent started again.
#include <unistd.h>

#include "tail/packing.h"
#include "tail/passing_files.h"
#include "tail/tail_fixture.h"

namespace kelp::tail {
namespace {

using testing::Bodies;

class RestartLossesTest : public testing::TailTest {
 protected:
  // Nothing that the end of a process would store is stored.
  void Kill() {
    CheckpointChanges back;
    for (const auto& [origin, checkpoint] : store_.Contents()) back.put.push_back(checkpoint);
    Stop();
    for (const auto& [origin, checkpoint] : store_.Contents()) back.remove.push_back(origin);
    ASSERT_TRUE(store_.Write(back).ok());
  }
  // Delivers the first line of a.log, and no more.
  void StartWithOneDelivered(const std::string& one = "one\n") {
    dir_.Append("a.log", one);
    Start();
    AckAndStore();
    dir_.Append("a.log", "two\nthree\n");
    Settle();
  }
  // What was a.log is a.log.1.gz when the agent comes back.
  void KillAndPack(const std::string& text) {
    Kill();
    dir_.Write("a.log.1.gz", testing::Gzip(text));
    dir_.Remove("a.log");
  }
  // More than is known of a beginning.
  static std::string Long() { return std::string(2000, 'x') + "\n"; }
  void ExpectLost(const std::string& cause, uint64_t bytes) {
    Pass(3s);
    ASSERT_EQ(host_->losses.size(), 1u);
    EXPECT_EQ(host_->losses[0].cause, cause);
    EXPECT_EQ(host_->losses[0].bytes, bytes);
  }
};

TEST_F(RestartLossesTest, ARotatedFileThatIsGoneIsLostOnce) {
  StartWithOneDelivered();
  dir_.Rename("a.log", "a.log.1");
  dir_.Append("a.log", "four\n");
  Settle();
  Pass(1s);
  Kill();
  dir_.Remove("a.log.1");
  Start();
  ExpectLost("deleted", 10);
  EXPECT_EQ(host_->Bodies(), Bodies{"four"});
  Restart();
  Pass(3s);
  EXPECT_TRUE(host_->losses.empty());
  EXPECT_EQ(host_->Bodies(), Bodies{});
}

TEST_F(RestartLossesTest, AFileThatWasEmptiedIsLost) {
  StartWithOneDelivered();
  Pass(2s);
  Kill();
  dir_.Write("a.log", "new\n");
  Start();
  ExpectLost("truncated", 10);
  EXPECT_EQ(host_->Bodies(), Bodies{"new"});
}

TEST_F(RestartLossesTest, WhatWasCutOffBehindThePositionIsLost) {
  StartWithOneDelivered(Long());
  Pass(2s);
  Kill();
  ASSERT_EQ(::truncate((dir_ / "a.log").c_str(), static_cast<off_t>(Long().size() + 4)), 0);
  Start();
  ExpectLost("truncated", 6);
  EXPECT_EQ(host_->Bodies(), Bodies{"two"});
}

TEST_F(RestartLossesTest, AnOrderlyStopStoresWhatWasSeen) {
  StartWithOneDelivered();
  Stop();
  dir_.Remove("a.log");
  Start();
  ExpectLost("deleted", 10);
}

TEST_F(RestartLossesTest, WhatIsInACopyIsNotLost) {
  StartWithOneDelivered();
  Pass(2s);
  KillAndPack("one\ntwo\nthree\n");
  Start();
  Pass(3s);
  EXPECT_TRUE(host_->losses.empty());
  EXPECT_EQ(host_->Bodies(), (Bodies{"two", "three"}));
}

TEST_F(RestartLossesTest, TheCopyOfOneOfSeveralContentsIsReadAsItsRest) {
  dir_.Append("a.log", "first " + Long());
  Start();
  ASSERT_EQ(::truncate((dir_ / "a.log").c_str(), 0), 0);
  Settle();
  dir_.Append("a.log", "second " + Long());
  Pass(3s);
  Kill();
  LetATickPass();
  dir_.Write("a.log.1", "second " + Long());
  ASSERT_EQ(::truncate((dir_ / "a.log").c_str(), 0), 0);
  Start();
  ExpectLost("truncated", 6 + Long().size());
  ASSERT_EQ(host_->rows.size(), 1u);
  EXPECT_EQ(host_->rows[0].body, "second " + std::string(2000, 'x'));
}

TEST_F(RestartLossesTest, WhatACompressedCopyDoesNotHaveIsLost) {
  StartWithOneDelivered();
  Pass(2s);
  KillAndPack("one\ntwo\n");
  Start();
  ExpectLost("truncated", 6);
  EXPECT_EQ(host_->Bodies(), Bodies{"two"});
}

TEST_F(RestartLossesTest, ACompressedCopyThatIsGoneInTheMiddleIsLost) {
  StartWithOneDelivered();
  Pass(2s);
  KillAndPack("one\ntwo\nthree\n");
  Start();
  Pass(2s);  // it is read, but nothing is acknowledged
  Kill();
  dir_.Remove("a.log.1.gz");
  Start();
  ExpectLost("deleted", 10);
}

TEST_F(RestartLossesTest, AFileThatCannotBeReadIsNotLost) {
  class Unreadable final : public testing::PassingFiles {
   public:
    Result<std::unique_ptr<File>> OpenForRead(const std::string& path) override {
      if (on && BaseName(path) != "other") return IoError("cannot read " + path + " (test)");
      return PassingFiles::OpenForRead(path);
    }
    bool on = false;
  } files;
  env_.other_files = &files;
  for (const char* const name : {"a.log", "a.log.1"}) {
    if (name != std::string("a.log")) dir_.Remove("a.log");
    StartWithOneDelivered();
    if (name != std::string("a.log")) dir_.Rename("a.log", name);
    Settle();
    Pass(2s);
    Kill();
    files.on = true;
    Start();
    Pass(3s);
    EXPECT_TRUE(host_->losses.empty()) << name;
    files.on = false;
    Pass(20s);
    EXPECT_EQ(host_->Bodies(), (Bodies{"two", "three"})) << name;
    EXPECT_TRUE(host_->losses.empty()) << name;
    AckAndStore();
    Stop();
  }
  env_.other_files = nullptr;
}

TEST_F(RestartLossesTest, SizesOfWhatGrowsUnreadAreStoredFromTimeToTime) {
  StartWithOneDelivered(Long());
  Pass(2s);
  size_t writes = 0;
  testing::SharedStore::on_write = [&] { ++writes; };
  for (int i = 0; i < 60; ++i) {
    dir_.Append("a.log", "more\n");
    Pass(500ms);
  }
  EXPECT_GE(writes, 2u);
  EXPECT_LE(writes, 4u) << "in half a minute";
  Pass(20s);
  EXPECT_EQ(store_.Contents().begin()->second.seen, Long().size() + 10 + 60 * 5);
  writes = 0;
  Pass(60s);
  EXPECT_EQ(writes, 0u) << "nothing grows";
}

}  // namespace
}  // namespace kelp::tail
