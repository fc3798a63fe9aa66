// Files that were compressed before they were read to their end.
#include <algorithm>

#include "tail/packing.h"
#include "tail/rotated_name.h"
#include "tail/tail_fixture.h"

namespace kelp::tail {
namespace {

using testing::Bodies;
using testing::Gzip;
using testing::Zstd;

class CompressedTest : public testing::TailTest {
 protected:
  // As gzip does it: the packed one is whole before the plain one goes.
  void Compress(const std::string& from, const std::string& to) {
    const Result<std::string> text = ReadFile(env_.files(), dir_ / from);
    ASSERT_TRUE(text.ok());
    const bool zstd = to.substr(to.size() - 4) == ".zst";
    dir_.Write(to, zstd ? Zstd(*text) : Gzip(*text));
    dir_.Remove(from);
  }
};

TEST_F(CompressedTest, AHalfReadFileIsContinuedAfterARestart) {
  for (const std::string suffix : {".gz", ".zst"}) {
    const std::string name = "a" + suffix.substr(1) + ".log";
    dir_.Append(name, "one\n");
    Start(Options("*.log"));
    AckAndStore();
    Stop();
    dir_.Append(name, "two\nthree\n");
    dir_.Rename(name, name + ".1");
    dir_.Append(name, "four\n");
    Compress(name + ".1", name + ".1" + suffix);
    dir_.Rename(name + ".1" + suffix, name + ".2" + suffix);
    Start(Options("*.log"));
    EXPECT_EQ(host_->Bodies(), (Bodies{"two", "three", "four"}));
    EXPECT_EQ(host_->rows[0].begin, 4u);
    EXPECT_EQ(host_->rows[0].path, dir_ / name);
    Restart(Options("*.log"));
    EXPECT_EQ(host_->Bodies(), (Bodies{}));
    AckAndStore();
    Stop();
  }
}

TEST_F(CompressedTest, APackedFileThatDoesNotTellItsSizeIsContinued) {
  const std::string first = std::string(1500, 'f') + "\n";  // more than tells it from others
  dir_.Append("a.log", first);
  Start();
  AckAndStore();
  Stop();
  dir_.Remove("a.log");
  dir_.Write("a.log.1.zst", Zstd(first + "two\n", /*tells_size=*/false));
  dir_.Append("a.log", "three\n");
  Start();
  EXPECT_EQ(host_->Bodies(), (Bodies{"two", "three"}));
  Restart();
  EXPECT_EQ(host_->Bodies(), (Bodies{}));
}

TEST_F(CompressedTest, APackedFileThatWasReadAndDoesNotTellItsSizeIsNotReadAgain) {
  const std::string text = std::string(1500, 't') + "\n";
  dir_.Append("a.log", text);
  Start();
  AckAndStore();
  Stop();
  dir_.Remove("a.log");
  dir_.Write("a.log.1.zst", Zstd(text, /*tells_size=*/false));
  dir_.Append("a.log", "next\n");
  Start();
  EXPECT_EQ(host_->Bodies(), (Bodies{"next"}));
  Restart();
  EXPECT_EQ(host_->Bodies(), (Bodies{}));
}

TEST_F(CompressedTest, ARestartInTheMiddleOfThePackedFileGoesOn) {
  std::string text;
  for (int i = 0; i < 60000; ++i) text += "line number " + std::to_string(i) + "\n";
  dir_.Append("a.log", "first\n");
  Start();
  AckAndStore();
  Stop();
  dir_.Append("a.log", text);
  Compress("a.log", "a.log.gz");
  Start();
  Stop();
  Start();
  ASSERT_EQ(host_->rows.size(), 60000u);
  host_->AckAll(2);
  ASSERT_TRUE(tail_->StoreCheckpoints().ok());
  const size_t acked = host_->acked_rows.size();
  Stop();
  Start();
  ASSERT_GT(acked, 0u);
  ASSERT_EQ(host_->rows.size(), 60000u - acked);
  EXPECT_EQ(host_->rows.back().body, "line number 59999");
}

TEST_F(CompressedTest, ACopyThatIsCompressedAtOnceIsContinued) {
  dir_.Append("a.log", "one\n");
  Start();
  dir_.Append("a.log", "two\n");
  const Result<std::string> text = ReadFile(env_.files(), dir_ / "a.log");
  dir_.Write("a.log.1.gz", Gzip(*text));
  dir_.Write("a.log", "three\n");
  Settle();
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two", "three"}));
  EXPECT_EQ(host_->rows[1].origin, host_->rows[0].origin);
}

TEST_F(CompressedTest, GenerationsThatWereNeverSeenAreReadInOrder) {
  dir_.Append("a.log", "one\n");
  Start();
  AckAndStore();
  Stop();
  dir_.Append("a.log", "two\n");
  Compress("a.log", "a.log.2.gz");
  dir_.Append("a.log", "three\n");
  Compress("a.log", "a.log.1.gz");
  dir_.Append("a.log", "four\n");
  Start();
  EXPECT_EQ(host_->Bodies(), (Bodies{"two", "three", "four"}));
  Restart();
  EXPECT_EQ(host_->Bodies(), (Bodies{}));
}

TEST_F(CompressedTest, AClosedFileThatWasCompressedIsContinued) {
  tail_options_.open_files_max = 1;
  dir_.Append("a.log", "one\n");
  dir_.Append("b.log", "x\n");
  Start();
  dir_.Append("b.log", "y\n");
  Settle();
  Pass(1s);
  env_.deaf_inotify = true;
  const Result<std::string> text = ReadFile(env_.files(), dir_ / "a.log");
  dir_.Write("a.log.1.gz", Gzip(*text + "two\n"));
  dir_.Remove("a.log");
  Pass(12s);
  ASSERT_EQ(host_->rows.size(), 4u);
  EXPECT_EQ(host_->rows.back().body, "two");
}

TEST_F(CompressedTest, AFileThatWasReadAndDeletedIsNotReadAgainInItsPackedForm) {
  dir_.Append("a.log", "one\n");
  Start();
  AckAndStore();
  dir_.Rename("a.log", "a.log.1");
  dir_.Append("a.log", "two\n");
  Pass(1s);
  Compress("a.log.1", "a.log.1.gz");
  // Until its checkpoint is one of a file that is gone.
  Pass(tail_options_.deleted_linger + 5s);
  AckAndStore();
  // Whoever moves it makes it look new.
  dir_.Rename("a.log.1.gz", "a.log.2.gz");
  Pass(5s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two"}));
}

TEST_F(CompressedTest, WhileThePlainOneIsThereThePackedOneIsNotRead) {
  dir_.Append("a.log", "zero\n");
  Start();
  AckAndStore();
  Stop();
  env_.Advance(1s);
  dir_.Remove("a.log");
  dir_.Write("a.log.1", "one\n");
  dir_.Write("a.log.1.gz", Gzip("one\n"));
  dir_.Append("a.log", "two\n");
  Start();
  Pass(5s);
  dir_.Remove("a.log.1");
  Pass(20s);
  const Bodies bodies = host_->Bodies();
  EXPECT_LE(std::count(bodies.begin(), bodies.end(), "one"), 1);
  EXPECT_EQ(std::count(bodies.begin(), bodies.end(), "two"), 1);
}

TEST_F(CompressedTest, APackedFileThatMatchesIsNotReadAsText) {
  Counter ignored;
  FollowOptions options = Options("a*");
  options.metrics.compressed_files = &ignored;
  dir_.Write("a.1.gz", Gzip("text\n"));
  dir_.Write("a.2.zst", Zstd("text\n"));
  dir_.Write("a.3.gz", "");
  dir_.Append("a.log", "one\n");
  Start(options);
  dir_.Append("a.3.gz", Gzip("text\n"));
  Pass(60s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"one"}));
  EXPECT_EQ(ignored.value(), 3u);
}

TEST_F(CompressedTest, WhatCannotBeUnpackedIsLostAndSaid) {
  std::string text;
  for (int i = 0; i < 20000; ++i) text += std::to_string(i * 7919) + "\n";
  dir_.Append("a.log", text.substr(0, 2000));
  Start();
  AckAndStore();
  Stop();
  dir_.Remove("a.log");
  std::string packed = Gzip(text);
  for (size_t i = packed.size() / 2; i < packed.size() / 2 + 64; ++i) packed[i] = '\x55';
  dir_.Write("a.log.1.gz", packed);
  dir_.Append("a.log", "next\n");
  Start();
  for (int i = 0; i < 40; ++i) {
    Pass(500ms);
    for (auto& [id, origin] : host_->origins()) host_->Ready(id);
    host_->ReadAll();
  }
  ASSERT_FALSE(host_->rows.empty());
  EXPECT_EQ(host_->rows.back().body, "next");
  ASSERT_EQ(host_->losses.size(), 1u);
  EXPECT_EQ(host_->losses[0].cause, "packed_damaged");
}

TEST_F(CompressedTest, TextThatShrinksToVeryLittleIsContinuedNearItsEnd) {
  std::string text;
  for (int i = 0; i < 200'000; ++i) text += "the very same line every time\n";
  dir_.Append("a.log", text);
  Start();
  AckAndStore();
  Stop();
  dir_.Append("a.log", "last\n");
  Compress("a.log", "a.log.1.gz");
  dir_.Append("a.log", "next\n");
  Start();
  Pass(5s);
  EXPECT_EQ(host_->losses.size(), 0u);
  EXPECT_EQ(host_->Bodies(), (Bodies{"last", "next"}));
}

TEST_F(CompressedTest, OneThatIsStillWrittenBelowThePositionIsWaitedFor) {
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += std::to_string(i * 7919) + "\n";
  dir_.Append("a.log", text);
  Start();
  host_->rows.clear();
  dir_.Append("a.log", "last\n");
  const std::string packed = Gzip(text + "last\n");
  const size_t half = packed.size() / 2;
  dir_.Write("a.log.1.gz", packed.substr(0, half));
  dir_.Write("a.log", "next\n");
  Settle();
  Pass(5s);
  EXPECT_EQ(host_->Bodies(), (Bodies{}));
  dir_.Append("a.log.1.gz", packed.substr(half));
  Pass(5s);
  EXPECT_TRUE(host_->losses.empty());
  EXPECT_EQ(host_->Bodies(), (Bodies{"last", "next"}));
}

}  // namespace
}  // namespace kelp::tail
