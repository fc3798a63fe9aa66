// TailService::Impl. Internal to src/tail; tail_service.h says what it does.
//
// tail_service.cc waits and steps, tail_events.cc hands out what directories and sources tell,
// tail_upkeep.cc starts follows, stores checkpoints and does what has time.
//
// Threads:  thread-safe; Step belongs to one thread.
#ifndef KELP_TAIL_TAIL_SERVICE_IMPL_H_
#define KELP_TAIL_TAIL_SERVICE_IMPL_H_

#include <atomic>
#include <map>
#include <memory>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/sync.h"
#include "tail/follow.h"
#include "tail/tail_service.h"

namespace kelp::tail {

class TailService::Impl {
 public:
  Impl(Env& env, MetricRegistry& metrics, std::unique_ptr<CheckpointStore> store,
       const TailOptions& options);
  ~Impl();
  FollowId Add(FollowOptions options, pipeline::InputHost& host);
  void Remove(FollowId id);
  bool Step(Duration timeout);
  Status StoreCheckpoints();
  void StartThread();
  void StopThread();

 private:
  // The longest sleep: timers (retries, closer looks) are looked at at least this often.
  static constexpr Duration kTick = 500ms;
  // After a failed write of checkpoints.
  static constexpr Duration kStoreRetry = 2s;

  struct Entry {
    std::unique_ptr<Follow> follow;
    bool started = false;
  };

  void Run();
  void Wake();
  void Pause(Duration d);
  Duration NextTick() EXCLUDES(mu_);
  bool HandleAll(const std::vector<FileWatcher::Event>& events, Duration now) EXCLUDES(mu_);
  bool HasFresh() EXCLUDES(mu_) {
    MutexLock lock(mu_);
    return !context_.fresh.empty();
  }
  void ReleaseFresh() EXCLUDES(mu_);
  void StartFollows(Duration now) REQUIRES(mu_);
  void Dispatch(const FileWatcher::Event& event) REQUIRES(mu_);
  void DispatchName(Watch& watch, const FileWatcher::Event& event) REQUIRES(mu_);
  bool HandleNews() REQUIRES(mu_);
  void Released(const std::shared_ptr<FileSource>& source) REQUIRES(mu_);
  Status UseWatcher() REQUIRES(mu_);
  void RetryWatcher(Duration now) REQUIRES(mu_);
  void SafetyScan(Duration now) REQUIRES(mu_);
  void StoreSeen(Duration now) REQUIRES(mu_);
  void Sweep(Duration now) REQUIRES(mu_);
  Status WriteCheckpoints() EXCLUDES(mu_);
  bool SomethingToWrite() const REQUIRES(mu_) {
    return !context_.put.empty() || !context_.remove.empty() || !context_.moved.empty();
  }

  Env& env_;
  const TailOptions options_;
  const std::unique_ptr<CheckpointStore> store_;

  Mutex mu_;
  WatchMap watches_;  // its watcher's Wait and Wake are used without mu_
  Counter& store_errors_;
  Counter& lost_;
  Counter& overflows_;
  TailContext context_ GUARDED_BY(mu_);
  FollowId last_id_ GUARDED_BY(mu_) = 0;
  bool unstarted_ GUARDED_BY(mu_) = false;
  std::map<FollowId, Entry> follows_ GUARDED_BY(mu_);
  // Sources of removed follows that still have something on its way.
  std::unordered_map<OriginId, std::shared_ptr<FileSource>> draining_ GUARDED_BY(mu_);
  Duration start_retry_at_ GUARDED_BY(mu_){0};
  Duration write_at_{0};                    // 0: nothing is to be written. Of the stepping thread.
  Duration seen_at_ GUARDED_BY(mu_){0};     // not 0: when what was seen is to be stored
  Duration seen_after_ GUARDED_BY(mu_){0};  // and not before
  Duration swept_at_ GUARDED_BY(mu_){0};
  Duration watcher_retry_at_ GUARDED_BY(mu_){0};
  FollowId safety_follow_ GUARDED_BY(mu_) = 0;
  Duration safety_round_at_ GUARDED_BY(mu_){0};
  Duration safety_at_ GUARDED_BY(mu_){0};

  std::thread thread_;
  Mutex wake_mu_;
  CondVar wake_cv_;
  bool woken_ GUARDED_BY(wake_mu_) = false;
  std::atomic<bool> stop_{false};
};

}  // namespace kelp::tail

#endif  // KELP_TAIL_TAIL_SERVICE_IMPL_H_
