#include "spool/disk_queue.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace kelp::spool {
namespace {

// A queue has about so many segments when it is full: what is freed or dropped at once is a small
// part of it.
constexpr uint64_t kSegmentsWhenFull = 16;
constexpr uint64_t kSegmentBytesMin = 64u << 10;
constexpr uint64_t kSegmentBytesMax = 64u << 20;
// The free disk is looked at again after so much was written, or so much time.
constexpr uint64_t kLookAfterBytes = 8u << 20;
constexpr Duration kLookAfter = 1s;
constexpr uint64_t kFreeShare = 20;
// Ranges that were dropped behind a segment that is still being read. More than one is rare; a
// forgotten one is reported as missing when it is met.
constexpr size_t kDroppedMax = 16;

uint64_t Less(uint64_t a, uint64_t b) { return a > b ? a - b : 0; }

}  // namespace

const char* LossReasonName(Loss::Reason reason) {
  switch (reason) {
    case Loss::Reason::kFull:
      return "full";
    case Loss::Reason::kDamaged:
      return "damaged";
    case Loss::Reason::kMissing:
      return "missing";
  }
  return "unknown";
}

DiskQueue::DiskQueue(Env& env, DiskQueueOptions options, OnLoss on_loss)
    : env_(env),
      options_(std::move(options)),
      on_loss_(std::move(on_loss)),
      segment_bytes_(std::clamp(options_.bytes_max.bytes / kSegmentsWhenFull, kSegmentBytesMin,
                                kSegmentBytesMax)),
      mark_(env.files(), options_.mark_path, options_.dir) {}

DiskQueue::~DiskQueue() = default;

std::string DiskQueue::PathOf(uint64_t first_sequence) const {
  return JoinPath(options_.dir, SegmentName(first_sequence));
}

void DiskQueue::Lost(Loss::Reason reason, uint64_t rows, uint64_t bytes, std::string message) {
  on_loss_({.reason = reason, .rows = rows, .bytes = bytes, .message = std::move(message)});
}

// --- reading ---

void DiskQueue::PassDropped() {
  for (const DroppedRange& range : cursor_.dropped) {
    if (read_.sequence >= range.from.sequence && read_.sequence < range.to.sequence)
      read_ = range.to;
  }
}

DiskQueue::Segment* DiskQueue::SegmentToRead() {
  PassDropped();
  for (Segment& segment : segments_) {
    if (segment.next.sequence > read_.sequence) return &segment;
  }
  return nullptr;
}

Result<std::optional<Record>> DiskQueue::Read() {
  while (const Segment* segment = SegmentToRead()) {
    if (read_.sequence < segment->first.sequence) {
      Lost(
          Loss::Reason::kMissing, Less(segment->first.row, read_.row), 0,
          fmt::format("spool {}: the records before {} are missing; {} rows are lost", options_.dir,
                      SegmentName(segment->first.sequence), Less(segment->first.row, read_.row)));
      read_ = segment->first;
    }
    if (reader_ == nullptr || reader_segment_ != segment->first.sequence) {
      const std::string path = PathOf(segment->first.sequence);
      auto reader = SegmentReader::Open(env_.files(), path, segment->first.sequence);
      if (!reader.ok() && reader.status().code() == Code::kNotFound) {
        LoseRest(*segment, "the file is gone");
        // More records in it would be gone as well.
        if (segment == &segments_.back()) Seal();
        continue;
      }
      ASSIGN_OR_RETURN(reader_, std::move(reader));
      reader_segment_ = segment->first.sequence;
    }
    Result<std::optional<Record>> record = ReadFrom(*segment);
    if (!record.ok()) {
      LoseRest(*segment, std::string(record.status().message()));
    } else if (*record) {
      return record;
    }
  }
  return std::optional<Record>();
}

Result<std::optional<Record>> DiskQueue::ReadFrom(const Segment& segment) {
  RecordHead head;
  do {
    ASSIGN_OR_RETURN(const bool found, reader_->NextHead(segment.size, head));
    if (!found || head.sequence >= segment.next.sequence) {
      LoseRest(segment, "no whole record follows");
      return std::optional<Record>();
    }
  } while (head.sequence < read_.sequence);
  const Position here{.sequence = head.sequence, .row = head.first_row};
  const Position next{.sequence = here.sequence + 1, .row = here.row + head.rows};
  if (here.sequence > read_.sequence) {
    LoseUpTo(segment, here, fmt::format("no whole record before byte {}", head.offset));
  }
  Record record{
      .sequence = here.sequence, .next = next, .rows = head.rows, .time = head.time, .payload = {}};
  ASSIGN_OR_RETURN(const bool whole, reader_->ReadPayload(head, record.payload));
  if (!whole) {
    LoseUpTo(segment, next,
             fmt::format("the checksum of the record at byte {} does not fit", head.offset));
    return std::optional<Record>();
  }
  read_ = next;
  return std::optional<Record>(std::move(record));
}

