#include "pipeline/engine.h"

#include <pthread.h>
#include <sys/prctl.h>

#include <algorithm>
#include <map>
#include <set>
#include <thread>

#include "base/log.h"
#include "pipeline/cpu_limiter.h"
#include "pipeline/runtime.h"
#include "pipeline/scheduler.h"

namespace kelp::pipeline {
namespace {

// Failed pipelines are started again after this.
constexpr Duration kRestartPause = 5s;
// Changed pipelines are drained side by side, so that one with a dead output does not make the
// others wait; more threads than this would only wait too.
constexpr size_t kReplaceThreads = 8;

// A worker that rests for the cpu_limit looks this often whether it may stop.
constexpr Duration kRestSlice = 10ms;

// The figures of a pipeline's book, all of one look. No labels but few: origins are in the ledger.
void CollectPipeline(const std::string& name, const OriginBook& book, MetricSamples& samples) {
  const LedgerFigures figures = book.Totals();
  const MetricLabels label = {{"pipeline", name}};
  const auto with = [&](const char* key, const std::string& value) {
    return MetricLabels{{"pipeline", name}, {key, value}};
  };
  samples.Counter("pipeline_read_rows_total", "Rows that inputs read.", label, figures.read_rows);
  samples.Counter("pipeline_read_bytes_total", "Bytes of origins that inputs read.", label,
                  figures.read_bytes);
  samples.Counter("pipeline_sent_rows_total", "Rows handed to the outputs.", label,
                  figures.read_rows - figures.filtered.total());
  samples.Counter("pipeline_acknowledged_bytes_total",
                  "Bytes of origins that every required output acknowledged.", label,
                  figures.acknowledged_bytes);
  samples.Counter("pipeline_delivered_rows_total", "Rows that every required output acknowledged.",
                  label, figures.delivered_rows);
  samples.Counter("pipeline_returned_rows_total",
                  "Rows in flight when the pipeline was replaced; its successor reads them again.",
                  label, figures.returned_rows);
  samples.Gauge("pipeline_in_flight_rows", "Rows not yet acknowledged.", label,
                static_cast<double>(figures.in_flight_rows));
  for (const auto& [component, rows] : figures.filtered.entries()) {
    samples.Counter("pipeline_filtered_rows_total", "Rows that processors took out.",
                    with("component", component), rows);
  }
  for (const auto& [reason, rows] : figures.dropped.entries()) {
    samples.Counter("pipeline_dropped_rows_total", "Rows that a required output gave up.",
                    with("reason", reason), rows);
  }
  for (const auto& [cause, bytes] : figures.lost_bytes.entries()) {
    samples.Counter("pipeline_lost_bytes_total", "Bytes of origins that were never read.",
                    with("cause", cause), bytes);
  }
  for (const auto& [cause, lines] : figures.lost_lines.entries()) {
    samples.Counter("pipeline_lost_lines_total", "Lines of origins that were never read.",
                    with("cause", cause), lines);
  }
  samples.Latency("pipeline_ack_seconds",
                  "From reading a batch to its acknowledgement by every required output.", label,
                  book.ack_latency());
}

}  // namespace

const char* PipelineStateName(PipelineState state) {
  switch (state) {
    case PipelineState::kStarting:
      return "starting";
    case PipelineState::kRunning:
      return "running";
    case PipelineState::kFailed:
      return "failed";
    case PipelineState::kStopping:
      return "stopping";
  }
  return "?";
}

class Engine::Impl {
 public:
  Impl(AgentServices services, EngineOptions options)
      : services_(std::move(services)),
        options_(options),
        scheduler_(*services_.env, options),
        limiter_(options.cpu_limit) {
    services_.metrics->AddCallback("memory_used_bytes", "Memory held by batches.", {}, [this] {
      return static_cast<double>(scheduler_.memory().used());
    });
    services_.metrics->AddCallback("memory_budget_bytes", "Budget for batches.", {}, [this] {
      return static_cast<double>(scheduler_.memory().limit());
    });
    collector_ =
        services_.metrics->AddCollector([this](MetricSamples& samples) { Collect(samples); });
    services_.memory = &scheduler_.memory();
  }

