#include <algorithm>
#include <atomic>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "query/limits.h"
#include "query/outcome.h"
#include "query/query.h"
#include "query/row_reader.h"
#include "query/scan.h"
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
      : snapshot_(snapshot),
        query_(query),
        blocks_(snapshot.blocks()),
        request_(request),
        limit_(std::clamp(request.limit, 1u, kRowsPerSearchMax)),
        to_(cursor ? std::min(request.to, AfterTime(cursor->last.time)) : request.to),
        cursor_(cursor),
        bad_(blocks_.size()) {}

  Result<SearchResult> Run() {
    // Once more without a block that turns out to be corrupt only when its rows are made.
    do {
      Restart();
      RETURN_IF_ERROR(
          scan_->Run([this](Scan::Worker& worker, uint32_t block,
                            Verdict verdict) { return ScanBlock(worker, block, verdict); },
                     [this](const Block& block) { return block.time_max() < oldest_; }));
      if (scan_->cancelled()) return CancelledError("the query was cancelled");
      ChooseRows();
      RETURN_IF_ERROR(MakeRows());
    } while (restart_);
    scan_->AddLosses(outcome_);
    RETURN_IF_ERROR(GiveRows());
    return Finish();
  }

 private:
  static UnixNanos AfterTime(UnixNanos time) { return time == INT64_MAX ? time : time + 1; }

  void Restart() {
    restart_ = false;
    scan_.emplace(snapshot_, query_, request_.from, to_, request_.limits, request_.explain);
    MutexLock lock(mu_);
    // One more than asked for tells whether anything is left.
    top_.emplace(snapshot_, size_t{limit_} + 1, cursor_);
    oldest_ = INT64_MIN;
    early_bytes_ = 0;
    result_ = SearchResult();
  }

  Status ScanBlock(Scan::Worker& worker, uint32_t index, Verdict verdict) {
    if (bad_[index]) return OkStatus();
    const Block& block = *blocks_[index];
    store::BlockReader& reader = worker.scan.reader();
    Bitmap rows(block.rows(), true);
    RETURN_IF_ERROR(
        KeepTimes(block, reader, std::max<UnixNanos>(request_.from, oldest_), to_, rows));
    worker.clock.Lap(Stage::kTimes);
    if (!rows.Any()) return OkStatus();
    worker.rows_scanned += rows.Count();
    if (verdict == Verdict::kSome) RETURN_IF_ERROR(worker.scan.Narrow(rows));
    worker.clock.Lap(Stage::kMatch);
    if (worker.interrupt.stopped() || !rows.Any()) return OkStatus();
    worker.rows_matched += rows.Count();
    // Decoded here, so that nobody waits for it under the lock.
    RETURN_IF_ERROR(reader.Times().status());
    RETURN_IF_ERROR(reader.Origins().status());
    Status status = AddBlock(worker, index, rows);
    worker.clock.Lap(Stage::kRows);
    return status;
  }

  Status AddBlock(Scan::Worker& worker, uint32_t index, const Bitmap& rows) EXCLUDES(mu_) {
    std::map<uint32_t, std::unique_ptr<Row>> made;
    {
      MutexLock lock(mu_);
      RETURN_IF_ERROR(top_->AddBlock(index, worker.scan.reader(), rows));
      if (top_->full()) oldest_ = top_->oldest();
      // With the body decoded, what is left is small; later it would be decoded once more. Large
      // rows are made at the end.
      if (!worker.scan.has_read_body() || early_bytes_ > request_.limits.memory.bytes / 2) {
        return OkStatus();
      }
      for (const Candidate& candidate : top_->rows()) {
        if (candidate.block == index && candidate.made == nullptr) made[candidate.row] = nullptr;
      }
    }
    uint64_t bytes = 0;
    for (auto& [row, out] : made) {
      if (bytes > request_.limits.memory.bytes / 2) break;
      ASSIGN_OR_RETURN(Row full, ReadRow(*blocks_[index], worker.scan.reader(), row));
      out = std::make_unique<Row>(std::move(full));
      bytes += RowBytes(*out);
    }
    MutexLock lock(mu_);
    early_bytes_ += bytes;
    for (Candidate& candidate : top_->rows()) {
      if (candidate.block != index || candidate.made != nullptr) continue;
      const auto found = made.find(candidate.row);
      if (found != made.end()) candidate.made = std::move(found->second);
    }
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
    const std::optional<UnixNanos> unscanned = scan_->unscanned();
    if (!unscanned) return;
    // Rows newer than everything that was not looked at are sure; the cursor goes on from there.
    size_t sure = 0;
    while (sure < count_ && rows[sure].key.time > *unscanned) ++sure;
    has_more_ = sure == limit_;
    no_cursor_ = sure == 0;
    if (no_cursor_) return;
    count_ = sure;
    if (!has_more_) result_.cursor = Cursor::BeforeTime(*unscanned).ToString();
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
    store::BlockReader& reader = scan_->own().scan.reader();
    for (const uint32_t i : order) {
      if (bytes > request_.limits.memory.bytes) break;
      const uint32_t block = rows[i].block;
      if (open != block) reader.Open(*blocks_[block]);
      open = block;
      Status made = Make(rows[i], reader);
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
    for (size_t i = 0; i < given; ++i) {
      rows[i].made->logstore = snapshot_.SourceOf(rows[i].block);
      result_.rows.push_back(std::move(*rows[i].made));
    }
    return OkStatus();
  }

  Result<SearchResult> Finish() {
    RETURN_IF_ERROR(outcome_.ErrorIfNothing(!result_.rows.empty()));
    result_.partial = outcome_.partial();
    result_.lost = outcome_.lost();
    scan_->own().clock.Lap(Stage::kRows);
    scan_->Fill(result_.stats, result_.explain);
    return std::move(result_);
  }

  const store::Snapshot& snapshot_;
  const Query& query_;
  const std::span<const std::shared_ptr<const Block>> blocks_;
  const SearchRequest& request_;
  const uint32_t limit_;
  const UnixNanos to_;
  const std::optional<Cursor> cursor_;
  Outcome outcome_;
  std::vector<bool> bad_;  // blocks whose rows cannot be made
  bool restart_ = false;
  std::optional<Scan> scan_;
  Mutex mu_;
  // While the scan runs: under mu_. Before and after that one thread is left.
  std::optional<TopRows> top_;
  uint64_t early_bytes_ = 0;  // of rows made while their block was at hand, kept or not
  // Older rows cannot come in any more.
  std::atomic<UnixNanos> oldest_{INT64_MIN};
  size_t count_ = 0;        // rows of top_ to give
  bool has_more_ = false;   // the cursor goes on behind the last row given
  bool no_cursor_ = false;  // rows may be missing between those given
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
