// KelpOutputMetrics: what all lanes of one `kelp` output count.
#ifndef KELP_OUTPUT_KELP_KELP_METRICS_H_
#define KELP_OUTPUT_KELP_KELP_METRICS_H_

#include <string>

#include "output/common/sent_counters.h"
#include "pipeline/component.h"

namespace kelp::output {

// Threads: thread-safe.
struct KelpOutputMetrics {
  explicit KelpOutputMetrics(const pipeline::ComponentContext& c)
      : context(c),
        rows(AddSentRows(c)),
        bytes(AddSentBytes(c)),
        duplicates(c.AddCounter("output_duplicate_rows_total",
                                "Rows that the server already had and did not store again.")),
        requests(c.AddCounter("output_requests_total", "Requests sent, retries included.")),
        concurrency(c.AddGauge("output_concurrency_limit",
                               "Requests that may be under way at once; follows the server.")),
        queue_bytes(c.AddGauge("output_queue_bytes", "Bytes that wait to be written or sent.")),
        latency(c.services.metrics->AddLatency(
            "output_request_seconds", "Time from a request to its answer.",
            {{"pipeline", c.pipeline}, {"component", c.component}})) {}

  // A try that failed and will be made again. `reason`: the HTTP status, "network" or "timeout".
  Counter& Retries(const std::string& reason) const {
    return context.AddCounter("output_retries_total",
                              "Tries that failed and will be made again, by reason.",
                              {{"reason", reason}});
  }

  const pipeline::ComponentContext context;
  Counter& rows;
  Counter& bytes;
  Counter& duplicates;
  Counter& requests;
  Gauge& concurrency;
  Gauge& queue_bytes;
  LatencyHistogram& latency;
};

}  // namespace kelp::output

#endif  // KELP_OUTPUT_KELP_KELP_METRICS_H_
