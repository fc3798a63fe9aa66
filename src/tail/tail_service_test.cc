#include "tail/tail_service.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "tail/passing_files.h"
#include "tail/tail_fixture.h"

namespace kelp::tail {
namespace {

using testing::Bodies;
using testing::ReadingHost;
using testing::SharedStore;
using TailServiceTest = testing::TailTest;

TEST_F(TailServiceTest, ReadsWhatIsThereAndWhatComes) {
  dir_.Append("a.log", "one\ntwo\n");
  Start();
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two"}));
  EXPECT_EQ(host_->rows[0].path, dir_ / "a.log");
  dir_.Append("a.log", "three\n");
  Settle();
  dir_.Append("b.log", "new file\n");
  dir_.Append("b.txt", "not matched\n");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two", "three", "new file"}));
  EXPECT_EQ(followed_.value(), 2);
}

TEST_F(TailServiceTest, HalfLineWaitsForItsEnd) {
  dir_.Append("a.log", "one\ntw");
  Start();
  EXPECT_EQ(host_->Bodies(), (Bodies{"one"}));
  dir_.Append("a.log", "o\r\nthree\n");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two", "three"}));
}

TEST_F(TailServiceTest, GoesOnWhereItWasAcknowledged) {
  dir_.Append("a.log", "one\ntwo\n");
  Start();
  AckAndStore();
  dir_.Append("a.log", "three\n");
  Settle();
  Stop();  // "three" was read, not acknowledged
  dir_.Append("a.log", "four\n");
  Start();
  EXPECT_EQ(host_->Bodies(), (Bodies{"three", "four"}));
}

TEST_F(TailServiceTest, KeepsTheOriginAcrossRestarts) {
  dir_.Append("a.log", "one\n");
  Start();
  const OriginId origin = host_->rows[0].origin;
  Restart();
  dir_.Append("a.log", "two\n");
  Settle();
  ASSERT_EQ(host_->Bodies(), (Bodies{"two"}));
  EXPECT_EQ(host_->rows[0].origin, origin);
  EXPECT_EQ(host_->rows[0].begin, 4u);
}

TEST_F(TailServiceTest, StoresTheOriginBeforeItsFirstRowIsRead) {
  dir_.Append("a.log", "one\n");
  Start();
  ASSERT_EQ(host_->Bodies(), (Bodies{"one"}));
  ASSERT_EQ(store_.Contents().size(), 1u);
  EXPECT_EQ(store_.Contents().begin()->first, host_->rows[0].origin);
  // The same for what comes after a rotation.
  dir_.Rename("a.log", "a.log.1");
  dir_.Append("a.log", "two\n");
  Settle();
  ASSERT_EQ(host_->Bodies(), (Bodies{"one", "two"}));
  EXPECT_EQ(store_.Contents().count(host_->rows[1].origin), 1u);
}

TEST_F(TailServiceTest, StoresPositionsInGroups) {
  dir_.Append("a.log", "one\n");
  Start();
  Pass(1s);
  const auto before = store_.Contents();
  ASSERT_EQ(before.size(), 1u);
  EXPECT_EQ(before.begin()->second.resume, 0u);
  host_->AckAll();
  Settle();
  EXPECT_EQ(store_.Contents().begin()->second.resume, 0u);
  Pass(1s);
  EXPECT_EQ(store_.Contents().begin()->second.resume, 4u);
  EXPECT_EQ(store_.Contents().begin()->second.identity.print.bytes, 4u);
}

TEST_F(TailServiceTest, ReadsADeletedFileToItsEnd) {
  dir_.Append("a.log", "one\n");
  Start();
  dir_.Append("a.log", "two\nhalf");
  dir_.Remove("a.log");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two"}));
  EXPECT_EQ(followed_.value(), 1);
  Pass(20s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two", "half"}));
  EXPECT_EQ(followed_.value(), 0);
  EXPECT_EQ(vanished_.value(), 1u);
  EXPECT_EQ(metrics_.Value("tail_open_files"), 0);
  AckAndStore();
  // The checkpoint goes a day later.
  EXPECT_EQ(store_.Contents().size(), 1u);
  env_.Advance(25h);
  env_.AdvanceWall(25h);
  Pass(2s);
  EXPECT_EQ(store_.Contents().size(), 0u);
}

TEST_F(TailServiceTest, TruncatedFileIsANewOrigin) {
  dir_.Append("a.log", "one\ntwo\n");
  Start();
  dir_.Write("a.log", "x\n");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two"})) << "a copy of the rest may still turn up";
  Pass(2s);
  ASSERT_EQ(host_->Bodies(), (Bodies{"one", "two", "x"}));
  EXPECT_NE(host_->rows[2].origin, host_->rows[1].origin);
  EXPECT_EQ(host_->rows[2].begin, 0u);
  EXPECT_EQ(truncated_.value(), 1u);
  Restart();
  dir_.Append("a.log", "y\n");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"y"}));
}

