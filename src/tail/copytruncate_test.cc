// Files that are copied and emptied, emptied, or written anew.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tail/packing.h"
#include "tail/tail_fixture.h"

namespace kelp::tail {
namespace {

using testing::Bodies;

class CopytruncateTest : public testing::TailTest {
 protected:
  void Copy(const std::string& from, const std::string& to) {
    const Result<std::string> text = ReadFile(env_.files(), dir_ / from);
    ASSERT_TRUE(text.ok());
    dir_.Write(to, *text);
  }
  // As logrotate does it, with the chain of older ones.
  void CopyTruncate(const std::string& name, int keep = 5) {
    for (int i = keep; i > 0; --i) {
      const std::string from = name + "." + std::to_string(i);
      if (env_.files().Stat(dir_ / from).ok()) {
        dir_.Rename(from, name + "." + std::to_string(i + 1));
      }
    }
    Copy(name, name + ".1");
    ASSERT_EQ(::truncate((dir_ / name).c_str(), 0), 0);
  }
  // More than a fingerprint covers.
  static std::string Lines(const std::string& tag) {
    std::string lines;
    for (int i = 0; lines.size() < 3000; ++i) lines += tag + " " + std::to_string(i) + "\n";
    return lines;
  }
};

TEST_F(CopytruncateTest, TheRestIsReadInTheCopy) {
  dir_.Append("a.log", "one\n");
  Start();
  dir_.Append("a.log", "two\n");
  CopyTruncate("a.log");
  dir_.Append("a.log", "three\n");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two", "three"}));
  EXPECT_EQ(host_->rows[1].origin, host_->rows[0].origin);
  EXPECT_EQ(host_->rows[1].begin, 4u);
  EXPECT_NE(host_->rows[2].origin, host_->rows[0].origin);
  EXPECT_EQ(host_->rows[2].begin, 0u);
  EXPECT_TRUE(host_->losses.empty());
  EXPECT_EQ(truncated_.value(), 1u);
}

TEST_F(CopytruncateTest, NothingIsReadTwiceWhenEverythingWasRead) {
  dir_.Append("a.log", "one\n");
  Start();
  for (int i = 0; i < 4; ++i) {
    CopyTruncate("a.log");
    dir_.Append("a.log", "line " + std::to_string(i) + "\n");
    Settle();
  }
  Restart();
  EXPECT_EQ(host_->Bodies(), (Bodies{}));
  dir_.Append("a.log", "last\n");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"last"}));
}

TEST_F(CopytruncateTest, TheCopyIsFoundAfterARestart) {
  dir_.Append("a.log", "one\n");
  Start();
  AckAndStore();
  Stop();
  dir_.Append("a.log", "two\n");
  CopyTruncate("a.log");
  dir_.Append("a.log", "three\n");
  Start();
  EXPECT_EQ(host_->Bodies(), (Bodies{"two", "three"}));
  Restart();
  EXPECT_EQ(host_->Bodies(), (Bodies{}));
}

TEST_F(CopytruncateTest, GenerationsThatWereNeverSeenAreReadInOrder) {
  dir_.Append("a.log", "0\n");
  dir_.Append("a.log.1", "from before the first start\n");
  LetATickPass();
  Start();
  EXPECT_EQ(host_->Bodies(), (Bodies{"0"}));
  AckAndStore();
  Stop();
  dir_.Append("a.log", "1\n");
  for (int i = 2; i < 6; ++i) {
    CopyTruncate("a.log");
    dir_.Append("a.log", std::to_string(i) + "\n");
  }
  Start();
  EXPECT_EQ(host_->Bodies(), (Bodies{"1", "2", "3", "4", "5"}));
  Restart();
  EXPECT_EQ(host_->Bodies(), (Bodies{}));
}

TEST_F(CopytruncateTest, ChainsWhileNobodyReadsAreReadInOrder) {
  dir_.Append("a.log", "1\n");
  Start();
  for (int i = 2; i < 6; ++i) {
    dir_.Append("a.log", "rest of " + std::to_string(i - 1) + "\n");
    tail_->Step(Duration(0));
    CopyTruncate("a.log");
    tail_->Step(Duration(0));
    dir_.Append("a.log", std::to_string(i) + "\n");
    tail_->Step(Duration(0));
  }
  Settle();
  EXPECT_EQ(host_->Bodies(),
            (Bodies{"1", "rest of 1", "2", "rest of 2", "3", "rest of 3", "4", "rest of 4", "5"}));
}

