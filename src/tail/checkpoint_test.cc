#include "tail/checkpoint.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tail/passing_files.h"
#include "tail/testing.h"

namespace kelp::tail {
namespace {

using testing::TempDir;
using testing::TestEnv;

Checkpoint Sample(uint64_t n) {
  Checkpoint c;
  c.origin = {n, ~n};
  c.space = "web/file";
  c.path = "/var/log/a\xff\n.log";  // names are bytes
  c.identity = {{0xffffffffffffffff, 42}, 1'700'000'000'123'456'789, {1024, 0xfedcba9876543210}};
  c.resume = 1ull << 40;
  c.emitted = (1ull << 40) + 5;
  c.line = framing::LinePlace::kAfterFlushed;
  c.ordinal = n;
  c.guard = {(1ull << 40) + 7, 0x8000000000000001};
  c.begun = 1'700'000'000'000'000'001;
  c.cuts = {(1ull << 40) + 5, (1ull << 40) + 6};
  c.packing = Packing::kZstd;
  c.heir = {n, 1};
  c.seen = (1ull << 40) + 9;
  return c;
}

class CheckpointDatabaseTest : public ::testing::Test {
 protected:
  std::unique_ptr<CheckpointStore> Open() {
    auto store = OpenCheckpointDatabase(env_, path_);
    EXPECT_TRUE(store.ok()) << store.status().message();
    return store.ok() ? std::move(store).value() : nullptr;
  }
  // As another program, or an earlier version, would.
  void Execute(const char* sql) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(db);
  }
  void Damage(uint64_t at, std::string_view bytes) {
    const Result<std::string> old = ReadFile(env_.files(), path_);
    ASSERT_TRUE(old.ok());
    std::string data = *old;
    ASSERT_LE(at + bytes.size(), data.size());
    data.replace(at, bytes.size(), bytes);
    dir_.Write("checkpoints.db", data);
  }

