// RunLogQuery: the rows that a log query finds, newest or oldest first; LiveQuery: the same for a
// row that just arrived.
//
// Place:    /loki/api/v1/query_range, /loki/api/v1/tail
// Threads:  RunLogQuery may run on several threads at once; a LiveQuery is confined to one.
// Limits:   query::Limits. When time runs out, what was found comes, and says so.
// Errors:   as query::Search.
// Tests:    case_test.cc (tests/cases/logql), query_test.cc
#ifndef KELP_LOKI_LOG_QUERY_H_
#define KELP_LOKI_LOG_QUERY_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "loki/pipeline.h"
#include "loki/request.h"

namespace kelp::loki {

struct LogRequest {
  UnixNanos from = 0;  // inclusive
  UnixNanos to = 0;    // exclusive
  uint32_t limit = 100;
  bool forward = false;  // oldest first
};

struct LogLine {
  UnixNanos time = 0;
  std::string line;
  LabelList stream;
  LabelList fields;  // structured metadata
  LabelList parsed;  // what stages made
};

struct LogResult {
  std::vector<LogLine> lines;
  Cost cost;
};

// REQUIRES: expr.is_log().
Result<LogResult> RunLogQuery(const Target& target, const Expr& expr, const LogRequest& request);

// Rows through selector and pipeline.
class RowFilter {
 public:
  // `expr` must outlive it.
  explicit RowFilter(const Expr& expr) : expr_(expr), pipeline_(expr.stages) {}
  // Whether any row of that resource can be wanted.
  bool MayTake(const Resource& resource, const std::string& logstore);
  // nullopt: the row is not wanted.
  std::optional<LogLine> Take(const query::Row& row);

 private:
  bool Selected();

  const Expr& expr_;
  Pipeline pipeline_;
  Entry entry_;
};

}  // namespace kelp::loki

#endif  // KELP_LOKI_LOG_QUERY_H_
