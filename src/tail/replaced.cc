// Files that no longer hold what was read of them: emptied, cut short, written anew, or gone.
#include <algorithm>

#include "base/log.h"
#include "tail/follow.h"

namespace kelp::tail {
namespace {

// What was written more recently may still be made whole by who writes it.
constexpr Duration kDamagedLinger = 3s;
// A file that ends in the middle is seen to be no longer written for this long, however old it is:
// clocks of other machines tell when.
constexpr Duration kCutLinger = 5s;

}  // namespace

// Looks whether the file still holds the origin's bytes; when not, deals with that.
bool Follow::CheckReplaced(Incarnation& file) {
  if (file.ended || file.searching() || (file.search != nullptr && file.search->gone)) return false;
  std::shared_ptr<File> open = file.source->file();
  if (open == nullptr) {
    const std::string path = file.names.empty() ? file.location : file.names.front()->path();
    Result<std::shared_ptr<File>> opened = OpenFile(path);
    if (!opened.ok()) return false;
    open = std::move(opened).value();
  }
  const Result<FileInfo> info = open->Stat();
  if (!info.ok() || !file.Is(*info)) return false;
  const Result<bool> holds = file.source->Holds(*open, info->size);
  if (!holds.ok() || *holds) return false;
  ContentReplaced(file);
  return true;
}

// Takes note of the size of a file, which says what is lost should it be destroyed. False when it
// no longer holds what was read or seen of it: then the size is that of something else.
bool Follow::SeeSize(Incarnation& file, const FileInfo& info) {
  FileSource& source = *file.source;
  const uint64_t before = source.size();
  if (source.packed() != nullptr) {
    source.set_size(info.size);
    return true;
  }
  const std::shared_ptr<File> open = source.file();
  uint64_t size = info.size;
  if (size != before && open != nullptr) {
    // Its reader may have seen it become another since.
    const Result<FileInfo> now = open->Stat();
    if (!now.ok()) return true;
    size = now->size;
  }
  const Result<bool> holds =
      open == nullptr ? Result<bool>(size >= before) : source.Holds(*open, size);
  // What cannot be read now is looked at again.
  if (!holds.ok()) return true;
  if (!*holds) return !CheckReplaced(file);
  if (open != nullptr && source.position() == 0) {
    if (!ValueOr(source.SeeHead(*open), true) && CheckReplaced(file)) return false;
    // By this it is found again, should it be emptied or compressed while nobody looks.
    StoreBeginning(file);
    // A size without a beginning may be that of any content.
    if (source.Evidence().first.bytes == 0) return true;
  }
  source.SeeSize(before, size);
  UpdateLag(file);
  if (source.SawUnstored()) context_.grown.insert(file.origin());
  return true;
}

// The file no longer has its bytes: gives up descriptor, names and place. The names it had.
std::vector<std::string> Follow::LeaveFile(Incarnation& file) {
  std::vector<std::string> paths;
  for (NamedPath* name : std::exchange(file.names, {})) {
    name->current = nullptr;
    paths.push_back(name->path());
  }
  if (file.search != nullptr) file.search->rejected.push_back(file.key);
  const auto live = live_.find(file.key);
  if (live != live_.end() && live->second == &file) live_.erase(live);
  file.key = {};
  NoteClosed(file);
  ClearLocation(file);
  file.source->Detach();
  return paths;
}

void Follow::ContentReplaced(Incarnation& file) {
  if (file.ended || file.searching()) return;
  const FileKey key = file.key;
  const std::vector<std::string> paths = LeaveFile(file);
  Bump(options_.metrics.truncated_files);
  StartSearch(file);
  file.search->emptied = key;
  for (const std::string& path : paths) {
    const auto it = paths_.find(path);
    if (it == paths_.end()) continue;
    BeginMissedCopies(it->second, file.source->begun());
    OnPathChanged(path);
  }
}

// A file that nobody holds open is no longer where it was; it may be compressed by now.
void Follow::NameVanished(Incarnation& file) {
  const std::vector<std::string> paths = LeaveFile(file);
  StartSearch(file);
  file.search->deleted = true;
  for (const std::string& path : paths) OnPathChanged(path);
}

// Whether what is left of an origin in a compressed file was given up: it cannot be unpacked, all
// before it was read, and nobody writes the file any more.
bool Follow::LoseBroken(Incarnation& file, const FileInfo& info, Duration quiet, bool unreadable) {
  FileSource& source = *file.source;
  const std::shared_ptr<PackedFile> packed = source.packed();
  if (packed == nullptr) return false;
  std::optional<PackedFile::Break> broken = packed->broken();
  const bool reached =
      broken.has_value() &&
      (source.position() >= broken->at || (source.has_half() && source.end_seen() == broken->at));
  if (!reached && !unreadable) return false;
  const Duration age(context_.env.clock().Now() - info.modified);
  if (!reached) {
    source.Detach();
    broken = {source.position(), /*damaged=*/true, /*single=*/false};
  } else if (broken->damaged) {
    if (std::max(quiet, age) < kDamagedLinger) return false;
  } else if (quiet < kCutLinger || std::max(quiet, age) < context_.options.rotated_linger) {
    return false;
  }
  Settle(info);
  LosePacked(file, *broken,
             broken->damaged ? "the compressed file is damaged"
                             : "the compressed file ends in the middle, and nobody writes it");
  return true;
}

void Follow::LosePacked(Incarnation& file, const PackedFile::Break& broken, std::string_view why) {
  const uint64_t from = std::max(file.source->position(), broken.at);
  uint64_t known = file.search != nullptr ? std::exchange(file.search->known_size, 0) : 0;
  // What ends in the middle tells no size.
  const bool tells = broken.damaged && broken.single;
  if (tells) known = std::max(known, file.source->packed()->TextSize(from).value_or(0));
  if (known > from) {
    ReportLost(file, "packed_damaged", known - from, why);
  } else if (known == from && tells) {
    LOG_RATE(10s, kError, "{}: {}, but all {} bytes of its text were read; they may be wrong",
             file.path(), why, known);
  } else {
    LOG_RATE(10s, kError,
             "{}: what came behind byte {} and had not been read is lost (packed_damaged), nobody "
             "knows how much: {}",
             file.path(), from, why);
    host_.Lost(file.id, {"packed_damaged", 0, 0});
  }
  file.source->ForgetUnread();
  // What is before the break is sent to its last byte.
  file.deleted = true;
  file.source->RequestFinish();
  file.source->Release();
  host_.Ready(file.id);
}

// Has reading begin with the line in which `offset` is.
void Follow::BeginAtLine(Checkpoint& start, File& file, uint64_t offset) const {
  std::string bytes(std::min<uint64_t>(offset, options_.line_bytes_max + 1), '\0');
  const Result<size_t> n = file.ReadAt(offset - bytes.size(), bytes.data(), bytes.size());
  const size_t end = n.ok() && *n == bytes.size() ? bytes.rfind('\n') : std::string::npos;
  if (end != std::string::npos) {
    const bool wide = end + 1 < bytes.size() && bytes[end + 1] == '\0';  // UTF-16: from 0
    start.resume = wide ? 0 : offset - bytes.size() + end + 1;
  } else if (bytes.size() > options_.line_bytes_max) {
    start.resume = offset;
    start.line = framing::LinePlace::kInSkipped;
  }
  start.emitted = start.resume;
  start.guard = ValueOr(GuardBefore(file, start.resume), Guard());
}

// A file that was cut short begins with what was there before. Read again are only the lines of it
// that were not acknowledged, and those that may have been written since: behind the last mark.
void Follow::SkipLeft(Checkpoint& start, const FileInfo& info, File& file) {
  // The last one that was there.
  for (auto it = searching_.rbegin(); it != searching_.rend(); ++it) {
    const Incarnation& old = **it;
    if (!(old.search->emptied == start.identity.key)) continue;
    // Its reader may have seen it before more was written.
    const uint64_t left = std::min(info.size, old.source->cut_to());
    if (left < context_.options.left_bytes_min) return;
    Marks marks = old.source->marks();
    const uint64_t held = ValueOr(marks.HeldTo(file, left), uint64_t{0});
    if (held == 0 || old.source->Evidence().second.end <= left) continue;
    marks.CutTo(held);
    start.marks = std::move(marks);
    BeginAtLine(start, file, std::min(held, old.source->acked()));
    LOG_RATE(10s, kInfo, "{} was cut to {} bytes; reading goes on at {}", start.path, left,
             start.resume);
    return;
  }
}

// The file of a checkpoint was emptied while nobody looked.
void Follow::BeginReplaced(NamedPath& path, const Checkpoint& checkpoint) {
  Bump(options_.metrics.truncated_files);
  BeginSearched(path, checkpoint)->search->emptied = checkpoint.identity.key;
  BeginMissedCopies(path, checkpoint.begun);
}

// An origin whose bytes are no longer where they were.
Incarnation* Follow::BeginSearched(NamedPath& path, Checkpoint start) {
  start.vanished = kNoTime;
  Unknow(start.origin);
  Incarnation* file = BeginDisplaced(std::move(start), Opened(), "");
  JoinChain(path, *file, /*by_ordinal=*/true);
  StartSearch(*file);
  return file;
}

}  // namespace kelp::tail
