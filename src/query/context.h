// Context: the rows around one row, as its origin wrote them.
//
//   ContextRequest request{.origin = row.origin, .offset = row.offset, .time = row.time};
//   ASSIGN_OR_RETURN(ContextResult around, FindContext(*snapshot, request));
//
// Rows of an origin are ordered by their offset in it, whatever their times say. Blocks near the
// row's time are looked at first, in a span that grows until both sides are full; so a row whose
// time is more than that span away from its neighbours' may be missed.
//
// Place:    the context drawer of the console.
// Threads:  runs on the caller's.
// Limits:   kContextRowsMax on each side; Limits.
// Errors:   kInvalidArgument when the row has no origin (it came by an API that knows none);
//           kCancelled; kDataLoss when nothing could be read.
// Tests:    statistics_test.cc
#ifndef KELP_QUERY_CONTEXT_H_
#define KELP_QUERY_CONTEXT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "query/query.h"

namespace kelp::query {

inline constexpr uint32_t kContextRowsMax = 1000;

struct ContextRequest {
  OriginId origin;
  uint64_t offset = 0;
  UnixNanos time = 0;
  uint32_t before = 10;
  uint32_t after = 10;
  Limits limits;
};

struct ContextResult {
  std::vector<Row> before;  // oldest first: read down the page
  std::optional<Row> row;   // when it is (still) there
  std::vector<Row> after;   // oldest first
  std::string partial;
  Stats stats;
};

Result<ContextResult> FindContext(const store::Snapshot& snapshot, const ContextRequest& request);

}  // namespace kelp::query

#endif  // KELP_QUERY_CONTEXT_H_
