// What the tests of processors share: a processor made from YAML, and rows as text.
#ifndef KELP_PROCESSOR_TESTING_H_
#define KELP_PROCESSOR_TESTING_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "codec/json_print.h"
#include "config/schema.h"
#include "pipeline/processor.h"

namespace kelp::processor::testing {

// One batch of rows without times, one for each body.
inline BatchPtr NewBatch(const std::vector<std::string>& bodies) {
  BatchPtr batch = BatchPool::Shared().Get();
  uint64_t end = 0;
  for (const std::string& body : bodies) {
    const std::string_view text = body.empty() ? std::string_view("") : batch->Copy(body);
    batch->AddRow(text, end, end + body.size() + 1, kNoTime);
    end += body.size() + 1;
  }
  return batch;
}

// The selected rows, one a line: {"time":…,"body":…,"fields":{…}}; a missing time or body is left
// out.
inline std::string Rows(const Batch& batch) {
  codec::ByteBuffer out;
  batch.ForEach([&](uint32_t row) {
    out.Append('{');
    if (batch.time(row) != kNoTime) {
      out.Append("\"time\":");
      codec::AppendJsonTime(out, batch.time(row));
      out.Append(',');
    }
    if (!batch.body().Get(row).missing()) {
      out.Append("\"body\":");
      codec::AppendJsonValue(out, batch.body().Get(row));
      out.Append(',');
    }
    out.Append("\"fields\":{");
    bool first = true;
    for (size_t i = 1; i < batch.column_count(); ++i) {
      if (batch.column(i).Get(row).missing()) continue;
      if (!first) out.Append(',');
      first = false;
      codec::AppendJsonString(out, batch.column(i).name());
      out.Append(':');
      codec::AppendJsonValue(out, batch.column(i).Get(row));
    }
    out.Append("}}\n");
  });
  return std::string(out.view());
}

// A processor P and the metrics it counts in.
template <class P>
class Harness {
 public:
  explicit Harness(std::string_view yaml) {
    auto config = P::ConfigSchema().ParseText(yaml);
    status_ = config.status();
    if (!config.ok()) return;
    pipeline::ComponentContext context;
    context.services.env = &RealEnv();
    context.services.metrics = &metrics_;
    context.pipeline = "p";
    context.component = std::string(P::kName);
    auto processor = P::Create(*config, context);
    status_ = processor.status();
    if (processor.ok()) processor_ = std::move(processor).value();
  }

  // Why there is no processor; OK when there is one.
  const Status& status() const { return status_; }
  pipeline::Processor& processor() {
    CHECK(processor_ != nullptr, status_.ToString());
    return *processor_;
  }
  // The rows that are left of these bodies.
  std::string Run(const std::vector<std::string>& bodies) {
    const BatchPtr batch = NewBatch(bodies);
    processor().Process(*batch);
    return Rows(*batch);
  }
  // The value of a counter, such as processor_dropped_rows_total{reason="excluded"}; -1: none.
  int64_t Count(const std::string& name, const std::string& reason = "") const {
    std::string text;
    metrics_.PrintTo(text);
    for (size_t at = text.find("\nkelp_" + name + "{"); at != text.npos;
         at = text.find("\nkelp_" + name + "{", at + 1)) {
      const std::string line = text.substr(at + 1, text.find('\n', at + 1) - at - 1);
      if (!reason.empty() && line.find("reason=\"" + reason + "\"") == line.npos) continue;
      return std::stoll(line.substr(line.rfind(' ') + 1));
    }
    return -1;
  }

 private:
  MetricRegistry metrics_;
  Status status_;
  std::unique_ptr<pipeline::Processor> processor_;
};

}  // namespace kelp::processor::testing

#endif  // KELP_PROCESSOR_TESTING_H_