TEST_F(TailServiceTest, NoticesATruncationThatItSlept) {
  dir_.Append("a.log", "one\ntwo\nthree\n");
  Start();
  AckAndStore();
  Stop();
  dir_.Write("a.log", "x\n");
  Start();
  Pass(2s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"x"}));
  EXPECT_EQ(truncated_.value(), 1u);
}

TEST_F(TailServiceTest, DeletedAndMadeAnewIsAnotherFile) {
  dir_.Append("a.log", "one\n");
  Start();
  for (int i = 0; i < 5; ++i) {
    dir_.Remove("a.log");
    dir_.Append("a.log", "one\n");
    Settle();
  }
  EXPECT_EQ(host_->rows.size(), 6u);
}

TEST_F(TailServiceTest, StartAtEndIsForFilesThatWereThere) {
  dir_.Append("a.log", "old\nhalf");
  FollowOptions options = Options();
  options.start_at = {StartAt::Kind::kEnd, {}};
  Start(options);
  EXPECT_EQ(host_->Bodies(), (Bodies{}));
  dir_.Append("a.log", " of an old line\nnew\n");
  Settle();
  dir_.Append("b.log", "later\n");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"new", "later"}));
  AckAndStore();
  Stop();
  dir_.Append("c.log", "while away\n");
  Start(options);
  EXPECT_EQ(host_->Bodies(), (Bodies{"while away"}));
}

TEST_F(TailServiceTest, StartAtLastBeginsAtALine) {
  dir_.Append("a.log", "first\nsecond\nthird\n");
  FollowOptions options = Options();
  options.start_at = {StartAt::Kind::kLast, 9_B};
  Start(options);
  EXPECT_EQ(host_->Bodies(), (Bodies{"third"}));
  dir_.Append("b.log", "x\n");
  Settle();
  EXPECT_EQ(host_->rows.back().body, "x");
}

TEST_F(TailServiceTest, FindsNewDirectories) {
  Start(Options("logs/*/deep/**/*.log"));
  dir_.MakeDir("logs/one/deep/er/est");
  dir_.Append("logs/one/deep/er/est/a.log", "a\n");
  dir_.Append("logs/one/deep/b.log", "b\n");
  Settle();
  EXPECT_EQ(host_->rows.size(), 2u);
  dir_.MakeDir("logs/two/deep");
  Settle();
  dir_.Append("logs/two/deep/c.log", "c\n");
  Settle();
  EXPECT_EQ(host_->rows.size(), 3u);
  ASSERT_TRUE(RealEnv().files().RemoveTree(dir_ / "logs").ok());
  Settle();
  Pass(10s);
  EXPECT_EQ(followed_.value(), 0);
  dir_.MakeDir("logs/one/deep");
  Settle();
  dir_.Append("logs/one/deep/d.log", "d\n");
  Settle();
  EXPECT_EQ(host_->rows.size(), 4u);
}