TEST_F(CopytruncateTest, ACopyThatMatchesIsNotReadAgain) {
  dir_.Append("a.log", "one\n");
  Start(Options("a.log*"));
  dir_.Append("a.log", "two\n");
  Settle();
  dir_.Append("a.log.1", "one\n");  // the copy, half made
  Settle();
  dir_.Append("a.log.1", "two\n");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two"}));
  dir_.Append("a.log", "three\n");
  dir_.Append("a.log.1", "three\n");
  ASSERT_EQ(::truncate((dir_ / "a.log").c_str(), 0), 0);
  dir_.Append("a.log", "four\n");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two", "three", "four"}));
  EXPECT_EQ(host_->rows[2].origin, host_->rows[0].origin);
  dir_.Rename("a.log.1", "a.log.2");
  CopyTruncate("a.log");
  dir_.Append("a.log", "five\n");
  Settle();
  Pass(3s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two", "three", "four", "five"}));
  Restart(Options("a.log*"));
  EXPECT_EQ(host_->Bodies(), (Bodies{}));
}

TEST_F(CopytruncateTest, ACopyThatGoesItsOwnWayIsAFileOfItsOwn) {
  dir_.Append("a.log", "one\n");
  Start(Options("a.log*"));
  Copy("a.log", "a.log.1");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"one"}));
  dir_.Append("a.log.1", "something else\n");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "one", "something else"}));
}

TEST_F(CopytruncateTest, ACopyThatEndsBeforeWhatWasReadIsNotReadAgain) {
  dir_.Append("a.log", "one\n");
  Start(Options("a.log*"));
  Copy("a.log", "a.log.1");
  dir_.Append("a.log", "two, while the copy was made\n");
  Settle();
  ASSERT_EQ(::truncate((dir_ / "a.log").c_str(), 0), 0);
  dir_.Append("a.log", "three\n");
  Pass(3s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two, while the copy was made", "three"}));
  Restart(Options("a.log*"));
  Pass(3s);
  EXPECT_EQ(host_->Bodies(), (Bodies{}));
}

TEST_F(CopytruncateTest, ACopyThatIsLateIsWaitedFor) {
  dir_.Append("a.log", "one\n");
  Start();
  dir_.Append("a.log", "two\n");
  tail_->Step(Duration(0));
  const Result<std::string> text = ReadFile(env_.files(), dir_ / "a.log");
  dir_.Write("a.log", "three\n");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"one"}));
  dir_.Write("a.log.1", *text);
  Pass(1s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two", "three"}));
}

TEST_F(CopytruncateTest, WhatIsNowhereIsLostAndCounted) {
  dir_.Append("a.log", "one\n");
  Start();
  dir_.Append("a.log", "two\nthree\n");
  tail_->Step(Duration(0));
  Pass(500ms);  // read
  dir_.Append("a.log", "1234567\n");
  // Known, but not read: the output is down.
  tail_->Step(Duration(0));
  env_.Advance(11s);
  tail_->Step(Duration(0));
  dir_.Write("a.log", "x\n");
  Pass(3s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two", "three", "x"}));
  ASSERT_EQ(host_->losses.size(), 1u);
  EXPECT_EQ(host_->losses[0].cause, "truncated");
  EXPECT_EQ(host_->losses[0].bytes, 8u);
}

TEST_F(CopytruncateTest, AWriterThatDoesNotAppendLeavesAHole) {
  dir_.Append("a.log", "one\ntwo\n");
  Start();
  CopyTruncate("a.log");
  const int fd = ::open((dir_ / "a.log").c_str(), O_WRONLY);
  ASSERT_EQ(::pwrite(fd, "three\n", 6, 8), 6);
  ::close(fd);
  Settle();
  ASSERT_EQ(host_->rows.size(), 3u);
  EXPECT_NE(host_->rows[2].body.find("three"), std::string::npos);
  EXPECT_NE(host_->rows[2].origin, host_->rows[0].origin);
}

TEST_F(CopytruncateTest, TheCopyOfALinkedFileIsBesideItsTarget) {
  dir_.MakeDir("target");
  dir_.Append("target/x", "one\n");
  ASSERT_EQ(::symlink((dir_ / "target/x").c_str(), (dir_ / "a.log").c_str()), 0);
  Start();
  dir_.Append("target/x", "two\n");
  CopyTruncate("target/x");
  dir_.Append("target/x", "three\n");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two", "three"}));
}

TEST_F(CopytruncateTest, ACopyOverTheOldCopyIsTheCopyOfTheNewOne) {
  dir_.Append("a.log", "one\n");
  Start();
  for (int i = 0; i < 4; ++i) {
    dir_.Append("a.log", "rest " + std::to_string(i) + "\n");
    Copy("a.log", "a.log.1");
    dir_.Write("a.log", "");
    Settle();
    dir_.Append("a.log", "new " + std::to_string(i) + "\n");
    Settle();
  }
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "rest 0", "new 0", "rest 1", "new 1", "rest 2", "new 2",
                                     "rest 3", "new 3"}));
}