  ~Impl() {
    collector_.reset();
    services_.metrics->Remove("memory_used_bytes");
    services_.metrics->Remove("memory_budget_bytes");
  }

  void Apply(std::vector<SharedPipelineConfig> configs, config::Problems& problems);
  void Start();
  void Stop(Duration grace);
  void Tick();
  std::vector<PipelineStatus> Statuses() const;
  std::vector<LedgerEntry> Ledger() const;
  Result<std::vector<LedgerEntry>> Ledger(const std::string& pipeline) const;
  bool Ready() const;
  Result<std::shared_ptr<void>> Tap(const std::string& pipeline, TapFunction tap);
  bool Step() { return scheduler_.Turn(0, /*wait=*/false); }
  MemoryBudget& memory() { return scheduler_.memory(); }

 private:
  struct Slot {
    std::shared_ptr<Runtime> runtime;
    PipelineState state = PipelineState::kStarting;
    std::string message;
    Duration retry_at{0};
  };
  // A step from what runs to what shall run.
  struct Change {
    std::shared_ptr<Runtime> old;
    std::shared_ptr<Runtime> next;
  };

  void Work(int worker);
  // Rests while the process has used more than its cpu_limit.
  void Pace();
  std::vector<std::pair<std::string, std::shared_ptr<OriginBook>>> Books() const;
  void Collect(MetricSamples& samples) const;
  void RunChanges(const std::vector<Change>& changes);
  void RunChange(const Change& change);
  void StopRuntime(const std::shared_ptr<Runtime>& runtime, Duration grace);
  void StartRuntime(const std::shared_ptr<Runtime>& runtime);
  void SetState(const std::string& name, PipelineState state, std::string message);

  AgentServices services_;
  const EngineOptions options_;
  Scheduler scheduler_;
  CpuLimiter limiter_;
  std::vector<std::thread> workers_;

