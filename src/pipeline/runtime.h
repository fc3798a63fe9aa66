// Runtime: one running pipeline: its components, its origins, and what is on its way.
//
// Internal to src/pipeline; the engine's scheduler (scheduler.h) decides whose turn it is.
//
// Order of a life: Create → Start → turns → StopReading → Drain → destroyed. A Runtime is shared by
// the engine, the scheduler, its own tickets and its batches, so a late acknowledgement of a slow
// output finds a runtime that is still there and simply no longer counts.
#ifndef KELP_PIPELINE_RUNTIME_H_
#define KELP_PIPELINE_RUNTIME_H_

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/memory_budget.h"
#include "base/sync.h"
#include "batch/batch.h"
#include "pipeline/engine.h"
#include "pipeline/input.h"
#include "pipeline/output.h"
#include "pipeline/pipeline_config.h"
#include "pipeline/processor.h"

namespace kelp::pipeline {

class Runtime;

// One batch on its way: counts down the required outputs that still owe an ack.
class Ticket;

// One origin in the engine: the source, its place in the queue, and its batches on their way.
//
// Threads: `state` and `again` are guarded by the scheduler's mutex; the rest by mu.
struct OriginState {
  enum class Turn : uint8_t { kIdle, kQueued, kRunning, kEnded };

  SourceId id = 0;
  std::shared_ptr<Source> source;
  Turn turn = Turn::kIdle;  // scheduler
  bool again = false;       // Ready() came while running; scheduler

  Mutex mu;
  std::deque<std::shared_ptr<Ticket>> in_flight GUARDED_BY(mu);  // in reading order
  bool ended GUARDED_BY(mu) = false;                             // no more Read
  bool done_called GUARDED_BY(mu) = false;
};

// What the runtime needs of the scheduler.
class SchedulerHooks {
 public:
  virtual ~SchedulerHooks() = default;
  virtual SourceId NewSourceId() = 0;
  virtual void OriginReady(Runtime& runtime, const std::shared_ptr<OriginState>& origin) = 0;
  virtual void OriginEnded(Runtime& runtime, const std::shared_ptr<OriginState>& origin) = 0;
  virtual void RoomAvailable(Runtime& runtime) = 0;
};

class Runtime final : public InputHost, public std::enable_shared_from_this<Runtime> {
 public:
  // Creates all components. Errors: what a component's Create says.
  static Result<std::shared_ptr<Runtime>> Create(PipelineConfig config,
                                                 const AgentServices& services, int workers,
                                                 SchedulerHooks* hooks);
  ~Runtime() override;

  // Starts outputs, then inputs. On an error everything started is stopped again.
  Status Start();
  // Inputs end; no source is read any more once the scheduler has dropped the pipeline.
  void StopReading();
  // Outputs send what they hold for at most `grace`, then end. Every source gets Done.
  void Drain(Duration grace);

  // Takes `batch` (read from `origin`, charged) through the processors to the outputs.
  // `worker` chooses the processor instances.
  void Deliver(const std::shared_ptr<OriginState>& origin, BatchPtr batch, int worker);
  // True when every required output has room.
  bool HasRoom() const;

  // InputHost.
  SourceId Add(std::shared_ptr<Source> source) override;
  void Ready(SourceId id) override;
  void Remove(SourceId id) override;

  const PipelineConfig& config() const { return config_; }
  const AgentServices& services() const { return services_; }
  uint64_t bytes_held() const { return bytes_held_.load(std::memory_order_relaxed); }
  PipelineStatus GetStatus() const;
  void AddTap(std::shared_ptr<Engine::TapFunction> tap);
  void RemoveTap(const std::shared_ptr<Engine::TapFunction>& tap);
  // The source will be read no more; Done as soon as nothing of it is on its way.
  void EndOrigin(const std::shared_ptr<OriginState>& origin);

  // The scheduler's own fields, guarded by its mutex.
  struct Line {
    std::deque<std::shared_ptr<OriginState>> ready;  // origins that can be read, in line
    bool queued = false;                             // in the line of pipelines
    bool stopped = false;                            // gets no more turns
    bool waits_room = false;
    bool waits_memory = false;
    int running = 0;  // turns in progress
  } line;

 private:
  friend class Ticket;
  class BoundHost;
  struct OutputSlot {
    std::unique_ptr<BoundHost> host;
    std::unique_ptr<Output> output;
    bool required = true;
    Counter* skipped_rows = nullptr;
  };
  using Chain = std::vector<std::unique_ptr<Processor>>;

  Runtime(PipelineConfig config, const AgentServices& services, SchedulerHooks* hooks);
  Status CreateComponents(int workers);
  Result<Chain> CreateChain() const;
  void Process(Batch& batch, int worker);
  void ShowToTaps(const Batch& batch);
  SharedBatch Share(BatchPtr batch);
  void Complete(const std::shared_ptr<OriginState>& origin);
  std::shared_ptr<OriginState> FindOrigin(SourceId id);

  const PipelineConfig config_;
  const AgentServices services_;
  SchedulerHooks* const hooks_;
  std::vector<std::unique_ptr<Input>> inputs_;
  std::vector<Chain> chains_;  // one per worker
  std::vector<OutputSlot> outputs_;
  size_t required_outputs_ = 0;
  bool started_ = false;

  mutable Mutex origins_mu_;
  std::map<SourceId, std::shared_ptr<OriginState>> origins_ GUARDED_BY(origins_mu_);

  std::atomic<uint64_t> bytes_held_{0};
  Counter& rows_in_;
  Counter& bytes_in_;
  Counter& rows_out_;
  LatencyHistogram& ack_latency_;

  std::atomic<int> tap_count_{0};
  Mutex taps_mu_;
  std::vector<std::shared_ptr<Engine::TapFunction>> taps_ GUARDED_BY(taps_mu_);
};

class Ticket final : public AckTarget {
 public:
  Ticket(std::shared_ptr<Runtime> runtime, std::shared_ptr<OriginState> origin, int owed,
         uint64_t resume, Duration read_at)
      : runtime_(std::move(runtime)),
        origin_(std::move(origin)),
        owed_(owed),
        resume_(resume),
        read_at_(read_at) {}

  void OnAck() override;
  bool complete() const { return owed_.load(std::memory_order_acquire) <= 0; }
  uint64_t resume() const { return resume_; }

 private:
  const std::shared_ptr<Runtime> runtime_;
  const std::shared_ptr<OriginState> origin_;
  std::atomic<int> owed_;
  const uint64_t resume_;
  const Duration read_at_;
};

}  // namespace kelp::pipeline

#endif  // KELP_PIPELINE_RUNTIME_H_
