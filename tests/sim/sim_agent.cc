#include "sim_agent.h"

#include <utility>

#include "breaks.h"
#include "config/yaml.h"
#include "processor/filter/filter_processor.h"
#include "sim_input.h"
#include "sim_output.h"

namespace kelp::sim {
namespace {

const pipeline::Registry& SimRegistry() {
  static const pipeline::Registry registry = [] {
    pipeline::Registry r;
    r.Add<SimFileInput>();
    r.Add<processor::FilterProcessor>();
    r.Add<SimOutput>();
    r.Add<SpooledSimOutput>();
    return r;
  }();
  return registry;
}

// The agent's way to the checkpoints: ends with its life.
class LivingStore final : public tail::CheckpointStore {
 public:
  LivingStore(DurableCheckpoints& durable, Clock& clock, History& history, Chance chance,
              SimFileSystem& files, std::function<void()> on_call)
      : durable_(durable),
        clock_(clock),
        history_(history),
        chance_(chance),
        files_(files),
        on_call_(std::move(on_call)) {}

  Result<tail::CheckpointSpace> Start(const std::string& space) override {
    if (files_.dead()) return UnavailableError("the process is dead");
    auto known = durable_.store.Start(space);
    if (Broken(Break::kForgetSeen) && known.ok()) {
      for (tail::Checkpoint& c : known->checkpoints) c.seen = 0;
    }
    return known;
  }
  Status Write(const tail::CheckpointChanges& changes) override {
    // The process may die before it is written, or right after.
    on_call_();
    if (files_.dead()) return UnavailableError("the process is dead");
    if (chance_.PerMille(durable_.write_errors_per_mille)) {
      history_.Say("agent", "checkpoints: writing fails");
      return IoError("cannot write checkpoints (simulated)");
    }
    for (const tail::Checkpoint& c : changes.put) {
      history_.Say("agent", "stores {} {} at {} emitted {} {}", c.origin.ToString().substr(0, 6),
                   c.path, c.resume, c.emitted, c.vanished == kNoTime ? "" : "(gone)");
    }
    if (Broken(Break::kLoseCheckpoint) && chance_.Percent(20)) return OkStatus();
    const Status status = durable_.store.Write(changes);
    Remember(changes);
    on_call_();
    return status;
  }

 private:
  void Remember(const tail::CheckpointChanges& changes) {
    for (const tail::Checkpoint& c : changes.put) {
      durable_.origins.insert(c.origin);
      if (c.identity.print.bytes > 0) {
        durable_.printed[{c.space, c.identity.key.inode, c.identity.born}] = clock_.Monotonic();
      }
      durable_.paths.emplace(c.space, c.path);
    }
  }

  DurableCheckpoints& durable_;
  Clock& clock_;
  History& history_;
  Chance chance_;
  SimFileSystem& files_;
  const std::function<void()> on_call_;
};

}  // namespace

SimAgent::SimAgent(SimClock& clock, Disk& disk, History& history, Chance chance,
                   DurableCheckpoints& checkpoints, const AgentOptions& options,
                   std::function<void()> on_call)
    : history_(history), env_(clock, disk, chance.Fork(), options.env, on_call) {
  env_.sim_files().faults = options.faults;
  auto store = std::make_unique<LivingStore>(checkpoints, clock, history, chance.Fork(),
                                             env_.sim_files(), on_call);
  tail_ = std::make_unique<tail::TailService>(env_, metrics_, std::move(store), options.tail);
  engine_ = std::make_unique<pipeline::Engine>(
      pipeline::AgentServices{
          .env = &env_, .metrics = &metrics_, .tail = tail_.get(), .host_name = "node"},
      pipeline::EngineOptions{.memory_limit = options.memory_limit});
}

SimAgent::~SimAgent() {
  engine_.reset();
  tail_.reset();
}

void SimAgent::Apply(const std::vector<std::string>& pipelines) {
  config::Problems problems;
  std::vector<pipeline::PipelineConfig> configs;
  for (const std::string& yaml : pipelines) {
    auto node = config::ParseYaml(yaml, "sim.yaml");
    CHECK(node.ok(), node.status().ToString());
    configs.push_back(pipeline::ParsePipeline(SimRegistry(), *node, "", problems));
  }
  pipelines_ = pipelines;
  engine_->Apply(std::move(configs), problems);
  CHECK(problems.ToString().empty(), problems.ToString());
}

bool SimAgent::StepTail() { return tail_->Step(Duration(0)); }

bool SimAgent::tail_pending() const {
  return env_.watcher() != nullptr && env_.watcher()->pending();
}

void SimAgent::StopCleanly(Duration grace) {
  for (size_t left = pipelines_.size(); left > 1; --left) {
    Apply({pipelines_.begin(), pipelines_.begin() + static_cast<ptrdiff_t>(left - 1)});
  }
  engine_->Stop(grace);
  engine_.reset();
  tail_.reset();
}

}  // namespace kelp::sim