void DiskQueue::LoseUpTo(const Segment& segment, const Position& position, const std::string& why) {
  const uint64_t rows = Less(position.row, read_.row);
  Lost(Loss::Reason::kDamaged, rows, reader_ == nullptr ? 0 : reader_->skipped_bytes(),
       fmt::format("spool file {} is damaged: {}; {} records with {} rows are lost",
                   PathOf(segment.first.sequence), why, Less(position.sequence, read_.sequence),
                   rows));
  read_ = position;
}

void DiskQueue::LoseRest(const Segment& segment, const std::string& why) {
  LoseUpTo(segment, segment.next, why);
}

// --- writing ---

Status DiskQueue::Append(std::span<const NewRecord> records) {
  uint64_t bytes = 0;
  for (const NewRecord& record : records) {
    CHECK(record.payload.size() <= kPayloadMax, "a record is too large for the spool");
    bytes += kRecordHeadBytes + record.payload.size();
  }
  RETURN_IF_ERROR(MakeRoom(bytes));
  if (file_ != nullptr && segments_.back().size >= segment_bytes_) {
    if (options_.sync != SyncMode::kNever) RETURN_IF_ERROR(SyncFile());
    Seal();
  }
  // Somebody removed it: what comes must not go the same way.
  if (file_ != nullptr &&
      env_.files().Stat(PathOf(segments_.back().first.sequence)).status().code() ==
          Code::kNotFound) {
    Seal();
  }
  Status status = file_ == nullptr ? StartSegment() : OkStatus();
  if (status.ok()) status = WriteSegment(records, bytes);
  Publish();
  return status;
}

Status DiskQueue::WriteSegment(std::span<const NewRecord> records, uint64_t bytes) {
  Segment& segment = segments_.back();
  Position next = end_;
  std::vector<std::string> heads;
  std::vector<std::string_view> pieces;
  heads.reserve(records.size());
  for (const NewRecord& record : records) {
    RecordHead head;
    head.sequence = next.sequence;
    head.first_row = next.row;
    head.rows = record.rows;
    head.time = record.time;
    heads.push_back(EncodeRecordHead(head, record.payload, segment.first.sequence));
    pieces.push_back(heads.back());
    pieces.push_back(record.payload);
    next = {.sequence = next.sequence + 1, .row = next.row + record.rows};
  }
  Status status = file_->AppendAll(pieces);
  if (status.ok() && options_.sync == SyncMode::kAlways) status = file_->Sync();
  if (!status.ok()) {
    // Nobody knows what the file holds now. Cut off what may be there; should that fail too, the
    // next segment's name says that these records do not count.
    file_->Truncate(segment.size).IgnoreError();
    if (unsynced_since_) file_->Sync().IgnoreError();
    Seal();
    return status;
  }
  segment.size += bytes;
  segment.next = end_ = next;
  bytes_ += bytes;
  written_since_look_ += bytes;
  if (options_.sync == SyncMode::kInterval && !unsynced_since_) {
    unsynced_since_ = env_.clock().Monotonic();
  }
  return OkStatus();
}

Status DiskQueue::StartSegment() {
  const std::string path = PathOf(end_.sequence);
  Result<std::unique_ptr<File>> made = env_.files().OpenForWrite(path, /*truncate=*/true, 0600);
  if (made.status().code() == Code::kNotFound) {
    RETURN_IF_ERROR(env_.files().MakeDirs(options_.dir, 0700));
    made = env_.files().OpenForWrite(path, /*truncate=*/true, 0600);
  }
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, std::move(made));
  Status status = file->Append(SegmentHeader(end_));
  if (status.ok() && options_.sync != SyncMode::kNever) {
    status = file->Sync();
    if (status.ok()) status = env_.files().SyncDir(options_.dir);
  }
  if (!status.ok()) {
    file.reset();
    env_.files().Remove(path).IgnoreError();
    return status;
  }
  file_ = std::move(file);
  segments_.push_back({.first = end_, .next = end_, .size = kSegmentHeaderBytes});
  bytes_ += kSegmentHeaderBytes;
  return OkStatus();
}

void DiskQueue::Seal() {
  if (file_ == nullptr) return;
  file_.reset();
  unsynced_since_.reset();
  const Segment& segment = segments_.back();
  if (segment.next.sequence != segment.first.sequence) return;
  // Nothing in it, and the next one will have its name.
  bytes_ -= segment.size;
  env_.files().Remove(PathOf(segment.first.sequence)).IgnoreError();
  segments_.pop_back();
}

