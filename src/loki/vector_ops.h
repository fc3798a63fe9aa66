// Aggregations over series, and operations between them, step by step.
//
// Threads: pure functions.
// Limits:  kSeriesMax.
// Errors:  kInvalidArgument when series cannot be told apart, as in Loki.
// Tests:   case_test.cc (tests/cases/logql), query_test.cc
#ifndef KELP_LOKI_VECTOR_OPS_H_
#define KELP_LOKI_VECTOR_OPS_H_

#include <vector>

#include "loki/metric_query.h"

namespace kelp::loki {

// REQUIRES: expr.kind == kAggregate. `sorted` is set when the order of the result means something.
std::vector<Series> Aggregate(const Expr& expr, std::vector<Series> series, bool& sorted);

// REQUIRES: expr.kind == kBinary.
Result<MetricResult> Combine(const Expr& expr, MetricResult left, MetricResult right);

// REQUIRES: expr.kind == kLabelReplace.
Result<std::vector<Series>> ReplaceLabel(const Expr& expr, std::vector<Series> series);

}  // namespace kelp::loki

#endif  // KELP_LOKI_VECTOR_OPS_H_
