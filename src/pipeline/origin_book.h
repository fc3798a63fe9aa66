// OriginBook: the origins of one pipeline and their figures, over all runtimes of its name.
//
// Internal to src/pipeline. A reload replaces a pipeline's Runtime; the book is handed on, so that
// its totals go on counting, and origins of the runtime that ends stay in view until they ended.
#ifndef KELP_PIPELINE_ORIGIN_BOOK_H_
#define KELP_PIPELINE_ORIGIN_BOOK_H_

#include <atomic>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/sync.h"
#include "pipeline/input.h"
#include "pipeline/ledger.h"

namespace kelp::pipeline {

class Runtime;
class Ticket;

// One origin in the engine: the source, its place in the queue, its batches on their way, and what
// became of its rows.
//
// Threads: `turn` and `again` are guarded by the scheduler's mutex; the rest by mu.
struct OriginState {
  enum class Turn : uint8_t { kIdle, kQueued, kRunning, kEnded };

  SourceId id = 0;
  const Runtime* runtime = nullptr;  // whose it is; only compared
  std::shared_ptr<Source> source;
  Turn turn = Turn::kIdle;  // scheduler
  bool again = false;       // Ready() came while running; scheduler
  // From before Source::Read until what it gave is booked.
  std::atomic<bool> reading{false};

  Mutex mu;
  // In reading order. A list: unlike a deque it is nothing while it is empty, and most of ten
  // thousand origins rest.
  std::list<std::shared_ptr<Ticket>> in_flight GUARDED_BY(mu);
  bool ended GUARDED_BY(mu) = false;  // no more Read
  bool done_called GUARDED_BY(mu) = false;
  OriginId origin_id GUARDED_BY(mu);
  LedgerFigures figures GUARDED_BY(mu);  // all but what is lost, which the book holds
};

// Threads:  thread-safe. Its mutex is a leaf: nothing is called with it held, so that Lost may come
//           from a source that holds its own locks.
// Limits:   an ended origin leaves nothing but its part in one sum.
class OriginBook {
 public:
  void Add(std::shared_ptr<OriginState> origin);
  std::shared_ptr<OriginState> Find(SourceId id) const;
  void Lost(SourceId id, const Loss& loss);
  // Rows that were acknowledged by a spool and given up behind it.
  void DroppedLater(std::string_view reason, uint64_t rows);
  // The origin ended with these figures: they go into the sum.
  void Fold(SourceId id, const LedgerFigures& figures);
  std::vector<std::shared_ptr<OriginState>> OriginsOf(const Runtime* runtime) const;
  size_t size() const;

  // An entry for each origin, then the sum of those that ended, if there are any.
  std::vector<LedgerEntry> Entries(const std::string& pipeline) const;
  LedgerFigures Totals() const;

  LatencyHistogram& ack_latency() { return ack_latency_; }
  const LatencyHistogram& ack_latency() const { return ack_latency_; }

 private:
  struct Losses {
    ReasonCounts bytes;
    ReasonCounts lines;
  };
  struct View {
    std::vector<std::pair<std::shared_ptr<OriginState>, Losses>> live;
    LedgerFigures ended;
    uint64_t ended_count = 0;
  };
  View Look() const;

  mutable Mutex mu_;
  std::map<SourceId, std::shared_ptr<OriginState>> live_ GUARDED_BY(mu_);
  std::map<SourceId, Losses> losses_ GUARDED_BY(mu_);  // of live ones that lost something
  LedgerFigures ended_ GUARDED_BY(mu_);
  uint64_t ended_count_ GUARDED_BY(mu_) = 0;
  LatencyHistogram ack_latency_;
};

}  // namespace kelp::pipeline

#endif  // KELP_PIPELINE_ORIGIN_BOOK_H_