TEST_F(TailServiceTest, ExcludesAndIgnoresOddFiles) {
  dir_.Append("a.log", "a\n");
  dir_.Append("debug.log", "no\n");
  ASSERT_EQ(::mkfifo((dir_ / "pipe.log").c_str(), 0600), 0);
  dir_.MakeDir("directory.log");
  FollowOptions options = Options();
  options.exclude.Add(*Glob::Parse(dir_ / "debug*"));
  Start(options);
  EXPECT_EQ(host_->Bodies(), (Bodies{"a"}));
}

TEST_F(TailServiceTest, ScansWhereNothingCanBeWatched) {
  env_.without_inotify = true;
  dir_.Append("a.log", "one\n");
  Start();
  dir_.Append("a.log", "two\n");
  Pass(2s);
  dir_.Append("b.log", "three\n");
  Pass(2s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two", "three"}));
  dir_.Append("a.log", "four\n");
  dir_.Rename("a.log", "a.log.1");
  dir_.Append("a.log", "five\n");
  Pass(2s);
  EXPECT_EQ(host_->rows.size(), 5u);
  EXPECT_EQ(host_->rows[4].body, "five");
}

TEST_F(TailServiceTest, WatchesAreUsedOnceThereAreSome) {
  env_.without_inotify = true;
  dir_.Append("a.log", "one\n");
  Start();
  EXPECT_EQ(metrics_.Value("tail_watched_directories"), 0);
  env_.without_inotify = false;
  Pass(40s);
  EXPECT_GT(metrics_.Value("tail_watched_directories"), 0);
  // No time passes: what is found now was not found by scanning.
  dir_.Append("a.log", "two\n");
  Settle();
  dir_.Append("b.log", "three\n");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two", "three"}));
}

TEST_F(TailServiceTest, TheSafetyScanFindsWhatEventsDidNotTell) {
  // A watcher that tells nothing, as a remote file system's.
  env_.deaf_inotify = true;
  dir_.Append("a.log", "one\n");
  Start();
  dir_.Append("a.log", "two\n");
  dir_.Append("b.log", "three\n");
  Settle();
  EXPECT_EQ(host_->rows.size(), 1u);
  Pass(60s);
  EXPECT_EQ(host_->rows.size(), 3u);
}

TEST_F(TailServiceTest, ReloadWaitsForWhatIsOnItsWay) {
  dir_.Append("a.log", "one\n");
  Start();
  // The old follow goes while "one" is not acknowledged; its successor must not read it again.
  tail_->Remove(follow_);
  ReadingHost second;
  follow_ = tail_->Add(Options(), second);
  tail_->Step(Duration(0));
  second.ReadAll();
  EXPECT_EQ(second.rows.size(), 0u);
  host_->AckAll();
  dir_.Append("a.log", "two\n");
  for (int i = 0; i < 4; ++i) {
    env_.Advance(200ms);
    tail_->Step(Duration(0));
    second.ReadAll();
  }
  EXPECT_EQ(second.Bodies(), (Bodies{"two"}));
  EXPECT_EQ(second.rows[0].origin, host_->rows[0].origin);
  tail_->Remove(follow_);
  second.DropAll();
  tail_.reset();
}

// The old source's Done, told late, once ended its successor, which was then read again from 0.
TEST_F(TailServiceTest, ReloadGoesOnWhereNothingWasOnItsWay) {
  dir_.Append("a.log", "one\n");
  Start();
  AckAndStore();
  tail_->Remove(follow_);
  ReadingHost second;
  follow_ = tail_->Add(Options(), second);
  dir_.Append("a.log", "two\n");
  for (int i = 0; i < 4; ++i) {
    tail_->Step(Duration(0));
    second.ReadAll();
    env_.Advance(200ms);
  }
  EXPECT_EQ(second.Bodies(), (Bodies{"two"}));
  ASSERT_FALSE(second.rows.empty());
  EXPECT_EQ(second.rows[0].origin, host_->rows[0].origin);
  tail_->Remove(follow_);
  second.DropAll();
  tail_.reset();
}

TEST_F(TailServiceTest, GoesOnWhenCheckpointsCannotBeWritten) {
  dir_.Append("a.log", "one\n");
  Start();
  store_.FailWith(ResourceExhaustedError("no space left"));
  host_->AckAll();
  Pass(2s);
  EXPECT_GE(metrics_.Value("tail_checkpoint_errors_total"), 1);
  dir_.Append("a.log", "two\n");
  Settle();
  EXPECT_EQ(host_->rows.size(), 2u);
  store_.FailWith(OkStatus());
  host_->AckAll();
  Pass(4s);
  EXPECT_EQ(store_.Contents().begin()->second.resume, 8u);
}

TEST_F(TailServiceTest, AStoreThatBeganAnewGetsEverything) {
  for (int i = 0; i < 5; ++i) dir_.Append("f" + std::to_string(i) + ".log", "x\n");
  Start();
  AckAndStore();
  dir_.Append("f0.log", "y\n");
  Settle();
  host_->AckAll();
  store_.FailWith(DataLossError("corrupt"));
  EXPECT_EQ(tail_->StoreCheckpoints().code(), Code::kDataLoss);
  EXPECT_EQ(SharedStore::written, 1u);
  store_.FailWith(OkStatus());
  ASSERT_TRUE(tail_->StoreCheckpoints().ok());
  EXPECT_EQ(SharedStore::written, 5u);
}

TEST_F(TailServiceTest, LostCheckpointsFollowThePolicy) {
  class LosingStore final : public CheckpointStore {
   public:
    Result<CheckpointSpace> Start(const std::string&) override {
      return CheckpointSpace{.first_start = true, .lost = true, .checkpoints = {}};
    }
    Status Write(const CheckpointChanges&) override { return OkStatus(); }
  };
  dir_.Append("a.log", "old\n");
  for (const auto policy : {OnLostCheckpoints::kBeginning, OnLostCheckpoints::kEnd}) {
    FollowOptions options = Options();
    options.start_at = {StartAt::Kind::kLast, 1_B};
    options.on_lost_checkpoints = policy;
    tail_ = std::make_unique<TailService>(env_, metrics_, std::make_unique<LosingStore>());
    host_ = std::make_unique<ReadingHost>();
    follow_ = tail_->Add(std::move(options), *host_);
    Settle();
    EXPECT_EQ(host_->rows.size(), policy == OnLostCheckpoints::kBeginning ? 1u : 0u);
    Stop();
  }
}

TEST_F(TailServiceTest, AFileWithoutRightsIsReadWhenItGetsThem) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
  dir_.Append("a.log", "secret\n");
  ASSERT_EQ(::chmod((dir_ / "a.log").c_str(), 0), 0);
  Start();
  EXPECT_EQ(host_->rows.size(), 0u);
  EXPECT_GE(metrics_.Value("tail_scan_errors_total"), 1);
  ASSERT_EQ(::chmod((dir_ / "a.log").c_str(), 0644), 0);
  Settle();
  EXPECT_EQ(host_->rows.size(), 1u);
}

