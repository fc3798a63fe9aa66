// AddFieldsProcessor: sets fields to constants.
#ifndef KELP_PROCESSOR_ADD_FIELDS_ADD_FIELDS_PROCESSOR_H_
#define KELP_PROCESSOR_ADD_FIELDS_ADD_FIELDS_PROCESSOR_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/schema.h"
#include "pipeline/processor.h"
#include "processor/common/field_writer.h"

namespace kelp::processor {

struct AddFieldsConfig {
  std::map<std::string, std::string> fields;
  bool overwrite = true;
  static const config::Schema<AddFieldsConfig>& ConfigSchema();
};

// The values are this processor's own and shared by all rows.
//
// Threads:  confined, as Processor asks.
// Tests:    add_fields_processor_test.cc, tests/cases/processor/add_fields
class AddFieldsProcessor final : public pipeline::Processor {
 public:
  static constexpr std::string_view kName = "add_fields";
  using Config = AddFieldsConfig;
  static const config::Schema<Config>& ConfigSchema() { return Config::ConfigSchema(); }
  static Result<std::unique_ptr<pipeline::Processor>> Create(
      const Config& config, const pipeline::ComponentContext& context);

  explicit AddFieldsProcessor(const Config& config);
  void Process(Batch& batch) override;

 private:
  struct Constant {
    FieldWriter field;
    std::string value;
  };
  std::vector<Constant> constants_;
  const bool overwrite_;
};

}  // namespace kelp::processor

#endif  // KELP_PROCESSOR_ADD_FIELDS_ADD_FIELDS_PROCESSOR_H_
