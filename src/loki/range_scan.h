// ScanRange: a range aggregation: rows in, one value for each series and step out.
//
// A row belongs to all steps t with t - range < time <= t. When ranges overlap, rows are gathered
// in buckets that divide both range and step, and steps add buckets up.
//
// Place:    RunMetricQuery, for each range aggregation of a query.
// Threads:  rows are read on the threads of query::Limits.
// Limits:   kSeriesMax series, Limits::memory for cells.
// Tests:    query_test.cc
#ifndef KELP_LOKI_RANGE_SCAN_H_
#define KELP_LOKI_RANGE_SCAN_H_

#include "loki/metric_query.h"

namespace kelp::loki {

// `grouping`: which labels tell series apart; not given: all of the stream and those that stages
// made, and `fields`, which an aggregation around it names; other fields would make too many
// series. Errors: kResourceExhausted, kCancelled, kDeadlineExceeded (adding up; rows that could not
// be read in time are missing, and `cost` says so).
Result<std::vector<Series>> ScanRange(const Target& target, const Expr& expr,
                                      const Grouping& grouping, std::span<const std::string> fields,
                                      const MetricRequest& request, Cost& cost);

}  // namespace kelp::loki

#endif  // KELP_LOKI_RANGE_SCAN_H_
