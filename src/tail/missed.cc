// Files under names that are not followed: those that rotation moved there, and those that came and
// were rotated before anybody saw them.
#include <algorithm>

#include "base/log.h"
#include "tail/follow.h"
#include "tail/packed_file.h"
#include "tail/rotated_name.h"

namespace kelp::tail {
namespace {

// A file that could not be read is looked at again after this long.
constexpr Duration kLookAgain = 1s;
// A file that still holds nothing after this long is not waited for.
constexpr Duration kFillingTime = 60s;
// So many files are remembered as read, not to be unpacked at every scan.
constexpr size_t kSettledMax = 4096;

}  // namespace

// Whether a file of which nothing is known came after this input was first started. Known ones stay
// known while they are there, and for a while after: what nobody changed for longer than that may
// have been read, and forgotten since. What is compressed keeps the time of its last change.
bool Follow::CameAfterFirstStart(const std::string& dir, const std::string& name,
                                 const FileInfo& info) {
  const UnixNanos now = context_.env.clock().Now();
  if (now < first_started_) first_started_ = kClockSetBack;
  const bool packed = WithoutPacking(name) != name;
  if (!packed && info.born != kNoTime) {
    return info.born > first_started_ || WasRotatedAfterKnown(dir, name);
  }
  const UnixNanos kept = now - context_.options.vanished_kept.count();
  return info.modified > std::max(first_started_, kept);
}

// Whether its name says that it was rotated after a file that is known. Births do not tell when the
// clock was set back and forth; names do, until files are rotated again.
bool Follow::WasRotatedAfterKnown(const std::string& dir, const std::string& name) {
  for (const std::string& base : BasesOf(name)) {
    const std::string& oldest = OldestKnownName(dir, base);
    if (!oldest.empty() && RotatedBefore(oldest, name)) return true;
  }
  return false;
}

// Of the rotated files of `base`, the name of the oldest that is known; empty when none is.
const std::string& Follow::OldestKnownName(const std::string& dir, const std::string& base) {
  const std::vector<std::string>& names = RelatedNames(dir, base);
  const auto [at, is_new] = oldest_known_.try_emplace(base);
  if (!is_new) return at->second;
  for (const std::string& name : names) {
    if (WithoutPacking(name) != name) continue;
    if (!at->second.empty() && !RotatedBefore(name, at->second)) continue;
    const Result<FileInfo> info = context_.env.files().Stat(JoinPath(dir, name), false);
    const auto live = info.ok() ? live_.find(FileKey::Of(*info)) : live_.end();
    const bool read = live != live_.end() && live->second->Is(*info);
    if (read || (info.ok() && KnownInode(*info) != nullptr)) at->second = name;
  }
  return at->second;
}

// The names that a rotated file may have had, packed or not.
std::vector<std::string> Follow::BasesOf(const std::string& name) {
  const std::string plain(WithoutPacking(name));
  std::vector<std::string> bases = BasesOfRotated(plain);
  if (plain != name) bases.push_back(plain);
  return bases;
}

// Whether what was seen under one name may have had the other before: patterns may match rotated
// names, too.
bool Follow::MayHaveBeen(const std::string& seen, const std::string& path) {
  if (seen == path) return true;
  if (DirName(seen) != DirName(path)) return false;
  const std::vector<std::string> bases = BasesOf(BaseName(seen));
  return std::find(bases.begin(), bases.end(), BaseName(path)) != bases.end();
}

bool Follow::Includes(const std::string& path) const {
  return options_.include.Matches(path) && Wanted(path);
}

bool Follow::MayBeRotated(const std::string& dir, const std::string& name) const {
  for (const std::string& base : BasesOf(name)) {
    const std::string path = JoinPath(dir, base);
    if (paths_.count(path) != 0 || options_.include.Matches(path)) return true;
  }
  return false;
}

// At those that the scan at the start found.
void Follow::LookAtOthers() {
  for (const std::string& at : OldestFirst(std::exchange(others_, {}))) LookAtOther(at);
}

void Follow::LookAtOther(const std::string& at) {
  const Result<FileInfo> info = context_.env.files().Stat(at, /*follow_symlink=*/false);
  if (info.ok() && info->type == FileType::kRegular) OnOtherFile(DirName(at), BaseName(at), *info);
}

void Follow::OnOtherFile(const std::string& dir, const std::string& name, const FileInfo& info) {
  const std::string at = JoinPath(dir, name);
  const auto live = live_.find(FileKey::Of(info));
  if (live != live_.end() && live->second->Is(info)) {
    Incarnation& file = *live->second;
    SetLocation(file, at);
    if (!SeeSize(file, info)) return;
    if (info.size != file.source->position() || !file.open) Touch(file);
    return;
  }
  if (IsSettled(info)) return;
  if (const Checkpoint* known = KnownInode(info); known != nullptr) {
    RestoreOne(OriginId(known->origin), at);
    return;
  }
  if (!CameAfterFirstStart(dir, name, info)) return;
  for (const std::string& base : BasesOf(name)) {
    const std::string path = JoinPath(dir, base);
    const auto it = paths_.find(path);
    if (it == paths_.end() && !Includes(path)) continue;
    // What was emptied may just have been copied to here.
    Incarnation* current = it == paths_.end() ? nullptr : it->second.current;
    if (current != nullptr && CheckReplaced(*current)) return;
    BeginMissed(RememberedPath(path), info, at);
    return;
  }
}

// All that is in it was read elsewhere, or cannot be read.
void Follow::Settle(const FileInfo& info) {
  if (settled_.size() >= kSettledMax) settled_.clear();
  settled_[FileKey::Of(info)] = info.modified;
}

bool Follow::IsSettled(const FileInfo& info) const {
  const auto settled = settled_.find(FileKey::Of(info));
  return settled != settled_.end() && settled->second == info.modified;
}

// Begins a file that had the name `path` once, when nobody looked.
void Follow::BeginMissed(NamedPath& path, const FileInfo& info, const std::string& at) {
  if (IsSettled(info)) return;
  if (live_.count(FileKey::Of(info)) != 0) return;
  if (const Checkpoint* known = KnownInode(info); known != nullptr) {
    RestoreOne(OriginId(known->origin), at);
    return;
  }
  Result<Opened> opened = OpenAny(at);
  if (!opened.ok()) {
    LookAgain(at, opened.status());
    return;
  }
  const bool packed = opened->packed != nullptr;
  const std::string plain(WithoutPacking(at));
  const bool half =
      opened->head.size() < Fingerprint::kBytesMax && (!packed || opened->packed->incomplete());
  if (plain != at && (half || context_.env.files().Stat(plain).ok())) {
    // It is being written, or just was: whose content it has cannot be told yet, or is told by the
    // file that it is made of.
    return AwaitContent(at, info);
  }
  if (FileKey::Of(opened->info) != FileKey::Of(info) || IsCompressed(opened->head)) return;
  if (!packed && IsCopyOfNamed(path, *opened->file, opened->info)) {
    // Nothing is not much of a copy.
    if (opened->info.size == 0) AwaitContent(at, info);
    return;
  }
  if (IsAccountedFor(path.path(), *opened)) return;
  // Emptied while it was compared?
  const std::string name = path.path();
  if (path.current != nullptr && CheckReplaced(*path.current)) {
    return BeginMissed(RememberedPath(name), info, at);
  }
  LOG_RATE(10s, kInfo, "{} was rotated to {} before it was seen; it is read now", path.path(), at);
  Incarnation* file = BeginUnseen(path, std::move(opened).value(), at);
  JoinChain(path, *file, /*by_ordinal=*/false);
}

// Looks again at a file that is too young to be judged by what little it holds.
void Follow::AwaitContent(const std::string& at, const FileInfo& info) {
  if (context_.env.clock().Now() - info.modified < kFillingTime.count()) LookAgain(at);
}

// While a file has the name, one that begins as it does is a copy of it.
bool Follow::IsCopyOfNamed(const NamedPath& path, File& file, const FileInfo& info) {
  const Result<std::shared_ptr<File>> live = OpenFile(path.path());
  if (!live.ok()) return false;
  const Result<FileInfo> now = (*live)->Stat();
  if (!now.ok() || FileKey::Of(*now) == FileKey::Of(info)) return false;
  const bool younger = now->born == kNoTime || info.born == kNoTime || info.born >= now->born;
  return younger && IsPrefix(file, info.size, **live);
}

// A file without a followed name could not be read: it is looked at again.
void Follow::LookAgain(const std::string& at, const Status& status) {
  if (status.code() == Code::kNotFound) return;
  ReportScanError(status);
  LookAgain(at);
}

void Follow::LookAgain(const std::string& at) {
  look_again_[at] = context_.Now() + kLookAgain;
  WakeAt(look_again_[at]);
}

// What little was seen of may fit several files: it is the oldest of those that nothing is known
// of.
std::vector<std::string> Follow::OldestFirst(std::vector<std::string> paths) {
  std::vector<std::pair<UnixNanos, std::string>> timed;
  for (std::string& path : paths) {
    const Result<FileInfo> info = context_.env.files().Stat(path, /*follow_symlink=*/false);
    if (info.ok()) timed.emplace_back(info->modified, std::move(path));
  }
  std::sort(timed.begin(), timed.end());
  paths.clear();
  for (auto& [modified, path] : timed) paths.push_back(std::move(path));
  return paths;
}

// By what rotation called them, where it tells.
std::vector<std::string> Follow::InRotationOrder(std::vector<std::string> paths) {
  paths = OldestFirst(std::move(paths));
  std::vector<std::pair<RotationStamp, std::string>> stamped;
  for (std::string& path : paths) {
    RotationStamp stamp = StampOf(BaseName(path));
    stamped.emplace_back(std::move(stamp), std::move(path));
  }
  std::stable_sort(stamped.begin(), stamped.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (size_t i = 0; i < paths.size(); ++i) paths[i] = std::move(stamped[i].second);
  return paths;
}

// Where rotation may have put `path`, compressed.
std::vector<std::string> Follow::PackedNames(const std::string& path) {
  std::vector<std::string> found;
  for (const std::string& at : LinkChain(path)) {
    for (std::string& name : WhereRotated(at)) {
      if (WithoutPacking(name) != name) found.push_back(std::move(name));
    }
  }
  return found;
}

// --- copies of what was never seen ---

// Copies of what `path` held between the origin that began at `begun` and now.
void Follow::BeginMissedCopies(NamedPath& path, UnixNanos begun) {
  if (begun == kNoTime) return;
  std::vector<Missed> missed;
  for (const std::string& at : LinkChain(path.path())) {
    const std::string dir = DirName(at);
    const std::vector<std::string> names = RelatedNames(dir, BaseName(at));
    for (const std::string& name : names) {
      Missed one;
      if (IsMissedCopy(path, begun, JoinPath(dir, name), one)) missed.push_back(std::move(one));
    }
  }
  std::sort(missed.begin(), missed.end());
  for (const Missed& one : missed) {
    Result<Opened> opened = OpenAny(one.at);
    // Another may have the name by now.
    const FileKey key = opened.ok() ? FileKey::Of(opened->info) : FileKey();
    if (key != one.key || live_.count(key) != 0) continue;
    LOG_RATE(10s, kInfo, "{} was copied to {} and emptied before it was seen; the copy is read now",
             path.path(), one.at);
    Incarnation* older = Find(path.last);
    Incarnation* file = BeginUnseen(path, std::move(opened).value(), one.at);
    if (path.current != nullptr) {
      JoinChain(path, *file, /*by_ordinal=*/false);
      continue;
    }
    SetLast(path, *file);
    WaitFor(*file, older);
  }
}

// Begins a rotated file that nothing is known of, at its beginning.
Incarnation* Follow::BeginUnseen(NamedPath& path, Opened opened, const std::string& at) {
  const bool was_starting = std::exchange(starting_, false);  // it came later than the first start
  Checkpoint start = FirstPosition(path.path(), opened.info, opened.head, *opened.file);
  starting_ = was_starting;
  start.packing = opened.packing;
  Bump(options_.metrics.rotated_files);
  Incarnation* file = BeginDisplaced(std::move(start), std::move(opened), at);
  SeeBehindHead(*file, path.last);
  return file;
}

bool Follow::IsMissedCopy(const NamedPath& path, UnixNanos begun, const std::string& at,
                          Missed& missed) {
  const Result<FileInfo> info = context_.env.files().Stat(at, /*follow_symlink=*/false);
  if (!info.ok() || info->type != FileType::kRegular || info->size == 0) return false;
  // What is compressed keeps the time of its last change.
  const bool packed = WithoutPacking(at) != at;
  const UnixNanos when = info->born != kNoTime && !packed ? info->born : info->modified;
  // A plain one that matches is found as any other file.
  if (when <= begun || (!packed && Includes(at))) return false;
  if (live_.count(FileKey::Of(*info)) != 0 || KnownInode(*info) != nullptr) return false;
  if (IsSettled(*info)) return false;
  // What it is made of is still there, and tells more.
  if (packed && context_.env.files().Stat(std::string(WithoutPacking(at))).ok()) return false;
  const Result<Opened> opened = OpenAny(at);
  if (!opened.ok() || packed != (opened->packed != nullptr)) return false;
  if (!packed && IsCopyOfNamed(path, *opened->file, *info)) return false;
  if (IsAccountedFor(path.path(), *opened)) return false;
  missed = {when, at, FileKey::Of(opened->info)};
  return true;
}

}  // namespace kelp::tail
