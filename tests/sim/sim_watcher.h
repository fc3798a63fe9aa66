// SimFileWatcher: inotify over a Disk.
//
// A watch belongs to a directory's inode and follows its renames; ids are never used again. An
// event equal to the last one in the queue is folded into it. A full queue drops what comes and
// ends in one overflow event. Waiting gives what is there and never waits: time is the World's
// business.
//
// Threads:  confined to the simulation's thread, but Wake may come from Engine::Stop's.
// Tests:    disk_test.cc
#ifndef KELP_TESTS_SIM_SIM_WATCHER_H_
#define KELP_TESTS_SIM_SIM_WATCHER_H_

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/env.h"
#include "disk.h"

namespace kelp::sim {

struct WatcherLimits {
  size_t watches_max = SIZE_MAX;
  size_t queued_max = 16384;
};

class SimFileWatcher final : public FileWatcher, public DiskListener {
 public:
  SimFileWatcher(Disk& disk, const WatcherLimits& limits);
  ~SimFileWatcher() override;

  Result<int> AddDir(const std::string& path) override;
  void Remove(int watch) override;
  std::vector<Event> Wait(Duration timeout) override;
  void Wake() override { woken_ = true; }

  void OnChange(const Node& dir, const std::string& name, DirChange change) override;
  // Wait would not wait.
  bool pending() const { return woken_ || !queue_.empty(); }
  uint64_t overflows() const { return overflows_; }

 private:
  void Push(Event event);

  Disk& disk_;
  const WatcherLimits limits_;
  std::atomic<bool> woken_{false};
  int last_id_ = 0;
  std::map<int, std::shared_ptr<Node>> watches_;
  std::map<const Node*, int> ids_;  // looked up, never walked
  std::vector<Event> queue_;
  bool overflowed_ = false;
  uint64_t overflows_ = 0;
};

}  // namespace kelp::sim

#endif  // KELP_TESTS_SIM_SIM_WATCHER_H_
