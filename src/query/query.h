// Query: search over a store snapshot (language: docs/formats/query.md).
//
//   ParseError error;
//   std::shared_ptr<const Query> query = Parse("level:error AND timeout*", error);
//   ASSIGN_OR_RETURN(SearchResult found, Search(*snapshot, *query, {.from = a, .to = b}));
//
// Place:    the server parses a request's text, takes a snapshot, and runs one of the calls below
//           on a query thread.
// Threads:  Query is immutable; Search and CountOverTime may run on several threads at once. A
//           LiveMatcher is confined to one thread at a time.
// Limits:   time and memory per call (Limits); passing one gives a partial result that says so, or
//           kDeadlineExceeded when there is nothing to show. Of the text: query/limits.h.
// Errors:   ParseError carries the 0-based byte at which the text is wrong. A corrupt block makes a
//           result partial, and kDataLoss when nothing else was found.
// Tests:    search_test.cc, case_test.cc (tests/cases/query), search_property_test.cc
#ifndef KELP_QUERY_QUERY_H_
#define KELP_QUERY_QUERY_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/units.h"
#include "batch/batch.h"
#include "query/explain.h"
#include "store/snapshot.h"

namespace kelp::query {

// A parsed and checked query.
class Query;
class ScanPool;

struct ParseError {
  std::string message;
  size_t position = 0;  // byte offset into the text
};

// The query, or nullptr and `error`. Empty text and "*" match everything.
std::shared_ptr<const Query> Parse(std::string_view text, ParseError& error);

// How far a running call is: it writes, other threads may look at any time.
struct Progress {
  std::atomic<uint64_t> blocks{0};  // that may hold rows of the span
  std::atomic<uint64_t> blocks_done{0};
  std::atomic<uint64_t> rows_scanned{0};
  std::atomic<uint64_t> rows{0};   // that match, or were given
  std::atomic<uint64_t> bytes{0};  // decompressed

  void AddBlock(uint64_t scanned, uint64_t matched, uint64_t decompressed) {
    blocks_done.fetch_add(1, std::memory_order_relaxed);
    rows_scanned.fetch_add(scanned, std::memory_order_relaxed);
    rows.fetch_add(matched, std::memory_order_relaxed);
    bytes.fetch_add(decompressed, std::memory_order_relaxed);
  }
};

struct Limits {
  Duration time = 30s;
  // For rows of the answer. The decoded columns of one block, a few MiB, come on top.
  ByteSize memory = 256_MiB;
  // Set by another thread to stop early; the call then answers kCancelled.
  const std::atomic<bool>* cancelled = nullptr;
  // Helpers (scan_pool.h) and how many threads the call may use, its own included. The answer is
  // the same with any number. Memory for one more block per thread comes on top.
  ScanPool* pool = nullptr;
  uint32_t threads = 1;
  // Where the call says how far it is.
  Progress* progress = nullptr;
};

struct Stats {
  uint64_t blocks = 0;
  uint64_t blocks_skipped = 0;  // by time, resource or token filter
  uint64_t rows_scanned = 0;
  uint64_t bytes_scanned = 0;  // decompressed
  Duration cpu{0};
  Duration wall{0};
};

struct Field {
  std::string name;
  std::string value;
  ValueKind kind = ValueKind::kString;
};

struct Row {
  UnixNanos time = 0;
  std::string body;
  std::vector<Field> fields;
  std::vector<Field> resource;
  OriginId origin;
  uint64_t offset = 0;
  std::string logstore;  // when the snapshot is of several (merged_snapshot.h)
};

struct SearchRequest {
  UnixNanos from = INT64_MIN + 1;  // inclusive
  UnixNanos to = INT64_MAX;        // exclusive
  uint32_t limit = 100;            // at least 1 and at most kRowsPerSearchMax are given
  // Of an earlier answer to the same query and span of time; empty: from the newest row. It stays
  // good when rows arrive and blocks are merged in between: no row comes twice, none is left out
  // that was there before and is older than what was given.
  std::string cursor;
  Limits limits;
  bool explain = false;  // fill SearchResult::explain; costs a little
};

struct SearchResult {
  std::vector<Row> rows;  // newest first; equal times in a stable order
  std::string cursor;     // where to go on; empty when nothing is left
  std::string partial;    // why rows may be missing; empty when none are
  std::string lost;       // the part of `partial` that the cursor does not bring: damage
  Stats stats;
  Explain explain;
};

// The newest matching rows. When time or memory runs out, the rows given are those than which
// nothing newer was left out, and the cursor goes on behind them; without such rows, what was found
// comes without a cursor. Errors: kInvalidArgument (cursor), kCancelled, kDeadlineExceeded,
// kResourceExhausted (a single row over the memory limit), kDataLoss.
Result<SearchResult> Search(const store::Snapshot& snapshot, const Query& query,
                            const SearchRequest& request);

struct HistogramRequest {
  UnixNanos from = 0;
  UnixNanos to = 0;
  uint32_t buckets = 60;
  Limits limits;
  bool explain = false;
};

struct HistogramResult {
  Duration step{0};  // rounded up to whole nanoseconds
  // Counts of [from + i * step, from + (i + 1) * step), cut at `to`; at most `buckets`, fewer where
  // rounding up made fewer reach the end.
  std::vector<uint64_t> counts;
  uint64_t total = 0;
  std::string partial;
  Stats stats;
  Explain explain;
};

// How many matching rows fall into each of `buckets` equal spans of [from, to). Errors:
// kInvalidArgument (span, buckets), kCancelled, kDeadlineExceeded, kDataLoss.
Result<HistogramResult> CountOverTime(const store::Snapshot& snapshot, const Query& query,
                                      const HistogramRequest& request);

// For live tail: calls on_row(row) for each selected row of a batch that matches; the same rows
// that Search would find.
class LiveMatcher {
 public:
  explicit LiveMatcher(std::shared_ptr<const Query> query);
  ~LiveMatcher();
  void Match(const Batch& batch, const std::function<void(uint32_t)>& on_row);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// ROW of docs/formats/http-api.md as JSON text. Appends.
void PrintRowJson(const Row& row, std::string& out);
// The same for a row of a live batch.
Row RowOf(const Batch& batch, uint32_t row);

}  // namespace kelp::query

#endif  // KELP_QUERY_QUERY_H_
