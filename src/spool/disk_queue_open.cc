// What DiskQueue finds when it opens: segments in all states that crashes and disks leave behind.
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "spool/disk_queue.h"

namespace kelp::spool {
namespace {

constexpr ByteSize kCursorFileMax = 4_KiB;

// A directory whose name is lost in a power cut takes synced files with it.
Status MakeDurableDir(FileSystem& files, const std::string& dir) {
  if (files.Stat(dir).ok()) return OkStatus();
  RETURN_IF_ERROR(files.MakeDirs(dir, 0700));
  for (std::string parent = DirName(dir); parent.size() > 1; parent = DirName(parent)) {
    files.SyncDir(parent).IgnoreError();  // not all file systems can
  }
  files.SyncDir("/").IgnoreError();
  return OkStatus();
}

}  // namespace

Result<std::unique_ptr<DiskQueue>> DiskQueue::Open(Env& env, DiskQueueOptions options,
                                                   OnLoss on_loss) {
  const std::string dir = options.dir;
  std::unique_ptr<DiskQueue> queue(new DiskQueue(env, std::move(options), std::move(on_loss)));
  RETURN_IF_ERROR(MakeDurableDir(env.files(), dir).Annotate("cannot make the spool"));
  auto lock = env.files().Lock(JoinPath(dir, kLockName));
  if (!lock.ok()) {
    return lock.status().Annotate("cannot use the spool " + dir +
                                  " (every output needs one of its own)");
  }
  queue->lock_ = std::move(lock).value();
  RETURN_IF_ERROR(queue->Recover().Annotate("cannot open the spool " + dir));
  return queue;
}

Result<std::vector<uint64_t>> DiskQueue::ListSegments() {
  ASSIGN_OR_RETURN(const std::vector<DirEntry> entries, env_.files().ListDir(options_.dir));
  std::vector<uint64_t> found;
  for (const DirEntry& entry : entries) {
    uint64_t first_sequence = 0;
    if (ParseSegmentName(entry.name, first_sequence) && entry.type == FileType::kRegular) {
      found.push_back(first_sequence);
    } else if (entry.name == std::string(kCursorName) + ".tmp") {
      env_.files().Remove(JoinPath(options_.dir, entry.name)).IgnoreError();
    } else if (entry.name != kCursorName && entry.name != kLockName) {
      LOG(kWarning, "spool {}: {} does not belong here and is left alone", options_.dir,
          entry.name);
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

Result<std::optional<Cursor>> DiskQueue::LoadCursor() {
  const std::string path = JoinPath(options_.dir, kCursorName);
  const Result<std::string> bytes = ReadFile(env_.files(), path, kCursorFileMax);
  if (!bytes.ok()) {
    if (bytes.status().code() == Code::kNotFound) return std::optional<Cursor>();
    return bytes.status();
  }
  Result<Cursor> cursor = ParseCursor(*bytes);
  if (cursor.ok()) return std::optional<Cursor>(std::move(cursor).value());
  if (cursor.status().code() == Code::kUnimplemented) return cursor.status().Annotate(path);
  LOG(kWarning,
      "{} cannot be read ({}): sending begins again with the oldest record, and destinations that "
      "do not remove repeats get some rows twice",
      path, cursor.status().message());
  return std::optional<Cursor>();
}

Status DiskQueue::Recover() {
  ASSIGN_OR_RETURN(const std::vector<uint64_t> found, ListSegments());
  ASSIGN_OR_RETURN(const std::optional<Cursor> cursor, LoadCursor());
  RETURN_IF_ERROR(LoadSegments(found));
  if (!segments_.empty()) {
    end_ = segments_.back().next;
    cursor_.acked = segments_.front().first;
  }
  if (cursor) cursor_ = *cursor;
  // A power cut may have taken records that were sent already; their numbers are used up.
  if (cursor_.acked.sequence > end_.sequence) end_ = cursor_.acked;
  for (const DroppedRange& range : cursor_.dropped) {
    if (range.to.sequence > end_.sequence) end_ = range.to;
  }
  read_ = cursor_.acked;
  RemoveDone();
  Publish();
  CompareWithMark();
  return OkStatus();
}

void DiskQueue::CompareWithMark() {
  const std::optional<HeldMark::Held> noted = mark_.Load();
  if (noted) {
    // Files that are there, or the cursor, tell how far the queue went; of what was noted beyond
    // that, nothing is left.
    const uint64_t lost =
        noted->end_row > end_.row ? std::min(noted->rows, noted->end_row - end_.row) : 0;
    if (lost != 0) {
      Lost(Loss::Reason::kMissing, lost, 0,
           fmt::format("spool {}: {} rows that it held are gone: its files were removed while it "
                       "was not in use, or another disk is mounted there; they are lost",
                       options_.dir, lost));
    }
  }
  if (const Status saved = SaveMark(); !saved.ok()) {
    LOG_RATE(30s, kWarning, "{}", saved.message());
  }
}

Status DiskQueue::LoadSegments(const std::vector<uint64_t>& found) {
  for (size_t i = 0; i < found.size(); ++i) {
    const bool last = i + 1 == found.size();
    ASSIGN_OR_RETURN(const Segment segment, Scan(found[i], last ? UINT64_MAX : found[i + 1], last));
    if (segment.next.sequence != segment.first.sequence) {
      bytes_ += segment.size;
      segments_.push_back(segment);
      continue;
    }
    // What it held, if anything, is counted as missing when reading comes to the gap.
    if (segment.size > kSegmentHeaderBytes) {
      LOG(kWarning, "spool file {} has {} bytes but no whole record, and is removed",
          PathOf(found[i]), segment.size);
    }
    RETURN_IF_ERROR(env_.files().Remove(PathOf(found[i])));
  }
  return OkStatus();
}

// Cuts the torn tail off, and makes durable what the process before had only written.
Status DiskQueue::FinishLast(const std::string& path, uint64_t size, uint64_t file_size) {
  if (size < file_size) {
    LOG(kInfo,
        "spool file {}: the last {} bytes were not written whole and are cut off; rows that only "
        "they held were not acknowledged, unless the machine lost power",
        path, file_size - size);
  }
  if (size == file_size && options_.sync == SyncMode::kNever) return OkStatus();
  ASSIGN_OR_RETURN(const auto file, env_.files().OpenForWrite(path, /*truncate=*/false, 0600));
  // Only to free the disk: the bytes do not count in any case.
  if (size < file_size) file->Truncate(size).IgnoreError();
  return options_.sync == SyncMode::kNever ? OkStatus() : file->Sync();
}

// Reads heads only, but for the last segment: there the payload may not have reached the disk.
Result<DiskQueue::Segment> DiskQueue::Scan(uint64_t first_sequence, uint64_t sequence_max,
                                           bool last) {
  const std::string path = PathOf(first_sequence);
  ASSIGN_OR_RETURN(const std::unique_ptr<SegmentReader> reader,
                   SegmentReader::Open(env_.files(), path, first_sequence));
  ASSIGN_OR_RETURN(const uint64_t file_size, reader->FileSize());
  const Result<Position> header = reader->ReadHeader();
  if (header.status().code() == Code::kUnimplemented) return header.status().Annotate(path);
  if (!header.ok() && file_size > kSegmentHeaderBytes) {
    LOG(kWarning, "spool file {}: {}; its records are read all the same", path,
        header.status().message());
  }
  Segment segment;
  segment.first.sequence = first_sequence;
  if (header.ok()) segment.first.row = header->row;
  bool any = false;
  RecordHead head;
  std::string payload;
  for (;;) {
    ASSIGN_OR_RETURN(const bool found, reader->NextHead(file_size, head));
    // Records from the next segment's first on were never acknowledged: see Append.
    if (!found || head.sequence >= sequence_max) break;
    if (any && head.sequence < segment.next.sequence) continue;
    if (last) {
      ASSIGN_OR_RETURN(const bool whole, reader->ReadPayload(head, payload));
      if (!whole) continue;
    }
    if (!std::exchange(any, true) && !header.ok()) segment.first.row = head.first_row;
    segment.next = {.sequence = head.sequence + 1, .row = head.first_row + head.rows};
    segment.size = head.end();
  }
  if (!any) {
    segment.next = segment.first;
    segment.size = file_size;
    return segment;
  }
  if (last) RETURN_IF_ERROR(FinishLast(path, segment.size, file_size));
  return segment;
}

}  // namespace kelp::spool
