#include "sim_watcher.h"

namespace kelp::sim {
namespace {

bool SameEvent(const FileWatcher::Event& a, const FileWatcher::Event& b) {
  return a.watch == b.watch && a.name == b.name && a.modified == b.modified &&
         a.created == b.created && a.gone == b.gone;
}

}  // namespace

SimFileWatcher::SimFileWatcher(Disk& disk, const WatcherLimits& limits)
    : disk_(disk), limits_(limits) {
  disk_.Listen(this);
}

SimFileWatcher::~SimFileWatcher() { disk_.Unlisten(this); }

Result<int> SimFileWatcher::AddDir(const std::string& path) {
  std::shared_ptr<Node> node;
  int error = disk_.Find(path, true, node);
  if (error == 0 && node->type != FileType::kDirectory) error = ENOTDIR;
  if (error != 0) return ErrnoError("cannot watch " + path, error);
  const auto it = ids_.find(node.get());
  if (it != ids_.end()) return it->second;
  if (watches_.size() >= limits_.watches_max) {
    return ResourceExhaustedError("cannot watch " + path + ": no watches left (simulated)");
  }
  watches_[++last_id_] = node;
  ids_[node.get()] = last_id_;
  return last_id_;
}

void SimFileWatcher::Remove(int watch) {
  const auto it = watches_.find(watch);
  if (it == watches_.end()) return;
  ids_.erase(it->second.get());
  watches_.erase(it);
  Push({.watch = watch, .name = "", .gone = true});  // IN_IGNORED
}

void SimFileWatcher::Push(Event event) {
  if (!queue_.empty() && SameEvent(queue_.back(), event)) return;
  if (queue_.size() < limits_.queued_max) {
    overflowed_ = false;
    queue_.push_back(std::move(event));
  } else if (!overflowed_) {
    overflowed_ = true;
    ++overflows_;
    queue_.push_back({.watch = -1, .name = "", .overflow = true});
  }
}

void SimFileWatcher::OnChange(const Node& dir, const std::string& name, DirChange change) {
  const auto it = ids_.find(&dir);
  if (it == ids_.end()) return;
  const int id = it->second;
  Event event{.watch = id, .name = name};
  event.modified = change == DirChange::kModified;
  event.created = change == DirChange::kCreated;
  event.gone = change == DirChange::kGone || change == DirChange::kMoved;
  Push(std::move(event));
  // The end of the directory is the end of the watch.
  if (name.empty() && change == DirChange::kGone) Remove(id);
}

std::vector<FileWatcher::Event> SimFileWatcher::Wait(Duration) {
  woken_ = false;
  overflowed_ = false;
  std::vector<Event> events;
  std::map<std::pair<int, std::string>, size_t> seen;
  for (Event& event : queue_) {
    const auto [it, fresh] = seen.try_emplace({event.watch, event.name}, events.size());
    if (fresh) {
      events.push_back(std::move(event));
      continue;
    }
    Event& old = events[it->second];
    old.modified |= event.modified;
    old.created |= event.created;
    old.gone |= event.gone;
  }
  queue_.clear();
  return events;
}

}  // namespace kelp::sim