// --- copies that end early, holes ---

TEST_F(CopytruncateTest, ACopyThatEndsWithinTheFirstLinesIsKnown) {
  dir_.Append("a.log", "the first line\nthe second line\n");
  Start();
  dir_.Write("a.log.1", "the first line\n");  // made before the second one was written
  ASSERT_EQ(::truncate((dir_ / "a.log").c_str(), 0), 0);
  dir_.Append("a.log", "the third line\n");
  Pass(3s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"the first line", "the second line", "the third line"}));
  AckAndStore();
  Restart();
  EXPECT_EQ(host_->Bodies(), (Bodies{}));
}

TEST_F(CopytruncateTest, ACopyOfARotatedFileIsNotReadAgain) {
  dir_.Append("a.log", Lines("one"));
  Start();
  dir_.Rename("a.log", "a.log.1");
  dir_.Append("a.log", "two\n");
  Settle();
  const size_t rows = host_->rows.size();
  LetATickPass();
  Copy("a.log.1", "a.log.2");
  Pass(3s);
  EXPECT_EQ(host_->rows.size(), rows);
  // As copies take each other's place.
  dir_.Remove("a.log.1");
  Copy("a.log.2", "a.log.3");
  Pass(3s);
  EXPECT_EQ(host_->rows.size(), rows);
}

TEST_F(CopytruncateTest, ACopyThatLacksAHalfLineIsKnown) {
  dir_.Append("a.log", "one\nhal");
  Start();
  dir_.Write("a.log.1", "one\n");
  dir_.Write("a.log", "two\n");
  Pass(3s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two"}));
  ASSERT_EQ(host_->losses.size(), 1u);
  EXPECT_EQ(host_->losses[0].bytes, 3u);
}

TEST_F(CopytruncateTest, FilesThatBeginWithAHoleAreToldApart) {
  const auto write_behind_hole = [&](uint64_t at, const std::string& text) {
    ASSERT_EQ(::truncate((dir_ / "a.log").c_str(), static_cast<off_t>(at)), 0);
    dir_.Append("a.log", text);
  };
  dir_.Append("a.log", "one\n");
  Start();
  for (int i = 0; i < 3; ++i) {
    CopyTruncate("a.log");
    write_behind_hole(static_cast<uint64_t>(5000 * (i + 1)), "line " + std::to_string(i) + "\n");
    Settle();
    AckAndStore();
    Restart();
  }
  EXPECT_EQ(host_->Bodies(), (Bodies{})) << "nothing is sent again";
  CopyTruncate("a.log");
  write_behind_hole(50'000, "last\n");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"last"}));
}

TEST_F(CopytruncateTest, TheSizeOfWhatCameNextIsNotTakenForALoss) {
  dir_.Write("a.log", "one\n");
  Start();
  dir_.Append("a.log", "two\n");
  for (int i = 0; i < 3; ++i) tail_->Step(Duration(0));
  dir_.Write("a.log", "another content, and longer\n");
  for (int i = 0; i < 3; ++i) tail_->Step(Duration(0));
  Pass(3s);
  ASSERT_EQ(host_->losses.size(), 1u);
  EXPECT_EQ(host_->losses[0].bytes, 4u);
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "another content, and longer"}));
}

