// Engine: runs pipelines: gives origins their turns, moves batches from inputs through processors
// to outputs, and turns acknowledgements into positions.
//
//   Engine engine(services, {.workers = 2, .memory_limit = 64_MiB});
//   engine.Apply(std::move(pipelines));    // starts, replaces or stops exactly those that differ
//   engine.Start();                        // workers; a simulation calls Step() instead
//   ...
//   engine.Stop(20s);
//
// A turn: the next pipeline in line gives its next readable origin one read of at most turn_bytes;
// the worker that read the batch also processes it and hands it to the outputs, while it is warm in
// its cache; then origin and pipeline go to the end of their lines. So turns are fair by bytes
// between pipelines, and within a pipeline between origins, and one origin is never in two hands.
//
// Backpressure: a pipeline rests while a required output has no room, or while it holds more memory
// than is free in the whole budget (dynamic thresholds: however many pipelines are stuck, a share
// stays free for the others; docs/decisions/0002-memory-budget.md). Nothing is dropped; files wait
// on disk.
//
// Place:    the agent owns one. Threads it owns: the workers. Everything public is thread-safe,
//           but Apply and Stop are for one caller at a time.
// Borrows:  services, which outlive it.
// Limits:   memory_limit is the budget for batches; cpu_limit holds the whole process by pausing
//           workers (cpu_limiter.h).
// Tests:    engine_test.cc, ledger_test.cc, scheduler_test.cc
#ifndef KELP_PIPELINE_ENGINE_H_
#define KELP_PIPELINE_ENGINE_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/memory_budget.h"
#include "base/status.h"
#include "base/units.h"
#include "batch/batch.h"
#include "pipeline/component.h"
#include "pipeline/ledger.h"
#include "pipeline/pipeline_config.h"

namespace kelp::pipeline {

struct EngineOptions {
  int workers = 1;
  ByteSize memory_limit = 64_MiB;
  // Cores the process may use on average; 0: no limit.
  double cpu_limit = 0;
  // One read. Fits into a core's second-level cache together with what processing adds.
  ByteSize turn_bytes = 256_KiB;
  // How long a changed or removed pipeline may take to finish what it holds.
  Duration replace_grace = 5s;
};

enum class PipelineState { kStarting, kRunning, kFailed, kStopping };
const char* PipelineStateName(PipelineState state);

struct PipelineStatus {
  std::string name;
  PipelineState state = PipelineState::kStarting;
  std::string message;  // why it failed; empty otherwise
  uint64_t rows_in = 0;
  uint64_t rows_out = 0;  // handed to outputs
  uint64_t origins = 0;
  uint64_t bytes_held = 0;   // memory of batches on their way
  bool output_full = false;  // rests because a required output has no room
};

class Engine {
 public:
  // Called on a worker with each processed batch of a tapped pipeline; returns quickly.
  using TapFunction = std::function<void(const Batch&)>;

  Engine(AgentServices services, EngineOptions options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Makes the running set equal to `configs`, by name and meaning. A changed pipeline
  // finishes what it holds (at most replace_grace), then its successor starts at the acknowledged
  // positions; the others notice nothing. A pipeline whose components cannot be created leaves the
  // old one of that name running, and is in `problems`; one whose input or output fails to start is
  // tried again by Tick() and shows in Statuses().
  void Apply(std::vector<SharedPipelineConfig> configs, config::Problems& problems);
  void Apply(std::vector<PipelineConfig> configs, config::Problems& problems);

  void Start();
  // Takes one turn on the calling thread as worker 0. False when nothing could be done. For
  // simulations and tests; not together with Start().
  bool Step();
  // Stops reading, lets outputs send for at most `grace`, ends everything.
  void Stop(Duration grace);

  // Tries pipelines again that failed to start. Call about once a second.
  void Tick();

  std::vector<PipelineStatus> Statuses() const;
  // What became of every row and byte (ledger.h), of one pipeline or of all, in the order of their
  // names. kNotFound when there is no such pipeline.
  std::vector<LedgerEntry> Ledger() const;
  Result<std::vector<LedgerEntry>> Ledger(const std::string& pipeline) const;
  // True when every pipeline runs.
  bool Ready() const;
  // Ends when the handle is destroyed. kNotFound when there is no such pipeline.
  Result<std::shared_ptr<void>> Tap(const std::string& pipeline, TapFunction tap);
  const MemoryBudget& memory() const;
  // A new budget for batches; what is held already stays.
  void SetMemoryLimit(ByteSize limit);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kelp::pipeline

#endif  // KELP_PIPELINE_ENGINE_H_
