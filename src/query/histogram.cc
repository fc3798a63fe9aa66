#include <algorithm>
#include <vector>

#include "query/block_scan.h"
#include "query/interrupt.h"
#include "query/limits.h"
#include "query/outcome.h"
#include "query/query.h"
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
  void AddAll(std::span<const UnixNanos> times, UnixNanos first, UnixNanos last) {
    if (last < from_ || first >= to_) return;
    const uint64_t begin = IndexOf(std::max(first, from_));
    const uint64_t end = IndexOf(std::min(last, to_ - 1)) + 1;
    if (end - begin <= kBordersMax) {
      AddByBorders(times, begin, end);
    } else {
      for (const UnixNanos time : times) {
        if (time >= from_ && time < to_) ++counts_[IndexOf(time)];
      }
    }
  }

 private:
  // The difference as unsigned: it may not fit into a signed one.
  uint64_t Since(UnixNanos time) const {
    return static_cast<uint64_t>(time) - static_cast<uint64_t>(from_);
  }
  // Rows of one bucket: those from its beginning on, less those from its end on.
  void AddByBorders(std::span<const UnixNanos> times, uint64_t begin, uint64_t end) {
    uint64_t later = CountFrom(times, begin);
    for (uint64_t i = begin; i < end; ++i) {
      const uint64_t after = CountFrom(times, i + 1);
      counts_[i] += later - after;
      later = after;
    }
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

  const UnixNanos from_;
  const UnixNanos to_;
  uint64_t step_ = 1;
  std::vector<uint64_t> counts_;
};

// One call of CountOverTime.
class Counter {
 public:
  Counter(const store::Snapshot& snapshot, const Query& query, const HistogramRequest& request)
      : blocks_(snapshot.blocks()),
        request_(request),
        buckets_(request.from, request.to, request.buckets),
        interrupt_(request.limits),
        scan_(query, interrupt_) {}

  Result<HistogramResult> Run() {
    for (const std::shared_ptr<const Block>& block : blocks_) {
      if (block->time_max() < request_.from) break;  // and so are all after it
      if (interrupt_.Check()) break;
      if (block->time_min() >= request_.to || block->rows() == 0) continue;
      RETURN_IF_ERROR(outcome_.Forgive(CountBlock(*block)));
    }
    if (interrupt_.why() == Interrupt::Why::kCancelled) {
      return CancelledError("the query was cancelled");
    }
    if (interrupt_.stopped()) outcome_.AddTimeLimit(request_.limits.time);
    return Finish();
  }

 private:
  Status CountBlock(const Block& block) {
    const Verdict verdict = scan_.Open(block);
    if (verdict == Verdict::kNone) return OkStatus();
    const bool one_bucket = buckets_.OneBucket(block.time_min(), block.time_max());
    if (verdict == Verdict::kAll) {
      if (one_bucket) {
        buckets_.Add(block.time_min(), block.rows());
        return OkStatus();
      }
      ++scanned_;
      result_.stats.rows_scanned += block.rows();
      ASSIGN_OR_RETURN(const std::span<const UnixNanos> times, scan_.reader().Times());
      buckets_.AddAll(times, block.time_min(), block.time_max());
      return OkStatus();
    }
    ++scanned_;
    return CountMatching(block, one_bucket);
  }

  Status CountMatching(const Block& block, bool one_bucket) {
    Bitmap rows(block.rows(), true);
    RETURN_IF_ERROR(KeepTimes(block, scan_.reader(), request_.from, request_.to, rows));
    result_.stats.rows_scanned += rows.Count();
    RETURN_IF_ERROR(scan_.Narrow(rows));
    if (interrupt_.stopped() || !rows.Any()) return OkStatus();
    if (one_bucket) {
      buckets_.Add(block.time_min(), rows.Count());
      return OkStatus();
    }
    ASSIGN_OR_RETURN(const std::span<const UnixNanos> times, scan_.reader().Times());
    rows.ForEach([&](uint32_t row) { buckets_.Add(times[row], 1); });
    return OkStatus();
  }

  Result<HistogramResult> Finish() {
    result_.counts = std::move(buckets_.counts());
    for (const uint64_t count : result_.counts) result_.total += count;
    outcome_.AddRegexesGaveUp(scan_.regexes_gave_up());
    RETURN_IF_ERROR(outcome_.ErrorIfNothing(result_.total > 0));
    result_.step = Duration(static_cast<int64_t>(std::min<uint64_t>(buckets_.step(), INT64_MAX)));
    result_.partial = outcome_.partial();
    result_.stats.blocks = blocks_.size();
    result_.stats.blocks_skipped = blocks_.size() - scanned_;
    result_.stats.bytes_scanned = scan_.reader().bytes_decoded();
    interrupt_.FillCost(result_.stats);
    return std::move(result_);
  }

  const std::span<const std::shared_ptr<const Block>> blocks_;
  const HistogramRequest& request_;
  Buckets buckets_;
  Interrupt interrupt_;
  BlockScan scan_;
  Outcome outcome_;
  uint64_t scanned_ = 0;
  HistogramResult result_;
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
