#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "query/block_scan.h"
#include "query/interrupt.h"
#include "query/limits.h"
#include "query/outcome.h"
#include "query/query.h"
#include "query/row_reader.h"
#include "query/time_filter.h"
#include "query/top_rows.h"

namespace kelp::query {
namespace {

using store::Block;
using Verdict = BlockScan::Verdict;

// One call of Search.
class Searcher {
 public:
  Searcher(const store::Snapshot& snapshot, const Query& query, const SearchRequest& request,
           std::optional<Cursor> cursor)
      : blocks_(snapshot.blocks()),
        request_(request),
        limit_(std::clamp(request.limit, 1u, kRowsPerSearchMax)),
        to_(cursor ? std::min(request.to, AfterTime(cursor->last.time)) : request.to),
        interrupt_(request.limits),
        scan_(query, interrupt_),
        // One more than asked for tells whether anything is left.
        top_(blocks_, size_t{limit_} + 1, cursor) {}

  Result<SearchResult> Run() {
    RETURN_IF_ERROR(ScanBlocks());
    if (interrupt_.why() == Interrupt::Why::kCancelled)
      return CancelledError("the query was cancelled");
    ASSIGN_OR_RETURN(const size_t count, ChooseRows());
    RETURN_IF_ERROR(MakeRows(count));
    outcome_.AddRegexesGaveUp(scan_.regexes_gave_up());
    RETURN_IF_ERROR(outcome_.ErrorIfNothing(!result_.rows.empty()));
    result_.partial = outcome_.partial();
    result_.stats.blocks = blocks_.size();
    result_.stats.blocks_skipped = blocks_.size() - scanned_;
    result_.stats.bytes_scanned = scan_.reader().bytes_decoded();
    interrupt_.FillCost(result_.stats);
    return std::move(result_);
  }

 private:
  static UnixNanos AfterTime(UnixNanos time) { return time == INT64_MAX ? time : time + 1; }

  Status ScanBlocks() {
    for (size_t i = 0; i < blocks_.size(); ++i) {
      const Block& block = *blocks_[i];
      // All further blocks are older still.
      if (block.time_max() < request_.from) break;
      if (top_.full() && block.time_max() < top_.oldest()) break;
      if (interrupt_.Check()) return Stopped(block);
      if (block.time_min() >= to_ || block.rows() == 0) continue;
      const Verdict verdict = scan_.Open(block);
      if (verdict == Verdict::kNone) continue;
      ++scanned_;
      RETURN_IF_ERROR(outcome_.Forgive(ScanBlock(static_cast<uint32_t>(i), verdict)));
      if (interrupt_.stopped()) return Stopped(block);
    }
    return OkStatus();
  }

  Status ScanBlock(uint32_t index, Verdict verdict) {
    const Block& block = *blocks_[index];
    Bitmap rows(block.rows(), true);
    UnixNanos from = request_.from;
    if (top_.full()) from = std::max(from, top_.oldest());
    RETURN_IF_ERROR(KeepTimes(block, scan_.reader(), from, to_, rows));
    if (!rows.Any()) return OkStatus();
    result_.stats.rows_scanned += rows.Count();
    if (verdict == Verdict::kSome) RETURN_IF_ERROR(scan_.Narrow(rows));
    if (interrupt_.stopped() || !rows.Any()) return OkStatus();
    RETURN_IF_ERROR(top_.AddBlock(index, scan_.reader(), rows));
    if (!scan_.has_read_body()) return OkStatus();
    // What is left to decode is small; later the body would be decoded once more.
    for (Candidate& candidate : top_.rows()) {
      if (candidate.block == index && candidate.made == nullptr) {
        RETURN_IF_ERROR(Make(candidate, scan_.reader()));
      }
    }
    return OkStatus();
  }

  Status Stopped(const Block& block) {
    unscanned_ = block.time_max();
    if (interrupt_.why() == Interrupt::Why::kTime) outcome_.AddTimeLimit(request_.limits.time);
    return OkStatus();
  }

