// Printing answers of the Loki API.
//
// Threads: pure functions. Tests: loki_api_test.cc
#ifndef KELP_SERVER_LOKI_JSON_H_
#define KELP_SERVER_LOKI_JSON_H_

#include <set>
#include <string>
#include <vector>

#include "loki/log_query.h"
#include "loki/metric_query.h"

namespace kelp::server {

// {"a":"b"}
std::string LokiLabels(const loki::LabelList& labels);
// {"status":"success","data":["a","b"]}
std::string LokiStrings(const std::set<std::string>& texts);
// The shortest text that is the same number, as Prometheus prints it.
std::string LokiNumber(double number);

// Lines by stream. With `categorize`, fields and what stages made stand beside each line; else they
// are labels of the stream, as older clients expect.
std::string LokiStreams(const std::vector<loki::LogLine>& lines, bool categorize);
// One answer of /tail.
std::string LokiTailMessage(const std::vector<loki::LogLine>& lines, bool categorize,
                            uint64_t dropped, UnixNanos now);

std::string LokiLogAnswer(const loki::LogResult& result, bool categorize);
// A vector or a scalar at one moment; a matrix over steps.
std::string LokiMetricAnswer(const loki::MetricResult& result, const loki::MetricRequest& request,
                             bool instant);

}  // namespace kelp::server

#endif  // KELP_SERVER_LOKI_JSON_H_
