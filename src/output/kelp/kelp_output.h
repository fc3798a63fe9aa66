// KelpOutput: sends rows to a Kelp server.
#ifndef KELP_OUTPUT_KELP_KELP_OUTPUT_H_
#define KELP_OUTPUT_KELP_KELP_OUTPUT_H_

#include <memory>
#include <string_view>
#include <vector>

#include "net/http_client.h"
#include "output/kelp/kelp_config.h"
#include "output/kelp/kelp_lane.h"
#include "pipeline/output.h"

namespace kelp::output {

// Gathers rows into batch sets, and acknowledges them when the server has stored them.
//
// The server removes what it gets twice by (origin, end offset), so all that is needed for exactly
// once is order: an origin always goes to the same lane, and a lane has one request under way.
//
// Place:    the usual output of an agent.
// Owns:     its lanes and, when the agent has none for it, an HTTP client.
// Threads:  thread-safe, as Output asks. One thread for each lane that has something to do.
// Blocking: Write never; Stop for at most `grace`, or, when the transport is the agent's and cannot
//           be cancelled, until the request under way ends.
// Limits:   HasRoom() is false while queue_bytes_max wait.
// Errors:   see KelpSender: waiting for ever, except for what the server will never accept.
// Format:   docs/formats/kelp-batch.md
// Counts:   KelpOutputMetrics. Rows that are given up: OutputHost::GiveUp.
// Tests:    kelp_output_test.cc, kelp_server_test.cc
class KelpOutput final : public pipeline::Output {
 public:
  static constexpr std::string_view kName = "kelp";
  using Config = KelpOutputConfig;
  static const config::Schema<Config>& ConfigSchema() { return Config::ConfigSchema(); }
  static Result<std::unique_ptr<pipeline::Output>> Create(
      const Config& config, const pipeline::ComponentContext& context);

  KelpOutput(const Config& config, const pipeline::ComponentContext& context);
  ~KelpOutput() override;
  Status Start(pipeline::OutputHost& host) override;
  void Write(SharedBatch batch, pipeline::Ack ack) override;
  bool HasRoom() const override { return room_.HasRoom(); }
  void Stop(Duration grace) override;

 private:
  const Config config_;
  Env& env_;
  net::HttpTransport* const shared_http_;
  MemoryBudget* const memory_;
  KelpOutputMetrics metrics_;
  KelpTarget target_;
  KelpQueueRoom room_;
  ConcurrencyLimit limit_;
  std::unique_ptr<net::HttpClient> own_http_;
  std::vector<std::unique_ptr<KelpLane>> lanes_;
};

}  // namespace kelp::output

#endif  // KELP_OUTPUT_KELP_KELP_OUTPUT_H_
