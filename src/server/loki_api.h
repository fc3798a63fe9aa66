// The Loki query API (docs/guides/grafana.md), as Grafana's Loki data source, Grafana Logs
// Drilldown and logcli use it.
#ifndef KELP_SERVER_LOKI_API_H_
#define KELP_SERVER_LOKI_API_H_

#include "server/api.h"
#include "server/loki_tail.h"

namespace kelp::server {

// Everything below /loki; what is not known there is answered with a JSON 404. The tails outlive
// the router.
void AddLokiRoutes(net::Router& router, Api& api, LokiTails& tails);

}  // namespace kelp::server

#endif  // KELP_SERVER_LOKI_API_H_
