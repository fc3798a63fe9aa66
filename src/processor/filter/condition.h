// Conditions on rows: what `include` and `exclude` of the filter processor say.
//
//   {field: level, equals: [warn, error]}
//   {and: [{field: status, min: 500}, {not: {field: path, regex: ^/health}}]}
//
// A condition looks at one field or joins others; the keys of one condition that look at the field
// must all hold. A field that no column has is looked for among the resource's tags.
//
// Threads:  ConditionConfig is a value. A Condition is confined to one thread.
// Tests:    filter_processor_test.cc, tests/cases/processor/filter
#ifndef KELP_PROCESSOR_FILTER_CONDITION_H_
#define KELP_PROCESSOR_FILTER_CONDITION_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "batch/batch.h"
#include "codec/regex.h"
#include "config/schema.h"

namespace kelp::processor {

struct ConditionConfig;

// Conditions of which none may hold: one, or a list of them.
struct NotConditions {
  std::vector<ConditionConfig> conditions;

  static constexpr std::string_view kConfigType = "condition or list of condition";
  static constexpr std::string_view kConfigJsonSchema = R"({"type":["object","array"]})";
  static std::optional<NotConditions> FromConfig(const config::ConfigNode& node,
                                                 const std::string& path,
                                                 config::Problems& problems);
  config::ConfigNode ToConfig() const;
};

struct ConditionConfig {
  std::string field;
  std::optional<std::string> regex;
  std::vector<std::string> equals;
  std::optional<bool> exists;
  std::optional<double> min;
  std::optional<double> max;
  std::vector<ConditionConfig> and_;
  std::vector<ConditionConfig> or_;
  NotConditions not_;
  static const config::Schema<ConditionConfig>& ConfigSchema();
};

class Condition {
 public:
  // Errors: kInvalidArgument when a pattern does not compile.
  static Result<Condition> Make(const ConditionConfig& config);

  // Looks its fields up in `batch`, which gets no columns until the last Holds().
  void Start(const Batch& batch);
  bool Holds(uint32_t row);
  // Texts on which a regular expression was given up, and held not; since the beginning.
  uint64_t limit_hits() const;

 private:
  Condition() = default;
  bool FieldHolds(const Value& value);
  bool InRange(std::string_view text) const;
  template <typename F>
  void ForEachChild(F&& f) {
    for (auto* children : {&and_, &or_, &not_}) {
      for (Condition& child : *children) f(child);
    }
  }

  std::string field_;
  std::optional<codec::RegexMatcher> regex_;
  std::vector<std::string> equals_;
  std::optional<bool> exists_;
  std::optional<double> min_;
  std::optional<double> max_;
  std::vector<Condition> and_;
  std::vector<Condition> or_;
  std::vector<Condition> not_;
  uint64_t limit_hits_ = 0;
  // Of the batch: the column, or the tag that stands for every row.
  const Value* values_ = nullptr;
  Value tag_;
};

}  // namespace kelp::processor

#endif  // KELP_PROCESSOR_FILTER_CONDITION_H_
