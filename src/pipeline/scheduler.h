// Scheduler: decides whose turn it is (engine.h says by which rules) and runs turns.
//
// Internal to src/pipeline. One mutex guards all queues; it is held for a few list operations per
// turn, and a turn moves up to a quarter of a megabyte. No component is ever called with it held.
#ifndef KELP_PIPELINE_SCHEDULER_H_
#define KELP_PIPELINE_SCHEDULER_H_

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "base/env.h"
#include "base/memory_budget.h"
#include "base/sync.h"
#include "pipeline/engine.h"
#include "pipeline/runtime.h"

namespace kelp::pipeline {

class Scheduler final : public SchedulerHooks {
 public:
  // A read below this is not worth its overhead; a pipeline waits for memory instead.
  static constexpr uint64_t kReadBytesMin = 16u << 10;
  // A source that failed to read is tried again after this.
  static constexpr Duration kReadRetry = 1s;

  Scheduler(Env& env, const EngineOptions& options);
  ~Scheduler() override;

  // From now on the pipeline gets turns.
  void Admit(const std::shared_ptr<Runtime>& runtime);
  // No turn of the pipeline begins any more; returns when none is in progress.
  void Dismiss(const std::shared_ptr<Runtime>& runtime);
  // Takes a turn. With `wait`, first waits for one; false when shut down or nothing can be done.
  bool Turn(int worker, bool wait);
  // Also wakes workers that rest. From then on Turn answers false.
  void Shutdown();
  bool stopping() const { return stopping_.load(std::memory_order_relaxed); }

  MemoryBudget& memory() { return memory_; }

  SourceId NewSourceId() override { return next_id_.fetch_add(1, std::memory_order_relaxed); }
  void OriginReady(Runtime& runtime, const std::shared_ptr<OriginState>& origin) override;
  void OriginEnded(Runtime& runtime, const std::shared_ptr<OriginState>& origin) override;
  void RoomAvailable(Runtime& runtime) override;

 private:
  struct Delayed {
    std::shared_ptr<Runtime> runtime;
    std::shared_ptr<OriginState> origin;
  };

  // What a worker holds during its turn.
  struct Job {
    std::shared_ptr<Runtime> runtime;
    std::shared_ptr<OriginState> origin;
    uint64_t reserved = 0;
  };

  // The next job, or none when no pipeline can go on now.
  bool NextJob(bool wait, Job& job);
  // Room and memory for one read of `runtime`; 0 parks it until either comes.
  uint64_t Reserve(const std::shared_ptr<Runtime>& runtime);
  bool ParkForRoom(const std::shared_ptr<Runtime>& runtime);
  bool ParkForMemory(const std::shared_ptr<Runtime>& runtime);
  uint64_t TryReserve(const Runtime& runtime);
  void Run(const Job& job, int worker);
  void EndTurn(const Job& job, const Result<ReadState>& state);
  void Enqueue(const std::shared_ptr<Runtime>& runtime) REQUIRES(mu_);
  void QueueOrigin(const std::shared_ptr<Runtime>& runtime,
                   const std::shared_ptr<OriginState>& origin) REQUIRES(mu_);
  void WakeDelayed() REQUIRES(mu_);
  void MemoryReleased();

  Env& env_;
  const uint64_t turn_bytes_;
  MemoryBudget memory_;
  std::atomic<SourceId> next_id_{1};
  std::atomic<bool> stopping_{false};

  Mutex mu_;
  CondVar changed_;
  bool shutdown_ GUARDED_BY(mu_) = false;
  std::deque<std::shared_ptr<Runtime>> line_ GUARDED_BY(mu_);  // pipelines that can go on
  std::multimap<Duration, Delayed> delayed_ GUARDED_BY(mu_);   // by when
  // In the order in which they came.
  std::deque<std::shared_ptr<Runtime>> memory_waiters_ GUARDED_BY(mu_);
  std::atomic<int> memory_waiter_count_{0};  // lets a release without waiters skip the mutex
};

}  // namespace kelp::pipeline

#endif  // KELP_PIPELINE_SCHEDULER_H_