TEST_F(TailServiceTest, ClosesIdleFilesWhenThereAreTooMany) {
  tail_options_.open_files_max = 2;
  for (int i = 0; i < 6; ++i) dir_.Append("f" + std::to_string(i) + ".log", "x\n");
  Start();
  for (int i = 0; i < 6; ++i) {
    dir_.Append("f" + std::to_string(i) + ".log", "y\n");
    Settle();
  }
  EXPECT_EQ(host_->rows.size(), 12u);
  Pass(2s);
  EXPECT_EQ(metrics_.Value("tail_open_files"), 2);
  dir_.Rename("f0.log", "f0.log.1");
  dir_.Append("f0.log.1", "z\n");
  Settle();
  EXPECT_EQ(host_->rows.size(), 13u);
}

TEST_F(TailServiceTest, FilesWaitForDescriptorsThatAreKeptForOutputs) {
  tail_options_.descriptors_max = 2;
  Bodies expected;
  for (int i = 0; i < 6; ++i) {
    dir_.Append("f" + std::to_string(i) + ".log", std::to_string(i) + "\n");
    expected.push_back(std::to_string(i));
  }
  Start();
  EXPECT_LE(metrics_.Value("tail_open_files"), 2);
  Pass(10s);
  EXPECT_LE(metrics_.Value("tail_open_files"), 2);
  Bodies found = host_->Bodies();
  std::sort(found.begin(), found.end());
  EXPECT_EQ(found, expected);

  // Written again, they take turns without a search for what was missed.
  for (int i = 0; i < 6; ++i) {
    const std::string line = std::to_string(i) + " again";
    dir_.Append("f" + std::to_string(i) + ".log", line + "\n");
    expected.push_back(line);
  }
  std::sort(expected.begin(), expected.end());
  Pass(1s);
  EXPECT_LE(metrics_.Value("tail_open_files"), 2);
  found = host_->Bodies();
  std::sort(found.begin(), found.end());
  EXPECT_EQ(found, expected);
}

