// KelpLane: the queue and the thread behind one stream of requests to a Kelp server.
#ifndef KELP_OUTPUT_KELP_KELP_LANE_H_
#define KELP_OUTPUT_KELP_KELP_LANE_H_

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "base/memory_budget.h"
#include "base/sync.h"
#include "codec/kelp_batch.h"
#include "output/kelp/kelp_config.h"
#include "output/kelp/kelp_sender.h"
#include "pipeline/output.h"
#include "pipeline/split_ack.h"

namespace kelp::output {

// Memory of the batches that wait in all lanes of one output.
//
// Threads: thread-safe.
class KelpQueueRoom {
 public:
  KelpQueueRoom(size_t bytes_max, Gauge& gauge) : bytes_max_(bytes_max), gauge_(gauge) {}
  void Take(size_t bytes) { gauge_.Set(static_cast<int64_t>(bytes_ += bytes)); }
  // Tells `host` when there is room again.
  void Return(size_t bytes, pipeline::OutputHost& host) {
    const size_t before = bytes_.fetch_sub(bytes);
    gauge_.Set(static_cast<int64_t>(before - bytes));
    if (before >= bytes_max_ && before - bytes < bytes_max_) host.RoomAvailable();
  }
  bool HasRoom() const { return bytes_.load(std::memory_order_relaxed) < bytes_max_; }
  // So much waits that requests go out even when they are not full.
  bool tight() const { return bytes_.load(std::memory_order_relaxed) >= bytes_max_ / 2; }

 private:
  const size_t bytes_max_;
  Gauge& gauge_;
  std::atomic<size_t> bytes_{0};
};

// Gathers batches into batch sets and sends these one after the other, so that rows of an origin
// that always goes to the same lane stay in order.
//
// Place:    KelpOutput has a few.
// Owns:     a thread while there is something to do: started by the first Push, ended after
//           kIdleAfter without one.
// Borrows:  everything it is given; all outlive it.
// Limits:   what a set takes, from its encoding to its answer, counts in the agent's memory budget,
//           and is a small part of what is free of it.
// Threads:  thread-safe; BeginStop, WaitEnded and Join from one thread.
// Tests:    kelp_output_test.cc
class KelpLane {
 public:
  struct Services {
    const KelpOutputConfig& config;
    KelpTarget& target;
    net::HttpTransport& http;
    Env& env;
    const KelpOutputMetrics& metrics;
    KelpQueueRoom& room;
    ConcurrencyLimit& limit;
    pipeline::OutputHost& host;
    MemoryBudget* memory;  // the agent's; may be null
  };

  explicit KelpLane(const Services& services) : s_(services) {}
  ~KelpLane() { Join(); }

  void Push(SharedBatch batch, pipeline::Ack ack);
  // From now on everything is sent at once; retries end at `stop_by` (monotonic).
  void BeginStop(Duration stop_by);
  // False when the thread still runs at `stop_by`.
  bool WaitEnded(Duration stop_by);
  // Waits for the thread; what was not sent is let go, unacknowledged. Push must not follow.
  void Join();

 private:
  struct Item {
    SharedBatch batch;
    pipeline::Ack ack;
    size_t memory = 0;   // counted in room
    size_t payload = 0;  // about what it adds to a request before compression
    UnixNanos arrival = 0;
  };

  // A batch whose rows are in the set under way.
  struct SentBatch {
    std::shared_ptr<pipeline::SplitAck> ack;
    std::vector<uint32_t> rows;  // numbers of its selected rows; empty: all, from 0
  };

  void StartThread() REQUIRES(mu_);
  void Run() EXCLUDES(mu_);
  // Waits for batches and for the time to send them; empty when the thread has to end.
  std::deque<Item> Collect() EXCLUDES(mu_);
  // Waits for the first batch; false when the thread has to end.
  bool WaitForFirst() REQUIRES(mu_);
  std::deque<Item> TakeItems() REQUIRES(mu_);
  // `held` counts what the set takes.
  EncodedSet Encode(std::deque<Item> items, BudgetShare& held);
  // A set is full with so many bytes before compression.
  size_t SetBytesMax() const;
  // KelpSender::GiveUp.
  void GiveUp(const EncodedSet& set, std::string_view reason);
  // KelpSender::Pause.
  std::optional<Duration> Pause(Duration wait) EXCLUDES(mu_);

  const Services s_;
  std::vector<SentBatch> sent_;  // the thread's
  Mutex mu_;
  CondVar wake_;   // the thread's
  CondVar ended_;  // WaitEnded's
  std::deque<Item> queue_ GUARDED_BY(mu_);
  size_t payload_ GUARDED_BY(mu_) = 0;
  bool running_ GUARDED_BY(mu_) = false;
  bool stopping_ GUARDED_BY(mu_) = false;
  bool stop_noticed_ GUARDED_BY(mu_) = false;  // by Pause
  Duration stop_by_ GUARDED_BY(mu_){0};
  Duration next_send_ GUARDED_BY(mu_){0};
  std::thread thread_ GUARDED_BY(mu_);
};

}  // namespace kelp::output

#endif  // KELP_OUTPUT_KELP_KELP_LANE_H_
