// TimestampProcessor: takes the time of a row from one of its fields.
#ifndef KELP_PROCESSOR_TIMESTAMP_TIMESTAMP_PROCESSOR_H_
#define KELP_PROCESSOR_TIMESTAMP_TIMESTAMP_PROCESSOR_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "codec/time_format.h"
#include "config/schema.h"
#include "pipeline/processor.h"
#include "processor/common/parse_errors.h"

namespace kelp::processor {

struct TimestampConfig {
  std::string field;
  std::vector<std::string> formats;
  std::string timezone = "UTC";
  bool keep_source = true;
  OnError on_error = OnError::kKeep;
  static const config::Schema<TimestampConfig>& ConfigSchema();
};

// Threads:  confined, as Processor asks.
// Counts:   processor_parse_errors_total, processor_dropped_rows_total (reason parse_error).
// Tests:    timestamp_processor_test.cc, tests/cases/processor/timestamp
class TimestampProcessor final : public pipeline::Processor {
 public:
  static constexpr std::string_view kName = "timestamp";
  using Config = TimestampConfig;
  static const config::Schema<Config>& ConfigSchema() { return Config::ConfigSchema(); }
  // Reads the time zone's file when `timezone` is a name. Errors: kInvalidArgument for a format or
  // zone that is none.
  static Result<std::unique_ptr<pipeline::Processor>> Create(
      const Config& config, const pipeline::ComponentContext& context);

  void Process(Batch& batch) override;

 private:
  TimestampProcessor(const Config& config, const pipeline::ComponentContext& context,
                     std::vector<codec::TimeFormat> formats);
  std::string_view ParseRow(Batch& batch, Column& source, uint32_t row);
  bool Read(std::string_view text, UnixNanos reference, UnixNanos& time);

  const std::string field_;
  const bool keep_source_;
  Env& env_;
  std::vector<codec::TimeFormat> formats_;
  UnixNanos now_ = 0;  // when this batch began
  ParseErrors errors_;
};

}  // namespace kelp::processor

#endif  // KELP_PROCESSOR_TIMESTAMP_TIMESTAMP_PROCESSOR_H_
