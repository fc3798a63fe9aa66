// What earlier runs left: checkpoints, and the files they belong to.
#include <algorithm>

#include "base/log.h"
#include "tail/follow.h"

namespace kelp::tail {
namespace {

// A chain of links longer than this is a loop (the kernel allows 40).
constexpr size_t kLinksMax = 40;

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

// Files that were rotated while nobody looked: known by their identity, found under another name.
void Follow::Restore() {
  std::unordered_multimap<FileKey, const Found*, FileKeyHash> found;
  for (const Found& f : found_) found.emplace(FileKey::Of(f.info), &f);
  std::vector<std::pair<uint64_t, std::pair<OriginId, std::string>>> restore;  // by ordinal
  std::map<std::string, std::vector<const Checkpoint*>> missing;               // by directory
  for (const auto& [origin, checkpoint] : known_) {
    const auto [from, to] = found.equal_range(checkpoint.identity.key);
    bool same_path = false;
    for (auto it = from; it != to; ++it) same_path |= it->second->path == checkpoint.path;
    if (same_path) continue;
    if (from != to) {
      restore.push_back({checkpoint.ordinal, {origin, from->second->path}});
    } else {
      std::set<std::string> dirs;
      for (const std::string& at : LinkChain(checkpoint.path)) dirs.insert(DirName(at));
      for (const std::string& dir : dirs) missing[dir].push_back(&checkpoint);
    }
  }
  for (const auto& [dir, checkpoints] : missing) {
    const Result<std::vector<DirEntry>> entries = context_.env.files().ListDir(dir);
    if (!entries.ok()) continue;
    for (const DirEntry& entry : *entries) {
      if (entry.type == FileType::kDirectory || entry.type == FileType::kSymlink) continue;
      const std::string path = JoinPath(dir, entry.name);
      const Result<FileInfo> info = context_.env.files().Stat(path, /*follow_symlink=*/false);
      if (!info.ok() || info->type != FileType::kRegular) continue;
      for (const Checkpoint* checkpoint : checkpoints) {
        if (!checkpoint->identity.SameInode(*info)) continue;
        restore.push_back({checkpoint->ordinal, {checkpoint->origin, path}});
      }
    }
  }
  std::sort(restore.begin(), restore.end());
  for (const auto& [ordinal, where] : restore) RestoreOne(where.first, where.second);
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
  const auto [named, fresh] = paths_.try_emplace(path);
  if (fresh) {
    named->second.follow = this;
    named->second.path = path;
  }
  Incarnation* older = Find(named->second.last);
  named->second.last = origin;
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
    }
    context_.vanished.emplace(checkpoint.vanished, origin);
  }
}

void Follow::WriteAll() {
  for (const auto& [origin, file] : files_) context_.moved[origin] = file->source;
  for (const auto& [origin, checkpoint] : known_) context_.put.try_emplace(origin, checkpoint);
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
