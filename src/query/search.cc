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
        cursor_(cursor),
        scan_(query, interrupt_),
        bad_(blocks_.size()) {}

  Result<SearchResult> Run() {
    // Once more without a block that turns out to be corrupt only when its rows are made.
    do {
      Restart();
      RETURN_IF_ERROR(ScanBlocks());
      if (interrupt_.why() == Interrupt::Why::kCancelled) {
        return CancelledError("the query was cancelled");
      }
      ChooseRows();
      RETURN_IF_ERROR(MakeRows());
    } while (restart_);
    RETURN_IF_ERROR(GiveRows());
    return Finish();
  }

 private:
  static UnixNanos AfterTime(UnixNanos time) { return time == INT64_MAX ? time : time + 1; }

  void Restart() {
    restart_ = false;
    // One more than asked for tells whether anything is left.
    top_.emplace(blocks_, size_t{limit_} + 1, cursor_);
    unscanned_.reset();
    scanned_ = 0;
    early_bytes_ = 0;
    result_ = SearchResult();
  }

  Status ScanBlocks() {
    for (size_t i = 0; i < blocks_.size(); ++i) {
      const Block& block = *blocks_[i];
      // All further blocks are older still.
      if (block.time_max() < request_.from) break;
      if (top_->full() && block.time_max() < top_->oldest()) break;
      if (interrupt_.Check()) return Stopped(block);
      if (block.time_min() >= to_ || block.rows() == 0 || bad_[i]) continue;
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
    if (top_->full()) from = std::max(from, top_->oldest());
    RETURN_IF_ERROR(KeepTimes(block, scan_.reader(), from, to_, rows));
    if (!rows.Any()) return OkStatus();
    result_.stats.rows_scanned += rows.Count();
    if (verdict == Verdict::kSome) RETURN_IF_ERROR(scan_.Narrow(rows));
    if (interrupt_.stopped() || !rows.Any()) return OkStatus();
    RETURN_IF_ERROR(top_->AddBlock(index, scan_.reader(), rows));
    if (!scan_.has_read_body()) return OkStatus();
    // What is left to decode is small; later the body would be decoded once more.
    for (Candidate& candidate : top_->rows()) {
      if (early_bytes_ > request_.limits.memory.bytes / 2) break;  // large rows are made at the end
      if (candidate.block == index && candidate.made == nullptr) {
        RETURN_IF_ERROR(Make(candidate, scan_.reader()));
        early_bytes_ += RowBytes(*candidate.made);
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

  // How many of the rows to give, and whether a cursor goes on behind them.
  void ChooseRows() {
    const std::vector<Candidate>& rows = top_->rows();
    count_ = std::min<size_t>(rows.size(), limit_);
    has_more_ = rows.size() > count_;
    no_cursor_ = false;
    if (!unscanned_) return;
    // Rows newer than everything that was not looked at are sure; the cursor goes on from there.
    size_t sure = 0;
    while (sure < count_ && rows[sure].key.time > *unscanned_) ++sure;
    has_more_ = sure == limit_;
    no_cursor_ = sure == 0;
    if (no_cursor_) return;
    count_ = sure;
    if (!has_more_) result_.cursor = Cursor::BeforeTime(*unscanned_).ToString();
  }

  // Makes the chosen rows, block by block, as far as memory goes.
  Status MakeRows() {
    std::vector<Candidate>& rows = top_->rows();
    std::vector<uint32_t> order;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < count_; ++i) {
      if (rows[i].made == nullptr) {
        order.push_back(i);
      } else {
        bytes += RowBytes(*rows[i].made);
      }
    }
    std::stable_sort(order.begin(), order.end(),
                     [&](uint32_t a, uint32_t b) { return rows[a].block < rows[b].block; });
    std::optional<uint32_t> open;
    for (const uint32_t i : order) {
      if (bytes > request_.limits.memory.bytes) break;
      const uint32_t block = rows[i].block;
      if (open != block) scan_.reader().Open(*blocks_[block]);
      open = block;
      Status made = Make(rows[i], scan_.reader());
      if (!made.ok()) {
        bad_[block] = true;
        restart_ = true;
        return outcome_.Forgive(std::move(made));
      }
      bytes += RowBytes(*rows[i].made);
    }
    return OkStatus();
  }

  Status GiveRows() {
    std::vector<Candidate>& rows = top_->rows();
    uint64_t bytes = 0;
    size_t given = 0;
    for (; given < count_ && rows[given].made != nullptr; ++given) {
      bytes += RowBytes(*rows[given].made);
      if (bytes > request_.limits.memory.bytes) break;
    }
    if (given < count_) {
      if (given == 0) {
        return ResourceExhaustedError("one row of the answer is larger than the query may hold (" +
                                      FormatByteSize(request_.limits.memory) + ")");
      }
      outcome_.AddMemoryLimit(request_.limits.memory);
      has_more_ = !no_cursor_;
    }
    if (has_more_) {
      ASSIGN_OR_RETURN(const Cursor cursor, top_->CursorAfter(given - 1));
      result_.cursor = cursor.ToString();
    }
    for (size_t i = 0; i < given; ++i) result_.rows.push_back(std::move(*rows[i].made));
    return OkStatus();
  }

  Result<SearchResult> Finish() {
    outcome_.AddRegexesGaveUp(scan_.regexes_gave_up());
    RETURN_IF_ERROR(outcome_.ErrorIfNothing(!result_.rows.empty()));
    result_.partial = outcome_.partial();
    result_.stats.blocks = blocks_.size();
    result_.stats.blocks_skipped = blocks_.size() - scanned_;
    result_.stats.bytes_scanned = scan_.reader().bytes_decoded();
    interrupt_.FillCost(result_.stats);
    return std::move(result_);
  }

  const std::span<const std::shared_ptr<const Block>> blocks_;
  const SearchRequest& request_;
  const uint32_t limit_;
  const UnixNanos to_;
  Interrupt interrupt_;
  const std::optional<Cursor> cursor_;
  BlockScan scan_;
  Outcome outcome_;
  std::vector<bool> bad_;  // blocks whose rows cannot be made
  bool restart_ = false;
  std::optional<TopRows> top_;
  std::optional<UnixNanos> unscanned_;  // the newest time that was not looked at
  uint64_t scanned_ = 0;
  uint64_t early_bytes_ = 0;  // of rows made while their block was at hand, kept or not
  size_t count_ = 0;          // rows of top_ to give
  bool has_more_ = false;     // the cursor goes on behind the last row given
  bool no_cursor_ = false;    // rows may be missing between those given
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
