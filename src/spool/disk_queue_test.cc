#include "spool/disk_queue.h"

#include <gtest/gtest.h>

#include <numeric>

#include "spool/testing.h"
#include "spool/unused_spools.h"

namespace kelp::spool {
namespace {

using testing::AppendIds;
using testing::IdOf;
using testing::Opened;
using testing::OpenQueue;
using testing::ReadIds;
using testing::RowsOf;

constexpr const char* kDir = "/data/spool/web-kelp";
constexpr const char* kMark = "/data/spool.held";

std::vector<uint64_t> Ids(uint64_t first, uint64_t last) {
  std::vector<uint64_t> ids(last + 1 - first);
  std::iota(ids.begin(), ids.end(), first);
  return ids;
}

uint64_t RowsBetween(uint64_t first, uint64_t last) {
  uint64_t rows = 0;
  for (uint64_t id = first; id <= last; ++id) rows += RowsOf(id);
  return rows;
}

class DiskQueueTest : public ::testing::Test {
 protected:
  DiskQueueOptions Options() {
    return {.dir = kDir,
            .mark_path = kMark,
            .bytes_max = bytes_max,
            .when_full = when_full,
            .sync = sync,
            .on_drop = on_drop};
  }
  void Open() {
    opened.queue.reset();
    opened = OpenQueue(env, Options());
    ASSERT_TRUE(opened.status.ok()) << opened.status.ToString();
  }
  DiskQueue& queue() { return *opened.queue; }
  // One record at a time, so that segments end between any two.
  void Append(uint64_t first, uint64_t last) {
    for (uint64_t id = first; id <= last; ++id) {
      const Status status = AppendIds(queue(), id, id);
      ASSERT_TRUE(status.ok()) << status.ToString();
    }
  }
  void AckUpTo(uint64_t id) {
    queue().Acknowledge({.sequence = id + 1, .row = RowsBetween(1, id)});
  }
  std::vector<std::string> Segments() {
    std::vector<std::string> paths;
    for (const auto& [path, data] : env.disk().AllFiles()) {
      if (path.ends_with(".spool")) paths.push_back(path);
    }
    return paths;
  }
  std::string Data(const std::string& path) { return env.disk().AllFiles()[path]; }

