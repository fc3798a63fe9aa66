// What the two ways to run a LogQL query (log_query.h, metric_query.h) have in common: where the
// rows are, within which limits, and the plan for a selector.
//
// Threads: values.
#ifndef KELP_LOKI_REQUEST_H_
#define KELP_LOKI_REQUEST_H_

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "loki/ast.h"
#include "query/merged_snapshot.h"
#include "query/query.h"

namespace kelp::loki {

// Sorted by name.
using LabelList = std::vector<std::pair<std::string, std::string>>;

// Logstores of one project, and what a call may cost.
struct Target {
  std::vector<query::MergedSnapshot::Source> sources;
  query::Limits limits;
  bool prefilter = true;  // off: every row is looked at, for tests
};

// The rows that a selector and its stages may want.
struct Plan {
  std::unique_ptr<query::MergedSnapshot> snapshot;
  std::shared_ptr<const query::Query> query;  // nullptr: nothing can match
};
Plan MakePlan(const Target& target, std::span<const Matcher> selector,
              std::span<const Stage> stages, UnixNanos from, UnixNanos to);

// Adds what one scan cost, and why rows may be missing.
struct Cost {
  query::Stats stats;
  std::string partial;
  void Add(const query::Stats& more, const std::string& why);
};

}  // namespace kelp::loki

#endif  // KELP_LOKI_REQUEST_H_