  Status Make(Candidate& candidate, store::BlockReader& reader) {
    ASSIGN_OR_RETURN(Row row, ReadRow(*blocks_[candidate.block], reader, candidate.row));
    candidate.made = std::make_unique<Row>(std::move(row));
    return OkStatus();
  }

  // How many of the rows to give, and the cursor after them.
  Result<size_t> ChooseRows() {
    std::vector<Candidate>& rows = top_.rows();
    const size_t count = std::min<size_t>(rows.size(), limit_);
    if (unscanned_) {
      // Rows newer than everything that was not looked at are sure; the cursor goes on from there.
      size_t sure = 0;
      while (sure < count && rows[sure].key.time > *unscanned_) ++sure;
      if (sure > 0) {
        result_.cursor = Cursor::BeforeTime(*unscanned_).ToString();
        if (sure == limit_) RETURN_IF_ERROR(SetCursor(sure));
        return sure;
      }
      return count;
    }
    if (rows.size() > count) RETURN_IF_ERROR(SetCursor(count));
    return count;
  }

  Status SetCursor(size_t count) {
    ASSIGN_OR_RETURN(const Cursor cursor, top_.CursorAfter(count - 1));
    result_.cursor = cursor.ToString();
    return OkStatus();
  }

  // Makes the first `count` rows, block by block, as far as memory goes.
  Status MakeRows(size_t count) {
    std::vector<Candidate>& rows = top_.rows();
    std::vector<uint32_t> order;
    for (uint32_t i = 0; i < count; ++i) {
      if (rows[i].made == nullptr) order.push_back(i);
    }
    std::stable_sort(order.begin(), order.end(),
                     [&](uint32_t a, uint32_t b) { return rows[a].block < rows[b].block; });
    uint64_t bytes = 0;
    std::optional<uint32_t> open;
    for (const uint32_t i : order) {
      if (open != rows[i].block) scan_.reader().Open(*blocks_[rows[i].block]);
      open = rows[i].block;
      RETURN_IF_ERROR(Make(rows[i], scan_.reader()));
      bytes += RowBytes(*rows[i].made);
      if (bytes > request_.limits.memory.bytes) break;
    }
    return GiveRows(count);
  }

  Status GiveRows(size_t count) {
    std::vector<Candidate>& rows = top_.rows();
    uint64_t bytes = 0;
    for (size_t i = 0; i < count; ++i) {
      bytes += rows[i].made == nullptr ? 0 : RowBytes(*rows[i].made);
      if (rows[i].made == nullptr || bytes > request_.limits.memory.bytes) {
        if (i == 0) {
          return ResourceExhaustedError(
              "one row of the answer is larger than the query may hold (" +
              FormatByteSize(request_.limits.memory) + ")");
        }
        outcome_.AddMemoryLimit(request_.limits.memory);
        return SetCursor(i);
      }
      result_.rows.push_back(std::move(*rows[i].made));
    }
    return OkStatus();
  }

  const std::span<const std::shared_ptr<const Block>> blocks_;
  const SearchRequest& request_;
  const uint32_t limit_;
  const UnixNanos to_;
  Interrupt interrupt_;
  BlockScan scan_;
  TopRows top_;
  Outcome outcome_;
  std::optional<UnixNanos> unscanned_;  // the newest time that was not looked at
  uint64_t scanned_ = 0;
  SearchResult result_;
};

}  // namespace

Result<SearchResult> Search(const store::Snapshot& snapshot, const Query& query,
                            const SearchRequest& request) {
  std::optional<Cursor> cursor;
  if (!request.cursor.empty()) {
    ASSIGN_OR_RETURN(cursor, Cursor::Parse(request.cursor));
  }
  return Searcher(snapshot, query, request, cursor).Run();
}

}  // namespace kelp::query