  testing::SpoolEnv env{1};
  ByteSize bytes_max = 1_MiB;
  WhenFull when_full = WhenFull::kBlock;
  std::function<void(const Record&)> on_drop;
  SyncMode sync = SyncMode::kInterval;
  Opened opened;
};

TEST_F(DiskQueueTest, ReadsInOrderWhatWasAppended) {
  Open();
  ASSERT_TRUE(AppendIds(queue(), 1, 5).ok());
  EXPECT_EQ(ReadIds(queue()), Ids(1, 5));
  ASSERT_TRUE(AppendIds(queue(), 6, 7).ok());
  EXPECT_EQ(ReadIds(queue()), Ids(6, 7));
  EXPECT_EQ(queue().stats().records, 7u);
  EXPECT_EQ(queue().stats().rows, RowsBetween(1, 7));
  EXPECT_TRUE(opened.losses->empty());
}

TEST_F(DiskQueueTest, GoesOnAtTheAcknowledgedPositionAfterAStop) {
  Open();
  Append(1, 200);
  EXPECT_EQ(ReadIds(queue()), Ids(1, 200));
  AckUpTo(120);
  ASSERT_TRUE(queue().Close().ok());
  Open();
  EXPECT_EQ(queue().stats().rows, RowsBetween(121, 200));
  EXPECT_EQ(ReadIds(queue()), Ids(121, 200));
}

TEST_F(DiskQueueTest, LosesNothingWhenTheProcessIsKilled) {
  sync = SyncMode::kNever;
  Open();
  Append(1, 100);
  ReadIds(queue(), 30);
  AckUpTo(30);
  Open();  // without Close; the position was not yet saved
  EXPECT_EQ(ReadIds(queue()), Ids(1, 100));
  EXPECT_TRUE(opened.losses->empty());
}

TEST_F(DiskQueueTest, RemovesSegmentsThatAreDoneWith) {
  Open();
  Append(1, 400);
  ASSERT_GT(Segments().size(), 5u);
  ReadIds(queue());
  AckUpTo(200);
  EXPECT_LE(Segments().size(), 8u);
  AckUpTo(400);
  ASSERT_TRUE(queue().Close().ok());
  EXPECT_TRUE(Segments().empty());
  EXPECT_EQ(queue().stats().bytes, 0u);
  Open();
  Append(401, 402);  // numbers go on
  EXPECT_EQ(queue().end().sequence, 403u);
  EXPECT_EQ(ReadIds(queue()), Ids(401, 402));
}

TEST_F(DiskQueueTest, TellsOfRowsWhoseFilesWereRemovedWhileNobodyHadThem) {
  Open();
  Append(1, 10);
  AckUpTo(3);
  ASSERT_TRUE(queue().Close().ok());
  opened.queue.reset();
  ASSERT_TRUE(env.files().RemoveTree(kDir).ok());
  Open();
  ASSERT_EQ(opened.losses->size(), 1u);
  EXPECT_EQ(opened.losses->front().reason, Loss::Reason::kMissing);
  EXPECT_EQ(opened.losses->front().rows, RowsBetween(4, 10));
  EXPECT_NE(opened.losses->front().message.find(kDir), std::string::npos);
  EXPECT_EQ(queue().stats().rows, 0u);
  Open();
  EXPECT_TRUE(opened.losses->empty()) << "it was told once";
  Append(11, 12);
  EXPECT_EQ(ReadIds(queue()), Ids(11, 12));
  EXPECT_TRUE(opened.losses->empty());
}

TEST_F(DiskQueueTest, TellsOfTheNewestFilesThatWereRemoved) {
  Open();
  Append(1, 200);
  ASSERT_TRUE(queue().Close().ok());
  opened.queue.reset();
  ASSERT_GT(Segments().size(), 2u);
  ASSERT_TRUE(env.files().Remove(Segments().back()).ok());
  Open();
  const size_t left = ReadIds(queue()).size();
  ASSERT_LT(left, 200u);
  EXPECT_EQ(opened.lost_rows(), RowsBetween(left + 1, 200));
}

TEST_F(DiskQueueTest, ASpoolThatHeldNothingMayBeRemovedInSilence) {
  Open();
  Append(1, 10);
  ASSERT_TRUE(queue().Close().ok());
  EXPECT_TRUE(env.files().Stat(kMark).ok());
  Open();
  ReadIds(queue());
  AckUpTo(10);
  ASSERT_TRUE(queue().Close().ok());
  EXPECT_FALSE(env.files().Stat(kMark).ok());
  opened.queue.reset();
  ASSERT_TRUE(env.files().RemoveTree(kDir).ok());
  Open();
  EXPECT_TRUE(opened.losses->empty());
}

TEST_F(DiskQueueTest, AlsoAKilledProcessHasNotedWhatItHeld) {
  Open();
  Append(1, 10);
  env.Advance(DiskQueue::kMarkAfter);
  ASSERT_TRUE(queue().Maintain().ok());
  EXPECT_FALSE(queue().NextDue());
  Append(11, 20);  // not yet noted
  opened.queue.reset();
  ASSERT_TRUE(env.files().RemoveTree(kDir).ok());
  Open();
  EXPECT_EQ(opened.lost_rows(), RowsBetween(1, 10));
}

TEST_F(DiskQueueTest, APowerCutIsNotTakenForARemovedFile) {
  Open();
  Append(1, 10);
  env.Advance(DiskQueue::kMarkAfter - DiskQueue::kSyncAfter);
  ASSERT_TRUE(queue().Maintain().ok());
  Append(11, 20);
  env.Advance(DiskQueue::kSyncAfter - 1ms);  // noted now, and synced for that
  ASSERT_TRUE(queue().Maintain().ok());
  env.Advance(1ms);
  ASSERT_TRUE(queue().Maintain().ok());
  Append(21, 30);
  opened.queue.reset();
  env.PowerCut();
  Open();
  EXPECT_GE(ReadIds(queue()).size(), 20u);
  EXPECT_TRUE(opened.losses->empty());
}

TEST_F(DiskQueueTest, ANoteThatCannotBeReadMakesNoLossUp) {
  ASSERT_TRUE(env.files().MakeDirs(DirName(kMark)).ok());
  for (const char* note : {"", "12", "-1 5 /data/spool/web-kelp\n", "50 50 /data/spool/other\n"}) {
    ASSERT_TRUE(WriteFileAtomically(env.files(), kMark, note).ok());
    Open();
    EXPECT_TRUE(opened.losses->empty()) << note;
    Append(1, 1);
    ASSERT_TRUE(queue().Close().ok());
    opened.queue.reset();
    ASSERT_TRUE(env.files().RemoveTree(kDir).ok());
  }
}

TEST_F(DiskQueueTest, HasNoRoomWhenFullAndRoomAgainWhenSegmentsGo) {
  Open();
  uint64_t id = 0;
  while (queue().HasRoom()) Append(id + 1, id + 1), ++id;
  EXPECT_EQ(AppendIds(queue(), id + 1, id + 1).code(), Code::kResourceExhausted);
  EXPECT_NE(queue().FullMessage().find("is full (1"), std::string::npos);
  EXPECT_LE(queue().stats().bytes, bytes_max.bytes + 4096);
  EXPECT_EQ(ReadIds(queue()), Ids(1, id));
  AckUpTo(id / 2);
  EXPECT_TRUE(queue().HasRoom());
  Append(id + 1, id + 5);
  EXPECT_EQ(ReadIds(queue()), Ids(id + 1, id + 5));
}

TEST_F(DiskQueueTest, DropsTheOldestUnreadSegmentsWhenFullAndCountsTheirRows) {
  when_full = WhenFull::kDropOldest;
  Open();
  Append(1, 50);
  EXPECT_EQ(ReadIds(queue(), 10), Ids(1, 10));  // these are on their way
  Append(51, 2000);
  EXPECT_LE(queue().stats().bytes, bytes_max.bytes + 4096);
  const std::vector<uint64_t> rest = ReadIds(queue());
  uint64_t got = 0;
  for (const uint64_t id : rest) got += RowsOf(id);
  EXPECT_EQ(rest.front(), 11u);
  EXPECT_EQ(rest.back(), 2000u);
  EXPECT_EQ(got + opened.lost_rows(), RowsBetween(11, 2000));
  for (const Loss& loss : *opened.losses) EXPECT_EQ(loss.reason, Loss::Reason::kFull);
  EXPECT_EQ(queue().stats().rows, RowsBetween(1, 10) + got);
  // After a restart the hole is still known as dropped, not as missing.
  Open();
  EXPECT_EQ(ReadIds(queue()).size(), rest.size() + 10);
  EXPECT_TRUE(opened.losses->empty());
}

TEST_F(DiskQueueTest, ShowsEachRecordBeforeItIsDropped) {
  when_full = WhenFull::kDropOldest;
  std::vector<uint64_t> shown;
  uint64_t rows = 0;
  on_drop = [&](const Record& record) {
    shown.push_back(record.sequence);
    rows += record.rows;
  };
  Open();
  Append(1, 2000);
  ASSERT_FALSE(shown.empty());
  EXPECT_EQ(shown, Ids(shown.front(), shown.back()));
  EXPECT_EQ(rows, opened.lost_rows());
  EXPECT_EQ(ReadIds(queue()).size() + shown.size(), 2000u);
}

TEST_F(DiskQueueTest, KeepsAPartOfTheDiskFree) {
  Open();
  Append(1, 3);
  env.disk().SetFree(100_MiB);  // of 1 TiB; a GiB stays free
  env.Advance(2s);
  EXPECT_EQ(AppendIds(queue(), 4, 4).code(), Code::kResourceExhausted);
  EXPECT_FALSE(queue().HasRoom());
  EXPECT_NE(queue().FullMessage().find("kept free"), std::string::npos);
  env.disk().SetFree(ByteSize{1ull << 40});
  env.Advance(2s);
  ASSERT_TRUE(queue().Maintain().ok());
  EXPECT_TRUE(queue().HasRoom());
  Append(4, 4);
  EXPECT_EQ(ReadIds(queue()), Ids(1, 4));
}

TEST_F(DiskQueueTest, NeverReadsBackAPartOfARecordWhenTheDiskFillsWhileWriting) {
  Open();
  Append(1, 10);
  env.disk().SetWriteBudget(100);
  EXPECT_FALSE(AppendIds(queue(), 11, 12).ok());
  EXPECT_EQ(ReadIds(queue()), Ids(1, 10));
  env.disk().SetWriteBudget(UINT64_MAX);
  Append(11, 12);
  EXPECT_EQ(ReadIds(queue()), Ids(11, 12));
  Open();
  EXPECT_EQ(ReadIds(queue()), Ids(1, 12));
  EXPECT_TRUE(opened.losses->empty());
}

TEST_F(DiskQueueTest, ARecordWhoseSyncFailedDoesNotCount) {
  sync = SyncMode::kAlways;
  Open();
  Append(1, 3);
  env.disk().FailSyncs(1);
  EXPECT_FALSE(AppendIds(queue(), 99, 99).ok());
  Append(4, 4);  // gets the same sequence, in a file of its own
  EXPECT_EQ(ReadIds(queue()), Ids(1, 4));
  env.PowerCut();
  Open();
  EXPECT_EQ(ReadIds(queue()), Ids(1, 4));
}

TEST_F(DiskQueueTest, SyncedRecordsSurviveAPowerCut) {
  Open();
  Append(1, 20);
  ASSERT_TRUE(queue().NextDue().has_value());
  EXPECT_LE(*queue().NextDue(), env.clock().Monotonic() + DiskQueue::kSyncAfter);
  env.Advance(1s);
  ASSERT_TRUE(queue().Maintain().ok());
  Append(21, 30);
  env.PowerCut();
  Open();
  const std::vector<uint64_t> ids = ReadIds(queue());
  ASSERT_GE(ids.size(), 20u);
  EXPECT_EQ(ids, Ids(1, ids.size()));
}

TEST_F(DiskQueueTest, CutsATornTail) {
  Open();
  Append(1, 5);
  const std::string path = Segments().back();
  std::string data = Data(path);
  env.disk().Overwrite(path, data.substr(0, data.size() - 10));
  Open();
  EXPECT_EQ(ReadIds(queue()), Ids(1, 4));
  EXPECT_TRUE(opened.losses->empty());
  Append(5, 6);
  EXPECT_EQ(ReadIds(queue()), Ids(5, 6));
}

TEST_F(DiskQueueTest, PassesOverADamagedRecordAndCountsItsRows) {
  Open();
  Append(1, 9);
  const std::string path = Segments().front();
  std::string data = Data(path);
  data[data.find("record 4") + 2] ^= 1;   // the payload of one
  data[data.find("record 7") - 20] ^= 1;  // the head of another
  env.disk().Overwrite(path, data);
  Open();
  EXPECT_EQ(ReadIds(queue()), (std::vector<uint64_t>{1, 2, 3, 5, 6, 8, 9}));
  ASSERT_EQ(opened.losses->size(), 2u);
  EXPECT_EQ(opened.lost_rows(), RowsOf(4) + RowsOf(7));
  EXPECT_NE((*opened.losses)[0].message.find(path), std::string::npos);
  EXPECT_EQ((*opened.losses)[0].reason, Loss::Reason::kDamaged);
}

TEST_F(DiskQueueTest, CountsTheRowsOfAMissingSegment) {
  Open();
  Append(1, 200);
  const std::vector<std::string> paths = Segments();
  ASSERT_GT(paths.size(), 3u);
  opened.queue.reset();
  ASSERT_TRUE(env.files().Remove(paths[1]).ok());
  Open();
  const std::vector<uint64_t> ids = ReadIds(queue());
  uint64_t got = 0;
  for (const uint64_t id : ids) got += RowsOf(id);
  ASSERT_EQ(opened.losses->size(), 1u);
  EXPECT_EQ((*opened.losses)[0].reason, Loss::Reason::kMissing);
  EXPECT_EQ(got + opened.lost_rows(), RowsBetween(1, 200));
}

TEST_F(DiskQueueTest, SurvivesThatItsFilesAreRemovedWhileItRuns) {
  Open();
  Append(1, 5);
  for (const std::string& path : Segments()) ASSERT_TRUE(env.files().Remove(path).ok());
  EXPECT_TRUE(ReadIds(queue()).empty());
  EXPECT_EQ(opened.lost_rows(), RowsBetween(1, 5));
  Append(6, 8);
  EXPECT_EQ(ReadIds(queue()), Ids(6, 8));
}

TEST_F(DiskQueueTest, GoesOnInANewFileWhenItsOwnWasRemoved) {
  Open();
  Append(1, 5);
  ASSERT_TRUE(env.files().RemoveTree(kDir).ok());
  Append(6, 8);
  EXPECT_EQ(ReadIds(queue()), Ids(6, 8));
  EXPECT_EQ(opened.lost_rows(), RowsBetween(1, 5));
}

TEST_F(DiskQueueTest, ADamagedHeaderCostsNoRecord) {
  Open();
  Append(1, 5);
  const std::string path = Segments().front();
  std::string data = Data(path);
  data[20] ^= 1;
  env.disk().Overwrite(path, data);
  Open();
  EXPECT_EQ(ReadIds(queue()), Ids(1, 5));
  EXPECT_TRUE(opened.losses->empty());
}

TEST_F(DiskQueueTest, BeginsAtTheOldestRecordWhenThePositionIsUnreadable) {
  Open();
  Append(1, 50);
  ReadIds(queue());
  AckUpTo(10);
  ASSERT_TRUE(queue().Close().ok());
  const std::string cursor = JoinPath(kDir, kCursorName);
  env.disk().Overwrite(cursor, "rubbish");
  Open();
  EXPECT_EQ(ReadIds(queue()), Ids(1, 50));
  opened.queue.reset();
  ASSERT_TRUE(env.files().Remove(cursor).ok());
  Open();
  EXPECT_EQ(ReadIds(queue()), Ids(1, 50));
  EXPECT_TRUE(opened.losses->empty());
}

TEST_F(DiskQueueTest, NumbersGoOnWhenAPowerCutTookRecordsThatWereSent) {
  Open();
  Append(1, 20);
  ReadIds(queue());
  AckUpTo(20);
  env.Advance(100ms);
  ASSERT_TRUE(queue().Maintain().ok());
  env.Advance(300ms);  // the position is due to be saved before the data
  ASSERT_TRUE(queue().Maintain().ok());
  env.PowerCut();
  Open();
  EXPECT_TRUE(ReadIds(queue()).empty() || queue().end().sequence == 21u);
  const uint64_t next = queue().end().sequence;
  Append(next, next);
  EXPECT_EQ(ReadIds(queue()), Ids(next, next));
  EXPECT_TRUE(opened.losses->empty());
}

TEST_F(DiskQueueTest, RefusesADirectoryThatIsInUseOrOfANewerVersion) {
  Open();
  const Opened second = OpenQueue(env, Options());
  EXPECT_EQ(second.status.code(), Code::kAlreadyExists);
  EXPECT_NE(second.status.message().find(kDir), std::string::npos);
  Append(1, 1);
  const std::string path = Segments().front();
  std::string data = Data(path);
  data[8] = 2;
  env.disk().Overwrite(path, data);
  opened.queue.reset();
  EXPECT_EQ(OpenQueue(env, Options()).status.code(), Code::kUnimplemented);
  EXPECT_EQ(Segments().size(), 1u);
}

TEST_F(DiskQueueTest, ASpoolThatIsLeftWithRowsIsFoundUnlessItIsInUse) {
  EXPECT_TRUE(FindUnusedSpools(env, "/data").empty());
  Open();
  Append(1, 3);
  EXPECT_TRUE(FindUnusedSpools(env, "/data").empty());
  opened.queue.reset();
  const auto unused = FindUnusedSpools(env, "/data");
  ASSERT_EQ(unused.size(), 1u);
  EXPECT_EQ(unused[0].dir, kDir);
  EXPECT_GT(unused[0].bytes, 0u);
  Open();  // looking has not locked it for good
  ReadIds(queue());
  AckUpTo(3);
  ASSERT_TRUE(queue().Close().ok());
  opened.queue.reset();
  EXPECT_TRUE(FindUnusedSpools(env, "/data").empty());
}

TEST_F(DiskQueueTest, LeavesForeignFilesAlone) {
  Open();
  Append(1, 2);
  const std::string foreign = JoinPath(kDir, "notes.txt");
  ASSERT_TRUE(env.files().OpenForWrite(foreign, true).ok());
  Open();
  EXPECT_EQ(ReadIds(queue()), Ids(1, 2));
  AckUpTo(2);
  ASSERT_TRUE(queue().Close().ok());
  EXPECT_TRUE(env.files().Stat(foreign).ok());
}

TEST_F(DiskQueueTest, SkipsWhatTheCallerStillHas) {
  Open();
  Append(1, 10);
  queue().SkipRead({.sequence = 6, .row = RowsBetween(1, 5)});
  EXPECT_EQ(ReadIds(queue()), Ids(6, 10));
  EXPECT_TRUE(opened.losses->empty());
}

TEST_F(DiskQueueTest, TellsRecordsFromPayloadsThatLookLikeThem) {
  Open();
  Append(1, 3);
  const std::string whole_file = Data(Segments().front());
  Open();
  const std::string five = testing::PayloadOf(5);
  const NewRecord nested[] = {{.payload = whole_file, .rows = 1, .time = 1},
                              {.payload = five, .rows = RowsOf(5), .time = 1}};
  ASSERT_TRUE(queue().Append(nested).ok());
  const std::string path = Segments().back();
  std::string data = Data(path);
  data[data.rfind(whole_file) - 12] ^= 1;  // the head before the payload that holds records
  env.disk().Overwrite(path, data);
  Open();
  EXPECT_EQ(ReadIds(queue()), (std::vector<uint64_t>{1, 2, 3, 5}));
  EXPECT_EQ(opened.lost_rows(), 1u);
}

}  // namespace
}  // namespace kelp::spool
