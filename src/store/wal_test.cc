#include "store/wal.h"

#include <gtest/gtest.h>

#include "store/bytes.h"
#include "store/sim_env.h"
#include "store/wal_format.h"

namespace kelp::store {
namespace {

const std::string kDir = "/wal";

struct Read {
  std::vector<std::string> frames;  // "sequence payload"
  WalReport report;
  Status status;
};

class WalTest : public testing::Test {
 protected:
  WalTest() : env_(std::make_unique<SimEnv>(1)) {
    EXPECT_TRUE(files().MakeDirs(kDir).ok());
    Reopen();
  }
  FileSystem& files() { return static_cast<Env&>(*env_).files(); }
  Read Reopen() {
    Read read;
    wal_ = std::make_unique<Wal>(*env_, kDir);
    read.status = wal_->Replay(
        [&](const WalFrame& frame) {
          read.frames.push_back(std::to_string(frame.sequence) + " " + std::string(frame.encoded));
        },
        read.report);
    return read;
  }
  Status Append(std::vector<std::string> payloads, uint64_t logstore = 1) {
    std::vector<WalFrame> frames;
    for (const std::string& payload : payloads) {
      WalFrame frame;
      frame.logstore_id = logstore;
      frame.project = "default";
      frame.logstore = "logs";
      frame.encoded = payload;
      frames.push_back(frame);
    }
    return wal_->Append(frames);
  }
  std::string PathOf(uint64_t number) { return JoinPath(kDir, WalName(number)); }
  std::string Bytes(uint64_t number) { return env_->AllFiles()[PathOf(number)]; }

