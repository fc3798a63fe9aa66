#include "catalog.h"

#include <algorithm>

#include "agent/agent_config.h"

namespace kelp::cli {
namespace {

// What every output may say besides its own keys; pipeline::ParsePipeline reads it.
struct OutputKeys {
  bool required = true;
  static const config::Schema<OutputKeys>& ConfigSchema() {
    static const auto schema =
        config::Schema<OutputKeys>("output", "Keys of every output.")
            .Field("required", &OutputKeys::required,
                   {.doc = "Whether positions wait for this output's acknowledgement. With "
                           "false, a slow or absent output loses rows (counted) and holds up "
                           "nothing."});
    return schema;
  }
};

}  // namespace

std::vector<const config::SchemaBase*> RegistryCatalog::List(std::string_view kind) const {
  std::vector<const config::SchemaBase*> schemas;
  for (const auto& entry : registry_.entries()) {
    if (pipeline::ComponentKindName(entry.kind) == kind) schemas.push_back(entry.schema);
  }
  std::sort(schemas.begin(), schemas.end(),
            [](const auto* a, const auto* b) { return a->name() < b->name(); });
  return schemas;
}

const config::SchemaBase* RegistryCatalog::CommonKeys(std::string_view kind) const {
  return kind == "output" ? &OutputKeys::ConfigSchema() : nullptr;
}

std::string AgentJsonSchema(const pipeline::Registry& registry) {
  const RegistryCatalog catalog(registry);
  return config::JsonSchema(agent::AgentConfig::ConfigSchema(), &catalog);
}

}  // namespace kelp::cli