// As logrotate's compress leaves them when the agent comes in between.
TEST_F(CopytruncateTest, APlainCopyIsNotReadBesideItsPackedForm) {
  dir_.Write("a.log", "one\n");
  Start(Options("*.log*"));
  dir_.Append("a.log", "two\n");
  dir_.Write("a.log.1.gz", testing::Gzip("one\ntwo\n"));
  dir_.Write("a.log", "");
  Pass(3s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two"}));
  dir_.Write("a.log.1", "one\ntwo\n");
  Pass(3s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two"}));
}

TEST_F(CopytruncateTest, WhatAPackedCopyDoesNotHaveIsReported) {
  dir_.Write("a.log", "one\n");
  Start();
  dir_.Append("a.log", "two\nthree\n");
  for (int i = 0; i < 3; ++i) tail_->Step(Duration(0));
  dir_.Write("a.log.1.gz", testing::Gzip("one\ntwo\n"));
  dir_.Write("a.log", "");
  Pass(3s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two"}));
  ASSERT_EQ(host_->losses.size(), 1u);
  EXPECT_EQ(host_->losses[0].cause, "truncated");
  EXPECT_EQ(host_->losses[0].bytes, 6u);
}

// It was seen, but nothing of it read when it was copied; the copy lacks what came last.
TEST_F(CopytruncateTest, ACopyOfWhatWasSeenAndNotReadIsRead) {
  const std::string first(1500, 'f');
  for (const bool packed : {false, true}) {
    const std::string name = packed ? "packed.log" : "plain.log";
    Start(Options(name));
    dir_.Write(name, first + "\ntwo\nlost\n");
    for (int i = 0; i < 5; ++i) tail_->Step(Duration(0));
    const std::string text = first + "\ntwo\n";
    dir_.Write(name + (packed ? ".1.gz" : ".1"), packed ? testing::Gzip(text) : text);
    dir_.Write(name, "three\n");
    Settle();
    Pass(5s);
    EXPECT_EQ(host_->Bodies(), (Bodies{first, "two", "three"})) << name;
    AckAndStore();
    Stop();
  }
}

TEST_F(CopytruncateTest, OneThatIsGoneOnWithMayBringAnotherOfTheSameFile) {
  tail_options_.copy_wait = 1000s;  // killed while copies are looked for
  dir_.Append("a.log", Lines("first"));
  Start();
  AckAndStore();
  for (const char* const tag : {"second", "and the third"}) {
    dir_.Write("a.log", Lines(tag));
    for (int i = 0; i < 3; ++i) tail_->Step(Duration(0));
    ASSERT_TRUE(tail_->StoreCheckpoints().ok());
  }
  Stop();
  tail_options_.copy_wait = 1s;
  LetATickPass();
  dir_.Write("a.log.1.gz", testing::Gzip(Lines("second")));
  Start();
  Pass(5s);
  ASSERT_FALSE(host_->rows.empty());
  EXPECT_EQ(host_->rows.front().body, "second 0");
  EXPECT_EQ(host_->rows.back().body.substr(0, 13), "and the third");
}

TEST_F(CopytruncateTest, OneThatIsGoneOnWithInACompressedFileIsNotBegunTwice) {
  tail_options_.copy_wait = 1000s;
  dir_.Append("a.log", Lines("first"));
  Start();
  AckAndStore();
  dir_.Write("a.log", Lines("and the second"));
  for (int i = 0; i < 3; ++i) tail_->Step(Duration(0));
  ASSERT_TRUE(tail_->StoreCheckpoints().ok());
  Stop();
  tail_options_.copy_wait = 1s;
  LetATickPass();
  dir_.Write("a.log.1.gz", testing::Gzip(Lines("and the second")));  // and not emptied yet
  Start();
  Pass(5s);
  ASSERT_FALSE(host_->rows.empty());
  EXPECT_EQ(host_->rows.front().body, "and the second 0");
}

}  // namespace
}  // namespace kelp::tail
