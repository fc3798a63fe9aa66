// ScanRows: every matching row, block by block, in no order.
//
//   RETURN_IF_ERROR(ScanRows(*snapshot, *query, {.from = a, .to = b}, [&](const Row& row) {
//     ...                                  // not OK ends the scan
//   }, result));
//
// Each block is decoded once, where pages in order decode what overlaps again and again.
//
// Place:    exports that need no order.
// Threads:  runs on the caller's alone. Blocking: as long as on_row does.
// Limits:   Limits::time and cancelled; one block in memory.
// Errors:   kCancelled, kDeadlineExceeded, and what on_row gives; corrupt blocks make it partial.
// Tests:    search_test.cc
#ifndef KELP_QUERY_ROW_SCAN_H_
#define KELP_QUERY_ROW_SCAN_H_

#include <functional>
#include <string>

#include "query/query.h"

namespace kelp::query {

struct RowScanRequest {
  UnixNanos from = INT64_MIN + 1;  // inclusive
  UnixNanos to = INT64_MAX;        // exclusive
  Limits limits;
};

struct RowScanResult {
  uint64_t rows = 0;
  std::string partial;  // why rows are missing; empty when none are
  Stats stats;
};

Result<RowScanResult> ScanRows(const store::Snapshot& snapshot, const Query& query,
                               const RowScanRequest& request,
                               const std::function<Status(const Row&)>& on_row);

}  // namespace kelp::query

#endif  // KELP_QUERY_ROW_SCAN_H_
