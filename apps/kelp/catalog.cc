#include "catalog.h"

#include <algorithm>

#include "agent/agent_config.h"
#include "pipeline/pipeline_config.h"

namespace kelp::cli {

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
  return kind == "output" ? &pipeline::OutputKeys::ConfigSchema() : nullptr;
}

std::string AgentJsonSchema(const pipeline::Registry& registry) {
  const RegistryCatalog catalog(registry);
  return config::JsonSchema(agent::AgentConfig::ConfigSchema(), &catalog);
}

}  // namespace kelp::cli
