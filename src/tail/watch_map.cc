#include "tail/watch_map.h"

#include <algorithm>

#include "base/log.h"

namespace kelp::tail {

void WatchMap::Use(std::unique_ptr<FileWatcher> watcher) {
  owned_ = std::move(watcher);
  watcher_.store(owned_.get(), std::memory_order_release);
}

Watch* WatchMap::Acquire(const std::string& path) {
  if (owned_ == nullptr) return nullptr;
  const Result<int> id = owned_->AddDir(path);
  if (!id.ok()) {
    if (id.status().code() == Code::kResourceExhausted) {
      LOG_RATE(1h, kWarning,
               "{}; directories beyond it are scanned instead, which costs more and "
               "is slower",
               id.status().message());
    }
    return nullptr;
  }
  std::unique_ptr<Watch>& watch = watches_[*id];
  if (watch == nullptr) {
    watch = std::make_unique<Watch>();
    watch->id = *id;
    watch->path = path;
    watched_dirs_->Add(1);
  }
  ++watch->users;
  return watch.get();
}

void WatchMap::Release(Watch* watch) {
  if (--watch->users > 0) return;
  if (!watch->lost) {
    unused_.push_back(watch->id);
    return;
  }
  std::erase_if(lost_, [&](const auto& lost) { return lost.get() == watch; });
}

Watch* WatchMap::Find(int id) {
  const auto it = watches_.find(id);
  return it == watches_.end() ? nullptr : it->second.get();
}

void WatchMap::Lost(Watch* watch) {
  const auto it = watches_.find(watch->id);
  if (it == watches_.end() || it->second.get() != watch) return;
  watch->lost = true;
  watched_dirs_->Add(-1);
  if (watch->users > 0) lost_.push_back(std::move(it->second));
  watches_.erase(it);
}

void WatchMap::Flush() {
  for (const int id : unused_) {
    const auto it = watches_.find(id);
    if (it == watches_.end() || it->second->users > 0) continue;
    owned_->Remove(id);
    watched_dirs_->Add(-1);
    watches_.erase(it);
  }
  unused_.clear();
}

}  // namespace kelp::tail
