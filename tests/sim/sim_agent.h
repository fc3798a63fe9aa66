// SimAgent: one life of an agent process: a real engine, a real TailService, the real file input,
// on a simulated machine.
//
// What it does on threads, here the World does by calls: StepTail is the service thread's, Turn a
// worker's. A life ends by Kill (nothing is written any more, whatever the objects do on their way
// out) or by StopCleanly.
//
// Place:    the World has one at a time; the checkpoints outlive it.
#ifndef KELP_TESTS_SIM_SIM_AGENT_H_
#define KELP_TESTS_SIM_SIM_AGENT_H_

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/metrics.h"
#include "history.h"
#include "pipeline/engine.h"
#include "sim_env.h"
#include "tail/checkpoint.h"
#include "tail/tail_service.h"

namespace kelp::sim {

struct AgentOptions {
  EnvOptions env;
  ProcessFaults faults;
  ByteSize memory_limit{256u << 10};
  tail::TailOptions tail;
};

// The store that outlives the agent, with its faults.
struct DurableCheckpoints {
  explicit DurableCheckpoints(Clock& clock) : store(clock) {}

  tail::MemoryCheckpointStore store;
  uint32_t write_errors_per_mille = 0;
  std::set<OriginId> origins;  // ever stored
  // When a fingerprint was last stored: by (input, inode, birth).
  std::map<std::tuple<std::string, uint64_t, UnixNanos>, Duration> printed;
  std::set<std::pair<std::string, std::string>> paths;  // (input, path)
};

class SimAgent {
 public:
  SimAgent(SimClock& clock, Disk& disk, History& history, Chance chance,
           DurableCheckpoints& checkpoints, const AgentOptions& options,
           std::function<void()> on_call);
  ~SimAgent();

  // Makes the running pipelines those; each as flow YAML.
  void Apply(const std::vector<std::string>& pipelines);
  bool StepTail();
  // One turn of a worker; false when there was nothing to do.
  bool Turn() { return engine_->Step(); }
  void Tick() { engine_->Tick(); }
  // Pipelines end one after the other, so that the same seed stays the same history.
  void StopCleanly(Duration grace);
  bool stopped() const { return engine_ == nullptr; }

  // There is something for StepTail before its time-out.
  bool tail_pending() const;
  void Die() { env_.sim_files().Die(); }
  bool dead() const { return env_.sim_files().dead(); }
  SimFileSystem& files() { return env_.sim_files(); }
  const SimFileSystem& files() const { return env_.sim_files(); }
  const pipeline::Engine& engine() const { return *engine_; }
  const MetricRegistry& metrics() const { return metrics_; }

 private:
  History& history_;
  mutable SimEnv env_;
  MetricRegistry metrics_;
  std::unique_ptr<tail::TailService> tail_;
  std::unique_ptr<pipeline::Engine> engine_;
  std::vector<std::string> pipelines_;
};

}  // namespace kelp::sim

#endif  // KELP_TESTS_SIM_SIM_AGENT_H_
