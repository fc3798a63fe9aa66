#include "processor/parse_json/parse_json_processor.h"

namespace kelp::processor {

const config::Schema<ParseJsonConfig>& ParseJsonConfig::ConfigSchema() {
  static const auto schema =
      config::Schema<ParseJsonConfig>(
          "parse_json", "Makes fields of the JSON object that a field holds.",
          {.untrusted_input = true, .example = "type: parse_json\nkeep_source: true\n"})
          .Field("field", &ParseJsonConfig::field,
                 {.doc = "The field that holds the JSON text.", .example = "payload"})
          .Field("prefix", &ParseJsonConfig::prefix,
                 {.doc = "Put before the name of each new field.", .example = "app."})
          .Field(
              "keep_source", &ParseJsonConfig::keep_source,
              {.doc = "Keep the JSON text after it was parsed. A row that cannot be parsed always "
                      "keeps it."})
          .Field(
              "on_error", &ParseJsonConfig::on_error,
              {.doc = "What becomes of a row whose text is not a JSON object: `keep` it, with "
                      "the reason in the field kelp.parse_error, or `drop` it. Both are counted."});
  return schema;
}

Result<std::unique_ptr<pipeline::Processor>> ParseJsonProcessor::Create(
    const Config& config, const pipeline::ComponentContext& context) {
  return std::unique_ptr<pipeline::Processor>(
      std::make_unique<ParseJsonProcessor>(config, context));
}

ParseJsonProcessor::ParseJsonProcessor(const Config& config,
                                       const pipeline::ComponentContext& context)
    : field_(config.field),
      keep_source_(config.keep_source),
      fields_(config.prefix),
      errors_(context, config.on_error),
      overflowed_total_(context.AddCounter(
          "processor_overflow_fields_total",
          "Fields that found no column in their batch and went to the overflow column.")) {}

void ParseJsonProcessor::Process(Batch& batch) {
  Column* source = batch.FindColumn(field_);
  if (source == nullptr) return;
  fields_.Start(batch);
  errors_.Run(batch, [&](uint32_t row) { return ParseRow(*source, row); });
  if (const uint64_t now = fields_.overflowed(); now != overflowed_) {
    overflowed_total_.Add(now - overflowed_);
    overflowed_ = now;
  }
}

std::string_view ParseJsonProcessor::ParseRow(Column& source, uint32_t row) {
  const Value value = source.Get(row);
  if (value.missing()) return {};
  // Gone before its fields come: one of them may have its name.
  if (!keep_source_) source.Set(row, Value());
  if (fields_.Parse(row, value.text())) [[likely]]
    return {};
  source.Set(row, value);
  return "parse_json: not a JSON object";
}

}  // namespace kelp::processor
