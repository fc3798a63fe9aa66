// WatchMap: the directories that are watched, and who wants to hear about which name in them.
//
// All follows of the agent share one FileWatcher, and with it one inotify instance. A directory is
// watched once, by however many names and follows it is reached; an event costs one look-up.
//
// Place:    TailService owns it; follows add and remove.
// Threads:  thread-compatible: under the TailService's lock. Watches are added and removed by the
//           service's thread only, which Flush() is for.
// Limits:   when the system's limit is reached, Acquire gives nullptr and the caller scans; one
//           message says what to raise.
#ifndef KELP_TAIL_WATCH_MAP_H_
#define KELP_TAIL_WATCH_MAP_H_

#include <atomic>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/env.h"
#include "base/metrics.h"

namespace kelp::tail {

class Follow;
struct FollowedDir;
struct NamedPath;
struct Incarnation;

// Who is concerned by one name in a watched directory.
struct NameTargets {
  std::vector<NamedPath*> paths;           // this name is, or leads to, a followed path
  std::vector<Incarnation*> incarnations;  // a followed file was renamed to this name
  bool empty() const { return paths.empty() && incarnations.empty(); }
};

struct Watch {
  int id = -1;
  std::string path;  // one of the names of the directory
  int users = 0;
  bool lost = false;  // the system ended it: the directory is gone
  std::vector<FollowedDir*> dirs;
  std::unordered_map<std::string, NameTargets> names;
  // Links in it that are on the way to followed directories; rarely any.
  std::vector<std::pair<std::string, FollowedDir*>> links;
};

class WatchMap {
 public:
  explicit WatchMap(Gauge* watched_dirs) : watched_dirs_(watched_dirs) {}

  // What events come from; before that nothing can be watched. Once. The service's thread.
  void Use(std::unique_ptr<FileWatcher> watcher);
  // nullptr: there is none (yet). Any thread.
  FileWatcher* watcher() { return watcher_.load(std::memory_order_acquire); }
  // The watch of a directory, for one more user; nullptr when it cannot be watched.
  Watch* Acquire(const std::string& path);
  // One user less.
  void Release(Watch* watch);
  // nullptr when nobody uses it any more.
  Watch* Find(int id);
  // The system ended this watch: it is found no more; users still release it.
  void Lost(Watch* watch);
  // Ends the watches that nobody uses. The service's thread.
  void Flush();

 private:
  std::unique_ptr<FileWatcher> owned_;
  std::atomic<FileWatcher*> watcher_{nullptr};
  Gauge* watched_dirs_;
  std::unordered_map<int, std::unique_ptr<Watch>> watches_;
  std::vector<std::unique_ptr<Watch>> lost_;
  std::vector<int> unused_;
};

}  // namespace kelp::tail

#endif  // KELP_TAIL_WATCH_MAP_H_
