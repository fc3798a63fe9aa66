#include "output/blackhole/blackhole_output.h"

#include <utility>

#include "output/common/sent_counters.h"

namespace kelp::output {

const config::Schema<BlackholeOutputConfig>& BlackholeOutputConfig::ConfigSchema() {
  static const auto schema = config::Schema<BlackholeOutputConfig>(
      "blackhole", "Takes everything, keeps nothing, and counts.", {.example = "type: blackhole"});
  return schema;
}

Result<std::unique_ptr<pipeline::Output>> BlackholeOutput::Create(
    const Config&, const pipeline::ComponentContext& context) {
  return std::unique_ptr<pipeline::Output>(std::make_unique<BlackholeOutput>(context));
}

BlackholeOutput::BlackholeOutput(const pipeline::ComponentContext& context)
    : rows_(AddSentRows(context)), bytes_(AddSentBytes(context)) {}

Status BlackholeOutput::Start(pipeline::OutputHost&) { return OkStatus(); }

void BlackholeOutput::Write(SharedBatch batch, pipeline::Ack ack) {
  rows_.Add(batch->selected_count());
  bytes_.Add(batch->body_bytes());
  batch.reset();
  ack.Done();
}

void BlackholeOutput::Stop(Duration) {}

}  // namespace kelp::output
