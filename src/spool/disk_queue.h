// DiskQueue: a durable queue of byte records in a directory.
//
//   auto queue = DiskQueue::Open(env, {.dir = dir, .bytes_max = 1_GiB}, on_loss);
//   queue->Append(records);                       // at the end, all or none
//   while (auto record = *queue->Read()) ...      // in order, from where the last owner had got to
//   queue->Acknowledge(record->next);             // never read again; whole files go
#ifndef KELP_SPOOL_DISK_QUEUE_H_
#define KELP_SPOOL_DISK_QUEUE_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/env.h"
#include "base/status.h"
#include "base/sync.h"
#include "spool/held_mark.h"
#include "spool/segment_reader.h"
#include "spool/spool_config.h"
#include "spool/spool_format.h"

namespace kelp::spool {

struct Record {
  uint64_t sequence = 0;
  Position next;  // behind it
  uint32_t rows = 0;
  UnixNanos time = 0;
  std::string payload;
};

struct DiskQueueOptions {
  std::string dir;
  // Where it is noted how many rows are held; empty: nowhere. See HeldMark.
  std::string mark_path;
  ByteSize bytes_max = 1_GiB;
  WhenFull when_full = WhenFull::kBlock;
  SyncMode sync = SyncMode::kInterval;
  // Called with each record that is going to be dropped to make room, before it is; may be empty.
  std::function<void(const Record&)> on_drop;
};

// Rows that were in the queue and will not come out of it.
struct Loss {
  enum class Reason : uint8_t { kFull, kDamaged, kMissing };
  Reason reason = Reason::kFull;
  uint64_t rows = 0;
  uint64_t bytes = 0;   // of files; 0 where nothing of them is left
  std::string message;  // one sentence: what, in which file, where
};
const char* LossReasonName(Loss::Reason reason);  // "full", "damaged", "missing"

struct NewRecord {
  std::string_view payload;
  uint32_t rows = 0;
  UnixNanos time = 0;
};

// Keeps records in segment files, reads them in order, and remembers up to where they are done.
//
// What Append took survives the death of the process; what was synced survives a power cut. The
// acknowledged position may come back a little older: records can be read twice, never lost by it.
//
// Place:    pipeline::SpooledOutput has one.
// Owns:     its directory, locked against other processes. Borrows `env`, which outlives it.
// Threads:  thread-compatible; stats() may be read from any thread.
// Blocking: on the disk.
// Limits:   bytes_max on disk, passed by at most one Append; a part of the disk stays free
//           (kFreeMax). Three descriptors. Memory: one record and a few numbers per segment.
// Errors:   see each method. Damage is no error: it is passed over, counted and told to on_loss.
// Format:   docs/formats/spool.md
// Tests:    disk_queue_test.cc, disk_queue_model_test.cc, spool_fuzz.cc
class DiskQueue {
 public:
  // Of the disk so much stays free for others: a twentieth, but at most this.
  static constexpr ByteSize kFreeMax = 1_GiB;
  // With SyncMode::kInterval data are synced so long after they were written: within the promised
  // second even when the sync itself takes its time.
  static constexpr Duration kSyncAfter = 500ms;
  // The acknowledged position is written at most this often.
  static constexpr Duration kCursorAfter = 1s;
  // How many rows are held is noted so long after it changed: it costs two syncs. A killed process
  // whose spool is then removed gives a figure that is so old.
  static constexpr Duration kMarkAfter = 10s;

  struct Stats {
    uint64_t bytes = 0;    // on disk
    uint64_t records = 0;  // not acknowledged
    uint64_t rows = 0;
  };
  using OnLoss = std::function<void(const Loss&)>;

  // Creates the directory when there is none, and finds out what is in it. Rows that the last owner
  // noted and that are not there any more are told to on_loss, as missing. Errors: kAlreadyExists
  // when another process has it; kUnimplemented when a newer version wrote it; those of the disk.
  static Result<std::unique_ptr<DiskQueue>> Open(Env& env, DiskQueueOptions options,
                                                 OnLoss on_loss);
  ~DiskQueue();

