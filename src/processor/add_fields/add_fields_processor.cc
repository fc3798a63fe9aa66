#include "processor/add_fields/add_fields_processor.h"

namespace kelp::processor {

const config::Schema<AddFieldsConfig>& AddFieldsConfig::ConfigSchema() {
  static const auto schema =
      config::Schema<AddFieldsConfig>(
          "add_fields", "Sets fields to constants.",
          {.example = "type: add_fields\nfields: {team: shop, stage: production}\n"})
          .Field("fields", &AddFieldsConfig::fields,
                 {.doc = "Names and values of the fields. All values are text.",
                  .required = true,
                  .example = "{team: shop}",
                  .items_min = 1})
          .Field("overwrite", &AddFieldsConfig::overwrite,
                 {.doc = "Replace what a row already has under that name."});
  return schema;
}

Result<std::unique_ptr<pipeline::Processor>> AddFieldsProcessor::Create(
    const Config& config, const pipeline::ComponentContext&) {
  return std::unique_ptr<pipeline::Processor>(std::make_unique<AddFieldsProcessor>(config));
}

AddFieldsProcessor::AddFieldsProcessor(const Config& config) : overwrite_(config.overwrite) {
  for (const auto& [name, value] : config.fields) {
    constants_.push_back({FieldWriter(name), value});
  }
}

void AddFieldsProcessor::Process(Batch& batch) {
  for (Constant& constant : constants_) {
    const Value value = Value::String(constant.value);
    constant.field.Start(batch);
    batch.ForEach([&](uint32_t row) {
      if (overwrite_ || constant.field.Get(row).missing()) constant.field.Set(row, value);
    });
  }
}

}  // namespace kelp::processor
