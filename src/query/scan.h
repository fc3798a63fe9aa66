// Scan: walks the blocks of a snapshot, newest first, on one thread or several.
//
//   Scan scan(snapshot, query, from, to, limits, explain);
//   RETURN_IF_ERROR(scan.Run([&](Scan::Worker& worker, uint32_t block, Verdict verdict) {
//     ...  // worker.scan is open on the block
//   }));
//
// Blocks are taken one by one in the order of the snapshot, so at most one block per thread is at
// hand, and whoever stops early has seen everything newer. The first blocks are the caller's alone:
// most searches end there, and helpers would only have been woken.
//
// Place:    Search, CountOverTime, FieldStatistics, FindPatterns make one for each call.
// Owns:     its workers. Borrows snapshot, query and the pool.
// Threads:  Run is called on the query's thread; `visit` and `enough` on any of the workers.
// Errors:   kDataLoss of a block is kept (AddLosses) and the scan goes on; others end it.
// Tests:    search_property_test.cc, explain_test.cc
#ifndef KELP_QUERY_SCAN_H_
#define KELP_QUERY_SCAN_H_

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "base/status.h"
#include "base/sync.h"
#include "query/block_scan.h"
#include "query/explain.h"
#include "query/interrupt.h"
#include "query/outcome.h"
#include "query/query.h"
#include "query/stage_clock.h"

namespace kelp::query {

class Scan {
 public:
  using Verdict = BlockScan::Verdict;
  // What one thread has for itself.
  struct Worker {
    Worker(const Query& query, const Limits& limits, bool timed, size_t i)
        : index(i), interrupt(limits), clock(timed), scan(query, interrupt, &clock) {}
    const size_t index;
    Interrupt interrupt;
    StageClock clock;
    BlockScan scan;
    uint64_t rows_scanned = 0;
    uint64_t rows_matched = 0;
    uint64_t blocks_decoded = 0;
  };
  // Looks at a block of which some or all rows may match.
  using Visit = std::function<Status(Worker&, uint32_t block, Verdict)>;
  // Whether this block and all after it need no look any more.
  using Enough = std::function<bool(const store::Block&)>;

  // The snapshot and the query must outlive the scan.
  Scan(const store::Snapshot& snapshot, const Query& query, UnixNanos from, UnixNanos to,
       const Limits& limits, bool explain);

  // As many workers as there can be; Worker::index is below.
  size_t workers() const { return workers_.size(); }
  // The caller's own.
  Worker& own() { return *workers_[0]; }

  // Which blocks, and how many in a row one worker takes at once.
  struct Range {
    size_t begin = 0;
    size_t end = SIZE_MAX;
    size_t group = 1;
  };
  // May be called again, for other blocks.
  Status Run(const Visit& visit, const Enough& enough = {}) { return Run(visit, enough, Range()); }
  Status Run(const Visit& visit, const Enough& enough, Range range);

  bool stopped() const;
  bool cancelled() const;
  // The newest time of the blocks that were not looked at because the scan was stopped.
  std::optional<UnixNanos> unscanned() const;
  // Says in `outcome` what is missing: time limit, corrupt blocks in their order, patterns.
  void AddLosses(Outcome& outcome);
  void Fill(Stats& stats, Explain& explain) const EXCLUDES(mu_);

 private:
  Status Work(size_t index, const Visit& visit, const Enough& enough, size_t blocks_alone);
  // False: nothing is left for anybody, or this worker was stopped.
  Result<bool> Step(Worker& worker, size_t at, const Visit& visit, const Enough& enough);
  Result<bool> Visited(Worker& worker, size_t at, Verdict verdict, const Visit& visit);
  void MeetStop(UnixNanos newest) EXCLUDES(mu_);
  void FillExplain(Explain& explain) const REQUIRES(mu_);

  const std::span<const std::shared_ptr<const store::Block>> blocks_;
  const Query& query_;
  const UnixNanos from_;
  const UnixNanos to_;
  const Limits limits_;
  const bool explain_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<BlockFate> fates_;  // by block; each is written by the worker that took it
  Range range_;
  std::atomic<size_t> next_group_{0};
  std::atomic<bool> done_{false};
  mutable Mutex mu_;
  std::map<uint32_t, Status> losses_ GUARDED_BY(mu_);
  Status error_ GUARDED_BY(mu_);
  Duration helper_cpu_ GUARDED_BY(mu_){0};
  size_t threads_used_ GUARDED_BY(mu_) = 1;
  std::optional<UnixNanos> unscanned_ GUARDED_BY(mu_);
};

}  // namespace kelp::query

#endif  // KELP_QUERY_SCAN_H_
