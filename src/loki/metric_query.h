// RunMetricQuery: what a metric query gives at each step of a span of time.
//
// Range aggregations read rows (range_scan.h); everything around them works on their series.
//
// Place:    /loki/api/v1/query and query_range.
// Threads:  as query::Search.
// Limits:   kStepsMax, kSeriesMax, query::Limits.
// Errors:   kInvalidArgument for what a query may not ask for, kResourceExhausted for too many
//           series or too much memory, and those of query::CountOverTime.
// Tests:    case_test.cc (tests/cases/logql), query_test.cc
#ifndef KELP_LOKI_METRIC_QUERY_H_
#define KELP_LOKI_METRIC_QUERY_H_

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "loki/request.h"

namespace kelp::loki {

// As Loki: what a graph can show.
inline constexpr int64_t kStepsMax = 11'000;
// Series of one answer, and of one range aggregation below it.
inline constexpr size_t kSeriesMax = 5'000;

struct MetricRequest {
  UnixNanos start = 0;
  UnixNanos end = 0;  // inclusive; start == end: one moment
  Duration step{0};

  size_t steps() const {
    return step <= Duration(0) ? 1 : static_cast<size_t>((end - start) / step.count()) + 1;
  }
};

struct Series {
  LabelList labels;
  std::vector<double> values;    // by step
  std::vector<uint8_t> present;  // by step: whether there is a value
};

struct MetricResult {
  bool scalar = false;  // one series without labels that is a plain number
  bool sorted = false;  // the order of series means something (sort, topk of one moment)
  std::vector<Series> series;
  Cost cost;
};

// REQUIRES: !expr.is_log().
Result<MetricResult> RunMetricQuery(const Target& target, const Expr& expr,
                                    const MetricRequest& request);

}  // namespace kelp::loki

#endif  // KELP_LOKI_METRIC_QUERY_H_
