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
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "base/memory_budget.h"
#include "base/sync.h"
#include "batch/batch.h"
#include "pipeline/engine.h"
#include "pipeline/input.h"
#include "pipeline/origin_book.h"
#include "pipeline/output.h"
#include "pipeline/pipeline_config.h"
#include "pipeline/processor.h"

namespace kelp::pipeline {

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
  // Creates all components. `book` is that of the pipeline it replaces, or a new one. Errors: what
  // a component's Create says.
  static Result<std::shared_ptr<Runtime>> Create(SharedPipelineConfig config,
                                                 const AgentServices& services, int workers,
                                                 SchedulerHooks* hooks,
                                                 std::shared_ptr<OriginBook> book);
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
  void Lost(SourceId id, const Loss& loss) override { book_->Lost(id, loss); }

  const std::shared_ptr<OriginBook>& book() const { return book_; }
  const PipelineConfig& config() const { return *shared_config_; }
  const SharedPipelineConfig& shared_config() const { return shared_config_; }
  const AgentServices& services() const { return services_; }
  uint64_t bytes_held() const { return bytes_held_.load(std::memory_order_relaxed); }
  PipelineStatus GetStatus() const;
  void AddTap(std::shared_ptr<Engine::TapFunction> tap);
  void RemoveTap(const std::shared_ptr<Engine::TapFunction>& tap);
  // The source will be read no more; Done as soon as nothing of it is on its way.
  void EndOrigin(const std::shared_ptr<OriginState>& origin);

  // The scheduler's own fields, guarded by its mutex.
  struct Line {
    std::list<std::shared_ptr<OriginState>> ready;  // origins that can be read, in line
    bool queued = false;                            // in the line of pipelines
    bool stopped = false;                           // gets no more turns
    bool waits_room = false;
    bool waits_memory = false;
    int running = 0;  // turns in progress
  } line;

 private:
  friend class Ticket;
  class BoundHost;
  struct OutputSlot {
    std::string id;
    std::unique_ptr<BoundHost> host;
    std::unique_ptr<Output> output;
    bool required = true;
    Counter* skipped_rows = nullptr;
  };
  // The processors of one worker, and how many rows each took out of the batch in hand.
  struct Chain {
    std::vector<std::unique_ptr<Processor>> processors;
    std::vector<uint32_t> filtered;
  };

  Runtime(SharedPipelineConfig config, const AgentServices& services, SchedulerHooks* hooks,
          std::shared_ptr<OriginBook> book);
  Status CreateComponents(int workers);
  Result<std::unique_ptr<Chain>> CreateChain() const;
  void StopOutputs(Duration grace);
  Chain& ChainOf(int worker);  // only that worker calls it
  Result<std::unique_ptr<OutputSlot>> CreateOutput(const ComponentSpec& spec);
  void Process(Batch& batch, Chain& chain);
  // Books what was read and filtered, and puts the ticket at the end of its origin's list.
  void Enter(OriginState& origin, const Batch& batch, uint32_t offered, const Chain& chain,
             const std::shared_ptr<Ticket>& ticket);
  // Books rows that an output gives up and passes them to the dead-letter output.
  void GiveUp(const OutputSlot& slot, const SharedBatch& batch, std::vector<uint32_t> rows,
              std::string_view reason, Ack ack);
  void WriteToOutputs(const SharedBatch& batch, const std::shared_ptr<Ticket>& ticket);
  void ShowToTaps(const Batch& batch);
  SharedBatch Share(BatchPtr batch);
  void Complete(const std::shared_ptr<OriginState>& origin);

  const SharedPipelineConfig shared_config_;
  const AgentServices& services_;  // the engine's
  SchedulerHooks* const hooks_;
  std::vector<std::unique_ptr<Input>> inputs_;
  std::vector<std::unique_ptr<Chain>> chains_;        // by worker; nullptr until it takes a turn
  std::vector<std::unique_ptr<OutputSlot>> outputs_;  // the dead-letter output is the last one
  OutputSlot* dead_letter_ = nullptr;
  size_t required_outputs_ = 0;
  bool started_ = false;

  const std::shared_ptr<OriginBook> book_;
  std::atomic<uint64_t> bytes_held_{0};

  std::atomic<int> tap_count_{0};
  Mutex taps_mu_;
  std::vector<std::shared_ptr<Engine::TapFunction>> taps_ GUARDED_BY(taps_mu_);
};

// One batch on its way: counts down the required outputs that still owe an ack.
//
// Threads: OnAck and OnGiveUp from any thread; dropped() under its origin's mutex.
class Ticket final : public AckTarget {
 public:
  Ticket(std::shared_ptr<Runtime> runtime, std::shared_ptr<OriginState> origin, int owed,
         const Batch& batch)
      : runtime_(std::move(runtime)),
        origin_(std::move(origin)),
        owed_(owed),
        rows_(batch.selected_count()),
        bytes_(batch.end - batch.begin),
        resume_(batch.resume),
        read_at_(batch.read_at) {}

  void OnAck() override;
  bool OnGiveUp(const std::vector<uint32_t>& rows, std::string_view reason) override;
  bool complete() const { return owed_.load(std::memory_order_acquire) <= 0; }
  uint32_t rows() const { return rows_; }
  uint64_t bytes() const { return bytes_; }
  uint64_t resume() const { return resume_; }
  // Rows that outputs gave up, each counted once; nullptr when there are none.
  const ReasonCounts* dropped() const { return given_up_ ? &given_up_->counts : nullptr; }

 private:
  struct GivenUp {
    std::vector<bool> rows;  // by row number
    ReasonCounts counts;
  };

  const std::shared_ptr<Runtime> runtime_;
  const std::shared_ptr<OriginState> origin_;
  std::unique_ptr<GivenUp> given_up_;
  std::atomic<int> owed_;
  const uint32_t rows_;  // handed to the outputs
  const uint64_t bytes_;
  const uint64_t resume_;
  const Duration read_at_;
};

}  // namespace kelp::pipeline

#endif  // KELP_PIPELINE_RUNTIME_H_
