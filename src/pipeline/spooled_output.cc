#include "pipeline/spooled_output.h"

#include <algorithm>
#include <system_error>

#include "base/log.h"
#include "pipeline/split_ack.h"

namespace kelp::pipeline {
namespace {

// A thread without work costs a stack; starting one costs 50 us.
constexpr Duration kIdleAfter = 10s;
// After the disk refused a write.
constexpr Duration kRetryAfter = 1s;
// While something waits, the gauges are kept up to date.
constexpr Duration kReportEvery = 1s;
// Between two looks at what came in meanwhile.
constexpr int kRecordsPerStep = 64;
// Beyond these a set could not be read back; see codec::DecodeBatchSet. Bodies count before
// compression, with slack for positions and names.
constexpr size_t kPayloadMax = codec::kBatchSetEncodedMax.bytes;
constexpr size_t kRawMax = codec::kBatchSetRawMax.bytes;
constexpr int kZstdLevel = 1;
constexpr size_t kEncodersKept = 2;
// Why rows come to the dead-letter output; the same word counts those that do not.
constexpr std::string_view kDroppedReason = "spool_full";

std::string SpoolDir(const spool::SpoolConfig& config, const ComponentContext& context) {
  if (!config.path.empty()) return config.path;
  if (context.services.data_dir.empty()) return "";
  return spool::DefaultSpoolPath(context.services.data_dir, context.pipeline, context.component);
}

std::string MarkPath(const std::string& dir, const ComponentContext& context) {
  const std::string& data_dir = context.services.data_dir;
  return data_dir.empty() ? "" : spool::SpoolMarkPath(data_dir, dir);
}

// The selected rows number `begin` to `end` of a batch, which must outlive the result.
BatchPtr RowsOf(const Batch& batch, uint32_t begin, uint32_t end) {
  std::vector<uint32_t> rows;
  uint32_t nth = 0;
  batch.ForEach([&](uint32_t row) {
    if (nth >= begin && nth < end) rows.push_back(row);
    ++nth;
  });
  BatchPtr part = BatchPool::Shared().Get();
  part->origin = batch.origin;
  part->set_resource(batch.resource());
  part->begin = begin == 0 ? batch.begin : batch.row_begin(rows.front());
  for (const uint32_t row : rows) {
    part->AddRow({}, batch.row_begin(row), batch.row_end(row), batch.time(row));
  }
  part->end = part->resume = batch.row_end(rows.back());
  for (size_t i = 0; i < batch.column_count(); ++i) {
    Column& column = part->AddColumn(batch.column(i).name());
    for (uint32_t to = 0; to < rows.size(); ++to) column.Set(to, batch.column(i).Get(rows[to]));
  }
  return part;
}

}  // namespace

void SpooledOutput::Signal::Wake() {
  MutexLock lock(mu);
  woken = true;
  wake.NotifyOne();
}

// Counts down the batches of one record.
class SpooledOutput::RecordAck final : public AckTarget {
 public:
  RecordAck(std::shared_ptr<Signal> signal, int left) : signal_(std::move(signal)), left_(left) {}
  void OnAck() override {
    if (left_.fetch_sub(1, std::memory_order_acq_rel) == 1) signal_->Wake();
  }
  bool done() const { return left_.load(std::memory_order_acquire) <= 0; }

 private:
  const std::shared_ptr<Signal> signal_;
  std::atomic<int> left_;
};

// Counts what is on its way to the dead-letter output.
class SpooledOutput::GivenUpAck final : public AckTarget {
 public:
  GivenUpAck(std::shared_ptr<std::atomic<size_t>> total, size_t bytes)
      : total_(std::move(total)), bytes_(bytes) {
    *total_ += bytes_;
  }
  ~GivenUpAck() override { *total_ -= bytes_; }
  void OnAck() override {}

 private:
  const std::shared_ptr<std::atomic<size_t>> total_;
  const size_t bytes_;
};

// What the inner output sees of the engine.
class SpooledOutput::InnerHost final : public OutputHost {
 public:
  InnerHost(SpooledOutput& output, OutputHost& host) : output_(output), host_(host) {}
  void RoomAvailable() override { output_.Wake(); }
  void GiveUp(SharedBatch batch, std::vector<uint32_t> rows, std::string_view reason,
              Ack ack) override {
    host_.GiveUp(std::move(batch), std::move(rows), reason, std::move(ack));
  }

