#include "agent/config_watcher.h"

#include <algorithm>
#include <thread>

#include "base/log.h"

namespace kelp::agent {

ConfigWatcher::ConfigWatcher(Env& env) : env_(env) { TryInotify(); }

void ConfigWatcher::TryInotify() {
  const Duration now = env_.clock().Monotonic();
  if (watcher_ != nullptr || now < retry_at_) return;
  const bool first = retry_at_ == Duration(0);
  retry_at_ = now + kRetryPause;
  auto watcher = env_.NewFileWatcher();
  if (watcher.ok()) {
    watcher_ = std::move(watcher).value();
    to_wake_ = watcher_.get();
    if (!first) LOG(kInfo, "inotify is to be had again; changes of the configuration are told");
  } else if (first) {
    LOG(kWarning, "{}; the configuration is looked at once a second instead",
        watcher.status().message());
  }
}

void ConfigWatcher::SetDirectories(std::vector<std::string> dirs) {
  // What changed since the last look must still be told.
  if (dirs == dirs_) return;
  for (auto it = watches_.begin(); it != watches_.end();) {
    if (std::find(dirs.begin(), dirs.end(), it->first) == dirs.end()) {
      if (it->second >= 0) watcher_->Remove(it->second);
      it = watches_.erase(it);
    } else {
      ++it;
    }
  }
  dirs_ = std::move(dirs);
  WatchMissing();
  fingerprint_ = Fingerprint();
}

void ConfigWatcher::WatchMissing() {
  if (watcher_ == nullptr) return;
  for (const std::string& dir : dirs_) {
    if (watches_.contains(dir)) continue;
    const Result<int> watch = watcher_->AddDir(dir);
    if (watch.ok()) watches_[dir] = *watch;
  }
}

std::string ConfigWatcher::Fingerprint() {
  std::string out;
  for (const std::string& dir : dirs_) {
    auto entries = env_.files().ListDir(dir);
    if (!entries.ok()) continue;
    std::sort(entries->begin(), entries->end(),
              [](const DirEntry& a, const DirEntry& b) { return a.name < b.name; });
    for (const DirEntry& entry : *entries) {
      if (!entry.name.ends_with(".yaml") && !entry.name.ends_with(".yml")) continue;
      const auto info = env_.files().Stat(JoinPath(dir, entry.name));
      if (!info.ok()) continue;
      out += entry.name + " " + std::to_string(info->inode) + " " + std::to_string(info->size) +
             " " + std::to_string(info->modified) + "\n";
    }
  }
  return out;
}

bool ConfigWatcher::SleepUntilALook(Duration timeout) {
  const Duration end = env_.clock().Monotonic() + timeout;
  bool woken = woken_.exchange(false);
  while (!woken && env_.clock().Monotonic() < end) {
    std::this_thread::sleep_for(kQuiet);
    woken = woken_.exchange(false);
  }
  const Duration now = env_.clock().Monotonic();
  if (!woken && now < look_at_) return false;
  look_at_ = now + kLookPause;
  return true;
}

bool ConfigWatcher::Wait(Duration timeout) {
  bool happened = false;
  const bool looked = watcher_ == nullptr;
  TryInotify();
  if (watcher_ != nullptr) {
    WatchMissing();
    // What happened before the watch began is looked for at once.
    happened = looked;
    if (looked || woken_) timeout = Duration(0);
    std::vector<FileWatcher::Event> events = watcher_->Wait(timeout);
    woken_ = false;
    for (int round = 0; !events.empty() && round < kQuietRoundsMax; ++round) {
      happened = true;
      for (const FileWatcher::Event& event : events) {
        if (!event.gone || !event.name.empty()) continue;
        std::erase_if(watches_, [&](const auto& w) { return w.second == event.watch; });
      }
      events = watcher_->Wait(kQuiet);
    }
    if (!happened) return false;
  } else if (!SleepUntilALook(timeout)) {
    return false;
  }
  // Other files in the directory, and editors' temporary ones, are no change.
  std::string now = Fingerprint();
  if (now == fingerprint_) return false;
  fingerprint_ = std::move(now);
  return true;
}

void ConfigWatcher::Wake() {
  woken_ = true;
  if (FileWatcher* watcher = to_wake_) watcher->Wake();
}

}  // namespace kelp::agent