Status DiskQueue::SyncFile() {
  if (!unsynced_since_) return OkStatus();
  const Status status = file_->Sync();
  if (!status.ok()) {
    // The system may have forgotten what it could not write; a new file begins with a clean slate.
    Seal();
    return status.Annotate("spool " + options_.dir +
                           ": the newest records may not survive a power cut");
  }
  unsynced_since_.reset();
  return OkStatus();
}

// --- room ---

void DiskQueue::LookAtDisk(uint64_t bytes) {
  const Duration now = env_.clock().Monotonic();
  if (looked_at_ != Duration(0) && now < looked_at_ + kLookAfter &&
      written_since_look_ < kLookAfterBytes) {
    return;
  }
  looked_at_ = std::max(now, Duration(1));
  written_since_look_ = 0;
  const Result<DiskSpace> space = env_.files().Space(options_.dir);
  if (!space.ok()) {
    // Not every file system says; then writing finds out.
    disk_low_ = false;
    return;
  }
  disk_free_ = space->free.bytes;
  disk_keep_ = std::min(kFreeMax.bytes, space->total.bytes / kFreeShare);
  disk_low_ = disk_free_ < disk_keep_ + bytes;
}

bool DiskQueue::HasRoom() const {
  if (bytes_ < options_.bytes_max.bytes && !disk_low_) return true;
  return options_.when_full == WhenFull::kDropOldest && FindDroppable() != segments_.end();
}

std::string DiskQueue::FullMessage() const {
  if (disk_low_) {
    return fmt::format("the disk under spool {} has only {} free, and {} of it are kept free",
                       options_.dir, FormatByteSizeShort({disk_free_}),
                       FormatByteSizeShort({disk_keep_}));
  }
  return fmt::format("spool {} is full ({} of {}, {} rows)", options_.dir,
                     FormatByteSizeShort({bytes_}), FormatByteSizeShort(options_.bytes_max),
                     Less(end_.row, cursor_.acked.row));
}

Status DiskQueue::MakeRoom(uint64_t bytes) {
  LookAtDisk(bytes);
  const auto tight = [&] {
    return disk_low_ || (bytes_ != 0 && bytes_ + bytes > options_.bytes_max.bytes);
  };
  if (options_.when_full == WhenFull::kDropOldest) {
    while (tight() && DropOldest()) {
    }
  }
  return HasRoom() ? OkStatus() : ResourceExhaustedError(FullMessage());
}

std::deque<DiskQueue::Segment>::const_iterator DiskQueue::FindDroppable() const {
  // Not one that is being read: its records may be on their way already.
  const auto it = std::find_if(segments_.begin(), segments_.end(), [&](const Segment& s) {
    return s.first.sequence >= read_.sequence;
  });
  const bool written = it != segments_.end() && file_ != nullptr && it + 1 == segments_.end();
  return written ? segments_.end() : it;
}

bool DiskQueue::DropOldest() {
  const auto it = FindDroppable();
  if (it == segments_.end()) return false;
  const Segment dropped = *it;
  ShowDropped(dropped);
  std::vector<DroppedRange>& ranges = cursor_.dropped;
  if (!ranges.empty() && ranges.back().to == dropped.first) {
    ranges.back().to = dropped.next;
  } else {
    if (ranges.size() == kDroppedMax) ranges.erase(ranges.begin());
    ranges.push_back({.from = dropped.first, .to = dropped.next});
  }
  // What the cursor does not know would look like damage after a restart.
  cursor_dirty_ = true;
  if (const Status saved = SaveCursor(); !saved.ok()) {
    LOG_RATE(30s, kWarning, "{}", saved.message());
  }
  const Status removed = env_.files().Remove(PathOf(dropped.first.sequence));
  segments_.erase(it);
  bytes_ -= std::min(bytes_, dropped.size);
  disk_free_ += dropped.size;
  disk_low_ = disk_low_ && removed.ok() && disk_free_ < disk_keep_;
  const uint64_t rows = Less(dropped.next.row, dropped.first.row);
  Lost(Loss::Reason::kFull, rows, dropped.size,
       fmt::format("spool {} is full: its oldest {} rows ({}) are given up", options_.dir, rows,
                   FormatByteSizeShort({dropped.size})));
  return true;
}

void DiskQueue::ShowDropped(const Segment& segment) {
  if (options_.on_drop == nullptr) return;
  auto reader =
      SegmentReader::Open(env_.files(), PathOf(segment.first.sequence), segment.first.sequence);
  if (!reader.ok()) return;
  RecordHead head;
  for (;;) {
    const Result<bool> found = (*reader)->NextHead(segment.size, head);
    if (!found.ok() || !*found || head.sequence >= segment.next.sequence) return;
    Record record{.sequence = head.sequence,
                  .next = {.sequence = head.sequence + 1, .row = head.first_row + head.rows},
                  .rows = head.rows,
                  .time = head.time,
                  .payload = {}};
    const Result<bool> whole = (*reader)->ReadPayload(head, record.payload);
    if (!whole.ok()) return;
    if (*whole) options_.on_drop(record);
  }
}