  std::unique_ptr<SimEnv> env_;
  std::unique_ptr<Wal> wal_;
};

using Strings = std::vector<std::string>;

TEST_F(WalTest, GivesBackFramesInOrder) {
  ASSERT_TRUE(Append({"one", "two"}).ok());
  ASSERT_TRUE(Append({"three"}).ok());
  EXPECT_EQ(Reopen().frames, (Strings{"1 one", "2 two", "3 three"}));
  ASSERT_TRUE(Append({"four"}).ok());  // in a new file
  const Read read = Reopen();
  EXPECT_EQ(read.frames, (Strings{"1 one", "2 two", "3 three", "4 four"}));
  EXPECT_EQ(read.report.files, 2u);
  EXPECT_TRUE(read.report.problems.empty());
}

TEST_F(WalTest, EndsCleanlyAtATornFrameWhereverItIsCut) {
  ASSERT_TRUE(Append({"acknowledged"}).ok());
  const size_t whole = Bytes(1).size();
  ASSERT_TRUE(Append({std::string(300, 'x')}).ok());
  const std::string bytes = Bytes(1);
  for (size_t size = whole; size < bytes.size(); size += 7) {
    for (const bool garbage : {false, true}) {
      std::string torn = bytes.substr(0, size);
      if (garbage) torn.resize(bytes.size(), '\0');
      env_->Overwrite(PathOf(1), torn);
      const Read read = Reopen();
      EXPECT_EQ(read.frames, (Strings{"1 acknowledged"})) << size;
      EXPECT_TRUE(read.report.problems.empty()) << size;
    }
  }
}

TEST_F(WalTest, DropsTheWholeTornGroupAlsoWhenItsEndIsThere) {
  ASSERT_TRUE(Append({"acknowledged"}).ok());
  const size_t whole = Bytes(1).size();
  ASSERT_TRUE(Append({std::string(300, 'x'), "second of the group"}).ok());
  std::string bytes = Bytes(1);
  bytes[whole + 100] ^= 1;
  env_->Overwrite(PathOf(1), bytes);
  const Read read = Reopen();
  EXPECT_EQ(read.frames, (Strings{"1 acknowledged"}));
  EXPECT_TRUE(read.report.problems.empty());
}

TEST_F(WalTest, ReportsCorruptFramesInTheMiddleAndGoesOnBehindThem) {
  ASSERT_TRUE(Append({"one"}).ok());
  const size_t hole = Bytes(1).size();
  ASSERT_TRUE(Append({"two"}).ok());
  ASSERT_TRUE(Append({"three"}).ok());
  const std::string bytes = Bytes(1);
  for (const size_t at : {hole, hole + 4, hole + 20, hole + 60, hole + 70}) {
    std::string bad = bytes;
    bad[at] ^= 0x40;
    env_->Overwrite(PathOf(1), bad);
    const Read read = Reopen();
    EXPECT_EQ(read.frames, (Strings{"1 one", "3 three"})) << at;
    ASSERT_EQ(read.report.problems.size(), 1u) << at;
    EXPECT_NE(read.report.problems[0].find("offset " + std::to_string(hole)), std::string::npos)
        << read.report.problems[0];
    EXPECT_GT(read.report.bytes_lost, 0u);
  }
}

TEST_F(WalTest, ReportsAFileThatIsShorterThanTheNextOneSays) {
  ASSERT_TRUE(Append({"one"}).ok());
  ASSERT_TRUE(Append({"two"}).ok());
  Reopen();
  ASSERT_TRUE(Append({"three"}).ok());
  env_->Overwrite(PathOf(1), Bytes(1).substr(0, Bytes(1).size() - 5));
  const Read read = Reopen();
  EXPECT_EQ(read.frames, (Strings{"1 one", "3 three"}));
  EXPECT_FALSE(read.report.problems.empty());
}

TEST_F(WalTest, ReadsFramesBehindACorruptHeader) {
  ASSERT_TRUE(Append({"one"}).ok());
  Reopen();
  ASSERT_TRUE(Append({"two"}).ok());
  std::string bytes = Bytes(1);
  bytes[20] ^= 1;
  env_->Overwrite(PathOf(1), bytes);
  const Read read = Reopen();
  EXPECT_EQ(read.frames, (Strings{"1 one", "2 two"}));
  EXPECT_EQ(read.report.problems.size(), 1u);
}

TEST_F(WalTest, RemovesAFileThatWasBeingMade) {
  ASSERT_TRUE(Append({"one"}).ok());
  Reopen();
  ASSERT_TRUE(Append({"two"}).ok());
  env_->Overwrite(PathOf(2), Bytes(2).substr(0, 30));
  Read read = Reopen();
  EXPECT_EQ(read.frames, (Strings{"1 one"}));
  EXPECT_TRUE(read.report.problems.empty());
  EXPECT_EQ(env_->AllFiles().count(PathOf(2)), 0u);
  ASSERT_TRUE(Append({"two again"}).ok());
  EXPECT_EQ(Reopen().frames, (Strings{"1 one", "2 two again"}));
}

TEST_F(WalTest, RefusesANewerVersion) {
  ASSERT_TRUE(Append({"one"}).ok());
  std::string bytes = Bytes(1);
  bytes[8] = 2;
  std::string checksum;
  PutU64(checksum, Checksum(std::string_view(bytes).substr(0, 48)));
  bytes.replace(48, 8, checksum);
  env_->Overwrite(PathOf(1), bytes);
  EXPECT_EQ(Reopen().status.code(), Code::kUnimplemented);
}

TEST_F(WalTest, CountsNothingOfAGroupThatFailed) {
  ASSERT_TRUE(Append({"one"}).ok());
  env_->SetWriteBudget(70);
  EXPECT_EQ(Append({"lost", "lost too"}).code(), Code::kResourceExhausted);
  EXPECT_EQ(Append({"lost as well"}).code(), Code::kResourceExhausted);
  env_->SetWriteBudget(UINT64_MAX);
  env_->FailSyncs(1);
  EXPECT_FALSE(Append({"not synced"}).ok());
  ASSERT_TRUE(Append({"two"}).ok());
  const Read read = Reopen();
  EXPECT_EQ(read.frames, (Strings{"1 one", "2 two"}));
  EXPECT_TRUE(read.report.problems.empty());
}

TEST_F(WalTest, RemovesFilesThatNobodyNeeds) {
  ASSERT_TRUE(Append({"one"}, 1).ok());
  Reopen();
  ASSERT_TRUE(Append({"two"}, 2).ok());
  Reopen();
  ASSERT_TRUE(Append({"three"}, 1).ok());
  uint64_t kept_of_first = 1;
  const auto keep = [&](uint64_t id, uint64_t sequence) {
    return id == 1 && sequence >= kept_of_first;
  };
  ASSERT_TRUE(wal_->RemoveObsolete(keep).ok());
  EXPECT_EQ(Reopen().frames.size(), 3u);
  kept_of_first = 2;
  ASSERT_TRUE(wal_->RemoveObsolete(keep).ok());
  EXPECT_EQ(Reopen().frames, (Strings{"3 three"}));
  EXPECT_EQ(wal_->Pinning(0, keep), std::vector<uint64_t>{1});
}

}  // namespace
}  // namespace kelp::store