 private:
  SpooledOutput& output_;
  OutputHost& host_;
};

Result<std::unique_ptr<Output>> MakeSpooledOutput(std::unique_ptr<Output> inner,
                                                  const spool::SpoolConfig& config,
                                                  const ComponentContext& context,
                                                  bool dead_letter) {
  return std::unique_ptr<Output>(std::make_unique<SpooledOutput>(
      std::move(inner), config, context, SpooledOutput::Options{.dead_letter = dead_letter}));
}

SpooledOutput::SpooledOutput(std::unique_ptr<Output> inner, const spool::SpoolConfig& config,
                             const ComponentContext& context, Options options)
    : inner_(std::move(inner)),
      config_(config),
      context_(context),
      options_(options),
      dir_(SpoolDir(config, context)),
      bytes_gauge_(context.AddGauge("spool_bytes", "Disk that the spool uses.")),
      records_gauge_(
          context.AddGauge("spool_records", "Batches in the spool that are not yet delivered.")),
      rows_gauge_(context.AddGauge("spool_rows", "Rows in the spool that are not yet delivered.")),
      oldest_gauge_(context.AddGauge("spool_oldest_seconds",
                                     "Age of the oldest batch on its way out of the spool.")) {}

SpooledOutput::~SpooledOutput() {
  if (queue_ != nullptr) Stop(Duration(0));
}

Status SpooledOutput::Start(OutputHost& host) {
  if (dir_.empty()) {
    return InvalidArgumentError("the spool has no place: set its path, or the agent's data_dir");
  }
  host_ = &host;
  std::function<void(const spool::Record&)> on_drop;
  if (options_.dead_letter) on_drop = [this](const spool::Record& r) { GiveUpDropped(r); };
  ASSIGN_OR_RETURN(queue_,
                   spool::DiskQueue::Open(context_.env(),
                                          {.dir = dir_,
                                           .mark_path = MarkPath(dir_, context_),
                                           .bytes_max = config_.size,
                                           .when_full = config_.when_full,
                                           .sync = config_.sync,
                                           .on_drop = std::move(on_drop)},
                                          [this](const spool::Loss& loss) { OnLoss(loss); }));
  inner_host_ = std::make_unique<InnerHost>(*this, host);
  if (const Status started = inner_->Start(*inner_host_); !started.ok()) {
    queue_.reset();
    return started;
  }
  if (const auto stats = queue_->stats(); stats.rows != 0) {
    LOG(kInfo, "spool {}: {} rows of an earlier run are sent first", dir_, stats.rows);
  }
  full_ = !queue_->HasRoom();
  Wake();
  return OkStatus();
}

bool SpooledOutput::HasRoom() const {
  return !full_.load(std::memory_order_relaxed) &&
         pending_bytes_.load(std::memory_order_relaxed) < kPendingMax;
}

// --- writing ---

std::string SpooledOutput::EncodePayload(const Batch& batch, size_t& raw) {
  std::unique_ptr<codec::BatchSetEncoder> encoder;
  {
    MutexLock lock(mu_);
    if (!encoders_.empty()) {
      encoder = std::move(encoders_.back());
      encoders_.pop_back();
    }
  }
  if (encoder == nullptr) encoder = std::make_unique<codec::BatchSetEncoder>(kZstdLevel);
  encoder->Add(batch, context_.env().clock().Now());
  raw = encoder->raw_bytes();
  std::string payload = encoder->Finish();
  MutexLock lock(mu_);
  if (encoders_.size() < kEncodersKept) encoders_.push_back(std::move(encoder));
  return payload;
}

std::vector<SpooledOutput::Item> SpooledOutput::Encode(const SharedBatch& batch,
                                                       std::vector<uint32_t>& refused) {
  std::vector<Item> items;
  // Row ranges that are still to be done, the next one last.
  std::vector<std::pair<uint32_t, uint32_t>> ranges = {{0, batch->selected_count()}};
  while (!ranges.empty()) {
    const uint32_t begin = ranges.back().first;
    const uint32_t end = ranges.back().second;
    ranges.pop_back();
    const bool whole = begin == 0 && end == batch->selected_count();
    const BatchPtr part = whole ? nullptr : RowsOf(*batch, begin, end);
    size_t raw = 0;
    Item item;
    item.payload = EncodePayload(whole ? *batch : *part, raw);
    if (raw > kRawMax || item.payload.size() > kPayloadMax) {
      if (end - begin > 1) {
        const uint32_t middle = begin + (end - begin) / 2;
        ranges.emplace_back(middle, end);
        ranges.emplace_back(begin, middle);
        continue;
      }
      uint32_t nth = 0;
      batch->ForEach([&](uint32_t r) {
        if (nth++ == begin) refused.push_back(r);
      });
      LOG_RATE(10s, kError, "spool {}: a row of {} is too large for any destination and given up",
               dir_, FormatByteSizeShort({raw}));
      continue;
    }
    item.rows = end - begin;
    item.time = context_.env().clock().Now();
    item.memory = item.payload.size();
    if (whole) {
      item.batch = batch;
      item.memory += batch->memory_bytes();
    }
    items.push_back(std::move(item));
  }
  return items;
}

void SpooledOutput::Write(SharedBatch batch, Ack ack) {
  std::vector<uint32_t> refused;
  std::vector<Item> items = Encode(batch, refused);
  if (!refused.empty()) {
    const auto both = std::make_shared<SplitAck>(std::move(ack), items.empty() ? 1 : 2);
    host_->GiveUp(batch, std::move(refused), "too_large", Ack(both));
    ack = Ack(both);
  }
  if (items.empty()) return;
  items.back().ack = std::move(ack);
  size_t bytes = 0;
  for (const Item& item : items) bytes += item.memory;
  {
    MutexLock lock(mu_);
    for (Item& item : items) pending_.push_back(std::move(item));
    pending_bytes_ += bytes;
  }
  if (!HasRoom()) said_full_ = true;
  Wake();
}

void SpooledOutput::AppendPending() {
  {
    MutexLock lock(mu_);
    for (Item& item : pending_) writing_.push_back(std::move(item));
    pending_.clear();
  }
  if (writing_.empty()) return;
  const Duration now = context_.env().clock().Monotonic();
  if (now < retry_at_) return;
  std::vector<spool::NewRecord> records;
  for (const Item& item : writing_) {
    records.push_back({.payload = item.payload, .rows = item.rows, .time = item.time});
  }
  spool::Position next = queue_->end();
  if (const Status status = queue_->Append(records); !status.ok()) {
    retry_at_ = now + kRetryAfter;
    full_ = true;
    complained_ = true;
    LOG_RATE(30s, kWarning, "{}: {}; its inputs rest until that is over", context_.pipeline,
             status.message());
    return;
  }
  if (std::exchange(complained_, false)) {
    LOG(kInfo, "{}: spool {} takes rows again", context_.pipeline, dir_);
  }
  const bool keep = inner_->HasRoom();
  for (Item& item : writing_) {
    const uint64_t sequence = next.sequence;
    next = {.sequence = sequence + 1, .row = next.row + item.rows};
    const uint64_t expected =
        cache_.empty() ? queue_->read_position().sequence : cache_.back().next.sequence;
    if (keep && item.batch != nullptr && sequence == expected && cache_bytes_ < kCacheMax) {
      cache_bytes_ += item.memory;
      cache_.push_back({.next = next,
                        .batch = std::move(item.batch),
                        .time = item.time,
                        .memory = item.memory,
                        .sequence = sequence});
    }
    pending_bytes_ -= item.memory;
    item.ack.Done();
  }
  writing_.clear();
}

// --- sending ---

void SpooledOutput::TakeAcks() {
  std::optional<spool::Position> done;
  while (!sent_.empty() && sent_.front().ack->done()) {
    done = sent_.front().next;
    sent_.pop_front();
  }
  if (done) queue_->Acknowledge(*done);
}

bool SpooledOutput::SendOne() {
  if (!inner_->HasRoom()) {
    // Batches in memory belong to the budget; the disk has them too.
    cache_.clear();
    cache_bytes_ = 0;
    return false;
  }
  while (!cache_.empty() && cache_.front().sequence < queue_->read_position().sequence) {
    cache_bytes_ -= cache_.front().memory;
    cache_.pop_front();
  }
  if (!cache_.empty() && cache_.front().sequence == queue_->read_position().sequence) {
    Cached cached = std::move(cache_.front());
    cache_.pop_front();
    cache_bytes_ -= cached.memory;
    queue_->SkipRead(cached.next);
    HandOver({std::move(cached.batch)}, cached.next, cached.time);
    return true;
  }
  Result<std::optional<spool::Record>> record = queue_->Read();
  if (!record.ok()) {
    retry_at_ = context_.env().clock().Monotonic() + kRetryAfter;
    LOG_RATE(30s, kWarning, "cannot read spool {}: {}; it is tried again", dir_,
             record.status().message());
    return false;
  }
  if (*record) return SendRecord(*std::move(record).value());
  // The last records may have been lost: nobody will acknowledge them.
  if (sent_.empty()) queue_->Acknowledge(queue_->read_position());
  return false;
}

bool SpooledOutput::SendRecord(spool::Record record) {
  Result<std::vector<BatchPtr>> parts = codec::DecodeBatchSet(record.payload);
  std::vector<SharedBatch> batches;
  if (parts.ok()) {
    for (BatchPtr& part : *parts) {
      if (part->selected_count() != 0) batches.push_back(std::move(part));
    }
  } else {
    OnLoss(
        {.reason = spool::Loss::Reason::kDamaged,
         .rows = record.rows,
         .bytes = record.payload.size(),
         .message = "spool " + dir_ + ": record " + std::to_string(record.sequence) +
                    " is whole but cannot be decoded: " + std::string(parts.status().message())});
  }
  HandOver(std::move(batches), record.next, record.time);
  return true;
}

void SpooledOutput::HandOver(std::vector<SharedBatch> batches, const spool::Position& next,
                             UnixNanos time) {
  const auto ack = std::make_shared<RecordAck>(signal_, static_cast<int>(batches.size()));
  sent_.push_back({.ack = ack, .next = next, .time = time});
  for (SharedBatch& batch : batches) inner_->Write(std::move(batch), Ack(ack));
}

// --- the life of the thread ---

std::optional<Duration> SpooledOutput::Step() {
  AppendPending();
  TakeAcks();
  int sent = 0;
  while (sent < kRecordsPerStep && SendOne()) ++sent;
  TakeAcks();
  if (const Status status = queue_->Maintain(); !status.ok()) {
    LOG_RATE(30s, kWarning, "{}", status.message());
  }
  Report();
  const Duration now = context_.env().clock().Monotonic();
  if (sent == kRecordsPerStep) return now;
  std::optional<Duration> due = queue_->NextDue();
  const auto by = [&](Duration time) { due = due ? std::min(*due, time) : time; };
  if (!writing_.empty()) by(std::max(now, retry_at_));
  if (queue_->stats().records != 0 || !queue_->HasRoom()) by(now + kReportEvery);
  return due;
}

void SpooledOutput::Report() {
  const spool::DiskQueue::Stats stats = queue_->stats();
  bytes_gauge_.Set(static_cast<int64_t>(stats.bytes));
  records_gauge_.Set(static_cast<int64_t>(stats.records));
  rows_gauge_.Set(static_cast<int64_t>(stats.rows));
  const UnixNanos now = context_.env().clock().Now();
  oldest_gauge_.Set(sent_.empty() ? 0
                                  : std::max<int64_t>(0, now - sent_.front().time) / 1000000000);
  full_ = !queue_->HasRoom() || !writing_.empty();
  if (!HasRoom()) {
    said_full_ = true;
  } else if (said_full_.exchange(false)) {
    host_->RoomAvailable();
  }
}

void SpooledOutput::OnLoss(const spool::Loss& loss) {
  const std::string reason = spool::LossReasonName(loss.reason);
  const std::string drop_reason = "spool_" + reason;
  // What was given up is counted there.
  const uint64_t given_up =
      loss.reason == spool::Loss::Reason::kFull ? std::exchange(given_up_rows_, uint64_t{0}) : 0;
  const uint64_t rows = loss.rows - std::min(given_up, loss.rows);
  context_.DropCounter(ComponentKind::kOutput, drop_reason).Add(rows);
  if (rows != 0) host_->LostLater(drop_reason, rows);
  context_
      .AddCounter("spool_dropped_rows_total",
                  "Rows that were in the spool and did not come out, by reason.",
                  {{"reason", reason}})
      .Add(loss.rows);
  if (loss.reason == spool::Loss::Reason::kFull) {
    LOG_RATE(30s, kWarning, "{}", loss.message);
  } else {
    LOG_RATE(1s, kError, "{}", loss.message);
  }
}

void SpooledOutput::GiveUpDropped(const spool::Record& record) {
  if (*giving_up_ >= kGivingUpMax) return;
  Result<std::vector<BatchPtr>> parts = codec::DecodeBatchSet(record.payload);
  if (!parts.ok()) return;
  // What they take unpacked: a record of equal lines is a hundredth of its batches.
  size_t bytes = 0;
  for (const BatchPtr& part : *parts) bytes += part->memory_bytes();
  const auto ack = std::make_shared<GivenUpAck>(giving_up_, bytes);
  for (BatchPtr& part : *parts) {
    given_up_rows_ += part->selected_count();
    host_->GiveUp(std::move(part), {}, kDroppedReason, Ack(ack));
  }
}

void SpooledOutput::Wake() {
  if (options_.own_thread) {
    MutexLock lock(mu_);
    if (!running_ && !stopping_) {
      // A thread that ended by itself has given up the lock for good.
      if (thread_.joinable()) thread_.join();
      try {
        thread_ = std::thread([this] { Run(); });
        running_ = true;
      } catch (const std::system_error& error) {
        LOG_RATE(10s, kError, "spool {}: cannot start a thread: {}; rows wait for the next try",
                 dir_, error.what());
      }
    }
  }
  signal_->Wake();
}

void SpooledOutput::Run() {
  Clock& clock = context_.env().clock();
  Duration idle_at = clock.Monotonic() + kIdleAfter;
  for (;;) {
    const std::optional<Duration> due = Step();
    Duration now = clock.Monotonic();
    if (due) idle_at = now + kIdleAfter;
    bool woken = false;
    {
      MutexLock lock(signal_->mu);
      while (!signal_->woken && now < due.value_or(idle_at)) {
        signal_->wake.WaitFor(signal_->mu, due.value_or(idle_at) - now);
        now = clock.Monotonic();
      }
      woken = std::exchange(signal_->woken, false);
    }
    MutexLock lock(mu_);
    if (stopping_ || (!woken && !due && pending_.empty() && now >= idle_at)) {
      if (!stopping_) encoders_.clear();
      running_ = false;
      return;
    }
    if (woken) idle_at = now + kIdleAfter;
  }
}

void SpooledOutput::StopThread() {
  std::thread thread;
  {
    MutexLock lock(mu_);
    stopping_ = true;
    thread = std::move(thread_);
  }
  signal_->Wake();
  if (thread.joinable()) thread.join();
}

void SpooledOutput::Stop(Duration grace) {
  if (queue_ == nullptr) return;
  StopThread();
  Clock& clock = context_.env().clock();
  const Duration stop_by = clock.Monotonic() + grace;
  // As much as the destination takes without waiting, in half of the time; the rest is on disk.
  do {
    Step();
  } while (!(queue_->read_position() == queue_->end()) && inner_->HasRoom() &&
           retry_at_ <= clock.Monotonic() && clock.Monotonic() < stop_by - grace / 2);
  inner_->Stop(std::max(Duration(0), stop_by - clock.Monotonic()));
  TakeAcks();
  if (const Status closed = queue_->Close(); !closed.ok()) {
    LOG(kWarning, "{}", closed.message());
  }
  if (const auto stats = queue_->stats(); stats.rows != 0) {
    LOG(kInfo, "spool {}: {} rows wait for the next start", dir_, stats.rows);
  }
  DropWhatWasNotWritten();
  queue_.reset();
  MutexLock lock(mu_);
  stopping_ = false;  // it may be started again
}

// Their acks go unfulfilled: they are read again.
void SpooledOutput::DropWhatWasNotWritten() {
  writing_.clear();
  cache_.clear();
  cache_bytes_ = 0;
  sent_.clear();
  pending_bytes_ = 0;
  MutexLock lock(mu_);
  pending_.clear();
  encoders_.clear();
}

}  // namespace kelp::pipeline
