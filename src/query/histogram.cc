#include <algorithm>
#include <vector>

#include "query/limits.h"
#include "query/outcome.h"
#include "query/query.h"
#include "query/scan.h"
#include "query/time_filter.h"

namespace kelp::query {
namespace {

using store::Block;
using Verdict = BlockScan::Verdict;

// A block that touches no more buckets than this is counted by comparing with their borders, which
// vector instructions do; past it, division per row is cheaper.
constexpr uint64_t kBordersMax = 8;

// Equal spans of time and how many rows fell into each.
class Buckets {
 public:
  Buckets(UnixNanos from, UnixNanos to, uint32_t count) : from_(from), to_(to) {
    const uint64_t span = Since(to);
    step_ = span / count + (span % count != 0 ? 1 : 0);
    counts_.resize(span / step_ + (span % step_ != 0 ? 1 : 0));
  }

  UnixNanos from() const { return from_; }
  UnixNanos to() const { return to_; }
  uint64_t step() const { return step_; }
  std::vector<uint64_t>& counts() { return counts_; }

  // REQUIRES: from() <= time < to().
  uint64_t IndexOf(UnixNanos time) const { return Since(time) / step_; }
  // Whether all of [first, last] is in one bucket.
  bool OneBucket(UnixNanos first, UnixNanos last) const {
    return first >= from_ && last < to_ && IndexOf(first) == IndexOf(last);
  }
  void Add(UnixNanos time, uint64_t rows) { counts_[IndexOf(time)] += rows; }

  // Counts all of `times`, inside [from(), to()) or not; they are within [first, last].
  // How many were inside comes back.
  uint64_t AddAll(std::span<const UnixNanos> times, UnixNanos first, UnixNanos last) {
    if (last < from_ || first >= to_) return 0;
    const uint64_t begin = IndexOf(std::max(first, from_));
    const uint64_t end = IndexOf(std::min(last, to_ - 1)) + 1;
    if (end - begin <= kBordersMax) {
      return AddByBorders(times, begin, end);
    }
    uint64_t inside = 0;
    for (const UnixNanos time : times) {
      if (time < from_ || time >= to_) continue;
      ++counts_[IndexOf(time)];
      ++inside;
    }
    return inside;
  }

 private:
  // The difference as unsigned: it may not fit into a signed one.
  uint64_t Since(UnixNanos time) const {
    return static_cast<uint64_t>(time) - static_cast<uint64_t>(from_);
  }
  // Rows of one bucket: those from its beginning on, less those from its end on.
  uint64_t AddByBorders(std::span<const UnixNanos> times, uint64_t begin, uint64_t end) {
    uint64_t later = CountFrom(times, begin);
    const uint64_t all = later;
    for (uint64_t i = begin; i < end; ++i) {
      const uint64_t after = CountFrom(times, i + 1);
      counts_[i] += later - after;
      later = after;
    }
    return all - later;
  }
  // How many times are at or after the beginning of a bucket.
  uint64_t CountFrom(std::span<const UnixNanos> times, uint64_t bucket) const {
    const UnixNanos border =
        bucket >= counts_.size()
            ? to_
            : static_cast<UnixNanos>(static_cast<uint64_t>(from_) + bucket * step_);
    uint64_t count = 0;
    for (const UnixNanos time : times) count += time >= border ? 1 : 0;
    return count;
  }

  UnixNanos from_;
  UnixNanos to_;
  uint64_t step_ = 1;
  std::vector<uint64_t> counts_;
};

// One call of CountOverTime.
class Counter {
 public:
  Counter(const store::Snapshot& snapshot, const Query& query, const HistogramRequest& request)
      : blocks_(snapshot.blocks()),
        request_(request),
        scan_(snapshot, query, request.from, request.to, request.limits, request.explain),
        buckets_(scan_.workers(), Buckets(request.from, request.to, request.buckets)) {}

  Result<HistogramResult> Run() {
    RETURN_IF_ERROR(scan_.Run([this](Scan::Worker& worker, uint32_t block, Verdict verdict) {
      Status status = CountBlock(worker, *blocks_[block], verdict);
      worker.clock.Lap(Stage::kTimes);
      return status;
    }));
    if (scan_.cancelled()) return CancelledError("the query was cancelled");
    return Finish();
  }

 private:
  Status CountBlock(Scan::Worker& worker, const Block& block, Verdict verdict) {
    Buckets& buckets = buckets_[worker.index];
    if (verdict == Verdict::kSome) return CountMatching(worker, block, buckets);
    if (buckets.OneBucket(block.time_min(), block.time_max())) {
      buckets.Add(block.time_min(), block.rows());
      worker.rows_matched += block.rows();
      return OkStatus();
    }
    worker.rows_scanned += block.rows();
    ASSIGN_OR_RETURN(const std::span<const UnixNanos> times, worker.scan.reader().Times());
    worker.rows_matched += buckets.AddAll(times, block.time_min(), block.time_max());
    return OkStatus();
  }

  Status CountMatching(Scan::Worker& worker, const Block& block, Buckets& buckets) {
    Bitmap rows(block.rows(), true);
    RETURN_IF_ERROR(KeepTimes(block, worker.scan.reader(), request_.from, request_.to, rows));
    worker.rows_scanned += rows.Count();
    worker.clock.Lap(Stage::kTimes);
    RETURN_IF_ERROR(worker.scan.Narrow(rows));
    worker.clock.Lap(Stage::kMatch);
    if (worker.interrupt.stopped() || !rows.Any()) return OkStatus();
    const uint32_t count = rows.Count();
    worker.rows_matched += count;
    if (buckets.OneBucket(block.time_min(), block.time_max())) {
      buckets.Add(block.time_min(), count);
      return OkStatus();
    }
    ASSIGN_OR_RETURN(const std::span<const UnixNanos> times, worker.scan.reader().Times());
    rows.ForEach([&](uint32_t row) { buckets.Add(times[row], 1); });
    return OkStatus();
  }

  Result<HistogramResult> Finish() {
    HistogramResult result;
    result.counts = std::move(buckets_[0].counts());
    for (size_t worker = 1; worker < buckets_.size(); ++worker) {
      const std::vector<uint64_t>& counts = buckets_[worker].counts();
      for (size_t i = 0; i < counts.size(); ++i) result.counts[i] += counts[i];
    }
    for (const uint64_t count : result.counts) result.total += count;
    Outcome outcome;
    scan_.AddLosses(outcome);
    RETURN_IF_ERROR(outcome.ErrorIfNothing(result.total > 0));
    result.step = Duration(static_cast<int64_t>(std::min<uint64_t>(buckets_[0].step(), INT64_MAX)));
    result.partial = outcome.partial();
    scan_.Fill(result.stats, result.explain);
    return result;
  }

  const std::span<const std::shared_ptr<const Block>> blocks_;
  const HistogramRequest& request_;
  Scan scan_;
  std::vector<Buckets> buckets_;  // by worker
};

}  // namespace

Result<HistogramResult> CountOverTime(const store::Snapshot& snapshot, const Query& query,
                                      const HistogramRequest& request) {
  if (request.from >= request.to) {
    return InvalidArgumentError("the beginning of a histogram must be before its end");
  }
  if (request.buckets == 0 || request.buckets > kBucketsMax) {
    return InvalidArgumentError("a histogram has 1 to " + std::to_string(kBucketsMax) + " buckets");
  }
  return Counter(snapshot, query, request).Run();
}

}  // namespace kelp::query
