// What directories and sources tell the TailService.
#include <algorithm>

#include "base/log.h"
#include "tail/tail_service_impl.h"

namespace kelp::tail {
namespace {

// The system's limit on inotify instances may have been raised, or others may have ended theirs.
constexpr Duration kWatcherRetry = 30s;

}  // namespace

Status TailService::Impl::UseWatcher() {
  ASSIGN_OR_RETURN(std::unique_ptr<FileWatcher> watcher, env_.NewFileWatcher());
  watches_.Use(std::move(watcher));
  return OkStatus();
}

void TailService::Impl::RetryWatcher(Duration now) {
  if (watcher_retry_at_ == Duration(0)) watcher_retry_at_ = now + kWatcherRetry;
  if (now < watcher_retry_at_) return;
  watcher_retry_at_ = now + kWatcherRetry;
  if (!UseWatcher().ok()) return;
  LOG(kInfo, "directories can be watched now; files are no longer followed by scanning");
  for (auto& [id, entry] : follows_) {
    if (entry.started) entry.follow->Rescan();
  }
}

void TailService::Impl::Dispatch(const FileWatcher::Event& event) {
  if (event.overflow) {
    overflows_.Add();
    LOG_RATE(60s, kWarning,
             "the system lost events of directories; looking at everything again "
             "(raise fs.inotify.max_queued_events if this is frequent)");
    for (auto& [id, entry] : follows_) {
      if (entry.started) entry.follow->Rescan();
    }
    return;
  }
  Watch* watch = watches_.Find(event.watch);
  if (watch == nullptr) return;
  if (!event.name.empty()) {
    DispatchName(*watch, event);
    return;
  }
  if (!event.gone) return;
  std::vector<std::pair<Follow*, std::string>> dirs;
  for (const FollowedDir* dir : watch->dirs) dirs.emplace_back(dir->follow, *dir->path);
  std::vector<std::pair<Follow*, std::string>> paths;
  for (const auto& [name, targets] : watch->names) {
    for (const NamedPath* path : targets.paths) paths.emplace_back(path->follow, path->path());
  }
  for (const auto& [name, dir] : watch->links) dirs.emplace_back(dir->follow, *dir->path);
  // After a move the watch would go on at the directory's new place.
  watches_.Lost(watch);
  for (const auto& [follow, dir] : dirs) follow->OnDirGone(dir);
  for (const auto& [follow, path] : paths) follow->OnPathChanged(path);
}

void TailService::Impl::DispatchName(Watch& watch, const FileWatcher::Event& event) {
  const auto it = watch.names.find(event.name);
  if (!event.created && !event.gone) {
    if (it == watch.names.end()) return;
    // Copies: a handler may change the lists. What it removed is skipped.
    const NameTargets targets = it->second;
    for (NamedPath* path : targets.paths) {
      const auto at = watch.names.find(event.name);
      if (at == watch.names.end()) return;
      const auto& now = at->second.paths;
      if (std::find(now.begin(), now.end(), path) != now.end()) path->follow->OnModified(*path);
    }
    for (Incarnation* file : targets.incarnations) file->follow->OnModified(*file);
    return;
  }
  std::vector<std::pair<Follow*, std::string>> paths;
  std::vector<std::pair<Follow*, std::string>> linked;
  for (const auto& [name, dir] : watch.links) {
    if (name == event.name) linked.emplace_back(dir->follow, *dir->path);
  }
  if (it != watch.names.end()) {
    for (const NamedPath* path : it->second.paths) paths.emplace_back(path->follow, path->path());
    for (Incarnation* file : it->second.incarnations) {
      file->follow->LookClosely(*file);
      if (event.modified) file->follow->Touch(*file);
    }
  }
  std::vector<std::pair<Follow*, std::string>> dirs;
  for (const FollowedDir* dir : watch.dirs) dirs.emplace_back(dir->follow, *dir->path);
  for (const auto& [follow, dir] : dirs) follow->OnNameChanged(dir, event.name, event.gone);
  for (const auto& [follow, dir] : linked) follow->OnLinkChanged(dir);
  for (const auto& [follow, path] : paths) follow->OnRouteChanged(path);
}

// --- what sources tell ---

bool TailService::Impl::HandleNews() {
  bool urgent = false;
  for (const std::shared_ptr<FileSource>& source : context_.news->Take()) {
    const uint32_t bits = source->TakeBits();
    if (bits == 0) continue;
    urgent |= (bits & ~static_cast<uint32_t>(SourceNews::kAcked)) != 0;
    const auto draining = draining_.find(source->origin());
    if (draining != draining_.end()) {
      context_.moved[source->origin()] = source;
      if ((bits & SourceNews::kDone) != 0) {
        draining_.erase(draining);
        Released(source);
      }
      continue;
    }
    const auto active = context_.active.find(source->origin());
    if (active == context_.active.end() || active->second == nullptr) continue;
    Incarnation* file = active->second->Find(source->origin());
    // After a reload another source goes on with the origin: late news of the old one is not its.
    if (file != nullptr && file->source == source) active->second->OnNews(*file, bits);
  }
  return urgent;
}

// Nothing of a removed follow's source is on its way any more.
void TailService::Impl::Released(const std::shared_ptr<FileSource>& source) {
  const Checkpoint checkpoint = source->Snapshot();
  context_.moved.erase(checkpoint.origin);
  context_.active.erase(checkpoint.origin);
  context_.put[checkpoint.origin] = checkpoint;
  for (auto& [id, entry] : follows_) {
    if (entry.started && entry.follow->space() == checkpoint.space) {
      entry.follow->OnReleased(checkpoint);
    }
  }
}

}  // namespace kelp::tail
