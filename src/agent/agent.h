// Agent: one node agent from configuration to stop: engine, file following, status endpoint,
// reload.
//
//   Agent agent(RealEnv(), registry, {.config_path = "/etc/kelp/agent.yaml"});
//   RETURN_IF_ERROR(agent.Start());
//   agent.Run();     // until RequestStop(); reloads on RequestReload() and on file changes
//   agent.Stop();
#ifndef KELP_AGENT_AGENT_H_
#define KELP_AGENT_AGENT_H_

#include <atomic>
#include <memory>
#include <string>

#include "agent/agent_config.h"
#include "agent/config_watcher.h"
#include "agent/memory_governor.h"
#include "base/env.h"
#include "base/metrics.h"
#include "base/status.h"
#include "pipeline/engine.h"
#include "pipeline/registry.h"

namespace kelp::tail {
class TailService;
}

namespace kelp::agent {

class StatusServer;

// Place:    apps/agent makes one; a simulation makes several.
// Owns:     the lock on its data directory, the engine, the tail service, the HTTP endpoint.
// Threads:  Start, Run and Stop on one thread; RequestStop and RequestReload from any.
// Errors:   Start: kInvalidArgument with every problem of the configuration, one a line;
//           kAlreadyExists when another agent holds the data directory or the port.
class Agent {
 public:
  Agent(Env& env, const pipeline::Registry& registry, std::string config_path);
  ~Agent();
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  Status Start();
  void Run();
  void RequestStop();
  void RequestReload();
  // nullptr before Start and after Stop.
  pipeline::Engine* engine() { return engine_.get(); }
  // Sends what was read, for at most shutdown_grace, and saves positions.
  void Stop();

 private:
  Status OpenDataDir();
  void AddProcessMetrics();
  void Reload();
  void ReportProblems(const config::Problems& problems, const char* when);
  void WarnOfRestartKeys(const AgentConfig& next);

  Env& env_;
  const pipeline::Registry& registry_;
  MetricRegistry metrics_;
  ConfigLoader loader_;
  ConfigWatcher watcher_;
  AgentConfig config_;
  std::unique_ptr<FileLock> lock_;
  std::unique_ptr<tail::TailService> tail_;
  std::unique_ptr<MemoryGovernor> governor_;
  std::unique_ptr<pipeline::Engine> engine_;
  std::unique_ptr<StatusServer> status_;
  std::atomic<bool> stop_{false};
  std::atomic<bool> reload_{false};
};

}  // namespace kelp::agent

#endif  // KELP_AGENT_AGENT_H_
