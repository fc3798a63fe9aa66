// Calls of Grafana Logs Drilldown: which fields lines have, and patterns of lines.
//
// Threads: on a query thread. Limits: rows that are looked at, see loki_insight.cc.
// Tests:   loki_api_test.cc
#ifndef KELP_SERVER_LOKI_INSIGHT_H_
#define KELP_SERVER_LOKI_INSIGHT_H_

#include <string>

#include "server/loki_request.h"

namespace kelp::server {

Result<std::string> LokiDetectedFields(LokiRequest& request);
Result<std::string> LokiDetectedFieldValues(LokiRequest& request);
Result<std::string> LokiPatterns(LokiRequest& request);

}  // namespace kelp::server

#endif  // KELP_SERVER_LOKI_INSIGHT_H_
