// What can be made from a schema besides a parser: text for the terminal, JSON Schema, reference
// pages, and configuration that is safe to show.
#ifndef KELP_CONFIG_DESCRIBE_H_
#define KELP_CONFIG_DESCRIBE_H_

#include <string>
#include <string_view>
#include <vector>

#include "config/node.h"
#include "config/schema.h"

namespace kelp::config {

// The components that fields with `.component` may name. The pipeline's registry implements it.
class ComponentCatalog {
 public:
  virtual ~ComponentCatalog() = default;
  // The schemas of one kind ("input", "processor", "output"), sorted by name.
  virtual std::vector<const SchemaBase*> List(std::string_view kind) const = 0;
  // Keys that every component of the kind may have besides `type`; nullptr when there are none.
  virtual const SchemaBase* CommonKeys(std::string_view kind) const;
};

// The page of `kelp describe input file`: every key with type, default, bounds and meaning. A
// component's kind goes to the first line; it may be empty.
std::string DescribeText(const SchemaBase& schema, std::string_view kind = "");

// JSON Schema (draft 2020-12) of the object, indented. With a catalog, fields with `.component`
// accept exactly the components that the catalog lists. Bounds of sizes and durations, which JSON
// Schema cannot state, stand in x-kelp-minimum and x-kelp-maximum.
std::string JsonSchema(const SchemaBase& schema, const ComponentCatalog* catalog = nullptr);

struct ReferenceOptions {
  std::string kind = {};   // "input": the example gets a `type`
  std::string prose = {};  // Markdown that a person wrote, placed between summary and keys
};
// The reference page in Markdown: title, summary, prose, example, table of keys.
std::string ReferenceMarkdown(const SchemaBase& schema, const ReferenceOptions& options = {});

// The schema's own example, or one made of its type and required keys. YAML, ending with a newline;
// empty when there is nothing to say.
std::string ExampleYaml(const SchemaBase& schema, std::string_view kind = "");

// What stands for a secret wherever a configuration is shown.
inline constexpr std::string_view kSecretShown = "***";
// A copy in which values of secret fields are "***". Without a catalog, and for components that it
// does not know, every value of a component is hidden: better too little shown than too much.
ConfigNode Redacted(const ConfigNode& node, const SchemaBase& schema,
                    const ComponentCatalog* catalog = nullptr);

}  // namespace kelp::config

#endif  // KELP_CONFIG_DESCRIBE_H_
