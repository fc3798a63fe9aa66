// ConfigWatcher: tells when files of a few directories may have changed, within a fraction of a
// second; by inotify, or, while that is not to be had, by looking once a second.
#ifndef KELP_AGENT_CONFIG_WATCHER_H_
#define KELP_AGENT_CONFIG_WATCHER_H_

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/env.h"

namespace kelp::agent {

// Threads: confined to one thread, except Wake(), which is also safe in a signal handler's thread.
class ConfigWatcher {
 public:
  explicit ConfigWatcher(Env& env);

  // Watches these directories and no others. A missing one is tried again at every Wait.
  void SetDirectories(std::vector<std::string> dirs);
  // True when something may have changed. Ends early on Wake(). After a change it waits until
  // nothing has happened for kQuiet, so that a file that is being written is read once.
  bool Wait(Duration timeout);
  void Wake();

 private:
  static constexpr Duration kQuiet = 50ms;
  static constexpr int kQuietRoundsMax = 10;  // a directory that never rests is read all the same
  // Other programs may give inotify instances back.
  static constexpr Duration kRetryPause = 30s;
  // A look stats every file. Whoever waits for less still pays for one a second.
  static constexpr Duration kLookPause = 1s;
  void TryInotify();
  void WatchMissing();
  // The fallback's wait: false when a look is not due yet. A Wake makes it due.
  bool SleepUntilALook(Duration timeout);
  // Names, sizes and times of the yaml files: what the fallback compares.
  std::string Fingerprint();

  Env& env_;
  std::unique_ptr<FileWatcher> watcher_;  // null: fall back to looking
  std::atomic<FileWatcher*> to_wake_{nullptr};
  Duration retry_at_{0};
  Duration look_at_{0};
  std::vector<std::string> dirs_;
  std::map<std::string, int> watches_;
  std::string fingerprint_;
  std::atomic<bool> woken_{false};
};

}  // namespace kelp::agent

#endif  // KELP_AGENT_CONFIG_WATCHER_H_
