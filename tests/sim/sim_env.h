// SimClock and SimEnv: time that only the World moves, and the Env of one simulated process.
#ifndef KELP_TESTS_SIM_SIM_ENV_H_
#define KELP_TESTS_SIM_SIM_ENV_H_

#include <functional>
#include <memory>
#include <utility>

#include "base/env.h"
#include "chance.h"
#include "disk.h"
#include "sim_file_system.h"
#include "sim_watcher.h"

namespace kelp::sim {

// Threads: read by any thread; moved by the simulation's.
class SimClock final : public Clock {
 public:
  UnixNanos Now() override { return wall_ + monotonic_.count(); }
  Duration Monotonic() override { return monotonic_; }
  // `to` is not before now.
  void MoveTo(Duration to) { monotonic_ = to; }
  // Somebody set the clock.
  void Jump(Duration by) { wall_ += by.count(); }

 private:
  // A machine that has been up for a while: zero must not look like "never".
  Duration monotonic_{1000s};
  UnixNanos wall_ = 1'800'000'000'000'000'000;
};

struct EnvOptions {
  bool without_watcher = false;  // no inotify instances left
  WatcherLimits watcher;
};

// Place: one per life of the agent.
class SimEnv final : public Env {
 public:
  SimEnv(SimClock& clock, Disk& disk, Chance chance, const EnvOptions& options,
         std::function<void()> on_call)
      : clock_(clock),
        disk_(disk),
        chance_(chance),
        options_(options),
        files_(disk, chance_.Fork(), std::move(on_call)) {}

  Clock& clock() override { return clock_; }
  FileSystem& files() override { return files_; }
  Random& random() override { return chance_; }
  Result<std::unique_ptr<FileWatcher>> NewFileWatcher() override {
    if (options_.without_watcher) {
      return ResourceExhaustedError("cannot use inotify: no instances left (simulated)");
    }
    auto watcher = std::make_unique<SimFileWatcher>(disk_, options_.watcher);
    watcher_ = watcher.get();
    return std::unique_ptr<FileWatcher>(std::move(watcher));
  }

  SimFileSystem& sim_files() { return files_; }
  // The last one made, while it lives; nullptr without inotify.
  SimFileWatcher* watcher() const { return watcher_; }

 private:
  SimClock& clock_;
  Disk& disk_;
  Chance chance_;
  const EnvOptions options_;
  SimFileSystem files_;
  SimFileWatcher* watcher_ = nullptr;
};

}  // namespace kelp::sim

#endif  // KELP_TESTS_SIM_SIM_ENV_H_
