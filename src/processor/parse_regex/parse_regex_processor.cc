#include "processor/parse_regex/parse_regex_processor.h"

#include <fmt/core.h>

#include <utility>

namespace kelp::processor {

const config::Schema<ParseRegexConfig>& ParseRegexConfig::ConfigSchema() {
  static const auto schema =
      config::Schema<ParseRegexConfig>(
          "parse_regex", "Makes fields of what the groups of a regular expression capture.",
          {.untrusted_input = true,
           .example = "type: parse_regex\n"
                      "pattern: '^(?<ip>\\S+) \\S+ (?<user>\\S+) \\[(?<time>[^\\]]+)\\] "
                      "\"(?<request>[^\"]*)\" (?<status>\\d+)'\n"})
          .Field("field", &ParseRegexConfig::field,
                 {.doc = "The field whose text is matched.", .example = "message"})
          .Field(
              "pattern", &ParseRegexConfig::pattern,
              {.doc = "A PCRE2 pattern. It matches anywhere in the text unless it begins with ^; "
                      "$ is the end of the text. Each named group becomes a field.",
               .required = true,
               .example = "'^(?<level>\\w+): (?<message>.*)$'"})
          .Field("fields", &ParseRegexConfig::fields,
                 {.doc = "Names for the groups in their order, in place of names in the pattern. "
                         "An empty name leaves a group out.",
                  .example = "[level, message]"})
          .Field(
              "keep_source", &ParseRegexConfig::keep_source,
              {.doc = "Keep the text after it was parsed. A row that does not match always keeps "
                      "it."})
          .Field("on_error", &ParseRegexConfig::on_error,
                 {.doc = "What becomes of a row that does not match: `keep` it, with the reason in "
                         "the field kelp.parse_error, or `drop` it. Both are counted."});
  return schema;
}

Result<std::vector<ParseRegexProcessor::Target>> ParseRegexProcessor::Targets(
    const Config& config, const codec::Regex& regex) {
  const size_t groups = regex.groups() - 1;
  if (!config.fields.empty() && config.fields.size() != groups) {
    return InvalidArgumentError(fmt::format("fields has {} names, but the pattern has {} groups",
                                            config.fields.size(), groups));
  }
  std::vector<Target> targets;
  for (size_t i = 1; i <= groups; ++i) {
    const std::string& name = config.fields.empty() ? regex.names()[i] : config.fields[i - 1];
    if (!name.empty()) targets.push_back({i, FieldWriter(name)});
  }
  if (targets.empty()) {
    return InvalidArgumentError(
        "the pattern captures nothing: name its groups, as in (?<level>\\w+), or give fields");
  }
  return targets;
}

Result<std::unique_ptr<pipeline::Processor>> ParseRegexProcessor::Create(
    const Config& config, const pipeline::ComponentContext& context) {
  ASSIGN_OR_RETURN(const codec::Regex regex, codec::Regex::Compile(config.pattern));
  ASSIGN_OR_RETURN(std::vector<Target> targets, Targets(config, regex));
  return std::unique_ptr<pipeline::Processor>(
      new ParseRegexProcessor(config, context, regex, std::move(targets)));
}

ParseRegexProcessor::ParseRegexProcessor(const Config& config,
                                         const pipeline::ComponentContext& context,
                                         const codec::Regex& regex, std::vector<Target> targets)
    : source_(config.field),
      keep_source_(config.keep_source),
      matcher_(regex),
      targets_(std::move(targets)),
      errors_(context, config.on_error),
      limit_total_(context.AddCounter(
          "processor_regex_limit_total",
          "Texts on which a regular expression was given up because it tried too much.")) {}

void ParseRegexProcessor::Process(Batch& batch) {
  Column* source = batch.FindColumn(source_);
  if (source == nullptr) return;
  started_ = false;
  errors_.Run(batch, [&](uint32_t row) { return ParseRow(batch, *source, row); });
}

std::string_view ParseRegexProcessor::ParseRow(Batch& batch, Column& source, uint32_t row) {
  const Value value = source.Get(row);
  if (value.missing()) return {};
  switch (matcher_.Match(value.text())) {
    case codec::RegexOutcome::kMatch:
      break;
    case codec::RegexOutcome::kNoMatch:
      return "parse_regex: the pattern does not match";
    case codec::RegexOutcome::kLimit:
      limit_total_.Add(1);
      return "parse_regex: given up, the pattern tries too much on this text";
  }
  if (!started_) {  // no match, no columns
    for (Target& target : targets_) target.field.Start(batch);
    started_ = true;
  }
  // Gone before its fields come: one of them may have its name.
  if (!keep_source_) source.Set(row, Value());
  for (Target& target : targets_) {
    const bool took_part = matcher_.has_group(target.group);
    if (took_part) target.field.Set(row, Value::String(matcher_.group(target.group)));
  }
  return {};
}

}  // namespace kelp::processor
