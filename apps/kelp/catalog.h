// RegistryCatalog: the compiled-in components, as pages and JSON Schema want them.
#ifndef KELP_APPS_KELP_CATALOG_H_
#define KELP_APPS_KELP_CATALOG_H_

#include <vector>

#include "config/describe.h"
#include "pipeline/registry.h"

namespace kelp::cli {

// Borrows the registry. Threads: immutable.
class RegistryCatalog final : public config::ComponentCatalog {
 public:
  explicit RegistryCatalog(const pipeline::Registry& registry) : registry_(registry) {}
  std::vector<const config::SchemaBase*> List(std::string_view kind) const override;
  const config::SchemaBase* CommonKeys(std::string_view kind) const override;

 private:
  const pipeline::Registry& registry_;
};

// JSON Schema of agent.yaml with all components, each pipeline checked by its own schema.
std::string AgentJsonSchema(const pipeline::Registry& registry);

}  // namespace kelp::cli

#endif  // KELP_APPS_KELP_CATALOG_H_
