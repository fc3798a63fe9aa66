// What earlier runs left: checkpoints, and the files they belong to.
#include <algorithm>

#include "base/log.h"
#include "tail/follow.h"
#include "tail/rotated_name.h"

namespace kelp::tail {
namespace {

// Files may be renamed while they are looked for: so often everything is looked at again.
constexpr int kStartPasses = 3;

}  // namespace

void Follow::Know(Checkpoint checkpoint, bool by_key) {
  Unknow(checkpoint.origin);
  if (by_key) known_by_key_.emplace(checkpoint.identity.key, checkpoint.origin);
  const OriginId origin = checkpoint.origin;
  known_[origin] = std::move(checkpoint);
}

void Follow::Unknow(const OriginId& origin) {
  const auto it = known_.find(origin);
  if (it == known_.end()) return;
  const auto [from, to] = known_by_key_.equal_range(it->second.identity.key);
  for (auto k = from; k != to; ++k) {
    if (k->second == origin) {
      known_by_key_.erase(k);
      break;
    }
  }
  known_.erase(it);
}

void Follow::Start(CheckpointSpace known) {
  first_start_ = known.first_start;
  first_started_ = known.first_started - kClockGrain.count();
  lost_ = known.lost;
  for (Checkpoint& checkpoint : known.checkpoints) {
    if (checkpoint.begun != kNoTime && checkpoint.begun < first_started_) {
      first_started_ = kClockSetBack;
    }
    context_.last_ordinal = std::max(context_.last_ordinal, checkpoint.ordinal);
    Know(std::move(checkpoint), /*by_key=*/true);
  }
  starting_ = true;
  scan_complete_ = true;
  for (int pass = 0; pass < kStartPasses && (pass == 0 || MayHaveMoved()); ++pass) StartPass();
  RestorePacked();
  if (scan_complete_) MarkVanished();
  starting_ = false;
  WakeAt(NextDue());
}

// Whether a file that was there when the agent ended was not found.
bool Follow::MayHaveMoved() const {
  return std::any_of(known_.begin(), known_.end(),
                     [](const auto& known) { return known.second.vanished == kNoTime; });
}

void Follow::StartPass() {
  collecting_ = true;
  scanned_at_ = context_.Now();
  WalkFromRoot();
  collecting_ = false;
  const std::vector<Restorable> missed = Restore();
  // What rotation may have made after what it was made of: copies are told by comparison.
  std::stable_partition(found_.begin(), found_.end(), [](const Found& found) {
    return BasesOfRotated(BaseName(found.path)).empty();
  });
  for (const Found& found : std::exchange(found_, {})) {
    // What was restored meanwhile is the older; the name may be that of a younger one by now.
    Result<FileInfo> info = context_.env.files().Stat(found.path);
    if (info.ok() && info->type == FileType::kRegular) SetPath(found.path, *info);
  }
  for (const Restorable& one : missed) {
    const auto it = paths_.find(one.path);
    const Result<FileInfo> info = context_.env.files().Stat(one.at, /*follow_symlink=*/false);
    if (it != paths_.end() && info.ok()) BeginMissed(it->second, *info, one.at);
  }
  LookAtOthers();
  related_ = {};  // knows every name of a directory
  oldest_known_.clear();
  related_dir_.clear();
}

// Files that were rotated while nobody looked: known by their identity, found under another name;
// and, as the result, those that came and were rotated in that time.
std::vector<Follow::Restorable> Follow::Restore() {
  std::unordered_multimap<FileKey, const Found*, FileKeyHash> found;
  for (const Found& f : found_) found.emplace(FileKey::Of(f.info), &f);
  std::vector<Restorable> restore;
  // By directory: what to look for, and the name it had there.
  std::map<std::string, std::vector<std::pair<const Checkpoint*, std::string>>> missing;
  for (const auto& [origin, checkpoint] : known_) {
    if (context_.active.count(origin) != 0 && files_.count(origin) != 0) continue;
    const auto [from, to] = found.equal_range(checkpoint.identity.key);
    bool same_path = false;
    const Found* elsewhere = nullptr;
    for (auto it = from; it != to; ++it) {
      if (!checkpoint.identity.SameInode(it->second->info)) continue;  // the inode was used again
      same_path |= it->second->path == checkpoint.path;
      elsewhere = it->second;
    }
    if (same_path) continue;
    if (elsewhere != nullptr) {
      restore.push_back(
          {checkpoint.ordinal, checkpoint.identity.born, origin, elsewhere->path, checkpoint.path});
      continue;
    }
    for (const std::string& at : LinkChain(checkpoint.path)) {
      missing[DirName(at)].emplace_back(&checkpoint, BaseName(at));
    }
  }
  for (const auto& [dir, checkpoints] : missing) SearchDir(dir, checkpoints, restore);
  std::sort(restore.begin(), restore.end());
  std::vector<Restorable> missed;
  for (const Restorable& one : restore) {
    if (one.origin.empty()) {
      missed.push_back(one);
    } else {
      RestoreOne(one.origin, one.at);
    }
  }
  return missed;
}

void Follow::SearchDir(const std::string& dir,
                       const std::vector<std::pair<const Checkpoint*, std::string>>& missing,
                       std::vector<Restorable>& restore) {
  const Result<std::vector<DirEntry>> entries = context_.env.files().ListDir(dir);
  if (!entries.ok()) return;
  std::map<std::string, const Checkpoint*> seen;
  for (const auto& [checkpoint, base] : missing) seen.emplace(base, checkpoint);
  for (const DirEntry& entry : *entries) {
    if (entry.type == FileType::kDirectory || entry.type == FileType::kSymlink) continue;
    const std::string path = JoinPath(dir, entry.name);
    const Result<FileInfo> info = context_.env.files().Stat(path, /*follow_symlink=*/false);
    if (!info.ok() || info->type != FileType::kRegular) continue;
    const Checkpoint* known = KnownInode(*info);
    if (known != nullptr && known->path != path) {
      restore.push_back({known->ordinal, known->identity.born, known->origin, path, known->path});
    }
    const bool packed = WithoutPacking(entry.name) != entry.name;
    if (known != nullptr || (!packed && options_.include.Matches(path))) continue;
    std::vector<std::string> bases = BasesOfRotated(WithoutPacking(entry.name));
    if (packed) bases.emplace_back(WithoutPacking(entry.name));
    for (const std::string& base : bases) {
      const auto it = seen.find(base);
      if (it == seen.end()) continue;
      if (!CameAfterFirstStart(dir, entry.name, *info)) continue;
      restore.push_back(
          {UINT64_MAX, packed ? info->modified : info->born, OriginId(), path, it->second->path});
      break;
    }
  }
}

// Which of two files of one path came first.
bool Follow::Older(const Incarnation& a, const Incarnation& b, bool by_ordinal) {
  const uint64_t left = a.source->ordinal();
  const uint64_t right = b.source->ordinal();
  if (by_ordinal && left != right) return left < right;
  const bool left_packed = a.source->packed() != nullptr;
  const bool right_packed = b.source->packed() != nullptr;
  // What is compressed was made later than what is in it: the births do not tell.
  if (left_packed != right_packed) {
    const std::string left_name(WithoutPacking(BaseName(a.location)));
    const std::string right_name(WithoutPacking(BaseName(b.location)));
    if (left_name.empty() || right_name.empty()) return left_packed;
    return RotatedBefore(left_name, right_name) ||
           (left_packed && !RotatedBefore(right_name, left_name));
  }
  if (!left_packed && a.born != b.born && a.born != kNoTime && b.born != kNoTime) {
    return a.born < b.born;
  }
  if (a.location.empty() || b.location.empty()) return !a.location.empty();
  return RotatedBefore(BaseName(a.location), BaseName(b.location));
}

// The place of a file that comes right before another.
uint64_t Follow::OrdinalBefore(const Incarnation& later, const Incarnation* older) {
  const uint64_t end = later.source->ordinal();
  const uint64_t begin = older != nullptr ? older->source->ordinal() : end;
  // Without room they are the same; then births and names tell.
  return begin < end ? begin + (end - begin) / 2 : end - std::min<uint64_t>(end, 1);
}

// Gives a file that was found late its place among those of its path that still wait.
void Follow::JoinChain(NamedPath& path, Incarnation& file, bool by_ordinal) {
  Incarnation* later = Find(path.last);
  // What has the name came last, however old it is: copies are younger than what they are made of.
  const bool has_name = later != nullptr && path.current == later && [&] {
    const Result<FileInfo> now = context_.env.files().Stat(path.path());
    return now.ok() && later->Is(*now);
  }();
  if (later == nullptr || (!has_name && Older(*later, file, by_ordinal))) {
    WaitFor(file, later);
    SetLast(path, file);
    return;
  }
  const auto waits = [](const Incarnation& one) { return one.waiting || one.source->untouched(); };
  while (waits(*later)) {
    Incarnation* older = Find(later->predecessor);
    if (older == nullptr || Older(*older, file, by_ordinal)) break;
    later = older;
  }
  if (!by_ordinal) file.source->set_ordinal(OrdinalBefore(*later, Find(later->older)));
  if (!waits(*later)) {
    WaitFor(file, nullptr);  // its successor is being read already
    return;
  }
  Incarnation* awaited = Find(later->predecessor);
  if (awaited != nullptr) std::erase(awaited->successors, later->origin());
  WaitFor(file, Find(later->older));
  WaitFor(*later, &file);
}

void Follow::RestoreOne(const OriginId& origin, const std::string& at) {
  const auto it = known_.find(origin);
  if (it == known_.end()) return;
  Checkpoint start = it->second;
  if (!Includes(start.path)) return;
  if (context_.active.count(origin) != 0) {
    deferred_[origin] = at;
    return;
  }
  Result<Opened> opened = OpenAny(at);
  if (!opened.ok()) {
    LookAgain(at, opened.status());
    return;
  }
  // Renamed since; it is met again under its new name.
  if (!start.identity.SameInode(opened->info)) return;
  if (live_.count(FileKey::Of(opened->info)) != 0) return;
  if (start.packing == Packing::kNone) {
    const auto [known, holds, older] =
        FindKnown(start.path, opened->info, opened->head, *opened->file);
    if (known != &it->second) return;
    if (!holds) {
      BeginReplaced(PathNamed(start.path), start);
      return;
    }
  } else if (start.packing != opened->packing || !start.identity.print.Matches(opened->head)) {
    return;
  }
  Unknow(origin);
  start.vanished = kNoTime;
  const std::string path = start.path;
  Incarnation* file = BeginDisplaced(std::move(start), std::move(opened).value(), at);
  JoinChain(PathNamed(path), *file, /*by_ordinal=*/true);
}

// Files that were compressed before they were read to their end.
void Follow::RestorePacked() {
  std::vector<Checkpoint> vanished;
  for (const auto& [origin, checkpoint] : known_) {
    if (checkpoint.vanished == kNoTime && context_.active.count(origin) == 0 &&
        Includes(checkpoint.path)) {
      vanished.push_back(checkpoint);
    }
  }
  std::sort(vanished.begin(), vanished.end(),
            [](const auto& a, const auto& b) { return a.ordinal < b.ordinal; });
  for (const Checkpoint& checkpoint : vanished) {
    const std::vector<std::string> at = PackedNames(checkpoint.path);
    const bool any = std::any_of(at.begin(), at.end(), [&](const std::string& name) {
      const Result<Opened> opened = OpenAny(name);
      return opened.ok() && opened->packed != nullptr && ReadOf(checkpoint, *opened) == Read::kPart;
    });
    if (any) GoOnElsewhere(checkpoint);
  }
}

bool Follow::KeepsAfter(const OriginId& origin, UnixNanos time) const {
  const auto it = known_.find(origin);
  return it != known_.end() && (it->second.vanished == kNoTime || it->second.vanished >= time);
}

// What was seen of files that are gone, and not read, is lost unless a copy of them turns up.
void Follow::LoseVanished() {
  std::vector<Checkpoint> unread;
  for (const auto& [origin, c] : known_) {
    if (c.vanished == kNoTime && context_.active.count(origin) == 0 &&
        std::max(c.seen, c.guard.end) > c.resume && Includes(c.path)) {
      unread.push_back(c);
    }
  }
  if (unread.empty()) return;
  // What could not be opened is not gone.
  std::unordered_multimap<FileKey, FileInfo, FileKeyHash> there;
  const auto look = [&](const std::string& path) {
    const Result<FileInfo> info = context_.env.files().Stat(path);
    if (info.ok()) there.emplace(FileKey::Of(*info), *info);
  };
  for (const Checkpoint& checkpoint : unread) look(checkpoint.path);
  for (const auto& [when, path] : retries_) look(path);
  for (const auto& [path, when] : look_again_) look(path);
  std::erase_if(unread, [&](const Checkpoint& checkpoint) {
    const auto [from, to] = there.equal_range(checkpoint.identity.key);
    return std::any_of(
        from, to, [&](const auto& info) { return checkpoint.identity.SameInode(info.second); });
  });
  std::sort(unread.begin(), unread.end(),
            [](const auto& a, const auto& b) { return a.ordinal < b.ordinal; });
  for (const Checkpoint& checkpoint : unread) GoOnElsewhere(checkpoint);
}

void Follow::MarkVanished() {
  LoseVanished();
  const UnixNanos now = context_.env.clock().Now();
  for (auto& [origin, checkpoint] : known_) {
    if (context_.active.count(origin) != 0) continue;
    if (checkpoint.vanished == kNoTime) {
      checkpoint.vanished = now;
      context_.put[origin] = checkpoint;
      RememberPath(checkpoint);
    }
    context_.vanished.emplace(checkpoint.vanished, origin);
  }
}

void Follow::WriteAll() {
  for (const auto& [origin, file] : files_) context_.moved[origin] = file->source;
  for (const auto& [origin, checkpoint] : known_) context_.put.try_emplace(origin, checkpoint);
}

// So that a file that came after this one is recognised should it be rotated at once.
void Follow::RememberPath(const Checkpoint& checkpoint) {
  const bool followed = dirs_.count(DirName(checkpoint.path)) != 0;
  if (followed && options_.include.Matches(checkpoint.path)) RememberedPath(checkpoint.path);
}

// A path that matches, whether a file has this name now or not.
NamedPath& Follow::RememberedPath(const std::string& name) {
  NamedPath& path = PathNamed(name);
  if (path.current != nullptr || Find(path.last) != nullptr) return path;
  const auto dir = dirs_.find(DirName(name));
  if (dir != dirs_.end()) dir->second.children.insert(BaseName(name));
  if (path.gone_at == Duration(0)) path.gone_at = context_.Now();
  return path;
}

void Follow::OnReleased(const Checkpoint& checkpoint) {
  if (Find(checkpoint.origin) != nullptr) return;
  Know(checkpoint, /*by_key=*/true);
  const auto it = deferred_.find(checkpoint.origin);
  if (it == deferred_.end()) return;
  const std::string at = it->second;
  deferred_.erase(it);
  RestoreOne(checkpoint.origin, at);
}

}  // namespace kelp::tail
