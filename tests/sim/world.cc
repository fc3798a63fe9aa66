#include "world.h"

#include <algorithm>
#include <utility>

#include "breaks.h"
#include "sim_input.h"
#include "sim_output.h"

namespace kelp::sim {
namespace {

// As TailService's own thread: see Run() there.
constexpr Duration kTailTick = 500ms;
constexpr Duration kTailCoalesce = 50ms;
constexpr Duration kEnginePoll = 200ms;
constexpr Duration kStallMax = 2s;
// Longest of the agent's own pauses: a file that cannot be opened is tried again every 10 s, and
// the safety scan comes round in about 40 s. Several of them may follow each other.
constexpr Duration kCalmMax = 240s;
constexpr Duration kQuiet = 20s;
constexpr Duration kSettle = 4s;
// What an idle agent may do in kQuiet: closing files, storing positions, a safety scan.
constexpr uint64_t kBusyStepsMax = 100;
constexpr uint64_t kScansInQuiet = 22;  // scan_interval is 1 s
constexpr Duration kGrace = 5s;

}  // namespace

World::World(uint64_t seed, bool tracing) : chance_(seed), history_(tracing), oracle_(history_) {
  sights_.on_shorter = [this](uint64_t file, uint64_t before, uint64_t now) {
    losses_.SeenShorter(file, before, now);
  };
}

World::~World() {
  if (agent_ != nullptr) agent_->Die();
  agent_.reset();
}

void World::Build() {
  disk_ = std::make_unique<Disk>(clock_, options.disk);
  destination_ = std::make_unique<Destination>(history_, oracle_, [this](const OriginId& id) {
    return checkpoints_.origins.count(id) != 0;
  });
  network_ = std::make_unique<Network>(clock_, history_, *destination_, chance_.Fork());
  network_->faults = options.network;
  checkpoints_.write_errors_per_mille = options.checkpoint_errors_per_mille;
  oracle_.set_store_fails(options.checkpoint_errors_per_mille > 0);
  losses_.set_exact(options.exact_losses);
  losses_.set_owed(options.owed_losses);
  oracle_.set_pipelines(options.pipelines.size(), options.dead_letters);
}

// --- time ---

void World::After(Duration delay, std::function<void()> event) {
  machine_.emplace(clock_.Monotonic() + delay, std::move(event));
}

Duration World::Jitter(Duration most) {
  if (chaos_ && chance_.Percent(options.stall_percent)) {
    return chance_.Between(Duration(0), kStallMax);
  }
  return chance_.Between(Duration(0), most);
}

Duration World::TailAt() const {
  return agent_->tail_pending() ? std::min(tail_earliest_, tail_latest_) : tail_latest_;
}

void World::RunFirst(Queue& queue) {
  const std::function<void()> event = std::move(queue.begin()->second);
  queue.erase(queue.begin());
  event();
}

void World::Advance() {
  Duration next = network_->next();
  for (const Queue* queue : {&machine_, &timers_}) {
    if (!queue->empty()) next = std::min(next, queue->begin()->first);
  }
  if (agent_ != nullptr) next = std::min({next, TailAt(), engine_at_, tick_at_});
  const Duration now = std::max(next, clock_.Monotonic());
  clock_.MoveTo(now);
  history_.set_time(now);
  if (!machine_.empty() && machine_.begin()->first <= now) {
    RunFirst(machine_);
  } else if (!timers_.empty() && timers_.begin()->first <= now) {
    RunFirst(timers_);
  } else if (network_->next() <= now) {
    network_->Step();
    engine_at_ = std::min(engine_at_, now + Jitter(1ms));
  } else if (agent_ == nullptr) {
    return;
  } else if (TailAt() <= now) {
    StepTail();
  } else if (engine_at_ <= now) {
    TurnEngine();
  } else {
    agent_->Tick();
    tick_at_ = now + 1s;
  }
  if (agent_ != nullptr && agent_->dead()) Bury();
}

bool World::AdvanceUntil(const std::function<bool()>& done, Duration most) {
  const Duration end = clock_.Monotonic() + most;
  while (failure().empty() && !done()) {
    if (clock_.Monotonic() >= end) return false;
    Advance();
  }
  return failure().empty();
}

// --- the agent ---

void World::StartAgent() {
  if (agent_ != nullptr) return;
  Count("lives");
  history_.Say("agent", "starts");
  agent_ = std::make_unique<SimAgent>(clock_, *disk_, history_, chance_.Fork(), checkpoints_,
                                      options.agent, [this] { OnAgentCall(); });
  agent_->files().sights = &sights_;
  SimFileInput::SetLosses(&losses_);
  losses_.AgentStarts();
  acked_rows_ = 0;
  SimOutput::SetWorld({network_.get(), destination_.get(), &chance_, &clock_, &agent_->files(),
                       [this](Duration delay, std::function<void()> event) {
                         timers_.emplace(clock_.Monotonic() + delay, std::move(event));
                       },
                       [this](uint64_t rows) { acked_rows_ += rows; }});
  const Duration now = clock_.Monotonic();
  tail_earliest_ = tail_latest_ = now;
  engine_at_ = now + kEnginePoll;
  tick_at_ = now + 1s;
  agent_->Apply(options.pipelines);
  if (chaos_ && options.life_mean > Duration(0)) {
    timers_.emplace(now + chance_.Between(Duration(0), 2 * options.life_mean),
                    [this] { EndLife(); });
  }
  if (chaos_ && chance_.Percent(options.reload_percent)) {
    timers_.emplace(now + chance_.Between(Duration(0), options.life_mean), [this] {
      if (agent_ == nullptr) return;
      Count("reloads");
      history_.Say("agent", "reloads");
      losses_.AgentReloads();
      agent_->Apply(options.reloaded.empty() ? options.pipelines : options.reloaded);
    });
  }
}

void World::EndLife() {
  if (agent_ == nullptr || !chaos_) return;
  if (chance_.Percent(options.clean_stop_percent)) {
    Count("clean stops");
    history_.Say("agent", "stops");
    CheckMemory();
    agent_->StopCleanly(kGrace);
    agent_->Die();
  } else if (chance_.Percent(50)) {
    agent_->Die();
  } else {
    calls_to_death_ = chance_.Between(1, 60);  // in the middle of something
    return;
  }
  Bury();
}

void World::Bury() {
  if (agent_ == nullptr) return;
  Count("deaths");
  history_.Say("agent", "is dead");
  calls_to_death_ = 0;
  CheckMemory();
  agent_.reset();
  oracle_.AgentDied();
  losses_.AgentDied();
  sights_.AgentDied();
  if (chaos_ && chance_.Percent(options.power_cut_percent)) {
    Count("power cuts");
    history_.Say("machine", "the power is cut");
    disk_->PowerCut(kSpoolDir, chance_);
  }
  timers_.emplace(clock_.Monotonic() + chance_.Between(Duration(0), options.down_max),
                  [this] { StartAgent(); });
}

void World::OnAgentCall() {
  if (agent_ == nullptr || !chaos_) return;
  if (calls_to_death_ > 0 && --calls_to_death_ == 0) {
    history_.Say("agent", "dies in the middle of a call");
    agent_->Die();
    return;
  }
  if (!machine_.empty() && chance_.PerMille(options.interleave_per_mille)) RunFirst(machine_);
}

void World::StepTail() {
  const uint64_t calls = agent_->files().calls();
  const bool happened = agent_->StepTail();
  busy_steps_ += happened ? 1 : 0;
  if (happened) {
    history_.Say("tail", "step, {} system calls", agent_->files().calls() - calls);
  }
  const Duration now = clock_.Monotonic();
  tail_earliest_ = now + (happened ? kTailCoalesce : Duration(0)) + Jitter(2ms);
  tail_latest_ = now + kTailTick + Jitter(1ms);
  engine_at_ = std::min(engine_at_, now + Jitter(2ms));
}

void World::TurnEngine() {
  const uint64_t bytes = agent_->files().bytes_read();
  const bool did = agent_->Turn();
  busy_steps_ += did ? 1 : 0;
  if (did) history_.Say("worker", "turn, {} bytes", agent_->files().bytes_read() - bytes);
  const Duration now = clock_.Monotonic();
  engine_at_ = now + (did ? Jitter(3ms) : kEnginePoll);
  if (Broken(Break::kBusyLoop)) engine_at_ = now + 1ms, ++busy_steps_;
}

void World::CheckLedger(bool at_rest) {
  uint64_t delivered = 0;
  uint64_t dropped = 0;
  uint64_t lost = 0;
  for (const pipeline::LedgerEntry& entry : agent_->engine().Ledger()) {
    const pipeline::LedgerFigures& f = entry.figures;
    const bool moving = f.in_flight_rows != 0 || f.in_flight_bytes != 0;
    if (!entry.AddsUp() || (at_rest && moving)) {
      oracle_.Fail(fmt::format(
          "ledger of {} {}: {} rows read, {} filtered, {} delivered, {} dropped, {} in flight, {} "
          "returned; {} bytes read, {} acknowledged, {} in flight, {} returned{}",
          entry.pipeline, entry.name, f.read_rows, f.filtered.total(), f.delivered_rows,
          f.dropped.total(), f.in_flight_rows, f.returned_rows, f.read_bytes, f.acknowledged_bytes,
          f.in_flight_bytes, f.returned_bytes, at_rest ? " at rest" : ""));
    }
    lost += f.lost_bytes.total();
    delivered += f.delivered_rows;
    dropped += f.dropped.total();
  }
  if (lost != losses_.reported_in_this_life()) {
    oracle_.Fail(fmt::format("ledger: {} bytes are lost in it, {} were reported", lost,
                             losses_.reported_in_this_life()));
  }
  // The outputs' own count of the same rows.
  const uint64_t given_up = options.dead_letters ? dropped : 0;
  if (at_rest && !options.spooled && delivered + given_up * 2 != acked_rows_) {
    oracle_.Fail(fmt::format("ledger: {} rows delivered and {} dropped, outputs say {}", delivered,
                             dropped, acked_rows_));
  }
}

void World::CheckMemory() {
  if (agent_ == nullptr || agent_->stopped()) return;
  CheckLedger(/*at_rest=*/false);
  // One turn may pass the limit: a line that does not fit is read all the same.
  const MemoryBudget& memory = agent_->engine().memory();
  const uint64_t most = memory.limit() + (256u << 10);
  if (memory.peak() > most || memory.used() > most) {
    oracle_.Fail(fmt::format("memory: {} bytes of a budget of {}", memory.peak(), memory.limit()));
  }
}

void World::Outage() {
  if (!chaos_) return;
  network_->faults.down = !network_->faults.down;
  history_.Say("server", "{}", network_->faults.down ? "is down" : "is up");
  if (network_->faults.down) Count("outages");
  const Duration mean = network_->faults.down ? options.outage_mean / 3 : options.outage_mean;
  timers_.emplace(clock_.Monotonic() + chance_.Between(Duration(0), 2 * mean),
                  [this] { Outage(); });
}

// --- the run ---

bool World::Run() {
  history_.set_time(clock_.Monotonic());
  for (const auto& actor : actors_) actor->Start();
  timers_.emplace(clock_.Monotonic() + chance_.Between(Duration(0), 1s), [this] { StartAgent(); });
  if (options.outage_mean > Duration(0)) {
    timers_.emplace(clock_.Monotonic() + chance_.Between(Duration(0), 2 * options.outage_mean),
                    [this] { Outage(); });
  }
  AdvanceUntil([] { return false; }, options.chaos);
  if (failure().empty()) Calm();
  if (failure().empty()) CheckCalm();
  if (failure().empty()) CheckQuiet();
  if (failure().empty()) CheckRestart();
  return failure().empty();
}

void World::Calm() {
  history_.Say("world", "calm");
  chaos_ = false;
  calls_to_death_ = 0;
  network_->faults = NetworkFaults();
  checkpoints_.write_errors_per_mille = 0;
  disk_->set_space(std::nullopt);
  options.agent.faults = ProcessFaults();
  if (agent_ != nullptr) agent_->files().faults = ProcessFaults();
  for (const auto& actor : actors_) actor->Finish();
}

void World::CheckCalm() {
  const bool arrived = AdvanceUntil([this] { return oracle_.AllArrived(); }, kCalmMax);
  if (arrived || !failure().empty()) return;
  std::string missing;
  for (const std::string& line : oracle_.Missing(5)) missing += "\n    " + line;
  oracle_.Fail(fmt::format("missing: not there {} s after everything was well again:{}",
                           std::chrono::duration_cast<std::chrono::seconds>(kCalmMax).count(),
                           missing));
}

void World::CheckQuiet() {
  AdvanceUntil([this] { return agent_ != nullptr; }, options.down_max);
  AdvanceUntil([] { return false; }, kSettle);
  busy_steps_ = 0;
  AdvanceUntil([] { return false; }, kQuiet);
  // Where nothing can be watched, each scan may give each file a turn.
  const EnvOptions& env = options.agent.env;
  const bool scans = env.without_watcher || env.watcher.watches_max != SIZE_MAX;
  const uint64_t most =
      kBusyStepsMax + (scans ? kScansInQuiet * disk_->files() * options.pipelines.size() : 0);
  if (busy_steps_ > most) {
    oracle_.Fail(fmt::format("busy: {} steps in {} s in which nothing happened", busy_steps_,
                             std::chrono::duration_cast<std::chrono::seconds>(kQuiet).count()));
  }
  CheckMemory();
  CheckLedger(/*at_rest=*/true);
  losses_.CheckAllReported();
  if (agent_->engine().memory().used() != 0) {
    oracle_.Fail(fmt::format("memory: {} bytes held by nothing", agent_->engine().memory().used()));
  }
}

void World::CheckRestart() {
  history_.Say("world", "a clean restart");
  agent_->StopCleanly(kGrace);
  std::unique_ptr<File> leak;
  if (Broken(Break::kLeakDescriptor)) leak = agent_->files().OpenForRead("/").value();
  if (agent_->files().open_descriptors() != 0) {
    oracle_.Fail(
        fmt::format("descriptors: {} are open after the end", agent_->files().open_descriptors()));
  }
  leak.reset();
  agent_.reset();
  const uint64_t taken = destination_->rows_taken() - oracle_.excused_arrivals();
  const uint64_t repeated = destination_->rows_repeated();
  StartAgent();
  AdvanceUntil([] { return false; }, kSettle);
  if (destination_->rows_taken() - oracle_.excused_arrivals() != taken) {
    oracle_.Fail("restart: rows came that were not there before");
  }
  if (options.exact_restart && destination_->rows_repeated() != repeated) {
    oracle_.Fail(fmt::format("restart: {} rows were sent again after a clean stop",
                             destination_->rows_repeated() - repeated));
  }
  agent_->StopCleanly(kGrace);
  agent_.reset();
}

WorldCounts World::Counts() const {
  WorldCounts counts{oracle_.Counts(), events_};
  return counts;
}

}  // namespace kelp::sim
