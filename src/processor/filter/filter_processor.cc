#include "processor/filter/filter_processor.h"

#include <utility>

namespace kelp::processor {
namespace {

// A condition of the configuration, or nothing.
Status MakeCondition(const std::optional<ConditionConfig>& config, std::string_view key,
                     std::optional<Condition>& out) {
  if (!config) return OkStatus();
  Result<Condition> condition = Condition::Make(*config);
  RETURN_IF_ERROR(condition.status().Annotate(key));
  out.emplace(std::move(condition).value());
  return OkStatus();
}

}  // namespace

const config::Schema<FilterConfig>& FilterConfig::ConfigSchema() {
  static const auto schema =
      config::Schema<FilterConfig>(
          "filter", "Lets only some rows through.",
          {.untrusted_input = true,
           .example =
               "type: filter\n"
               "include: {field: level, equals: [warn, error]}\n"
               "exclude: {and: [{field: path, regex: ^/health}, {field: status, max: 399}]}\n"})
          .Field("include", &FilterConfig::include,
                 {.doc = "Rows of which this does not hold are dropped.",
                  .example = "{field: body, regex: ERROR}"})
          .Field("exclude", &FilterConfig::exclude,
                 {.doc = "Rows of which this holds are dropped, included or not.",
                  .example = "{field: path, equals: /healthz}"})
          .Check([](const FilterConfig& config, config::CheckContext& context) {
            if (!config.include && !config.exclude)
              context.Fail("", "give include, exclude or both");
          });
  return schema;
}

Result<std::unique_ptr<pipeline::Processor>> FilterProcessor::Create(
    const Config& config, const pipeline::ComponentContext& context) {
  std::optional<Condition> include, exclude;
  RETURN_IF_ERROR(MakeCondition(config.include, "include", include));
  RETURN_IF_ERROR(MakeCondition(config.exclude, "exclude", exclude));
  return std::unique_ptr<pipeline::Processor>(
      new FilterProcessor(context, std::move(include), std::move(exclude)));
}

FilterProcessor::FilterProcessor(const pipeline::ComponentContext& context,
                                 std::optional<Condition> include, std::optional<Condition> exclude)
    : include_(std::move(include)),
      exclude_(std::move(exclude)),
      not_included_(context.DropCounter(pipeline::ComponentKind::kProcessor, "not_included")),
      excluded_(context.DropCounter(pipeline::ComponentKind::kProcessor, "excluded")),
      limit_total_(context.AddCounter(
          "processor_regex_limit_total",
          "Texts on which a regular expression was given up because it tried too much.")) {}

void FilterProcessor::Process(Batch& batch) {
  if (include_) {
    include_->Start(batch);
    not_included_.Add(batch.Select([&](uint32_t row) { return include_->Holds(row); }));
  }
  if (exclude_) {
    exclude_->Start(batch);
    excluded_.Add(batch.Select([&](uint32_t row) { return !exclude_->Holds(row); }));
  }
  CountLimitHits();
}

void FilterProcessor::CountLimitHits() {
  const uint64_t now =
      (include_ ? include_->limit_hits() : 0) + (exclude_ ? exclude_->limit_hits() : 0);
  if (now == limit_hits_) return;
  limit_total_.Add(now - limit_hits_);
  limit_hits_ = now;
}

}  // namespace kelp::processor
