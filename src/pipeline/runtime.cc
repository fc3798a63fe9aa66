#include "pipeline/runtime.h"

#include <algorithm>

#include "base/log.h"

namespace kelp::pipeline {

// Tells the scheduler which pipeline an output belongs to.
class Runtime::BoundHost final : public OutputHost {
 public:
  explicit BoundHost(Runtime* runtime) : runtime_(runtime) {}
  void RoomAvailable() override { runtime_->hooks_->RoomAvailable(*runtime_); }

 private:
  Runtime* const runtime_;
};

void Ticket::OnAck() {
  if (owed_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  runtime_->ack_latency_.Record(runtime_->services_.env->clock().Monotonic() - read_at_);
  runtime_->Complete(origin_);
}

namespace {
MetricLabels PipelineLabel(const PipelineConfig& config) { return {{"pipeline", config.name}}; }
}  // namespace

Runtime::Runtime(PipelineConfig config, const AgentServices& services, SchedulerHooks* hooks)
    : config_(std::move(config)),
      services_(services),
      hooks_(hooks),
      rows_in_(services.metrics->AddCounter("pipeline_read_rows_total", "Rows that inputs read.",
                                            PipelineLabel(config_))),
      bytes_in_(services.metrics->AddCounter("pipeline_read_bytes_total",
                                             "Bytes of origins that inputs read.",
                                             PipelineLabel(config_))),
      rows_out_(services.metrics->AddCounter(
          "pipeline_sent_rows_total", "Rows handed to the outputs.", PipelineLabel(config_))),
      ack_latency_(services.metrics->AddLatency(
          "pipeline_ack_seconds",
          "From reading a batch to its acknowledgement by every required output.",
          PipelineLabel(config_))) {}

Runtime::~Runtime() = default;

Result<std::shared_ptr<Runtime>> Runtime::Create(PipelineConfig config,
                                                 const AgentServices& services, int workers,
                                                 SchedulerHooks* hooks) {
  std::shared_ptr<Runtime> runtime(new Runtime(std::move(config), services, hooks));
  RETURN_IF_ERROR(runtime->CreateComponents(workers));
  return runtime;
}

Result<Runtime::Chain> Runtime::CreateChain() const {
  Chain chain;
  for (const ComponentSpec& spec : config_.processors) {
    auto processor = spec.entry->create_processor(spec.config, ContextOf(services_, config_, spec));
    if (!processor.ok()) return processor.status().Annotate(spec.id);
    chain.push_back(std::move(processor).value());
  }
  return chain;
}

Status Runtime::CreateComponents(int workers) {
  for (const ComponentSpec& spec : config_.inputs) {
    auto input = spec.entry->create_input(spec.config, ContextOf(services_, config_, spec));
    if (!input.ok()) return input.status().Annotate(spec.id);
    inputs_.push_back(std::move(input).value());
  }
  for (int i = 0; i < workers; ++i) {
    ASSIGN_OR_RETURN(Chain chain, CreateChain());
    chains_.push_back(std::move(chain));
  }
  for (const ComponentSpec& spec : config_.outputs) {
    const ComponentContext context = ContextOf(services_, config_, spec);
    auto output = spec.entry->create_output(spec.config, context);
    if (!output.ok()) return output.status().Annotate(spec.id);
    OutputSlot slot;
    slot.host = std::make_unique<BoundHost>(this);
    slot.output = std::move(output).value();
    slot.required = spec.required;
    if (spec.required) {
      ++required_outputs_;
    } else {
      slot.skipped_rows = &context.AddCounter(
          "output_skipped_rows_total", "Rows that an output with required: false had no room for.");
    }
    outputs_.push_back(std::move(slot));
  }
  return OkStatus();
}

Status Runtime::Start() {
  size_t outputs = 0;
  size_t inputs = 0;
  Status status;
  for (; outputs < outputs_.size(); ++outputs) {
    status = outputs_[outputs].output->Start(*outputs_[outputs].host);
    if (!status.ok()) break;
  }
  for (; status.ok() && inputs < inputs_.size(); ++inputs) {
    status = inputs_[inputs]->Start(*this);
    if (!status.ok()) break;
  }
  started_ = status.ok();
  if (!status.ok()) {
    for (size_t i = 0; i < inputs; ++i) inputs_[i]->Stop();
    for (size_t i = 0; i < outputs; ++i) outputs_[i].output->Stop(Duration(0));
  }
  return status;
}

void Runtime::StopReading() {
  if (!started_) return;
  for (const auto& input : inputs_) input->Stop();
}

void Runtime::Drain(Duration grace) {
  if (started_) {
    Clock& clock = services_.env->clock();
    const Duration deadline = clock.Monotonic() + grace;
    for (OutputSlot& slot : outputs_) {
      slot.output->Stop(std::max(Duration(0), deadline - clock.Monotonic()));
    }
  }
  std::vector<std::shared_ptr<OriginState>> origins;
  {
    MutexLock lock(origins_mu_);
    for (auto& [id, origin] : origins_) origins.push_back(origin);
    origins_.clear();
  }
  for (const auto& origin : origins) {
    bool call = false;
    {
      MutexLock lock(origin->mu);
      call = !origin->done_called;
      origin->ended = origin->done_called = true;
      origin->in_flight.clear();
    }
    if (call) origin->source->Done();
  }
}

bool Runtime::HasRoom() const {
  return std::all_of(outputs_.begin(), outputs_.end(), [](const OutputSlot& slot) {
    return !slot.required || slot.output->HasRoom();
  });
}

void Runtime::Process(Batch& batch, int worker) {
  for (const auto& processor : chains_[static_cast<size_t>(worker)]) {
    if (batch.selected_count() == 0) return;
    processor->Process(batch);
  }
  // What said nothing of its time happened when it arrived, the same for every output and tap.
  const UnixNanos now = services_.env->clock().Now();
  batch.ForEach([&](uint32_t row) {
    if (batch.time(row) == kNoTime) batch.set_time(row, now);
  });
}

SharedBatch Runtime::Share(BatchPtr batch) {
  const uint64_t bytes = batch->charged();
  bytes_held_.fetch_add(bytes, std::memory_order_relaxed);
  const BatchPool::Deleter put = batch.get_deleter();
  return SharedBatch(batch.release(), [self = shared_from_this(), bytes, put](Batch* done) {
    self->bytes_held_.fetch_sub(bytes, std::memory_order_relaxed);
    put(done);
  });
}

void Runtime::Deliver(const std::shared_ptr<OriginState>& origin, BatchPtr batch, int worker) {
  rows_in_.Add(batch->rows());
  bytes_in_.Add(batch->end - batch->begin);
  const uint64_t resume = batch->resume;
  const Duration read_at = batch->read_at;
  if (batch->rows() != 0) {
    Process(*batch, worker);
    batch->ChargeActual();
    if (tap_count_.load(std::memory_order_relaxed) != 0) ShowToTaps(*batch);
  }
  const uint32_t rows = batch->selected_count();
  const SharedBatch shared = Share(std::move(batch));

  // One more than the outputs owe, so that the batch cannot complete before all have it.
  const int owed = (rows == 0 ? 0 : static_cast<int>(required_outputs_)) + 1;
  const auto ticket = std::make_shared<Ticket>(shared_from_this(), origin, owed, resume, read_at);
  {
    MutexLock lock(origin->mu);
    origin->in_flight.push_back(ticket);
  }
  if (rows != 0) {
    rows_out_.Add(rows);
    for (OutputSlot& slot : outputs_) {
      if (slot.required) {
        slot.output->Write(shared, Ack(ticket));
      } else if (slot.output->HasRoom()) {
        slot.output->Write(shared, Ack());
      } else {
        slot.skipped_rows->Add(rows);
      }
    }
  }
  ticket->OnAck();
}

void Runtime::Complete(const std::shared_ptr<OriginState>& origin) {
  bool acked = false;
  bool done = false;
  {
    // Held over the calls to the source: acks of one origin come one at a time and in order.
    MutexLock lock(origin->mu);
    uint64_t resume = 0;
    while (!origin->in_flight.empty() && origin->in_flight.front()->complete()) {
      resume = origin->in_flight.front()->resume();
      origin->in_flight.pop_front();
      acked = true;
    }
    if (acked && !origin->done_called) origin->source->Acked(resume);
    if (origin->ended && origin->in_flight.empty() && !origin->done_called) {
      origin->done_called = done = true;
      origin->source->Done();
    }
  }
  if (done) {
    MutexLock lock(origins_mu_);
    origins_.erase(origin->id);
  }
}

SourceId Runtime::Add(std::shared_ptr<Source> source) {
  auto origin = std::make_shared<OriginState>();
  origin->id = hooks_->NewSourceId();
  origin->source = std::move(source);
  const SourceId id = origin->id;
  MutexLock lock(origins_mu_);
  origins_.emplace(id, std::move(origin));
  return id;
}

std::shared_ptr<OriginState> Runtime::FindOrigin(SourceId id) {
  MutexLock lock(origins_mu_);
  const auto it = origins_.find(id);
  return it == origins_.end() ? nullptr : it->second;
}

void Runtime::Ready(SourceId id) {
  if (const auto origin = FindOrigin(id)) hooks_->OriginReady(*this, origin);
}

void Runtime::Remove(SourceId id) {
  if (const auto origin = FindOrigin(id)) hooks_->OriginEnded(*this, origin);
}

void Runtime::EndOrigin(const std::shared_ptr<OriginState>& origin) {
  {
    MutexLock lock(origin->mu);
    origin->ended = true;
  }
  Complete(origin);
}

void Runtime::ShowToTaps(const Batch& batch) {
  std::vector<std::shared_ptr<Engine::TapFunction>> taps;
  {
    MutexLock lock(taps_mu_);
    taps = taps_;
  }
  for (const auto& tap : taps) (*tap)(batch);
}

void Runtime::AddTap(std::shared_ptr<Engine::TapFunction> tap) {
  MutexLock lock(taps_mu_);
  taps_.push_back(std::move(tap));
  tap_count_ = static_cast<int>(taps_.size());
}

void Runtime::RemoveTap(const std::shared_ptr<Engine::TapFunction>& tap) {
  MutexLock lock(taps_mu_);
  std::erase(taps_, tap);
  tap_count_ = static_cast<int>(taps_.size());
}

PipelineStatus Runtime::GetStatus() const {
  PipelineStatus status;
  status.name = config_.name;
  status.rows_in = rows_in_.value();
  status.rows_out = rows_out_.value();
  status.bytes_held = bytes_held();
  status.output_full = started_ && !HasRoom();
  MutexLock lock(origins_mu_);
  status.origins = origins_.size();
  return status;
}

}  // namespace kelp::pipeline