  TempDir dir_;
  TestEnv env_;
  const std::string path_ = dir_ / "checkpoints.db";
};

TEST_F(CheckpointDatabaseTest, KeepsWhatWasWritten) {
  {
    auto store = Open();
    const auto space = store->Start("web/file");
    ASSERT_TRUE(space.ok());
    EXPECT_TRUE(space->first_start);
    EXPECT_TRUE(space->checkpoints.empty());
    Checkpoint gone = Sample(3);
    gone.vanished = 99;
    gone.identity.born = kNoTime;
    ASSERT_TRUE(store->Write({{Sample(1), Sample(2), gone}, {}}).ok());
    ASSERT_TRUE(store->Write({{}, {Sample(1).origin}}).ok());
  }
  auto store = Open();
  EXPECT_TRUE(store->Start("other/file")->checkpoints.empty());
  auto space = store->Start("web/file");
  ASSERT_TRUE(space.ok());
  EXPECT_FALSE(space->first_start);
  EXPECT_FALSE(space->lost);
  ASSERT_EQ(space->checkpoints.size(), 2u);
  std::sort(space->checkpoints.begin(), space->checkpoints.end(),
            [](const auto& a, const auto& b) { return a.ordinal < b.ordinal; });
  const Checkpoint& c = space->checkpoints[0];
  const Checkpoint expected = Sample(2);
  EXPECT_EQ(c.origin, expected.origin);
  EXPECT_EQ(c.path, expected.path);
  EXPECT_EQ(c.identity.key, expected.identity.key);
  EXPECT_EQ(c.identity.born, expected.identity.born);
  EXPECT_EQ(c.identity.print, expected.identity.print);
  EXPECT_EQ(c.resume, expected.resume);
  EXPECT_EQ(c.emitted, expected.emitted);
  EXPECT_EQ(c.line, expected.line);
  EXPECT_EQ(c.vanished, kNoTime);
  EXPECT_EQ(c.guard, expected.guard);
  EXPECT_EQ(c.begun, expected.begun);
  EXPECT_EQ(c.cuts, expected.cuts);
  EXPECT_EQ(c.packing, expected.packing);
  EXPECT_EQ(c.heir, expected.heir);
  EXPECT_EQ(c.seen, expected.seen);
  EXPECT_EQ(space->checkpoints[1].vanished, 99);
  EXPECT_EQ(space->checkpoints[1].identity.born, kNoTime);
}

TEST_F(CheckpointDatabaseTest, ACorruptOneIsMovedAsideAndReported) {
  {
    auto store = Open();
    ASSERT_TRUE(store->Start("web/file").ok());
    ASSERT_TRUE(store->Write({{Sample(1)}, {}}).ok());
  }
  Damage(0, "this is no database at all, is it?");
  {
    auto store = Open();
    const auto space = store->Start("web/file");
    ASSERT_TRUE(space.ok());
    EXPECT_TRUE(space->lost);
    EXPECT_TRUE(space->checkpoints.empty());
    EXPECT_TRUE(env_.files().Stat(path_ + ".corrupt-1").ok());
    ASSERT_TRUE(store->Write({{Sample(2)}, {}}).ok());
  }
  // The next run finds a good one: nothing is lost any more.
  auto store = Open();
  const auto space = store->Start("web/file");
  EXPECT_FALSE(space->lost);
  EXPECT_EQ(space->checkpoints.size(), 1u);
}

TEST_F(CheckpointDatabaseTest, OneThatIsGoneIsReported) {
  EXPECT_FALSE(Open()->Start("web/file")->lost) << "the first start";
  EXPECT_FALSE(Open()->Start("web/file")->lost) << "it is still there";
  dir_.Remove("checkpoints.db");
  EXPECT_TRUE(Open()->Start("web/file")->lost);
  EXPECT_FALSE(Open()->Start("web/file")->lost) << "a new one is there";
  dir_.Write("checkpoints.db", "");
  EXPECT_TRUE(Open()->Start("web/file")->lost) << "it was emptied";
}

TEST_F(CheckpointDatabaseTest, OneThatIsRemovedWhileInUseIsMadeAnew) {
  auto store = Open();
  ASSERT_TRUE(store->Start("web/file").ok());
  ASSERT_TRUE(store->Write({{Sample(1)}, {}}).ok());
  ASSERT_TRUE(RealEnv().files().RemoveTree(dir_.path()).ok());
  EXPECT_EQ(store->Write({{Sample(2)}, {}}).code(), Code::kDataLoss) << "the caller writes all";
  EXPECT_TRUE(store->Write({{Sample(1), Sample(2)}, {}}).ok());
  store.reset();
  const auto space = Open()->Start("web/file");
  EXPECT_EQ(space->checkpoints.size(), 2u);
  EXPECT_FALSE(space->lost);
}

TEST_F(CheckpointDatabaseTest, CorruptOnesAreNumbered) {
  for (int i = 1; i <= 3; ++i) {
    dir_.Write("checkpoints.db", "garbage " + std::string(2000, 'x'));
    Open();
    EXPECT_TRUE(env_.files().Stat(path_ + ".corrupt-" + std::to_string(i)).ok());
  }
}

TEST_F(CheckpointDatabaseTest, SomebodyElsesDatabaseIsNotTouched) {
  Execute("CREATE TABLE t (x)");
  const Result<std::string> before = ReadFile(env_.files(), path_);
  EXPECT_TRUE(Open()->Start("web/file")->lost);
  const Result<std::string> aside = ReadFile(env_.files(), path_ + ".corrupt-1");
  // Opening may have changed the journal mode in the header, nothing else.
  EXPECT_EQ(aside->size(), before->size());
}

TEST_F(CheckpointDatabaseTest, ANewerVersionIsRefused) {
  Open();
  Execute("PRAGMA user_version = 5");
  const auto store = OpenCheckpointDatabase(env_, path_);
  EXPECT_EQ(store.status().code(), Code::kUnimplemented);
  EXPECT_NE(store.status().message().find("newer version"), std::string::npos);
}

TEST_F(CheckpointDatabaseTest, VersionOneIsUpgradedInPlace) {
  Execute(R"(
CREATE TABLE spaces (name TEXT PRIMARY KEY, first_started INTEGER NOT NULL,
  last_started INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE origins (origin BLOB PRIMARY KEY, space TEXT NOT NULL, path TEXT NOT NULL,
  device INTEGER NOT NULL, inode INTEGER NOT NULL, born INTEGER, print_bytes INTEGER NOT NULL,
  print_hash INTEGER NOT NULL, resume INTEGER NOT NULL, emitted INTEGER NOT NULL,
  line INTEGER NOT NULL, ordinal INTEGER NOT NULL, vanished INTEGER) WITHOUT ROWID;
INSERT INTO spaces VALUES ('web/file', 4000000000000000000, 4000000000000000000);
INSERT INTO origins VALUES (x'000102030405060708090a0b0c0d0e0f', 'web/file', '/a.log', 1, 2, 3, 4,
  5, 6, 7, 0, 8, NULL);
PRAGMA application_id = 1264938096;
PRAGMA user_version = 1;)");
  for (int round = 0; round < 2; ++round) {
    auto store = Open();
    const auto space = store->Start("web/file");
    ASSERT_TRUE(space.ok());
    EXPECT_FALSE(space->lost);
    EXPECT_FALSE(space->first_start);
    ASSERT_EQ(space->checkpoints.size(), 1u);
    const Checkpoint& c = space->checkpoints[0];
    EXPECT_EQ(c.resume, 6u);
    EXPECT_EQ(c.ordinal, 8u);
    EXPECT_EQ(c.guard, Guard());
    EXPECT_EQ(c.begun, kNoTime);
    EXPECT_EQ(c.packing, Packing::kNone);
    EXPECT_EQ(c.seen, 0u);
    ASSERT_TRUE(store->Write({{Sample(1)}, {}}).ok());
    ASSERT_TRUE(store->Write({{}, {Sample(1).origin}}).ok());
  }
}

TEST_F(CheckpointDatabaseTest, VersionThreeIsUpgradedInPlace) {
  Open();
  Execute(R"(
DROP TABLE machine;
DROP TABLE origins;
CREATE TABLE origins (origin BLOB PRIMARY KEY, space TEXT NOT NULL, path TEXT NOT NULL,
  device INTEGER NOT NULL, inode INTEGER NOT NULL, born INTEGER, print_bytes INTEGER NOT NULL,
  print_hash INTEGER NOT NULL, resume INTEGER NOT NULL, emitted INTEGER NOT NULL,
  line INTEGER NOT NULL, ordinal INTEGER NOT NULL, vanished INTEGER, guards BLOB, begun INTEGER,
  cuts BLOB, packing INTEGER NOT NULL DEFAULT 0, heir BLOB, marks BLOB) WITHOUT ROWID;
INSERT INTO origins VALUES (x'000102030405060708090a0b0c0d0e0f', 'web/file', '/a.log', 1, 2, 3, 4,
  5, 6, 7, 0, 8, NULL, NULL, 9, NULL, 0, NULL, x'00000001');
PRAGMA user_version = 3;)");
  for (int round = 0; round < 2; ++round) {
    auto store = Open();
    const auto space = store->Start("web/file");
    ASSERT_TRUE(space.ok());
    EXPECT_FALSE(space->lost);
    ASSERT_EQ(space->checkpoints.size(), 1u);
    EXPECT_EQ(space->checkpoints[0].resume, 6u);
    EXPECT_EQ(space->checkpoints[0].marks.hashes(), std::vector<uint32_t>{1});
    EXPECT_EQ(space->checkpoints[0].seen, round == 0 ? 0u : 10u);
    Checkpoint seen = space->checkpoints[0];
    seen.seen = 10;
    ASSERT_TRUE(store->Write({{seen}, {}}).ok());
  }
}

// A file system on which the machine's id is what the test says.
class MachineFiles final : public testing::PassingFiles {
 public:
  explicit MachineFiles(const TempDir& dir) : dir_(dir) {}
  Result<std::unique_ptr<File>> OpenForRead(const std::string& path) override {
    if (path == "/etc/machine-id") return PassingFiles::OpenForRead(dir_ / "etc");
    if (path == "/var/lib/dbus/machine-id") return PassingFiles::OpenForRead(dir_ / "dbus");
    return PassingFiles::OpenForRead(path);
  }

 private:
  const TempDir& dir_;
};

class MachineTest : public CheckpointDatabaseTest {
 protected:
  static constexpr char kOne[] = "00112233445566778899aabbccddeeff";
  static constexpr char kOther[] = "ffeeddccbbaa99887766554433221100";
  MachineTest() { env_.other_files = &files_; }
  void Store() {
    Checkpoint heir = Sample(2);
    heir.heir = {};
    Checkpoint older = Sample(1);
    older.heir = heir.origin;
    auto store = Open();
    ASSERT_TRUE(store->Start("web/file").ok());
    ASSERT_TRUE(store->Write({{older, heir}, {}}).ok());
  }
  // Ordered as they were stored.
  std::vector<Checkpoint> Stored() {
    auto all = Open()->Start("web/file")->checkpoints;
    std::sort(all.begin(), all.end(),
              [](const auto& a, const auto& b) { return a.ordinal < b.ordinal; });
    return all;
  }
  bool Kept() { return Stored()[0].origin == Sample(1).origin; }

  MachineFiles files_{dir_};
};

TEST_F(MachineTest, OnAnotherOneOriginsGetNewIdsAndKeepTheirPositions) {
  dir_.Write("etc", std::string(kOne) + "\n");
  Store();
  EXPECT_TRUE(Kept());
  dir_.Write("etc", std::string(kOther) + "\n");
  const std::vector<Checkpoint> all = Stored();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_NE(all[0].origin, Sample(1).origin);
  EXPECT_NE(all[1].origin, Sample(2).origin);
  EXPECT_EQ(all[0].heir, all[1].origin);
  EXPECT_EQ(all[0].resume, Sample(1).resume);
  EXPECT_EQ(all[0].emitted, Sample(1).emitted);
  EXPECT_EQ(all[0].guard, Sample(1).guard);
  EXPECT_EQ(all[0].seen, Sample(1).seen);
  EXPECT_EQ(Stored()[0].origin, all[0].origin) << "once";
}

TEST_F(MachineTest, WhatIsNotKnownSaysNothing) {
  Store();  // neither file is there
  EXPECT_TRUE(Kept());
  dir_.Write("dbus", kOne);
  EXPECT_TRUE(Kept()) << "it becomes known";
  dir_.Remove("dbus");
  EXPECT_TRUE(Kept());
  for (const char* const no_id : {"", "uninitialized\n", "0011\n"}) {
    dir_.Write("etc", no_id);
    EXPECT_TRUE(Kept()) << no_id;
  }
  dir_.Write("etc", kOther);
  EXPECT_FALSE(Kept()) << "the first one is remembered";
}

TEST_F(CheckpointDatabaseTest, ASecondAgentIsRefused) {
  const auto first = Open();
  const auto second = OpenCheckpointDatabase(env_, path_);
  EXPECT_EQ(second.status().code(), Code::kAlreadyExists);
}

TEST_F(CheckpointDatabaseTest, SaysWhyItCannotBeOpened) {
  const auto store = OpenCheckpointDatabase(env_, dir_ / "missing/checkpoints.db");
  ASSERT_FALSE(store.ok());
  EXPECT_NE(store.status().message().find(dir_ / "missing/checkpoints.db"), std::string::npos);
  EXPECT_NE(store.status().message().find("No such file"), std::string::npos);
}

TEST_F(CheckpointDatabaseTest, SpacesThatNeverStartAgainAreRemoved) {
  {
    auto store = Open();
    ASSERT_TRUE(store->Start("web/file").ok());
    ASSERT_TRUE(store->Write({{Sample(1)}, {}}).ok());
  }
  env_.AdvanceWall(31 * 24h);
  auto store = Open();
  const auto space = store->Start("web/file");
  EXPECT_TRUE(space->first_start);
  EXPECT_TRUE(space->checkpoints.empty());
}

}  // namespace
}  // namespace kelp::tail
