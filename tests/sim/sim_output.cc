#include "sim_output.h"

#include <algorithm>
#include <utility>

#include "breaks.h"

namespace kelp::sim {
namespace {

constexpr Duration kGatherMax = 100ms;
constexpr Duration kRetryMin = 50ms;
constexpr Duration kRetryMax = 1s;

OutputWorld g_world;

// What a faulty output could do to the rows it sends.
void Damage(Request& request, Chance& chance) {
  if (request.batches.empty() || !chance.PerMille(20)) return;
  std::vector<SentRow>& rows = request.batches.front().rows;
  if (Broken(Break::kSwapRows) && rows.size() > 1) std::swap(rows[0].body, rows[1].body);
  if (Broken(Break::kChangeByte)) rows[0].body.back() ^= 1;
}

}  // namespace

const config::Schema<SimOutputConfig>& SimOutputConfig::ConfigSchema() {
  using Config = SimOutputConfig;
  static const auto schema =
      config::Schema<Config>("sim", "Sends to the simulation's destination.")
          .Field("lanes", &Config::lanes, {.doc = "Requests under way at once."})
          .Field("room", &Config::room, {.doc = "Batches it holds before it is full."})
          .Field("batches_max", &Config::batches_max, {.doc = "Batches in a request."})
          .Field("pipeline", &Config::pipeline, {.doc = "The oracle's number of it."});
  return schema;
}

Result<std::unique_ptr<pipeline::Output>> SimOutput::Create(const Config& config,
                                                            const pipeline::ComponentContext&) {
  return std::unique_ptr<pipeline::Output>(new SimOutput(config));
}

void SimOutput::SetWorld(const OutputWorld& world) { g_world = world; }

SimOutput::SimOutput(const Config& config)
    : config_(config), world_(g_world), lanes_(static_cast<size_t>(config.lanes)) {}

SimOutput::~SimOutput() {
  *alive_ = false;
  if (id_ != 0) world_.network->Disconnect(id_);
}

Status SimOutput::Start(pipeline::OutputHost& host) {
  host_ = &host;
  id_ = world_.network->Connect(this);
  return OkStatus();
}

void SimOutput::Write(SharedBatch batch, pipeline::Ack ack) {
  if (world_.process->dead() || stopped_) return;
  const size_t lane = std::hash<OriginId>()(batch->origin) % lanes_.size();
  if (Broken(Break::kAckEarly)) ack.Done();
  lanes_[lane].waiting.push_back({std::move(batch), std::move(ack)});
  ++held_;
  if (!lanes_[lane].busy) {
    lanes_[lane].busy = true;
    Later(lane, world_.chance->Between(Duration(0), kGatherMax));
  }
}

void SimOutput::Later(size_t lane, Duration pause) {
  world_.after(pause, [this, lane, alive = alive_] {
    if (*alive && !stopped_ && !world_.process->dead()) SendSome(lane);
  });
}

Request SimOutput::MakeRequest(size_t lane, size_t batches) const {
  Request request{id_, lane, static_cast<size_t>(config_.pipeline), {}};
  for (size_t i = 0; i < batches; ++i) {
    request.batches.push_back(SentBatch::Of(*lanes_[lane].waiting[i].batch));
  }
  return request;
}

void SimOutput::SendSome(size_t lane) {
  Lane& l = lanes_[lane];
  // The same request again, or a new one.
  if (l.sent == 0) {
    l.sent = world_.chance->Between(1, static_cast<uint64_t>(config_.batches_max));
    l.sent = std::min(l.sent, l.waiting.size());
  }
  Request request = MakeRequest(lane, l.sent);
  Damage(request, *world_.chance);
  world_.network->Send(std::move(request));
}

void SimOutput::GiveUpOrAck(Held held) {
  std::vector<uint32_t> refused;
  held.batch->ForEach([&](uint32_t row) {
    const std::string_view body = held.batch->body().Get(row).text();
    if (Destination::Refuses(static_cast<size_t>(config_.pipeline), body)) refused.push_back(row);
  });
  if (refused.empty()) return held.ack.Done();
  host_->GiveUp(std::move(held.batch), std::move(refused), "refused", std::move(held.ack));
}

void SimOutput::Taken(Lane& lane) {
  for (; lane.sent > 0; --lane.sent) {
    Held held = std::move(lane.waiting.front());
    lane.waiting.pop_front();
    --held_;
    world_.acked(held.batch->selected_count());
    GiveUpOrAck(std::move(held));
  }
}

void SimOutput::OnAnswer(size_t lane, Answer answer) {
  if (stopped_ || world_.process->dead()) return;
  Lane& l = lanes_[lane];
  if (answer != Answer::kTaken) {
    Later(lane, world_.chance->Between(kRetryMin, kRetryMax));
    return;
  }
  Taken(l);
  l.busy = !l.waiting.empty();
  if (l.busy) Later(lane, world_.chance->Between(Duration(0), kGatherMax));
  host_->RoomAvailable();
}

void SimOutput::Stop(Duration grace) {
  stopped_ = true;
  const bool send = grace > Duration(0) && !world_.process->dead() && !world_.network->faults.down;
  for (size_t lane = 0; lane < lanes_.size(); ++lane) {
    Lane& l = lanes_[lane];
    if (send && !l.waiting.empty()) {
      l.sent = l.waiting.size();
      world_.destination->Apply(MakeRequest(lane, l.sent));
      Taken(l);
    }
    l.waiting.clear();
  }
}

// --- behind a spool ---

const config::Schema<SpooledSimConfig>& SpooledSimConfig::ConfigSchema() {
  static const auto schema =
      config::Schema<SpooledSimConfig>("sim_spooled", "The same with a spool before it.")
          .Field("output", &SpooledSimConfig::output, {.doc = "As of sim."})
          .Field("size", &SpooledSimConfig::size, {.doc = "Of the spool.", .min = 1_MiB});
  return schema;
}

Result<std::unique_ptr<pipeline::Output>> SpooledSimOutput::Create(
    const Config& config, const pipeline::ComponentContext& context) {
  return std::unique_ptr<pipeline::Output>(new SpooledSimOutput(config, context));
}

namespace {
constexpr Duration kSpoolPoll = 50ms;

spool::SpoolConfig SpoolOf(const SpooledSimConfig& config) {
  spool::SpoolConfig spool;
  spool.size = config.size;
  spool.sync = spool::SyncMode::kAlways;
  spool.path = JoinPath(kSpoolDir, std::to_string(config.output.pipeline));
  return spool;
}
}  // namespace

SpooledSimOutput::SpooledSimOutput(const Config& config, const pipeline::ComponentContext& context)
    : world_(g_world),
      spool_(std::make_unique<SimOutput>(config.output), SpoolOf(config), context,
             {.own_thread = false}) {}

SpooledSimOutput::~SpooledSimOutput() { *alive_ = false; }

Status SpooledSimOutput::Start(pipeline::OutputHost& host) {
  RETURN_IF_ERROR(spool_.Start(host));
  StepLater(Duration(0));
  return OkStatus();
}

void SpooledSimOutput::Write(SharedBatch batch, pipeline::Ack ack) {
  if (world_.process->dead() || stopped_) return;
  spool_.Write(std::move(batch), std::move(ack));
}

void SpooledSimOutput::StepLater(Duration pause) {
  world_.after(pause, [this, alive = alive_] {
    if (!*alive || stopped_ || world_.process->dead()) return;
    const std::optional<Duration> more = spool_.Step();
    // Acks and room are not told to us: a look now and then stands for the thread's condition.
    const bool now = more.has_value() && *more <= world_.clock->Monotonic();
    StepLater(now ? Duration(1us) : world_.chance->Between(1ms, kSpoolPoll));
  });
}

void SpooledSimOutput::Stop(Duration grace) {
  stopped_ = true;
  spool_.Stop(grace);
}

}  // namespace kelp::sim
