// BlackholeOutput: takes everything, keeps nothing, and counts.
#ifndef KELP_OUTPUT_BLACKHOLE_BLACKHOLE_OUTPUT_H_
#define KELP_OUTPUT_BLACKHOLE_BLACKHOLE_OUTPUT_H_

#include <memory>
#include <string_view>

#include "config/schema.h"
#include "pipeline/output.h"

namespace kelp::output {

struct BlackholeOutputConfig {
  static const config::Schema<BlackholeOutputConfig>& ConfigSchema();
};

// Acknowledges every batch at once, on the caller's thread.
//
// Place:    measures what reading and processing cost, and tries pipelines out.
// Threads:  thread-safe, as Output asks.
// Blocking: never. Limits: none; HasRoom() is always true.
// Counts:   output_sent_rows_total, output_sent_bytes_total (of bodies).
// Tests:    blackhole_output_test.cc
class BlackholeOutput final : public pipeline::Output {
 public:
  static constexpr std::string_view kName = "blackhole";
  using Config = BlackholeOutputConfig;
  static const config::Schema<Config>& ConfigSchema() { return Config::ConfigSchema(); }
  static Result<std::unique_ptr<pipeline::Output>> Create(
      const Config& config, const pipeline::ComponentContext& context);

  explicit BlackholeOutput(const pipeline::ComponentContext& context);
  Status Start(pipeline::OutputHost& host) override;
  void Write(SharedBatch batch, pipeline::Ack ack) override;
  void Stop(Duration grace) override;

 private:
  Counter& rows_;
  Counter& bytes_;
};

}  // namespace kelp::output

#endif  // KELP_OUTPUT_BLACKHOLE_BLACKHOLE_OUTPUT_H_