// --- done ---

void DiskQueue::Acknowledge(const Position& position) {
  if (position.sequence <= cursor_.acked.sequence) return;
  cursor_.acked = position;
  std::erase_if(cursor_.dropped,
                [&](const DroppedRange& range) { return range.to.sequence <= position.sequence; });
  cursor_dirty_ = true;
  RemoveDone();
  Publish();
}

void DiskQueue::RemoveDone() {
  if (file_ != nullptr && segments_.back().next.sequence <= cursor_.acked.sequence &&
      (segments_.back().size >= segment_bytes_ || !HasRoom())) {
    Seal();
  }
  while (!segments_.empty() && segments_.front().next.sequence <= cursor_.acked.sequence &&
         (file_ == nullptr || segments_.size() > 1)) {
    // The position first: a file that is missing without it would be taken for a loss.
    if (const Status saved = SaveCursor(); !saved.ok()) {
      LOG_RATE(30s, kWarning, "{}; its files stay until that works", saved.message());
      return;
    }
    const Segment& done = segments_.front();
    if (reader_segment_ == done.first.sequence) reader_.reset();
    const Status removed = env_.files().Remove(PathOf(done.first.sequence));
    if (!removed.ok() && removed.code() != Code::kNotFound) {
      LOG_RATE(30s, kWarning, "spool {}: {}", options_.dir, removed.message());
    }
    bytes_ -= std::min(bytes_, done.size);
    segments_.pop_front();
  }
}

Status DiskQueue::SaveCursor() {
  if (!cursor_dirty_) return OkStatus();
  cursor_saved_at_ = env_.clock().Monotonic();
  const std::string path = JoinPath(options_.dir, kCursorName);
  RETURN_IF_ERROR(WriteFileAtomically(env_.files(), path, EncodeCursor(cursor_), 0600)
                      .Annotate("cannot save how far spool " + options_.dir + " is sent"));
  cursor_dirty_ = false;
  return OkStatus();
}

Status DiskQueue::SaveMark() {
  mark_due_.reset();
  const Stats held = stats();
  Status saved = mark_.Save({.end_row = end_.row, .rows = held.rows});
  if (!saved.ok()) mark_due_ = env_.clock().Monotonic() + kMarkAfter;
  return saved.Annotate("cannot note how many rows spool " + options_.dir + " holds");
}

std::optional<Duration> DiskQueue::NextDue() const {
  std::optional<Duration> due = mark_due_;
  const auto by = [&](Duration time) { due = due ? std::min(*due, time) : time; };
  if (unsynced_since_) by(*unsynced_since_ + kSyncAfter);
  if (cursor_dirty_) by(cursor_saved_at_ + kCursorAfter);
  return due;
}

Status DiskQueue::Maintain() {
  const Duration now = env_.clock().Monotonic();
  Status status;
  const bool note = mark_due_ && now >= *mark_due_;
  if (unsynced_since_ && (note || now >= *unsynced_since_ + kSyncAfter)) status = SyncFile();
  if (cursor_dirty_ && now >= cursor_saved_at_ + kCursorAfter) {
    const Status saved = SaveCursor();
    if (status.ok()) status = saved;
  }
  if (!HasRoom()) {
    LookAtDisk(0);
    RemoveDone();
  }
  Publish();
  if (note && status.ok()) status = SaveMark();
  return status;
}

Status DiskQueue::Close() {
  Status status = options_.sync == SyncMode::kNever ? OkStatus() : SyncFile();
  Seal();
  RemoveDone();
  Status saved = SaveCursor();
  Publish();
  if (status.ok() && saved.ok()) saved = SaveMark();
  return status.ok() ? saved : status;
}

DiskQueue::Stats DiskQueue::stats() const {
  MutexLock lock(stats_mu_);
  return stats_;
}

void DiskQueue::Publish() {
  Stats stats{.bytes = bytes_,
              .records = Less(end_.sequence, cursor_.acked.sequence),
              .rows = Less(end_.row, cursor_.acked.row)};
  for (const DroppedRange& range : cursor_.dropped) {
    stats.records = Less(stats.records, Less(range.to.sequence, range.from.sequence));
    stats.rows = Less(stats.rows, Less(range.to.row, range.from.row));
  }
  MutexLock lock(stats_mu_);
  const bool changed = stats.rows != stats_.rows || stats.bytes != stats_.bytes;
  if (changed && mark_.enabled() && !mark_due_) {
    mark_due_ = env_.clock().Monotonic() + kMarkAfter;
  }
  stats_ = stats;
}

}  // namespace kelp::spool
