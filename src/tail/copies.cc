// The copy in which the bytes of a file are that was emptied (copytruncate), and copies that are
// not read because their originals are.
#include <algorithm>
#include <utility>

#include "base/log.h"
#include "tail/follow.h"
#include "tail/rotated_name.h"

namespace kelp::tail {
namespace {

// What a copy and its original are compared by, beside the first bytes.
constexpr size_t kComparedBytes = 4096;
// Files whose names say nothing of rotation are looked at as well, but not all of a big directory.
constexpr size_t kUnrelatedMax = 64;

Result<bool> SameBytes(File& a, File& b, uint64_t offset, size_t size) {
  std::string left(size, '\0');
  std::string right(size, '\0');
  ASSIGN_OR_RETURN(const size_t n, a.ReadAt(offset, left.data(), size));
  ASSIGN_OR_RETURN(const size_t m, b.ReadAt(offset, right.data(), size));
  return n == size && m == size && left == right;
}

}  // namespace

bool IsPrefix(File& copy, uint64_t size, File& live) {
  const Result<FileInfo> info = live.Stat();
  if (!info.ok() || info->size < size) return false;
  const auto head = static_cast<size_t>(std::min<uint64_t>(size, Fingerprint::kBytesMax));
  const auto tail = static_cast<size_t>(std::min<uint64_t>(size, kComparedBytes));
  return ValueOr(SameBytes(copy, live, 0, head), false) &&
         ValueOr(SameBytes(copy, live, size - tail, tail), false);
}

void Follow::StartSearch(Incarnation& file) {
  if (file.search == nullptr) file.search = std::make_unique<CopySearch>();
  CopySearch& search = *file.search;
  const uint64_t seen = std::max(file.source->text_size(), file.source->Evidence().second.end);
  search.known_size = std::max(search.known_size, seen);
  search.over = false;
  search.until = context_.Now() + context_.options.copy_wait;
  file.displaced = true;
  file.drained = false;
  file.source->WatchEnd();
  searching_.push_back(&file);
  LookClosely(file);
  FindCopy(file);
}

bool Follow::GoOnSearching(Incarnation& file, Duration now) {
  if (!FindCopy(file) && now >= file.search->until) GiveUp(file);
  return file.searching() || !file.search->gone;
}

// What begins with all that was seen goes before what is shorter.
bool Follow::FindCopy(Incarnation& file) {
  std::vector<std::string> shorter;
  for (const std::string& at : LinkChain(file.path())) {
    const std::string dir = DirName(at);
    for (const std::string& copy : InRotationOrder(WhereRotated(at))) {
      if (TryCopy(file, copy, &shorter)) return true;
    }
    const std::vector<std::string> others = RelatedNames(dir, "");
    size_t tried = 0;
    for (const std::string& name : others) {
      if (paths_.count(JoinPath(dir, name)) != 0) continue;
      if (++tried > kUnrelatedMax) break;
      if (TryCopy(file, JoinPath(dir, name), &shorter)) return true;
    }
  }
  return std::any_of(shorter.begin(), shorter.end(),
                     [&](const std::string& at) { return TryCopy(file, at, nullptr); });
}

// Where rotation may have put a file that was at `at`, which may have been rotated itself.
std::vector<std::string> Follow::WhereRotated(const std::string& at) {
  const std::string dir = DirName(at);
  std::vector<std::string> bases = BasesOfRotated(BaseName(at));
  bases.push_back(BaseName(at));
  std::vector<std::string> found;
  for (const std::string& base : bases) {
    for (const std::string& name : RelatedNames(dir, base)) found.push_back(JoinPath(dir, name));
  }
  return found;
}

// The names in a directory that rotation may have given to files that were called `base`; for "",
// those that it has not given.
const std::vector<std::string>& Follow::RelatedNames(const std::string& dir,
                                                     const std::string& base) {
  if (related_dir_ != dir || related_step_ != context_.step) {
    related_.clear();
    oldest_known_.clear();
    related_dir_ = dir;
    related_step_ = context_.step;
    const Result<std::vector<DirEntry>> entries = context_.env.files().ListDir(dir);
    if (entries.ok()) {
      for (const DirEntry& entry : *entries) {
        if (entry.type != FileType::kRegular) continue;
        std::vector<std::string> bases = BasesOfRotated(WithoutPacking(entry.name));
        if (WithoutPacking(entry.name) != entry.name) {
          bases.emplace_back(WithoutPacking(entry.name));
        }
        for (const std::string& one : bases) related_[one].push_back(entry.name);
        if (bases.empty()) related_[""].push_back(entry.name);
      }
    }
  }
  return related_[base];
}

// Whether some other origin's bytes are in a file.
bool Follow::IsTaken(const FileInfo& info, const Incarnation& by) {
  const auto live = live_.find(FileKey::Of(info));
  if (live != live_.end() && live->second->Is(info)) {
    // Rotators that copy over an old copy.
    return live->second == &by || !CheckReplaced(*live->second);
  }
  return KnownInode(info) != nullptr;
}

// The newest checkpoint of a file that is not read.
const Checkpoint* Follow::KnownInode(const FileInfo& info) const {
  const Checkpoint* best = nullptr;
  const auto [from, to] = known_by_key_.equal_range(FileKey::Of(info));
  for (auto it = from; it != to; ++it) {
    const Checkpoint& checkpoint = known_.at(it->second);
    if (!checkpoint.identity.SameInode(info)) continue;
    if (best == nullptr || checkpoint.ordinal > best->ordinal) best = &checkpoint;
  }
  return best;
}

// Whether a file may hold what a source read, or the beginning of it.
bool Follow::MayHold(const FileSource& source, const Opened& opened) {
  const auto [print, guard] = source.Evidence();
  if (MayBeginAs(print, source.marks(), opened.head)) return true;
  // Less than was seen of the beginning, but all that was read.
  return opened.packed == nullptr && opened.head.size() < print.bytes &&
         guard.end > opened.head.at && guard.end <= opened.info.size &&
         ValueOr(GuardHolds(*opened.file, guard), false);
}

// With `shorter` one that holds less than was seen of the beginning is only noted there.
bool Follow::TryCopy(Incarnation& file, const std::string& at, std::vector<std::string>* shorter) {
  const Result<FileInfo> named = context_.env.files().Stat(at, /*follow_symlink=*/false);
  if (!named.ok() || named->type != FileType::kRegular) return false;
  const auto [print, guard] = file.source->Evidence();
  const auto& rejected = file.search->rejected;
  const auto path = paths_.find(at);
  const bool held = path != paths_.end() && path->second.held != nullptr &&
                    path->second.held->of == file.origin();
  const bool packed = WithoutPacking(at) != at;
  if (print.bytes == 0 ||
      std::find(rejected.begin(), rejected.end(), FileKey::Of(*named)) != rejected.end() ||
      IsTaken(*named, file)) {
    return false;
  }
  // What it is made of is still there, and tells more.
  if (packed && context_.env.files().Stat(std::string(WithoutPacking(at))).ok()) return false;
  Result<Opened> opened = OpenAny(at);
  if (!opened.ok() || FileKey::Of(opened->info) != FileKey::Of(*named)) return false;
  const Head& head = opened->head;
  const bool same = MayHold(*file.source, *opened);
  if (!same && !(held && head.size() < print.bytes)) return false;
  const bool is_short = head.size() < print.bytes || opened->TextSize() < file.search->known_size;
  if (shorter != nullptr && is_short) {
    shorter->push_back(at);
    return false;
  }
  if (opened->packed == nullptr) {
    // Who has read nothing may have seen more than the copy has.
    const uint64_t position = file.source->position();
    if (!same || opened->info.size < (position == 0 ? 0 : std::max(position, guard.end))) {
      // A copy from before the last of what was read was written.
      std::optional<FileInfo>& longest = file.search->short_copy;
      if (!longest.has_value() || longest->size <= opened->info.size) {
        longest = opened->info;
        file.search->short_print = Fingerprint::Of(head);
      }
      return false;
    }
    if (guard.end <= opened->info.size && !ValueOr(GuardHolds(*opened->file, guard), false)) {
      return false;
    }
  }
  // What was seen may fit many files; those that fit another better are its.
  if (packed && (!MayGoOn(*file.source, *opened) || IsOthers(file, *opened))) return false;
  MoveToCopy(file, at, std::move(opened).value());
  return true;
}

uint64_t Follow::Opened::TextSize() const {
  return packed == nullptr ? info.size : packed->TextSize(0).value_or(UINT64_MAX);
}

// A file and its beginning; unpacked when it is compressed.
Result<Follow::Opened> Follow::OpenAny(const std::string& at) {
  Opened opened;
  ASSIGN_OR_RETURN(opened.file, OpenFile(at));
  ASSIGN_OR_RETURN(opened.info, opened.file->Stat());
  if (opened.info.type != FileType::kRegular) return NotFoundError(at + " is no regular file");
  ASSIGN_OR_RETURN(opened.head, ReadHead(*opened.file));
  opened.packing = PackingOf(opened.head);
  if (opened.packing == Packing::kNone) return opened;
  opened.packed = std::make_shared<PackedFile>(opened.file, opened.packing, at);
  opened.file = opened.packed;
  ASSIGN_OR_RETURN(opened.head, ReadHead(*opened.packed));
  return opened;
}

void Follow::MoveToCopy(Incarnation& file, const std::string& at, Opened opened) {
  LOG_RATE(10s, kInfo, "{} was emptied or removed; the rest of what it held is read from {} in {}",
           file.path(), file.source->position(), at);
  file.search->over = true;
  file.search->short_copy.reset();
  std::erase(searching_, &file);
  const FileInfo& info = opened.info;
  file.key = FileKey::Of(info);
  file.born = info.born;
  const bool plain = opened.packed == nullptr;
  file.source->CutEvidence(opened.head, opened.TextSize());
  file.source->MoveTo(std::move(opened.file), std::move(opened.packed), info, opened.packing);
  if (plain) file.source->set_size(info.size);
  live_[file.key] = &file;
  NoteOpen(file);
  const auto it = paths_.find(at);
  if (it != paths_.end() && it->second.current == nullptr) {
    it->second.held = nullptr;
    it->second.gone_at = Duration(0);
    it->second.current = &file;
    file.names.push_back(&it->second);
    SetLast(it->second, file);
  } else {
    SetLocation(file, at);
  }
  if (plain && info.size < file.search->known_size) {
    ReportLost(file, "truncated", std::exchange(file.search->known_size, 0) - info.size,
               "they were written after the copy was made");
  }
  file.displaced = true;
  file.drained = false;
  file.quiet_since = context_.Now();
  file.source->WatchEnd();
  context_.moved[file.origin()] = file.source;
  LookClosely(file);
  UpdateLag(file);
  Touch(file);
}

// What a packed copy does not have is known when its end was reached.
void Follow::ReportMissing(Incarnation& file) {
  const std::shared_ptr<PackedFile> packed = file.source->packed();
  if (packed == nullptr || packed->incomplete() || file.search == nullptr) return;
  const uint64_t known = std::exchange(file.search->known_size, 0);
  const uint64_t end = file.source->position();
  if (known <= end) return;
  file.source->ForgetUnread();
  ReportLost(file, "truncated", known - end, "they were written after the copy was made");
}

void Follow::GiveUp(Incarnation& file) {
  CopySearch& search = *file.search;
  search.over = true;
  search.gone = !search.deleted;
  file.deleted = search.deleted;
  std::erase(searching_, &file);
  if (search.short_copy.has_value()) Settle(*search.short_copy);
  const uint64_t position = file.source->settled();
  const uint64_t lost = search.known_size > position ? search.known_size - position : 0;
  if (lost > 0) {
    ReportLost(file, search.deleted ? "deleted" : "truncated", lost, "no copy of them was found");
    file.source->ForgetUnread();
  } else if (!search.deleted) {
    LOG_RATE(10s, kInfo, "{} was truncated after all {} bytes known of it had been read",
             file.path(), position);
  }
  file.source->RequestFinish();
  file.source->Release();
  host_.Ready(file.id);
}

void Follow::ReportLost(Incarnation& file, std::string_view cause, uint64_t bytes,
                        std::string_view why) {
  LOG_RATE(10s, kError, "{}: {}{} bytes that had not been read are lost ({}): {}", file.path(),
           file.source->at_stored() ? "up to " : "", bytes, cause, why);
  host_.Lost(file.id, {cause, bytes, 0});
}

bool Follow::LeaveAtShortCopy(const CopySearch& search, Checkpoint& checkpoint) {
  if (!search.short_copy.has_value()) return false;
  const FileInfo& copy = *search.short_copy;
  checkpoint.identity.key = FileKey::Of(copy);
  checkpoint.identity.born = copy.born;
  checkpoint.identity.print = search.short_print;
  checkpoint.resume = copy.size;
  checkpoint.seen = 0;
  checkpoint.emitted = std::max(checkpoint.emitted, copy.size);
  checkpoint.line = framing::LinePlace::kStart;
  checkpoint.guard = {};
  checkpoint.marks.CutTo(copy.size);
  checkpoint.cuts.clear();
  return true;
}

// --- copies that match ---

// Of a file that is being compressed, what it is made into may be read already.
bool Follow::HoldPacked(NamedPath& path, const FileInfo& info, const Head& head) {
  for (const std::string_view suffix : kPackedSuffixes) {
    const Result<FileInfo> packed = context_.env.files().Stat(path.path() + std::string(suffix));
    const auto live = packed.ok() ? live_.find(FileKey::Of(*packed)) : live_.end();
    if (live == live_.end() || !live->second->Is(*packed)) continue;
    const FileSource& source = *live->second->source;
    if (!MayBeginAs(source.Evidence().first, source.marks(), head)) continue;
    Hold(path, *live->second, info);
    return true;
  }
  return false;
}

// Whether a file was compressed since it was opened, under whatever name, and `original`, which it
// is the copy of, goes on there.
bool Follow::HoldPackedSince(NamedPath& path, const Incarnation& original, const FileInfo& info,
                             const Head& head, File& file) {
  const FileSource& source = *original.source;
  const Result<FileInfo> now = file.Stat();
  if (!now.ok() || now->links > 0 || source.packed() == nullptr ||
      !MayBeginAs(source.Evidence().first, source.marks(), head)) {
    return false;
  }
  Hold(path, original, info);
  return true;
}

// A new file that holds the same as one that is followed is its copy so far, and not read.
bool Follow::HoldCopy(NamedPath& path, const FileInfo& info, const Head& head, File& file) {
  const std::string dir = DirName(path.path());
  const std::vector<std::string> bases = BasesOfRotated(BaseName(path.path()));
  // Perhaps just found to be what another was emptied into, or compressed since it was opened.
  if (live_.count(FileKey::Of(info)) != 0) return true;
  if (!bases.empty() && HoldPacked(path, info, head)) return true;
  // When the original was found to be emptied meanwhile.
  const auto hold_now = [&](const Incarnation& original) {
    return HoldPackedSince(path, original, info, head, file) || HoldCopy(path, info, head, file);
  };
  for (const std::string& base : bases) {
    const std::string original_path = JoinPath(dir, base);
    const auto it = paths_.find(original_path);
    if (it == paths_.end()) continue;
    Incarnation* const live = it->second.current;
    if (live != nullptr && CheckReplaced(*live)) return hold_now(*live);
    // The copy of what was just emptied, but shorter: that was read further.
    for (const Incarnation* old : searching_) {
      if (old->path() != original_path) continue;
      const Fingerprint print = old->source->Evidence().first;
      if (info.size == 0 || MayBeginAs(print, old->source->marks(), head)) {
        Hold(path, *old, info);
        return true;
      }
    }
    const bool older =
        live != nullptr && live->born != kNoTime && info.born != kNoTime && info.born < live->born;
    if (live == nullptr || live->ended || older) continue;
    std::shared_ptr<File> original = live->source->file();
    if (original == nullptr)
      original = ValueOr(OpenFile(it->second.path()), std::shared_ptr<File>());
    if (original == nullptr) continue;
    if (IsPrefix(file, info.size, *original)) {
      Hold(path, *live, info);
      return true;
    }
    if (CheckReplaced(*live)) return hold_now(*live);
  }
  return false;
}

void Follow::Hold(NamedPath& path, const Incarnation& of, const FileInfo& info) {
  if (path.held == nullptr) {
    path.held = std::make_unique<HeldCopy>();
    LOG_RATE(10s, kInfo,
             "{} is a copy of {} so far and is not read; should {} be emptied, reading goes on in "
             "the copy",
             path.path(), of.path(), of.path());
  }
  *path.held = {of.origin(), info.size, info.modified};
}

}  // namespace kelp::tail
