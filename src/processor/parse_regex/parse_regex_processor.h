// ParseRegexProcessor: makes fields of what the groups of a regular expression capture.
#ifndef KELP_PROCESSOR_PARSE_REGEX_PARSE_REGEX_PROCESSOR_H_
#define KELP_PROCESSOR_PARSE_REGEX_PARSE_REGEX_PROCESSOR_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "codec/regex.h"
#include "config/schema.h"
#include "pipeline/processor.h"
#include "processor/common/field_writer.h"
#include "processor/common/parse_errors.h"

namespace kelp::processor {

struct ParseRegexConfig {
  std::string field = "body";
  std::string pattern;
  std::vector<std::string> fields;
  bool keep_source = false;
  OnError on_error = OnError::kKeep;
  static const config::Schema<ParseRegexConfig>& ConfigSchema();
};

// Place:    the pattern is compiled once and shared by the instances of the workers.
// Threads:  confined, as Processor asks.
// Limits:   those of codec/regex.h for a text that makes the pattern try too much.
// Counts:   processor_parse_errors_total, processor_regex_limit_total,
//           processor_dropped_rows_total (reason parse_error).
// Tests:    parse_regex_processor_test.cc, tests/cases/processor/parse_regex
class ParseRegexProcessor final : public pipeline::Processor {
 public:
  static constexpr std::string_view kName = "parse_regex";
  using Config = ParseRegexConfig;
  static const config::Schema<Config>& ConfigSchema() { return Config::ConfigSchema(); }
  // Errors: kInvalidArgument when the pattern does not compile or captures nothing, or when
  // `fields` does not fit it.
  static Result<std::unique_ptr<pipeline::Processor>> Create(
      const Config& config, const pipeline::ComponentContext& context);

  void Process(Batch& batch) override;

 private:
  struct Target {
    size_t group;
    FieldWriter field;
  };
  ParseRegexProcessor(const Config& config, const pipeline::ComponentContext& context,
                      const codec::Regex& regex, std::vector<Target> targets);
  static Result<std::vector<Target>> Targets(const Config& config, const codec::Regex& regex);
  std::string_view ParseRow(Batch& batch, Column& source, uint32_t row);

  const std::string source_;
  const bool keep_source_;
  codec::RegexMatcher matcher_;
  std::vector<Target> targets_;
  bool started_ = false;  // whether targets_ know the batch
  ParseErrors errors_;
  Counter& limit_total_;
};

}  // namespace kelp::processor

#endif  // KELP_PROCESSOR_PARSE_REGEX_PARSE_REGEX_PROCESSOR_H_
