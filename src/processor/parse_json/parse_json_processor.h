// ParseJsonProcessor: makes fields of the JSON object that a field holds.
#ifndef KELP_PROCESSOR_PARSE_JSON_PARSE_JSON_PROCESSOR_H_
#define KELP_PROCESSOR_PARSE_JSON_PARSE_JSON_PROCESSOR_H_

#include <memory>
#include <string>
#include <string_view>

#include "codec/json.h"
#include "config/schema.h"
#include "pipeline/processor.h"
#include "processor/common/parse_errors.h"

namespace kelp::processor {

struct ParseJsonConfig {
  std::string field = "body";
  std::string prefix;
  bool keep_source = false;
  OnError on_error = OnError::kKeep;
  static const config::Schema<ParseJsonConfig>& ConfigSchema();
};

// Each top-level key becomes a field; strings unescaped, other values as their JSON text.
//
// Threads:  confined, as Processor asks.
// Limits:   columns of a batch; what finds none goes into the overflow column (batch.h), counted.
// Counts:   processor_parse_errors_total, processor_overflow_fields_total,
//           processor_dropped_rows_total (reason parse_error).
// Tests:    parse_json_processor_test.cc, tests/cases/processor/parse_json
class ParseJsonProcessor final : public pipeline::Processor {
 public:
  static constexpr std::string_view kName = "parse_json";
  using Config = ParseJsonConfig;
  static const config::Schema<Config>& ConfigSchema() { return Config::ConfigSchema(); }
  static Result<std::unique_ptr<pipeline::Processor>> Create(
      const Config& config, const pipeline::ComponentContext& context);

  ParseJsonProcessor(const Config& config, const pipeline::ComponentContext& context);
  void Process(Batch& batch) override;

 private:
  std::string_view ParseRow(Column& source, uint32_t row);

  const std::string field_;
  const bool keep_source_;
  codec::JsonFields fields_;
  ParseErrors errors_;
  Counter& overflowed_total_;
  uint64_t overflowed_ = 0;  // as counted so far
};

}  // namespace kelp::processor

#endif  // KELP_PROCESSOR_PARSE_JSON_PARSE_JSON_PROCESSOR_H_
