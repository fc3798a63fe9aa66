#include "output/kelp/kelp_lane.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "base/log.h"
#include "output/kelp/encoder_pool.h"

namespace kelp::output {
namespace {

// A thread without work costs a stack; starting one costs 50 us.
constexpr Duration kIdleAfter = 10s;
// What a row adds to a batch set besides its values: time, end, begin, sizes.
constexpr size_t kRowOverhead = 12;
// Several lanes encode at once, beside what all of them hold: a set takes no more than this part of
// the memory that is free, so that outputs that are stuck leave some for the others; but enough to
// compress well.
constexpr uint64_t kSetShare = 8;
constexpr uint64_t kSetBytesMin = 256u << 10;

// Rows of a set that are given up, under the numbers that they have in their batch.
class RefusedRows final : public pipeline::AckTarget {
 public:
  RefusedRows(std::shared_ptr<pipeline::SplitAck> whole, std::vector<uint32_t> selected,
              uint32_t first)
      : whole_(std::move(whole)), selected_(std::move(selected)), first_(first) {}
  void OnAck() override { whole_->OnAck(); }
  bool OnGiveUp(const std::vector<uint32_t>& rows, std::string_view reason) override {
    std::vector<uint32_t> numbers;
    for (const uint32_t row : rows) {
      const uint32_t nth = first_ + row;
      numbers.push_back(nth < selected_.size() ? selected_[nth] : nth);
    }
    return whole_->OnGiveUp(numbers, reason);
  }

