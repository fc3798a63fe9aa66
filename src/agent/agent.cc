#include "agent/agent.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <thread>

#include "agent/status_server.h"
#include "base/log.h"
#include "pipeline/cpu_limiter.h"
#include "spool/unused_spools.h"
#include "tail/tail_service.h"

namespace kelp::agent {
namespace {

// Failed pipelines and missing directories are looked at this often.
constexpr Duration kTick = 1s;
// While much of the memory is in use, it is looked at this often: a second's reading at full speed
// would be more than the limit.
constexpr Duration kBusyTick = 100ms;
// More workers than this have not been seen to help one node.
constexpr int kWorkersMax = 4;
// Files that are followed leave a quarter of the descriptors, and at least so many, to the rest:
// connections of outputs and of the status endpoint, spools, the database, configuration.
constexpr rlim_t kOtherDescriptorsMin = 32;

std::string HostName() {
  char name[256] = {};
  return gethostname(name, sizeof name - 1) == 0 ? name : "";
}

int WorkerCount(const AgentConfig& config) {
  if (config.workers > 0) return config.workers;
  const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  const int wanted =
      config.cpu_limit > 0 ? static_cast<int>(std::ceil(config.cpu_limit)) : std::max(1, cores / 2);
  return std::clamp(wanted, 1, std::min(cores, kWorkersMax));
}

tail::TailOptions TailOptionsOf(const AgentConfig& config) {
  tail::TailOptions options;
  options.held_files_max = static_cast<size_t>(config.held_files_max);
  options.held_bytes_max = config.held_bytes_max.bytes;
  options.held_age_max = config.held_age_max;
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
    const rlim_t others = std::max(limit.rlim_cur / 4, kOtherDescriptorsMin);
    options.descriptors_max = std::max(limit.rlim_cur, others + 1) - others;
  }
  return options;
}

}  // namespace

Agent::Agent(Env& env, const pipeline::Registry& registry, std::string config_path)
    : env_(env),
      registry_(registry),
      loader_(env, registry, std::move(config_path)),
      watcher_(env) {}

Agent::~Agent() { Stop(); }

void Agent::ReportProblems(const config::Problems& problems, const char* when) {
  for (const config::Problem& problem : problems.Sorted()) {
    LOG(kError, "{}: {}", when, problem.ToString());
  }
}

Status Agent::OpenDataDir() {
  RETURN_IF_ERROR(env_.files().MakeDirs(config_.data_dir, 0750).Annotate("data_dir"));
  auto lock = env_.files().Lock(JoinPath(config_.data_dir, "agent.lock"));
  if (!lock.ok()) {
    if (lock.status().code() != Code::kAlreadyExists) return lock.status().Annotate("data_dir");
    return lock.status().Annotate("another agent uses the data_dir " + config_.data_dir +
                                  " (stop it, or give this one a data_dir of its own)");
  }
  lock_ = std::move(lock).value();
  return OkStatus();
}

Status Agent::Start() {
  watcher_.SetDirectories({DirName(loader_.path())});
  config::Problems problems;
  ConfigLoader::Loaded loaded = loader_.Load(problems);
  if (!loaded.main_ok) return problems.ToStatus();
  ReportProblems(problems, "left out");
  config_ = loaded.agent;
  SetLogOptions(config_.log.ToOptions());
  RETURN_IF_ERROR(OpenDataDir());

  pipeline::AgentServices services;
  services.env = &env_;
  services.metrics = &metrics_;
  services.data_dir = config_.data_dir;
  services.host_name = config_.host_name.empty() ? HostName() : config_.host_name;
  ASSIGN_OR_RETURN(
      tail_, tail::TailService::Open(env_, metrics_, config_.data_dir, TailOptionsOf(config_)));
  services.tail = tail_.get();
  governor_ =
      std::make_unique<MemoryGovernor>(config_.memory_limit, OwnProcessMemory(env_.files()));
  AddProcessMetrics();
  engine_ = std::make_unique<pipeline::Engine>(
      services, pipeline::EngineOptions{.workers = WorkerCount(config_),
                                        .memory_limit = governor_->budget(),
                                        .cpu_limit = config_.cpu_limit});
  if (!config_.http.listen.empty()) {
    auto status =
        StatusServer::Start(config_.http.listen, env_, *engine_, metrics_, config_.data_dir);
    if (!status.ok()) return status.status().Annotate("http.listen");
    status_ = std::move(status).value();
  }
  tail_->StartThread();
  engine_->Start();
  config::Problems refused;
  engine_->Apply(std::move(loaded.pipelines), refused);
  // Reading thousands of pipelines leaves holes that nothing as large fills again.
  OwnProcessMemory(env_.files()).release();
  ReportProblems(refused, "left out");
  watcher_.SetDirectories(loader_.Directories());
  spool::WarnOfUnusedSpools(env_, config_.data_dir);
  LOG(kInfo, "agent runs with {} pipelines; data in {}{}", engine_->Statuses().size(),
      config_.data_dir, status_ ? "; status on http://" + status_->address() : "");
  return OkStatus();
}

