#include "pipeline/scheduler.h"

#include <algorithm>

#include "base/log.h"

namespace kelp::pipeline {

Scheduler::Scheduler(Env& env, const EngineOptions& options)
    : env_(env), turn_bytes_(options.turn_bytes.bytes), memory_(options.memory_limit) {
  memory_.OnRelease([this] { MemoryReleased(); });
}

Scheduler::~Scheduler() = default;

void Scheduler::Admit(const std::shared_ptr<Runtime>& runtime) {
  MutexLock lock(mu_);
  runtime->line.stopped = false;
  Enqueue(runtime);
}

void Scheduler::Dismiss(const std::shared_ptr<Runtime>& runtime) {
  MutexLock lock(mu_);
  runtime->line.stopped = true;
  while (runtime->line.running != 0) changed_.Wait(mu_);
  runtime->line.ready.clear();
  std::erase(line_, runtime);
  std::erase(memory_waiters_, runtime);
  memory_waiter_count_ = static_cast<int>(memory_waiters_.size());
  std::erase_if(delayed_, [&](const auto& entry) { return entry.second.runtime == runtime; });
}

void Scheduler::Shutdown() {
  MutexLock lock(mu_);
  shutdown_ = true;
  stopping_ = true;
  changed_.NotifyAll();
}

void Scheduler::Enqueue(const std::shared_ptr<Runtime>& runtime) {
  Runtime::Line& line = runtime->line;
  if (line.queued || line.stopped || line.waits_room || line.waits_memory || line.ready.empty()) {
    return;
  }
  line.queued = true;
  line_.push_back(runtime);
  changed_.NotifyOne();
}

void Scheduler::QueueOrigin(const std::shared_ptr<Runtime>& runtime,
                            const std::shared_ptr<OriginState>& origin) {
  origin->turn = OriginState::Turn::kQueued;
  origin->again = false;
  runtime->line.ready.push_back(origin);
  Enqueue(runtime);
}

void Scheduler::OriginReady(Runtime& runtime, const std::shared_ptr<OriginState>& origin) {
  MutexLock lock(mu_);
  switch (origin->turn) {
    case OriginState::Turn::kIdle:
      QueueOrigin(runtime.shared_from_this(), origin);
      break;
    case OriginState::Turn::kRunning:
      origin->again = true;
      break;
    case OriginState::Turn::kQueued:
    case OriginState::Turn::kEnded:
      break;
  }
}

void Scheduler::OriginEnded(Runtime& runtime, const std::shared_ptr<OriginState>& origin) {
  {
    MutexLock lock(mu_);
    const bool running = origin->turn == OriginState::Turn::kRunning;
    if (origin->turn == OriginState::Turn::kQueued) std::erase(runtime.line.ready, origin);
    origin->turn = OriginState::Turn::kEnded;
    if (running) return;  // EndTurn ends it
  }
  runtime.EndOrigin(origin);
}

void Scheduler::RoomAvailable(Runtime& runtime) {
  MutexLock lock(mu_);
  if (!runtime.line.waits_room) return;
  runtime.line.waits_room = false;
  Enqueue(runtime.shared_from_this());
}

void Scheduler::MemoryReleased() {
  if (memory_waiter_count_.load(std::memory_order_seq_cst) == 0) return;
  MutexLock lock(mu_);
  // First come, first woken. Those that hold more than their share stay: waking thousands of stuck
  // pipelines at each release would cost more than the release is worth.
  std::deque<std::shared_ptr<Runtime>> still;
  const uint64_t free = memory_.free();
  for (auto& runtime : memory_waiters_) {
    if (runtime->bytes_held() + kReadBytesMin > free) {
      still.push_back(std::move(runtime));
      continue;
    }
    runtime->line.waits_memory = false;
    Enqueue(runtime);
  }
  memory_waiters_ = std::move(still);
  memory_waiter_count_ = static_cast<int>(memory_waiters_.size());
}

uint64_t Scheduler::TryReserve(const Runtime& runtime) {
  // A pipeline may hold as much as is free: stuck pipelines converge to equal shares, and a share
  // always stays free for the others.
  for (uint64_t want = turn_bytes_; want >= kReadBytesMin; want /= 4) {
    if (runtime.bytes_held() + want <= memory_.free() && memory_.TryReserve(want)) return want;
  }
  return 0;
}

bool Scheduler::ParkForRoom(const std::shared_ptr<Runtime>& runtime) {
  if (runtime->HasRoom()) return false;
  {
    MutexLock lock(mu_);
    runtime->line.waits_room = true;
  }
  // Room that came before the flag was set would have been told to nobody.
  if (runtime->HasRoom()) RoomAvailable(*runtime);
  return true;
}

bool Scheduler::ParkForMemory(const std::shared_ptr<Runtime>& runtime) {
  {
    MutexLock lock(mu_);
    runtime->line.waits_memory = true;
    memory_waiters_.push_back(runtime);
    memory_waiter_count_ = static_cast<int>(memory_waiters_.size());
  }
  if (runtime->bytes_held() + kReadBytesMin <= memory_.free()) MemoryReleased();
  return true;
}

uint64_t Scheduler::Reserve(const std::shared_ptr<Runtime>& runtime) {
  if (ParkForRoom(runtime)) return 0;
  const uint64_t reserved = TryReserve(*runtime);
  if (reserved == 0) ParkForMemory(runtime);
  return reserved;
}

void Scheduler::WakeDelayed() {
  const Duration now = env_.clock().Monotonic();
  while (!delayed_.empty() && delayed_.begin()->first <= now) {
    const Delayed due = delayed_.begin()->second;
    delayed_.erase(delayed_.begin());
    if (due.origin->turn == OriginState::Turn::kIdle) QueueOrigin(due.runtime, due.origin);
  }
}

bool Scheduler::NextJob(bool wait, Job& job) {
  std::shared_ptr<Runtime> runtime;
  while (true) {
    {
      MutexLock lock(mu_);
      if (runtime != nullptr) {  // it could not go on
        if (--runtime->line.running == 0) changed_.NotifyAll();
        runtime = nullptr;
      }
      if (!delayed_.empty()) WakeDelayed();
      while (line_.empty() && !shutdown_) {
        if (!wait) return false;
        if (delayed_.empty()) {
          changed_.Wait(mu_);
        } else {
          changed_.WaitFor(mu_, delayed_.begin()->first - env_.clock().Monotonic());
          WakeDelayed();
        }
      }
      if (shutdown_) return false;
      runtime = std::move(line_.front());
      line_.pop_front();
      runtime->line.queued = false;
      ++runtime->line.running;
    }
    const uint64_t reserved = Reserve(runtime);
    if (reserved == 0) continue;
    bool found = false;
    {
      MutexLock lock(mu_);
      Runtime::Line& line = runtime->line;
      if (!line.ready.empty() && !line.stopped) {
        job.runtime = runtime;
        job.origin = std::move(line.ready.front());
        job.reserved = reserved;
        line.ready.pop_front();
        job.origin->turn = OriginState::Turn::kRunning;
        Enqueue(runtime);  // other workers may serve its other origins meanwhile
        found = true;
      }
    }
    if (found) return true;
    memory_.Release(reserved);
  }
}

bool Scheduler::Turn(int worker, bool wait) {
  Job job;
  if (!NextJob(wait, job)) return false;
  Run(job, worker);
  return true;
}

void Scheduler::Run(const Job& job, int worker) {
  BatchPtr batch = BatchPool::Shared().Get();
  batch->Charge(&memory_, job.reserved);
  batch->read_at = env_.clock().Monotonic();
  job.origin->reading = true;
  const Result<ReadState> state = job.origin->source->Read(*batch, job.reserved);
  if (state.ok() && (batch->rows() != 0 || batch->end != batch->begin)) {
    job.runtime->Deliver(job.origin, std::move(batch), worker);
  }
  batch.reset();
  job.origin->reading = false;
  EndTurn(job, state);
}

void Scheduler::EndTurn(const Job& job, const Result<ReadState>& state) {
  if (!state.ok()) {
    LOG_RATE(10s, kWarning, "pipeline {}: {}; trying again every {}", job.runtime->config().name,
             state.status().message(), FormatDuration(kReadRetry));
  }
  bool ended = false;
  {
    MutexLock lock(mu_);
    OriginState& origin = *job.origin;
    ended =
        origin.turn == OriginState::Turn::kEnded || (state.ok() && *state == ReadState::kFinished);
    if (ended) {
      origin.turn = OriginState::Turn::kEnded;
    } else if (!state.ok()) {
      origin.turn = OriginState::Turn::kIdle;
      if (!job.runtime->line.stopped) {
        delayed_.emplace(env_.clock().Monotonic() + kReadRetry, Delayed{job.runtime, job.origin});
      }
    } else if (*state == ReadState::kMore || origin.again) {
      QueueOrigin(job.runtime, job.origin);
    } else {
      origin.turn = OriginState::Turn::kIdle;
    }
    if (--job.runtime->line.running == 0) changed_.NotifyAll();
  }
  if (ended) job.runtime->EndOrigin(job.origin);
}

}  // namespace kelp::pipeline