 private:
  const std::shared_ptr<pipeline::SplitAck> whole_;
  const std::vector<uint32_t> selected_;
  const uint32_t first_;
};

size_t PayloadBytes(const Batch& batch) {
  size_t bytes = batch.selected_count() * kRowOverhead;
  for (size_t i = 0; i < batch.column_count(); ++i) {
    const Column& column = batch.column(i);
    batch.ForEach([&](uint32_t row) { bytes += column.Get(row).size; });
  }
  return bytes;
}

}  // namespace

void KelpLane::Push(SharedBatch batch, pipeline::Ack ack) {
  Item item;
  item.memory = batch->memory_bytes();
  item.payload = PayloadBytes(*batch);
  item.arrival = s_.env.clock().Now();
  item.batch = std::move(batch);
  item.ack = std::move(ack);
  s_.room.Take(item.memory);
  MutexLock lock(mu_);
  const bool first = queue_.empty();
  payload_ += item.payload;
  queue_.push_back(std::move(item));
  if (!running_) {
    StartThread();
  } else if (first || payload_ >= SetBytesMax() || s_.room.tight()) {
    // In between, the thread sleeps until its next request is due.
    wake_.NotifyOne();
  }
}

void KelpLane::StartThread() {
  // A thread that ended by itself has given up the lock for good.
  if (thread_.joinable()) thread_.join();
  try {
    thread_ = std::thread([this] { Run(); });
    running_ = true;
  } catch (const std::system_error& error) {
    LOG_RATE(10s, kError, "output kelp: cannot start a thread: {}; rows wait for the next try",
             error.what());
  }
}

void KelpLane::Run() {
  KelpSender sender(
      s_.target, s_.http, s_.env, s_.metrics, s_.limit, s_.config.zstd_level,
      [this](Duration wait) { return Pause(wait); },
      [this](const EncodedSet& set, std::string_view reason) { GiveUp(set, reason); });
  const EncoderPool::User user(EncoderPool::Shared());
  BudgetShare held(s_.memory);
  for (;;) {
    std::deque<Item> items = Collect();
    if (items.empty()) return;
    const bool sent = sender.Send(Encode(std::move(items), held));
    held.Set(0);
    for (const SentBatch& batch : sent_) {
      if (sent) batch.ack->OnAck();  // else Collect ends the thread, and acks go unfulfilled
    }
    sent_.clear();
  }
}

std::deque<KelpLane::Item> KelpLane::Collect() {
  MutexLock lock(mu_);
  if (!WaitForFirst()) {
    running_ = false;
    ended_.NotifyAll();
    return {};
  }
  Duration now = s_.env.clock().Monotonic();
  while (!stopping_ && payload_ < SetBytesMax() && !s_.room.tight() && now < next_send_) {
    wake_.WaitFor(mu_, next_send_ - now);
    now = s_.env.clock().Monotonic();
  }
  next_send_ = now + s_.config.batch_interval;
  return TakeItems();
}

bool KelpLane::WaitForFirst() {
  const Duration idle_at = s_.env.clock().Monotonic() + kIdleAfter;
  for (;;) {
    const Duration now = s_.env.clock().Monotonic();
    if (stopping_ && (queue_.empty() || now >= stop_by_)) return false;
    if (!queue_.empty()) return true;
    if (now >= idle_at) return false;
    wake_.WaitFor(mu_, idle_at - now);
  }
}

std::deque<KelpLane::Item> KelpLane::TakeItems() {
  std::deque<Item> items;
  size_t payload = 0;
  const size_t bytes_max = SetBytesMax();
  while (!queue_.empty() && payload < bytes_max) {
    payload += queue_.front().payload;
    items.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  payload_ -= payload;
  return items;
}

size_t KelpLane::SetBytesMax() const {
  const size_t wanted = s_.config.batch_bytes.bytes;
  if (s_.memory == nullptr) return wanted;
  return std::min<size_t>(wanted, std::max<uint64_t>(kSetBytesMin, s_.memory->free() / kSetShare));
}

EncodedSet KelpLane::Encode(std::deque<Item> items, BudgetShare& held) {
  EncoderPool::Lease encoder = EncoderPool::Shared().Borrow(s_.config.zstd_level);
  for (Item& item : items) {
    encoder->Add(*item.batch, item.arrival);
    held.Set(encoder->raw_bytes());
    SentBatch sent{.ack = std::make_shared<pipeline::SplitAck>(std::move(item.ack)), .rows = {}};
    if (!item.batch->all_selected()) {
      sent.rows.reserve(item.batch->selected_count());
      item.batch->ForEach([&](uint32_t row) { sent.rows.push_back(row); });
    }
    sent_.push_back(std::move(sent));
    // The encoder has its own copy; what was read can make room for more.
    item.batch.reset();
    s_.room.Return(item.memory, s_.host);
  }
  EncodedSet set;
  set.rows = encoder->rows();
  held.Set(2 * encoder->raw_bytes());  // what does not compress is there twice for a moment
  set.body = encoder->Finish();
  held.Set(set.body.size());
  if (held.tight()) encoder.DropAfterUse();
  return set;
}

void KelpLane::GiveUp(const EncodedSet& set, std::string_view reason) {
  // The batches themselves made room for others long ago; the set still has their rows.
  Result<std::vector<BatchPtr>> parts = codec::DecodeBatchSet(set.body);
  if (!parts.ok() || set.first_part + parts->size() > sent_.size()) {
    LOG(kError, "output kelp: cannot read rows that are given up: {}", parts.status().message());
    s_.metrics.context.DropCounter(pipeline::ComponentKind::kOutput, std::string(reason))
        .Add(set.rows);
    return;
  }
  uint32_t first_row = set.first_row;
  for (size_t i = 0; i < parts->size(); ++i, first_row = 0) {
    const SentBatch& sent = sent_[set.first_part + i];
    sent.ack->AddPart();
    pipeline::Ack ack(std::make_shared<RefusedRows>(sent.ack, sent.rows, first_row));
    s_.host.GiveUp(std::move((*parts)[i]), {}, reason, std::move(ack));
  }
}

std::optional<Duration> KelpLane::Pause(Duration wait) {
  MutexLock lock(mu_);
  const Duration until = s_.env.clock().Monotonic() + wait;
  for (;;) {
    const Duration now = s_.env.clock().Monotonic();
    if (stopping_ && now >= stop_by_) return std::nullopt;
    // A stop ends the wait that it meets: there may be no time for a later try.
    const bool stop_begins = stopping_ && !std::exchange(stop_noticed_, true);
    if (now >= until || stop_begins) {
      return stopping_ ? std::min(s_.config.timeout, stop_by_ - now) : s_.config.timeout;
    }
    wake_.WaitFor(mu_, (stopping_ ? std::min(until, stop_by_) : until) - now);
  }
}

void KelpLane::BeginStop(Duration stop_by) {
  MutexLock lock(mu_);
  stopping_ = true;
  stop_by_ = stop_by;
  if (!running_ && !queue_.empty()) StartThread();
  wake_.NotifyAll();
}

bool KelpLane::WaitEnded(Duration stop_by) {
  MutexLock lock(mu_);
  while (running_) {
    const Duration now = s_.env.clock().Monotonic();
    if (now >= stop_by) return false;
    ended_.WaitFor(mu_, stop_by - now);
  }
  return true;
}

void KelpLane::Join() {
  std::thread thread;
  std::deque<Item> left;
  {
    MutexLock lock(mu_);
    if (running_ && !stopping_) {
      stopping_ = true;
      stop_by_ = s_.env.clock().Monotonic();
    }
    wake_.NotifyAll();
    thread.swap(thread_);
  }
  if (thread.joinable()) thread.join();
  MutexLock lock(mu_);
  left.swap(queue_);
  payload_ = 0;
  for (const Item& item : left) s_.room.Return(item.memory, s_.host);
}

}  // namespace kelp::output