void Agent::AddProcessMetrics() {
  metrics_.AddCallback("process_resident_memory_bytes", "Memory of the agent's process.", {},
                       [this] { return static_cast<double>(ResidentBytes(env_.files())); });
  metrics_.AddCallback(
      "process_cpu_seconds_total", "Processor time of the agent's process.", {},
      [] { return std::chrono::duration<double>(pipeline::ProcessCpuTime()).count(); });
  metrics_.AddCallback("memory_limit_bytes",
                       "What the whole process should stay below (memory_limit).", {},
                       [this] { return static_cast<double>(config_.memory_limit.bytes); });
}

void Agent::WarnOfRestartKeys(const AgentConfig& next) {
  const auto warn = [](const char* key) {
    LOG(kWarning, "reload: a new {} takes effect only when the agent is started again", key);
  };
  if (next.data_dir != config_.data_dir) warn("data_dir");
  if (next.http.listen != config_.http.listen) warn("http.listen");
  if (next.memory_limit != config_.memory_limit) warn("memory_limit");
  if (next.cpu_limit != config_.cpu_limit) warn("cpu_limit");
  if (next.workers != config_.workers) warn("workers");
  if (next.held_files_max != config_.held_files_max) warn("held_files_max");
  if (next.held_bytes_max != config_.held_bytes_max) warn("held_bytes_max");
  if (next.held_age_max != config_.held_age_max) warn("held_age_max");
  if (next.host_name != config_.host_name) warn("host_name");
}

void Agent::Reload() {
  config::Problems problems;
  ConfigLoader::Loaded loaded = loader_.Load(problems);
  const size_t before = problems.size();
  const size_t ran = engine_->Statuses().size();
  if (loaded.pipelines.empty() && ran != 0) {
    LOG(kWarning,
        "reload: {} and its pipelines_dir name no pipeline any more; the {} that ran are stopped, "
        "and nothing is collected",
        loader_.path(), ran);
  }
  engine_->Apply(std::move(loaded.pipelines), problems);
  watcher_.SetDirectories(loader_.Directories());
  spool::WarnOfUnusedSpools(env_, config_.data_dir);
  WarnOfRestartKeys(loaded.agent);
  Counter& good = metrics_.AddCounter("agent_reloads_total", "Reloads of the configuration.",
                                      {{"result", "ok"}});
  Counter& bad = metrics_.AddCounter("agent_reloads_total", "Reloads of the configuration.",
                                     {{"result", "rejected"}});
  if (problems.empty()) {
    good.Add();
    LOG(kInfo, "reload: {} pipelines", engine_->Statuses().size());
    return;
  }
  bad.Add();
  ReportProblems(problems, "reload: the old one stays");
  if (before == 0) LOG(kWarning, "reload: the configuration reads well but could not be applied");
}

void Agent::Run() {
  while (!stop_) {
    const MemoryBudget& memory = engine_->memory();
    const bool busy = memory.used() > memory.limit() / 4;
    const bool changed = watcher_.Wait(busy ? kBusyTick : kTick);
    if (stop_) return;
    if (reload_.exchange(false) || changed) Reload();
    engine_->Tick();
    engine_->SetMemoryLimit(governor_->Tick(engine_->memory().used()));
  }
}

void Agent::RequestStop() {
  stop_ = true;
  watcher_.Wake();
}

void Agent::RequestReload() {
  reload_ = true;
  watcher_.Wake();
}

void Agent::Stop() {
  if (engine_ == nullptr) return;
  status_.reset();
  engine_->Stop(config_.shutdown_grace);
  tail_->StopThread();
  engine_.reset();
  tail_.reset();
  lock_.reset();
  LOG(kInfo, "agent stopped");
}

}  // namespace kelp::agent
