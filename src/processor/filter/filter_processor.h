// FilterProcessor: lets only some rows through.
#ifndef KELP_PROCESSOR_FILTER_FILTER_PROCESSOR_H_
#define KELP_PROCESSOR_FILTER_FILTER_PROCESSOR_H_

#include <memory>
#include <optional>
#include <string_view>

#include "config/schema.h"
#include "pipeline/processor.h"
#include "processor/filter/condition.h"

namespace kelp::processor {

struct FilterConfig {
  std::optional<ConditionConfig> include;
  std::optional<ConditionConfig> exclude;
  static const config::Schema<FilterConfig>& ConfigSchema();
};

// Threads:  confined, as Processor asks.
// Counts:   processor_dropped_rows_total (reasons not_included, excluded),
//           processor_regex_limit_total.
// Tests:    filter_processor_test.cc, tests/cases/processor/filter
class FilterProcessor final : public pipeline::Processor {
 public:
  static constexpr std::string_view kName = "filter";
  using Config = FilterConfig;
  static const config::Schema<Config>& ConfigSchema() { return Config::ConfigSchema(); }
  // Errors: kInvalidArgument when a pattern does not compile.
  static Result<std::unique_ptr<pipeline::Processor>> Create(
      const Config& config, const pipeline::ComponentContext& context);

  void Process(Batch& batch) override;

 private:
  FilterProcessor(const pipeline::ComponentContext& context, std::optional<Condition> include,
                  std::optional<Condition> exclude);
  void CountLimitHits();

  std::optional<Condition> include_;
  std::optional<Condition> exclude_;
  Counter& not_included_;
  Counter& excluded_;
  Counter& limit_total_;
  uint64_t limit_hits_ = 0;  // as counted so far
};

}  // namespace kelp::processor

#endif  // KELP_PROCESSOR_FILTER_FILTER_PROCESSOR_H_
