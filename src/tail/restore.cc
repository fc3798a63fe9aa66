// What earlier runs left: checkpoints, and the files they belong to.
#include <algorithm>

#include "base/log.h"
#include "tail/follow.h"
#include "tail/rotated_name.h"

namespace kelp::tail {
namespace {

// A chain of links longer than this is a loop (the kernel allows 40).
constexpr size_t kLinksMax = 40;

// By the first bytes: gzip, zstd, bzip2, xz.
bool IsCompressed(std::string_view head) {
  for (const std::string_view magic :
       {std::string_view("\x1f\x8b"), std::string_view("\x28\xb5\x2f\xfd"), std::string_view("BZh"),
        std::string_view("\xfd"
                         "7zXZ")}) {
    if (head.substr(0, magic.size()) == magic) return true;
  }
  return false;
}

}  // namespace

// The path, and when it is a symbolic link what it leads to, link by link.
std::vector<std::string> Follow::LinkChain(const std::string& path) const {
  std::vector<std::string> chain{path};
  while (chain.size() < kLinksMax) {
    const std::string& at = chain.back();
    const Result<FileInfo> info = context_.env.files().Stat(at, /*follow_symlink=*/false);
    if (!info.ok() || info->type != FileType::kSymlink) break;
    const Result<std::string> target = context_.env.files().ReadLink(at);
    if (!target.ok() || target->empty()) break;
    chain.push_back((*target)[0] == '/' ? *target : JoinPath(DirName(at), *target));
  }
  return chain;
}

void Follow::Know(Checkpoint checkpoint) {
  Unknow(checkpoint.origin);
  known_by_key_.emplace(checkpoint.identity.key, checkpoint.origin);
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
  lost_ = known.lost;
  for (Checkpoint& checkpoint : known.checkpoints) {
    context_.last_ordinal = std::max(context_.last_ordinal, checkpoint.ordinal);
    Know(std::move(checkpoint));
  }
  starting_ = collecting_ = true;
  scan_complete_ = true;
  scanned_at_ = context_.Now();
  WalkFromRoot();
  collecting_ = false;
  Restore();
  for (const Found& found : std::exchange(found_, {})) {
    SetPath(found.path, found.info, found.is_link);
  }
  if (scan_complete_) MarkVanished();
  starting_ = false;
}

// Files that were rotated while nobody looked: known by their identity, found under another name;
// and those that came and were rotated in that time.
void Follow::Restore() {
  std::unordered_multimap<FileKey, const Found*, FileKeyHash> found;
  for (const Found& f : found_) found.emplace(FileKey::Of(f.info), &f);
  std::vector<Restorable> restore;
  // By directory: what to look for, and the name it had there.
  std::map<std::string, std::vector<std::pair<const Checkpoint*, std::string>>> missing;
  for (const auto& [origin, checkpoint] : known_) {
    const auto [from, to] = found.equal_range(checkpoint.identity.key);
    bool same_path = false;
    for (auto it = from; it != to; ++it) same_path |= it->second->path == checkpoint.path;
    if (same_path) continue;
    if (from != to) {
      restore.push_back({checkpoint.ordinal, checkpoint.identity.born, origin, from->second->path,
                         checkpoint.path});
      continue;
    }
    for (const std::string& at : LinkChain(checkpoint.path)) {
      missing[DirName(at)].emplace_back(&checkpoint, BaseName(at));
    }
  }
  for (const auto& [dir, checkpoints] : missing) SearchDir(dir, checkpoints, restore);
  std::sort(restore.begin(), restore.end());
  for (const Restorable& one : restore) {
    if (!one.origin.empty()) {
      RestoreOne(one.origin, one.at);
    } else if (const auto it = paths_.find(one.path); it != paths_.end()) {
      const Result<FileInfo> info = context_.env.files().Stat(one.at, /*follow_symlink=*/false);
      if (info.ok()) BeginMissed(it->second, *info, one.at);
    }
  }
}

void Follow::SearchDir(const std::string& dir,
                       const std::vector<std::pair<const Checkpoint*, std::string>>& missing,
                       std::vector<Restorable>& restore) {
  const Result<std::vector<DirEntry>> entries = context_.env.files().ListDir(dir);
  if (!entries.ok()) return;
  // The newest of each name: what came after it, and is not what has the name now, was missed.
  std::map<std::string, const Checkpoint*> newest;
  std::unordered_multimap<FileKey, const Checkpoint*, FileKeyHash> by_key;
  for (const auto& [checkpoint, base] : missing) {
    by_key.emplace(checkpoint->identity.key, checkpoint);
    const Checkpoint*& best = newest[base];
    if (best == nullptr || best->ordinal < checkpoint->ordinal) best = checkpoint;
  }
  for (const DirEntry& entry : *entries) {
    if (entry.type == FileType::kDirectory || entry.type == FileType::kSymlink) continue;
    const std::string path = JoinPath(dir, entry.name);
    const Result<FileInfo> info = context_.env.files().Stat(path, /*follow_symlink=*/false);
    if (!info.ok() || info->type != FileType::kRegular) continue;
    bool known = false;
    const auto [from, to] = by_key.equal_range(FileKey::Of(*info));
    for (auto it = from; it != to; ++it) {
      const Checkpoint& checkpoint = *it->second;
      if (!checkpoint.identity.SameInode(*info)) continue;
      known = true;
      restore.push_back(
          {checkpoint.ordinal, checkpoint.identity.born, checkpoint.origin, path, checkpoint.path});
    }
    if (known || info->born == kNoTime || options_.include.Matches(path)) continue;
    for (const std::string& base : BasesOfRotated(entry.name)) {
      const auto it = newest.find(base);
      if (it == newest.end() || it->second->identity.born == kNoTime ||
          info->born < it->second->identity.born) {
        continue;
      }
      const Result<FileInfo> now = context_.env.files().Stat(JoinPath(dir, base));
      if (now.ok() && now->born < info->born) continue;
      restore.push_back({UINT64_MAX, info->born, OriginId(), path, it->second->path});
      break;
    }
  }
}

bool Follow::MayBeRotated(const std::string& dir, const std::string& name) const {
  for (const std::string& base : BasesOfRotated(name)) {
    if (paths_.count(JoinPath(dir, base)) != 0) return true;
  }
  return false;
}

void Follow::OnOtherFile(const std::string& dir, const std::string& name, const FileInfo& info) {
  const std::string at = JoinPath(dir, name);
  const auto live = live_.find(FileKey::Of(info));
  if (live != live_.end() &&
      FileIdentity{live->second->key, live->second->born, {}}.SameInode(info)) {
    SetLocation(*live->second, at);
    Touch(*live->second);
    return;
  }
  const auto [from, to] = known_by_key_.equal_range(FileKey::Of(info));
  for (auto it = from; it != to; ++it) {
    if (!known_.at(it->second).identity.SameInode(info)) continue;
    RestoreOne(OriginId(it->second), at);
    return;
  }
  if (info.born == kNoTime) return;
  for (const std::string& base : BasesOfRotated(name)) {
    const auto it = paths_.find(JoinPath(dir, base));
    if (it == paths_.end() || it->second.last_born == kNoTime) continue;
    NamedPath& path = it->second;
    const bool between =
        path.before_born != kNoTime && path.before_born <= info.born && info.born <= path.last_born;
    bool after = path.last_born <= info.born;
    if (after && !between) {
      // While the newest still has the name, a younger file is a copy of it, not its successor.
      const Result<FileInfo> now = context_.env.files().Stat(path.path);
      const Incarnation* last = Find(path.last);
      after = last == nullptr || !now.ok() || FileKey::Of(*now) != last->key;
    }
    if (!between && !after) continue;
    BeginMissed(path, info, at);
    return;
  }
}

void Follow::BeginMissed(NamedPath& path, const FileInfo& info, const std::string& at) {
  if (live_.count(FileKey::Of(info)) != 0) return;
  Result<std::shared_ptr<File>> open = OpenFile(at);
  if (!open.ok()) return;
  const Result<std::string> head = ReadHead(**open);
  const Result<FileInfo> now = (*open)->Stat();
  if (!head.ok() || !now.ok() || FileKey::Of(*now) != FileKey::Of(info) || IsCompressed(*head)) {
    return;
  }
  const bool was_starting = std::exchange(starting_, false);  // it did not exist at the first start
  Checkpoint start = FirstPosition(path.path, info, *head, **open);
  starting_ = was_starting;
  const Incarnation* last = Find(path.last);
  if (last != nullptr && info.born < last->born) {
    start.ordinal = last->source->ordinal() - 1;
  }
  LOG(kInfo, "{} was rotated to {} before it was seen; it is read now", path.path, at);
  if (options_.metrics.rotated_files != nullptr) options_.metrics.rotated_files->Add();
  Incarnation* file = Begin(std::move(start), info, std::move(open).value());
  SetLocation(*file, at);
  file->displaced = true;
  file->source->WatchEnd();
  LookClosely(*file);
  JoinChain(path, *file);
}

// Gives a file that was missed its place among those of its path that still wait.
void Follow::JoinChain(NamedPath& path, Incarnation& file) {
  Incarnation* later = Find(path.last);
  if (later == nullptr || later->born <= file.born) {
    WaitFor(file, later);
    SetLast(path, file);
    return;
  }
  while (later->waiting) {
    Incarnation* older = Find(later->predecessor);
    if (older == nullptr || older->born <= file.born) break;
    later = older;
  }
  if (!later->waiting) {
    WaitFor(file, nullptr);  // its successor is being read already
    return;
  }
  Incarnation* older = Find(later->predecessor);
  if (older != nullptr) std::erase(older->successors, later->source->origin());
  WaitFor(file, older);
  WaitFor(*later, &file);
}

void Follow::RestoreOne(const OriginId& origin, const std::string& at) {
  const auto it = known_.find(origin);
  if (it == known_.end()) return;
  Checkpoint start = it->second;
  if (!options_.include.Matches(start.path) || !Wanted(start.path)) return;
  if (context_.active.count(origin) != 0) {
    deferred_[origin] = at;
    return;
  }
  Result<std::shared_ptr<File>> open = OpenFile(at);
  if (!open.ok()) {
    if (open.status().code() != Code::kNotFound) ReportScanError(open.status());
    return;
  }
  const Result<FileInfo> info = (*open)->Stat();
  const Result<std::string> head =
      info.ok() ? ReadHead(**open) : Result<std::string>(info.status());
  if (!head.ok() || FindKnown(*info, *head) != &it->second || info->size < start.resume ||
      live_.count(FileKey::Of(*info)) != 0) {
    return;
  }
  Unknow(origin);
  start.vanished = kNoTime;
  const std::string path = start.path;
  Incarnation* file = Begin(std::move(start), *info, std::move(open).value());
  SetLocation(*file, at);
  NamedPath& named = PathNamed(path);
  Incarnation* older = Find(named.last);
  SetLast(named, *file);
  file->displaced = true;
  file->source->WatchEnd();
  LookClosely(*file);
  WaitFor(*file, older);
}

void Follow::MarkVanished() {
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
  const auto dir = dirs_.find(DirName(checkpoint.path));
  if (dir == dirs_.end() || !options_.include.Matches(checkpoint.path)) return;
  NamedPath& path = PathNamed(checkpoint.path);
  if (path.current != nullptr || Find(path.last) != nullptr) return;
  path.last_born = std::max(path.last_born, checkpoint.identity.born);
  dir->second.children.insert(BaseName(checkpoint.path));
  if (path.gone_at == Duration(0)) path.gone_at = context_.Now();
}

void Follow::OnReleased(const Checkpoint& checkpoint) {
  if (Find(checkpoint.origin) != nullptr) return;
  Know(checkpoint);
  const auto it = deferred_.find(checkpoint.origin);
  if (it == deferred_.end()) return;
  const std::string at = it->second;
  deferred_.erase(it);
  RestoreOne(checkpoint.origin, at);
}

}  // namespace kelp::tail
