#include "processor/filter/condition.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace kelp::processor {
namespace {

constexpr size_t kTermsMax = 1000;  // what a person writes is far below

void CheckCondition(const ConditionConfig& c, config::CheckContext& context) {
  const bool looks = c.regex || !c.equals.empty() || c.exists || c.min || c.max;
  const bool joins = !c.and_.empty() || !c.or_.empty() || !c.not_.conditions.empty();
  if (looks && c.field.empty()) {
    context.Fail("field", "say which field regex, equals, exists, min and max look at");
  } else if (!looks && !c.field.empty()) {
    context.Fail("field", "say what the field must be: regex, equals, exists, min or max");
  } else if (!looks && !joins) {
    context.Fail("", "an empty condition: give a field, or and, or, not");
  }
  if (c.min && c.max && *c.min > *c.max) context.Fail("min", "min is greater than max");
}

}  // namespace

std::optional<NotConditions> NotConditions::FromConfig(const config::ConfigNode& node,
                                                       const std::string& path,
                                                       config::Problems& problems) {
  const auto& schema = ConditionConfig::ConfigSchema();
  const size_t before = problems.size();
  NotConditions result;
  if (!node.is_list()) {
    result.conditions.push_back(schema.Parse(node, problems, {.path = path, .known_keys = {}}));
  }
  for (size_t i = 0; i < node.items().size(); ++i) {
    const std::string item = path + "[" + std::to_string(i) + "]";
    result.conditions.push_back(
        schema.Parse(node.items()[i], problems, {.path = item, .known_keys = {}}));
  }
  if (problems.size() != before) return std::nullopt;
  return result;
}

config::ConfigNode NotConditions::ToConfig() const {
  std::vector<config::ConfigNode> items;
  for (const ConditionConfig& condition : conditions) {
    items.push_back(ConditionConfig::ConfigSchema().ToNode(condition));
  }
  return config::ConfigNode::List(std::move(items));
}

const config::Schema<ConditionConfig>& ConditionConfig::ConfigSchema() {
  static const auto schema =
      config::Schema<ConditionConfig>("condition", "What must hold of a row.",
                                      {.example = "{field: level, equals: [warn, error]}"})
          .Field("field", &ConditionConfig::field,
                 {.doc = "The field, or resource tag, that is looked at.", .example = "level"})
          .Field(
              "regex", &ConditionConfig::regex,
              {.doc = "A PCRE2 pattern that the text must match, anywhere in it unless anchored.",
               .example = "^/api/"})
          .Field("equals", &ConditionConfig::equals,
                 {.doc = "The text, all of it; one of several when it is a list.",
                  .example = "[warn, error]",
                  .items_max = kTermsMax,
                  .scalar_ok = true})
          .Field("exists", &ConditionConfig::exists,
                 {.doc = "Whether the row must have the field, or must not.", .example = "true"})
          .Field("min", &ConditionConfig::min,
                 {.doc = "The smallest number that the field may be; what is no number fails.",
                  .example = "500"})
          .Field("max", &ConditionConfig::max,
                 {.doc = "The greatest number that the field may be.", .example = "599"})
          .Field("and", &ConditionConfig::and_,
                 {.doc = "Conditions that must all hold.",
                  .example = "[{field: a, exists: true}, {field: b, exists: true}]",
                  .items_max = kTermsMax})
          .Field("or", &ConditionConfig::or_,
                 {.doc = "Conditions of which one must hold.",
                  .example = "[{field: a, exists: true}, {field: b, exists: true}]",
                  .items_max = kTermsMax})
          .Field("not", &ConditionConfig::not_,
                 {.doc = "A condition that must not hold; of a list, none may.",
                  .example = "{field: path, equals: /healthz}"})
          .Check(CheckCondition);
  return schema;
}

Result<Condition> Condition::Make(const ConditionConfig& config) {
  Condition condition;
  condition.field_ = config.field;
  condition.equals_ = config.equals;
  condition.exists_ = config.exists;
  condition.min_ = config.min;
  condition.max_ = config.max;
  if (config.regex) {
    ASSIGN_OR_RETURN(codec::Regex regex, codec::Regex::Compile(*config.regex));
    condition.regex_.emplace(std::move(regex));
  }
  const std::pair<const std::vector<ConditionConfig>*, std::vector<Condition>*> kinds[] = {
      {&config.and_, &condition.and_},
      {&config.or_, &condition.or_},
      {&config.not_.conditions, &condition.not_}};
  for (const auto& [from, to] : kinds) {
    for (const ConditionConfig& child : *from) {
      ASSIGN_OR_RETURN(Condition made, Make(child));
      to->push_back(std::move(made));
    }
  }
  return condition;
}

void Condition::Start(const Batch& batch) {
  values_ = nullptr;
  tag_ = Value();
  if (!field_.empty()) {
    const Column* column = batch.FindColumn(field_);
    if (column != nullptr) {
      values_ = column->values();
    } else {
      for (const auto& [key, value] : batch.resource()->tags()) {
        if (key == field_) tag_ = Value::String(value);
      }
    }
  }
  ForEachChild([&](Condition& child) { child.Start(batch); });
}

bool Condition::Holds(uint32_t row) {
  if (!field_.empty() && !FieldHolds(values_ == nullptr ? tag_ : values_[row])) return false;
  const auto holds = [&](Condition& child) { return child.Holds(row); };
  if (!std::all_of(and_.begin(), and_.end(), holds)) return false;
  if (!or_.empty() && std::none_of(or_.begin(), or_.end(), holds)) return false;
  return std::none_of(not_.begin(), not_.end(), holds);
}

bool Condition::FieldHolds(const Value& value) {
  if (value.missing())
    return exists_.has_value() && !*exists_ && !regex_ && equals_.empty() && !min_ && !max_;
  if (exists_ && !*exists_) return false;
  const std::string_view text = value.text();
  if (!equals_.empty() && std::find(equals_.begin(), equals_.end(), text) == equals_.end()) {
    return false;
  }
  if ((min_ || max_) && !InRange(text)) return false;
  if (!regex_) return true;
  const codec::RegexOutcome outcome = regex_->Match(text);
  limit_hits_ += outcome == codec::RegexOutcome::kLimit ? 1 : 0;
  return outcome == codec::RegexOutcome::kMatch;
}

bool Condition::InRange(std::string_view text) const {
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end) return false;
  // Written so that "not a number" is in no range.
  return (!min_ || number >= *min_) && (!max_ || number <= *max_);
}

uint64_t Condition::limit_hits() const {
  uint64_t hits = limit_hits_;
  for (const auto* children : {&and_, &or_, &not_}) {
    for (const Condition& child : *children) hits += child.limit_hits();
  }
  return hits;
}

}  // namespace kelp::processor
