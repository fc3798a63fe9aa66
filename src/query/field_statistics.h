// FieldStatistics: which fields the newest matching rows have, and which values.
//
//   FieldStatsRequest request{.from = a, .to = b, .rows = 1'000'000};
//   ASSIGN_OR_RETURN(FieldStatsResult stats, FieldStatistics(*snapshot, *query, request));
//   PrintFieldStatsJson(stats, json);
//
// Place:    the field list beside the rows of the console's search page.
// Threads:  as Search: on the caller's thread and those of Limits::pool; the answer does not depend
//           on how many.
// Limits:   Limits; half of the memory is for values. kStatFieldsMax fields.
// Errors:   as CountOverTime.
// Format:   docs/formats/query.md, "Field statistics"
// Tests:    statistics_test.cc
#ifndef KELP_QUERY_FIELD_STATISTICS_H_
#define KELP_QUERY_FIELD_STATISTICS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "query/query.h"

namespace kelp::query {

// A field list that nobody could read any more; what more there are is counted.
inline constexpr size_t kStatFieldsMax = 500;
// Top values that one field may show.
inline constexpr uint32_t kTopValuesMax = 1000;

struct FieldStatsRequest {
  UnixNanos from = INT64_MIN + 1;  // inclusive
  UnixNanos to = INT64_MAX;        // exclusive
  // The newest so many matching rows, rounded up to whole groups of blocks.
  uint64_t rows = 1'000'000;
  uint32_t top = 10;
  // The top values are those that begin so, ASCII case ignored.
  std::string prefix;
  std::vector<std::string> fields;  // full names; empty: all fields and tags, without the body
  Limits limits;
  bool explain = false;
};

struct NumberStats {
  uint64_t count = 0;  // values that are numbers
  double min = 0;
  double max = 0;
  double average = 0;
  double p50 = 0;
  double p90 = 0;
  double p95 = 0;
  double p99 = 0;
  // Equal spans from min to max.
  std::vector<uint64_t> buckets;
};

struct FieldStat {
  std::string name;
  bool resource = false;
  // "text", "integer", "number", "boolean", "json" (objects and arrays), or "mixed": at least half
  // are numbers. By the values that were counted one by one.
  std::string_view kind = "text";
  uint64_t present = 0;  // rows that have it
  uint64_t distinct = 0;
  bool exact = true;  // `distinct` and the top values are no estimates
  struct Top {
    std::string value;  // cut at ValueTable::kValueBytesMax
    uint64_t count = 0;
  };
  std::vector<Top> top;                // most frequent first
  std::optional<NumberStats> numbers;  // when at least half of the values are numbers
};

struct FieldStatsResult {
  uint64_t rows = 0;              // that were looked at
  bool complete = false;          // no older row matches in the span
  std::vector<FieldStat> fields;  // by coverage, then name
  uint64_t fields_left_out = 0;   // over kStatFieldsMax
  std::string partial;
  Stats stats;
  Explain explain;
};

Result<FieldStatsResult> FieldStatistics(const store::Snapshot& snapshot, const Query& query,
                                         const FieldStatsRequest& request);

// {"rows":N,"sampled":BOOL,"fields":[FIELD…],"fields_left_out":N}. Appends.
void PrintFieldStatsJson(const FieldStatsResult& result, std::string& out);
// FIELD: {"name","resource","kind","rows","coverage","distinct","distinct_exact",
// "top":[{"value","rows"}],"numbers":{…}|null}. `rows`: of the statistics. Appends.
void PrintFieldJson(const FieldStat& field, uint64_t rows, std::string& out);

}  // namespace kelp::query

#endif  // KELP_QUERY_FIELD_STATISTICS_H_
