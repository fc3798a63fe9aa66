#include "pipeline/runtime.h"

#include <algorithm>

#include "base/log.h"
#include "pipeline/dead_letter.h"

namespace kelp::pipeline {

// Knows which pipeline and which output of it calls.
class Runtime::BoundHost final : public OutputHost {
 public:
  BoundHost(Runtime* runtime, const OutputSlot* slot) : runtime_(runtime), slot_(slot) {}
  void RoomAvailable() override { runtime_->hooks_->RoomAvailable(*runtime_); }
  void GiveUp(SharedBatch batch, std::vector<uint32_t> rows, std::string_view reason,
              Ack ack) override {
    runtime_->GiveUp(*slot_, batch, std::move(rows), reason, std::move(ack));
  }
  void LostLater(std::string_view reason, uint64_t rows) override {
    if (slot_->required) runtime_->book_->DroppedLater(reason, rows);
  }

 private:
  Runtime* const runtime_;
  const OutputSlot* const slot_;
};

void Ticket::OnAck() {
  if (owed_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  runtime_->book_->ack_latency().Record(runtime_->services_.env->clock().Monotonic() - read_at_);
  runtime_->Complete(origin_);
}

bool Ticket::OnGiveUp(const std::vector<uint32_t>& rows, std::string_view reason) {
  MutexLock lock(origin_->mu);
  if (given_up_ == nullptr) given_up_ = std::make_unique<GivenUp>();
  uint64_t fresh = 0;
  for (const uint32_t row : rows) {
    if (row >= given_up_->rows.size()) given_up_->rows.resize(row + 1);
    if (!given_up_->rows[row]) ++fresh;
    given_up_->rows[row] = true;
  }
  given_up_->counts.Add(reason, fresh);
  return true;
}

Runtime::Runtime(SharedPipelineConfig config, const AgentServices& services, SchedulerHooks* hooks,
                 std::shared_ptr<OriginBook> book)
    : shared_config_(std::move(config)),
      services_(services),
      hooks_(hooks),
      book_(std::move(book)) {}

Runtime::~Runtime() = default;

Result<std::shared_ptr<Runtime>> Runtime::Create(SharedPipelineConfig config,
                                                 const AgentServices& services, int workers,
                                                 SchedulerHooks* hooks,
                                                 std::shared_ptr<OriginBook> book) {
  std::shared_ptr<Runtime> runtime(
      new Runtime(std::move(config), services, hooks, std::move(book)));
  RETURN_IF_ERROR(runtime->CreateComponents(workers));
  return runtime;
}

Result<std::unique_ptr<Runtime::Chain>> Runtime::CreateChain() const {
  auto chain = std::make_unique<Chain>();
  for (const ComponentSpec& spec : config().processors) {
    auto processor =
        spec.entry->create_processor(spec.config, ContextOf(services_, config(), spec));
    if (!processor.ok()) return processor.status().Annotate(spec.id);
    chain->processors.push_back(std::move(processor).value());
  }
  chain->filtered.resize(chain->processors.size());
  return chain;
}

Status Runtime::CreateComponents(int workers) {
  for (const ComponentSpec& spec : config().inputs) {
    auto input = spec.entry->create_input(spec.config, ContextOf(services_, config(), spec));
    if (!input.ok()) return input.status().Annotate(spec.id);
    inputs_.push_back(std::move(input).value());
  }
  // Shows that the processors can be made. The other workers' are made when they take a turn: with
  // thousands of pipelines most never do.
  chains_.resize(static_cast<size_t>(workers));
  ASSIGN_OR_RETURN(chains_[0], CreateChain());
  for (const ComponentSpec& spec : config().outputs) {
    ASSIGN_OR_RETURN(auto slot, CreateOutput(spec));
    if (spec.required) ++required_outputs_;
    outputs_.push_back(std::move(slot));
  }
  if (config().dead_letter) {
    ASSIGN_OR_RETURN(auto slot, CreateOutput(*config().dead_letter));
    dead_letter_ = slot.get();
    outputs_.push_back(std::move(slot));
  }
  return OkStatus();
}

Result<std::unique_ptr<Runtime::OutputSlot>> Runtime::CreateOutput(const ComponentSpec& spec) {
  const ComponentContext context = ContextOf(services_, config(), spec);
  const bool dead_letter = config().dead_letter && &spec != &*config().dead_letter;
  auto output = CreateOutputOf(spec, context, dead_letter);
  if (!output.ok()) return output.status().Annotate(spec.id);
  auto slot = std::make_unique<OutputSlot>();
  slot->id = spec.id;
  slot->host = std::make_unique<BoundHost>(this, slot.get());
  slot->output = std::move(output).value();
  slot->required = spec.required;
  if (!spec.required) {
    slot->skipped_rows = &context.AddCounter(
        "output_skipped_rows_total", "Rows that an output with required: false had no room for.");
  }
  return slot;
}

Status Runtime::Start() {
  size_t outputs = 0;
  size_t inputs = 0;
  Status status;
  for (; outputs < outputs_.size(); ++outputs) {
    status = outputs_[outputs]->output->Start(*outputs_[outputs]->host);
    if (!status.ok()) break;
  }
  for (; status.ok() && inputs < inputs_.size(); ++inputs) {
    status = inputs_[inputs]->Start(*this);
    if (!status.ok()) break;
  }
  started_ = status.ok();
  if (!status.ok()) {
    for (size_t i = 0; i < inputs; ++i) inputs_[i]->Stop();
    for (size_t i = 0; i < outputs; ++i) outputs_[i]->output->Stop(Duration(0));
  }
  return status;
}

void Runtime::StopReading() {
  if (!started_) return;
  for (const auto& input : inputs_) input->Stop();
}

void Runtime::StopOutputs(Duration grace) {
  Clock& clock = services_.env->clock();
  const Duration deadline = clock.Monotonic() + grace;
  const auto stop = [&](const OutputSlot& slot) {
    slot.output->Stop(std::max(Duration(0), deadline - clock.Monotonic()));
  };
  // What holds positions comes first. The dead-letter output comes last, because the others may
  // give rows up while they stop.
  for (const auto& slot : outputs_) {
    if (slot->required && slot.get() != dead_letter_) stop(*slot);
  }
  for (const auto& slot : outputs_) {
    if (!slot->required) stop(*slot);
  }
  if (dead_letter_ != nullptr) stop(*dead_letter_);
}

void Runtime::Drain(Duration grace) {
  if (started_) StopOutputs(grace);
  for (const auto& origin : book_->OriginsOf(this)) {
    bool call = false;
    LedgerFigures figures;
    {
      MutexLock lock(origin->mu);
      call = !origin->done_called;
      origin->ended = origin->done_called = true;
      for (const auto& ticket : origin->in_flight) {
        origin->figures.in_flight_rows -= ticket->rows();
        origin->figures.in_flight_bytes -= ticket->bytes();
        origin->figures.returned_rows += ticket->rows();
        origin->figures.returned_bytes += ticket->bytes();
      }
      origin->in_flight.clear();
      figures = origin->figures;
    }
    if (call) origin->source->Done();
    book_->Fold(origin->id, figures);
  }
}

bool Runtime::HasRoom() const {
  return std::all_of(outputs_.begin(), outputs_.end(),
                     [](const auto& slot) { return !slot->required || slot->output->HasRoom(); });
}

Runtime::Chain& Runtime::ChainOf(int worker) {
  std::unique_ptr<Chain>& chain = chains_[static_cast<size_t>(worker)];
  if (chain == nullptr) {
    auto made = CreateChain();
    CHECK(made.ok(), "a processor that could be made once cannot be made again");
    chain = std::move(made).value();
  }
  return *chain;
}

void Runtime::Process(Batch& batch, Chain& chain) {
  uint32_t left = batch.selected_count();
  for (size_t i = 0; i < chain.processors.size() && left != 0; ++i) {
    chain.processors[i]->Process(batch);
    chain.filtered[i] = left - batch.selected_count();
    left -= chain.filtered[i];
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
  Chain& chain = ChainOf(worker);
  std::fill(chain.filtered.begin(), chain.filtered.end(), 0);
  const uint32_t offered = batch->selected_count();
  if (batch->rows() != 0) {
    Process(*batch, chain);
    batch->ChargeActual();
    if (tap_count_.load(std::memory_order_relaxed) != 0) ShowToTaps(*batch);
  }
  // One more than the outputs owe, so that the batch cannot complete before all have it.
  const bool rows = batch->selected_count() != 0;
  const int owed = (rows ? static_cast<int>(required_outputs_) : 0) + 1;
  const auto ticket = std::make_shared<Ticket>(shared_from_this(), origin, owed, *batch);
  Enter(*origin, *batch, offered, chain, ticket);
  const SharedBatch shared = Share(std::move(batch));
  if (rows) WriteToOutputs(shared, ticket);
  ticket->OnAck();
}

void Runtime::Enter(OriginState& origin, const Batch& batch, uint32_t offered, const Chain& chain,
                    const std::shared_ptr<Ticket>& ticket) {
  MutexLock lock(origin.mu);
  LedgerFigures& figures = origin.figures;
  figures.read_rows += batch.rows();
  figures.read_bytes += ticket->bytes();
  figures.in_flight_rows += ticket->rows();
  figures.in_flight_bytes += ticket->bytes();
  figures.filtered.Add("input", batch.rows() - offered);
  for (size_t i = 0; i < chain.filtered.size(); ++i) {
    if (chain.filtered[i] != 0) {
      figures.filtered.Add(config().processors[i].id, chain.filtered[i]);
    }
  }
  origin.origin_id = batch.origin;
  origin.in_flight.push_back(ticket);
  origin.reading = false;
}

void Runtime::WriteToOutputs(const SharedBatch& batch, const std::shared_ptr<Ticket>& ticket) {
  for (const auto& slot : outputs_) {
    if (slot.get() == dead_letter_) continue;
    if (slot->required) {
      slot->output->Write(batch, Ack(ticket));
    } else if (slot->output->HasRoom()) {
      slot->output->Write(batch, Ack());
    } else {
      slot->skipped_rows->Add(batch->selected_count());
    }
  }
}

void Runtime::GiveUp(const OutputSlot& slot, const SharedBatch& batch, std::vector<uint32_t> rows,
                     std::string_view reason, Ack ack) {
  rows = SelectedOf(*batch, std::move(rows));
  const bool refused_again = &slot == dead_letter_;
  const ComponentContext context{
      .services = services_, .pipeline = config().name, .component = slot.id};
  context
      .DropCounter(ComponentKind::kOutput,
                   refused_again ? "dead_letter_refused" : std::string(reason))
      .Add(rows.size());
  if (!refused_again && !rows.empty()) {
    if (!ack.Book(rows, reason) && slot.required) book_->DroppedLater(reason, rows.size());
    if (dead_letter_ != nullptr) {
      dead_letter_->output->Write(DeadLetterBatch(batch, rows, reason, slot.id),
                                  Ack(std::make_shared<DeadLetterTarget>(std::move(ack))));
      return;
    }
  }
  ack.Done();
}

void Runtime::Complete(const std::shared_ptr<OriginState>& origin) {
  bool acked = false;
  bool done = false;
  LedgerFigures figures;
  {
    // Held over the calls to the source: acks of one origin come one at a time and in order.
    MutexLock lock(origin->mu);
    uint64_t resume = 0;
    while (!origin->in_flight.empty() && origin->in_flight.front()->complete()) {
      const Ticket& ticket = *origin->in_flight.front();
      resume = ticket.resume();
      origin->figures.in_flight_rows -= ticket.rows();
      origin->figures.in_flight_bytes -= ticket.bytes();
      origin->figures.delivered_rows += ticket.rows();
      if (const ReasonCounts* dropped = ticket.dropped()) {
        origin->figures.delivered_rows -= dropped->total();
        origin->figures.dropped.Add(*dropped);
      }
      origin->figures.acknowledged_bytes += ticket.bytes();
      origin->in_flight.pop_front();
      acked = true;
    }
    if (acked && !origin->done_called) origin->source->Acked(resume);
    if (origin->ended && origin->in_flight.empty() && !origin->done_called) {
      origin->done_called = done = true;
      origin->source->Done();
      figures = origin->figures;
    }
  }
  if (done) book_->Fold(origin->id, figures);
}

SourceId Runtime::Add(std::shared_ptr<Source> source) {
  auto origin = std::make_shared<OriginState>();
  origin->id = hooks_->NewSourceId();
  origin->runtime = this;
  origin->source = std::move(source);
  const SourceId id = origin->id;
  book_->Add(std::move(origin));
  return id;
}

void Runtime::Ready(SourceId id) {
  if (const auto origin = book_->Find(id)) hooks_->OriginReady(*this, origin);
}

void Runtime::Remove(SourceId id) {
  if (const auto origin = book_->Find(id)) hooks_->OriginEnded(*this, origin);
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
  const LedgerFigures totals = book_->Totals();
  PipelineStatus status;
  status.name = config().name;
  status.rows_in = totals.read_rows;
  status.rows_out = totals.read_rows - totals.filtered.total();
  status.bytes_held = bytes_held();
  status.output_full = started_ && !HasRoom();
  status.origins = book_->size();
  return status;
}

}  // namespace kelp::pipeline