// One writer that rotates, the service's thread and two readers at full speed.
TEST_F(TailServiceTest, WorksWithRealThreads) {
  tail_ = std::make_unique<TailService>(RealEnv(), metrics_, std::make_unique<SharedStore>(store_),
                                        TailOptions{.coalesce = 5ms, .checkpoint_interval = 10ms});
  testing::ThreadedHost host;
  tail_->StartThread();
  follow_ = tail_->Add(Options(), host);
  constexpr uint64_t kLines = 20000;
  for (uint64_t i = 0; i < kLines; i += 100) {
    std::string text;
    for (uint64_t n = i; n < i + 100; ++n) text += std::to_string(n) + "\n";
    dir_.Append("a.log", text);
    // The reader is behind, but not so far that it knows nothing of the file.
    host.WaitForRows(i < 3000 ? 0 : i - 2000);
    if (i % 4000 == 3900) dir_.Rename("a.log", "a.log." + std::to_string(i));
  }
  const std::vector<std::string> bodies = host.WaitForRows(kLines);
  tail_->Remove(follow_);
  host.Stop();
  tail_.reset();
  ASSERT_EQ(bodies.size(), kLines);
  for (uint64_t i = 0; i < kLines; ++i) ASSERT_EQ(bodies[i], std::to_string(i));
}

TEST_F(TailServiceTest, LagIsWhatIsNotAcknowledged) {
  dir_.Append("a.log", "0123456789\n");
  Start();
  EXPECT_EQ(lag_.value(), 11);
  host_->AckAll();
  Settle();
  EXPECT_EQ(lag_.value(), 0);
  dir_.Append("a.log", "01234\n");
  tail_->Step(Duration(0));
  EXPECT_EQ(lag_.value(), 6) << "also before it was read";
}

TEST_F(TailServiceTest, ManySmallReadsOfAHugeLineStayBounded) {
  FollowOptions options = Options();
  options.line_bytes_max = 1000;
  dir_.Append("a.log", std::string(100'000, 'x') + "\nshort\n");
  Start(options);
  ASSERT_EQ(host_->rows.size(), 2u);
  EXPECT_EQ(host_->rows[0].body, std::string(1000, 'x'));
  EXPECT_EQ(host_->rows[0].fields.at("kelp.truncated"), "true");
  EXPECT_EQ(host_->rows[1].body, "short");
}

TEST_F(TailServiceTest, SkipsTheRestOfAHugeLineAfterARestart) {
  FollowOptions options = Options();
  options.line_bytes_max = 1000;
  dir_.Append("a.log", std::string(5000, 'x'));
  Start(options);
  ASSERT_EQ(host_->rows.size(), 1u);
  Restart(options);
  dir_.Append("a.log", "still the same line\nnext\n");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"next"}));
}

}  // namespace
}  // namespace kelp::tail