  mutable Mutex mu_;
  std::map<std::string, Slot> slots_ GUARDED_BY(mu_);
  std::shared_ptr<void> collector_;
};

void Engine::Impl::Work(int worker) {
  pthread_setname_np(pthread_self(), ("kelp-worker-" + std::to_string(worker)).c_str());
  while (scheduler_.Turn(worker, /*wait=*/true)) {
    if (limiter_.limited()) Pace();
  }
}

void Engine::Impl::Pace() {
  Clock& clock = services_.env->clock();
  while (!scheduler_.stopping()) {
    const Duration rest = limiter_.Rest(clock.Monotonic(), ProcessCpuTime());
    if (rest.count() == 0) return;
    std::this_thread::sleep_for(std::min(rest, kRestSlice));
  }
}

void Engine::Impl::Start() {
  for (int i = 0; i < std::max(1, options_.workers); ++i) {
    workers_.emplace_back([this, i] { Work(i); });
  }
}

void Engine::Impl::Stop(Duration grace) {
  std::vector<Change> changes;
  {
    MutexLock lock(mu_);
    for (auto& [name, slot] : slots_) {
      slot.state = PipelineState::kStopping;
      changes.push_back({slot.runtime, nullptr});
    }
  }
  // Reading stops everywhere first, so that the grace is for sending.
  for (const Change& change : changes) {
    change.old->StopReading();
    scheduler_.Dismiss(change.old);
  }
  std::vector<std::thread> threads;
  std::atomic<size_t> next{0};
  for (size_t t = 0; t < std::min(kReplaceThreads, changes.size()); ++t) {
    threads.emplace_back([&] {
      for (size_t i = next++; i < changes.size(); i = next++) changes[i].old->Drain(grace);
    });
  }
  for (std::thread& thread : threads) thread.join();
  scheduler_.Shutdown();
  for (std::thread& worker : workers_) worker.join();
  workers_.clear();
  MutexLock lock(mu_);
  slots_.clear();
}

void Engine::Impl::Apply(std::vector<SharedPipelineConfig> configs, config::Problems& problems) {
  std::vector<Change> changes;
  std::set<std::string> names;
  for (SharedPipelineConfig& shared : configs) {
    const PipelineConfig& config = *shared;
    const std::string name = config.name;
    names.insert(name);
    std::shared_ptr<Runtime> old;
    {
      MutexLock lock(mu_);
      const auto it = slots_.find(name);
      if (it != slots_.end()) old = it->second.runtime;
    }
    if (old != nullptr && old->config().meaning == config.meaning) continue;
    const config::Place place = config.inputs.empty() ? config::Place{} : config.inputs[0].place;
    auto book = old != nullptr ? old->book() : std::make_shared<OriginBook>();
    auto runtime = Runtime::Create(std::move(shared), services_, std::max(1, options_.workers),
                                   &scheduler_, std::move(book));
    if (!runtime.ok()) {
      problems.Add(place, name, std::string(runtime.status().message()));
      continue;
    }
    changes.push_back({old, *runtime});
    MutexLock lock(mu_);
    slots_[name] = Slot{*runtime, PipelineState::kStarting, "", Duration(0)};
  }
  {
    MutexLock lock(mu_);
    for (auto it = slots_.begin(); it != slots_.end();) {
      if (names.contains(it->first)) {
        ++it;
        continue;
      }
      changes.push_back({it->second.runtime, nullptr});
      it = slots_.erase(it);
    }
  }
  configs = {};  // the runtimes have what they need; starting takes memory, too
  RunChanges(changes);
}

void Engine::Impl::RunChanges(const std::vector<Change>& changes) {
  std::vector<std::thread> threads;
  std::atomic<size_t> next{0};
  const auto run = [&] {
    for (size_t i = next++; i < changes.size(); i = next++) RunChange(changes[i]);
  };
  const auto stops = static_cast<size_t>(std::count_if(
      changes.begin(), changes.end(), [](const Change& c) { return c.old != nullptr; }));
  for (size_t t = 1; t < std::min(kReplaceThreads, stops); ++t) threads.emplace_back(run);
  run();
  for (std::thread& thread : threads) thread.join();
}

void Engine::Impl::RunChange(const Change& change) {
  if (change.old != nullptr) {
    StopRuntime(change.old, options_.replace_grace);
    if (change.next == nullptr) {
      const std::string& name = change.old->config().name;
      services_.metrics->RemoveWithLabel("pipeline", name);
      LOG(kInfo, "pipeline {} stopped", name);
    }
  }
  if (change.next != nullptr) StartRuntime(change.next);
}

void Engine::Impl::StopRuntime(const std::shared_ptr<Runtime>& runtime, Duration grace) {
  runtime->StopReading();
  scheduler_.Dismiss(runtime);
  runtime->Drain(grace);
}

void Engine::Impl::StartRuntime(const std::shared_ptr<Runtime>& runtime) {
  const std::string& name = runtime->config().name;
  scheduler_.Admit(runtime);
  const Status status = runtime->Start();
  if (status.ok()) {
    LOG(kInfo, "pipeline {} runs", name);
    SetState(name, PipelineState::kRunning, "");
  } else {
    scheduler_.Dismiss(runtime);
    runtime->Drain(Duration(0));
    LOG(kError, "pipeline {} cannot start: {}; trying again every {}", name, status.message(),
        FormatDuration(kRestartPause));
    SetState(name, PipelineState::kFailed, std::string(status.message()));
  }
}

void Engine::Impl::SetState(const std::string& name, PipelineState state, std::string message) {
  MutexLock lock(mu_);
  const auto it = slots_.find(name);
  if (it == slots_.end()) return;
  it->second.state = state;
  it->second.message = std::move(message);
  it->second.retry_at = services_.env->clock().Monotonic() + kRestartPause;
}

void Engine::Impl::Tick() {
  const Duration now = services_.env->clock().Monotonic();
  std::vector<std::shared_ptr<Runtime>> failed;
  {
    MutexLock lock(mu_);
    for (auto& [name, slot] : slots_) {
      if (slot.state == PipelineState::kFailed && slot.retry_at <= now) {
        failed.push_back(slot.runtime);
      }
    }
  }
  for (const auto& runtime : failed) {
    // A component that failed in Start is not started twice: the pipeline is made anew.
    auto fresh = Runtime::Create(runtime->shared_config(), services_, std::max(1, options_.workers),
                                 &scheduler_, runtime->book());
    if (!fresh.ok()) continue;
    {
      MutexLock lock(mu_);
      const auto it = slots_.find(runtime->config().name);
      if (it == slots_.end() || it->second.runtime != runtime) continue;
      it->second.runtime = *fresh;
    }
    StartRuntime(*fresh);
  }
}

std::vector<PipelineStatus> Engine::Impl::Statuses() const {
  std::vector<PipelineStatus> statuses;
  MutexLock lock(mu_);
  for (const auto& [name, slot] : slots_) {
    PipelineStatus status = slot.runtime->GetStatus();
    status.state = slot.state;
    status.message = slot.message;
    statuses.push_back(std::move(status));
  }
  return statuses;
}

std::vector<std::pair<std::string, std::shared_ptr<OriginBook>>> Engine::Impl::Books() const {
  std::vector<std::pair<std::string, std::shared_ptr<OriginBook>>> books;
  MutexLock lock(mu_);
  books.reserve(slots_.size());
  for (const auto& [name, slot] : slots_) books.emplace_back(name, slot.runtime->book());
  return books;
}

std::vector<LedgerEntry> Engine::Impl::Ledger() const {
  std::vector<LedgerEntry> entries;
  for (const auto& [name, book] : Books()) {
    for (LedgerEntry& entry : book->Entries(name)) entries.push_back(std::move(entry));
  }
  return entries;
}

Result<std::vector<LedgerEntry>> Engine::Impl::Ledger(const std::string& pipeline) const {
  for (const auto& [name, book] : Books()) {
    if (name == pipeline) return book->Entries(name);
  }
  return NotFoundError("there is no pipeline \"" + pipeline + "\" in this agent");
}

void Engine::Impl::Collect(MetricSamples& samples) const {
  for (const auto& [name, book] : Books()) CollectPipeline(name, *book, samples);
}

bool Engine::Impl::Ready() const {
  MutexLock lock(mu_);
  return std::all_of(slots_.begin(), slots_.end(),
                     [](const auto& slot) { return slot.second.state == PipelineState::kRunning; });
}

Result<std::shared_ptr<void>> Engine::Impl::Tap(const std::string& pipeline, TapFunction tap) {
  std::shared_ptr<Runtime> runtime;
  {
    MutexLock lock(mu_);
    const auto it = slots_.find(pipeline);
    if (it == slots_.end()) {
      return NotFoundError("there is no pipeline \"" + pipeline + "\" in this agent");
    }
    runtime = it->second.runtime;
  }
  const auto function = std::make_shared<TapFunction>(std::move(tap));
  runtime->AddTap(function);
  return std::shared_ptr<void>(function.get(),
                               [runtime, function](void*) { runtime->RemoveTap(function); });
}

Engine::Engine(AgentServices services, EngineOptions options)
    : impl_(std::make_unique<Impl>(std::move(services), options)) {}
Engine::~Engine() { impl_->Stop(Duration(0)); }

void Engine::Apply(std::vector<SharedPipelineConfig> configs, config::Problems& problems) {
  impl_->Apply(std::move(configs), problems);
}
void Engine::Apply(std::vector<PipelineConfig> configs, config::Problems& problems) {
  std::vector<SharedPipelineConfig> shared;
  for (PipelineConfig& config : configs) {
    shared.push_back(std::make_shared<PipelineConfig>(std::move(config)));
  }
  impl_->Apply(std::move(shared), problems);
}
void Engine::Start() { impl_->Start(); }
bool Engine::Step() { return impl_->Step(); }
void Engine::Stop(Duration grace) { impl_->Stop(grace); }
void Engine::Tick() { impl_->Tick(); }
std::vector<PipelineStatus> Engine::Statuses() const { return impl_->Statuses(); }
std::vector<LedgerEntry> Engine::Ledger() const { return impl_->Ledger(); }
Result<std::vector<LedgerEntry>> Engine::Ledger(const std::string& pipeline) const {
  return impl_->Ledger(pipeline);
}
bool Engine::Ready() const { return impl_->Ready(); }
Result<std::shared_ptr<void>> Engine::Tap(const std::string& pipeline, TapFunction tap) {
  return impl_->Tap(pipeline, std::move(tap));
}
const MemoryBudget& Engine::memory() const { return impl_->memory(); }
void Engine::SetMemoryLimit(ByteSize limit) { impl_->memory().set_limit(limit); }

}  // namespace kelp::pipeline