  // Puts all records at the end, or none of them. With SyncMode::kAlways they are on the disk then.
  // With WhenFull::kDropOldest the oldest unread segments go first when there is no room. Errors:
  // kResourceExhausted when the queue or the disk is full (try again later), kIo.
  Status Append(std::span<const NewRecord> records);
  // The next record; none when there is nothing more. Errors: those of opening files.
  Result<std::optional<Record>> Read();
  // Reading has come so far.
  const Position& read_position() const { return read_; }
  // Goes on reading behind a record that the caller still has from Append, its `next` known.
  // REQUIRES: the record is the next one to be read.
  void SkipRead(const Position& next) { read_ = next; }
  // What the next record that is appended gets.
  const Position& end() const { return end_; }
  // Everything before `position` is done with. Removes segments that hold nothing else.
  void Acknowledge(const Position& position);
  // Syncs and saves what is due. Call about every half second while there is work, and when
  // NextDue() comes. Errors: kIo; what was not synced may be lost by a power cut.
  Status Maintain();
  // When Maintain() has something to do (monotonic); nothing when it has not.
  std::optional<Duration> NextDue() const;
  // Syncs, saves the position, and leaves nothing behind when everything is done with.
  Status Close();

  bool HasRoom() const;
  // Why there is no room, for a message.
  std::string FullMessage() const;
  Stats stats() const;
  const std::string& dir() const { return options_.dir; }

 private:
  struct Segment {
    Position first;     // its sequence is the file's name
    Position next;      // behind its last record
    uint64_t size = 0;  // of what counts
  };

  DiskQueue(Env& env, DiskQueueOptions options, OnLoss on_loss);
  // disk_queue_open.cc
  Status Recover();
  Result<std::vector<uint64_t>> ListSegments();
  Result<std::optional<Cursor>> LoadCursor();
  Status LoadSegments(const std::vector<uint64_t>& found);
  Status FinishLast(const std::string& path, uint64_t size, uint64_t file_size);
  Result<Segment> Scan(uint64_t first_sequence, uint64_t sequence_max, bool last);
  void CompareWithMark();

  std::string PathOf(uint64_t first_sequence) const;
  void Lost(Loss::Reason reason, uint64_t rows, uint64_t bytes, std::string message);
  Segment* SegmentToRead();
  void PassDropped();
  // Reads at most one record of the segment; none: look again.
  Result<std::optional<Record>> ReadFrom(const Segment& segment);
  void LoseUpTo(const Segment& segment, const Position& position, const std::string& why);
  // Nothing of the segment's rest can be read.
  void LoseRest(const Segment& segment, const std::string& why);
  Status MakeRoom(uint64_t bytes);
  void LookAtDisk(uint64_t bytes);
  std::deque<Segment>::const_iterator FindDroppable() const;
  bool DropOldest();
  void ShowDropped(const Segment& segment);
  Status WriteSegment(std::span<const NewRecord> records, uint64_t bytes);
  Status StartSegment();
  // Nothing more is written to the current file.
  void Seal();
  void RemoveDone();
  Status SaveCursor();
  // Notes what is held. What it tells must be durable before: a power cut must not look like a
  // removed file.
  Status SaveMark();
  Status SyncFile();
  void Publish();

  Env& env_;
  const DiskQueueOptions options_;
  const OnLoss on_loss_;
  const uint64_t segment_bytes_;
  std::unique_ptr<FileLock> lock_;
  std::deque<Segment> segments_;
  std::unique_ptr<File> file_;  // of the last segment; null: the next Append begins one
  std::unique_ptr<SegmentReader> reader_;
  uint64_t reader_segment_ = 0;
  Position read_;
  Position end_;
  Cursor cursor_;
  uint64_t bytes_ = 0;
  bool cursor_dirty_ = false;
  Duration cursor_saved_at_{0};
  HeldMark mark_;
  std::optional<Duration> mark_due_;
  std::optional<Duration> unsynced_since_;
  bool disk_low_ = false;
  uint64_t disk_free_ = 0;
  uint64_t disk_keep_ = 0;
  uint64_t written_since_look_ = 0;
  Duration looked_at_{0};

  mutable Mutex stats_mu_;
  Stats stats_ GUARDED_BY(stats_mu_);
};

}  // namespace kelp::spool

#endif  // KELP_SPOOL_DISK_QUEUE_H_
