// StatusServer: the agent's HTTP endpoint: /healthz, /readyz, /metrics, /api/v1/status,
// /api/v1/ledger, /api/v1/tap (docs/formats/http-api.md).
#ifndef KELP_AGENT_STATUS_SERVER_H_
#define KELP_AGENT_STATUS_SERVER_H_

#include <memory>
#include <string>

#include "base/env.h"
#include "base/metrics.h"
#include "base/status.h"
#include "net/http_server.h"
#include "pipeline/engine.h"

namespace kelp::agent {

// Prometheus gives a scrape up after this time by default.
inline constexpr Duration kScrapeTime = 10s;

// Streams all metrics, in pieces: thousands of pipelines have megabytes to tell. Blocks while the
// peer reads, for kScrapeTime in all; a scrape that takes longer is cut off, so that slow ones do
// not keep probes from being answered.
void SendScrape(const MetricRegistry& metrics, Clock& clock, net::Responder& out);

// Threads: owns those of its HttpServer. Borrows engine and metrics, which outlive it.
class StatusServer {
 public:
  // `data_dir` is told, so that a caller knows whose answer it has.
  static Result<std::unique_ptr<StatusServer>> Start(const std::string& listen, Env& env,
                                                     pipeline::Engine& engine,
                                                     MetricRegistry& metrics, std::string data_dir);
  virtual ~StatusServer() = default;
  virtual const std::string& address() const = 0;
};

}  // namespace kelp::agent

#endif  // KELP_AGENT_STATUS_SERVER_H_
