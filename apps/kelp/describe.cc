// `kelp describe` and `kelp schema`: what can be configured, from the same tables that parse it.
#include "config/describe.h"

#include <fmt/format.h>

#include <algorithm>

#include "agent/agent_config.h"
#include "catalog.h"
#include "command.h"
#include "pipeline/pipeline_config.h"
#include "server/server_config.h"

namespace kelp::cli {
namespace {

const char* const kKinds[] = {"input", "processor", "output"};

std::string ListKind(const RegistryCatalog& catalog, std::string_view kind) {
  std::string out;
  for (const config::SchemaBase* schema : catalog.List(kind)) {
    out += fmt::format("  {:<10} {:<14} {}\n", kind, schema->name(), schema->doc());
  }
  return out;
}

std::string ListAll(const RegistryCatalog& catalog) {
  std::string out = "Components:\n";
  for (const char* kind : kKinds) out += ListKind(catalog, kind);
  return out +
         "\nkelp describe KIND NAME tells the keys of one of them; kelp describe agent, pipeline "
         "or\n"
         "server the keys around them.\n";
}

int DescribeComponent(const RegistryCatalog& catalog, const std::string& kind,
                      const std::string& name, const Context& context) {
  std::vector<std::string_view> names;
  for (const config::SchemaBase* schema : catalog.List(kind)) {
    if (schema->name() == name) {
      context.out.Out(config::DescribeText(*schema, kind));
      if (const config::SchemaBase* common = catalog.CommonKeys(kind)) {
        context.out.Out("\nEvery " + kind + " also has:\n");
        for (const auto& field : common->fields()) {
          context.out.Out(fmt::format("  {}\n      {}, default {}\n      {}\n", field.name,
                                      field.type.name, common->DefaultYaml(field),
                                      field.options.doc));
        }
      }
      return kExitOk;
    }
    names.push_back(schema->name());
  }
  const std::string_view nearest = config::NearestName(name, names);
  return context.Fail(
      kExitUsage, fmt::format("there is no {} \"{}\"; {}", kind, name,
                              nearest.empty() ? fmt::format("there are {}", fmt::join(names, ", "))
                                              : fmt::format("did you mean \"{}\"?", nearest)));
}

int Describe(const Arguments& arguments, const Context& context) {
  const RegistryCatalog catalog(context.registry);
  const std::vector<std::string>& words = arguments.positional();
  if (words.empty()) {
    context.out.Out(ListAll(catalog));
    return kExitOk;
  }
  if (words.size() == 1 && words[0] == "agent") {
    context.out.Out(config::DescribeText(agent::AgentConfig::ConfigSchema()));
    return kExitOk;
  }
  if (words.size() == 1 && words[0] == "server") {
    context.out.Out(config::DescribeText(server::ServerConfig::ConfigSchema()));
    return kExitOk;
  }
  if (words.size() == 1 && words[0] == "pipeline") {
    context.out.Out(config::DescribeText(pipeline::PipelineShape::ConfigSchema()));
    return kExitOk;
  }
  if (std::find(std::begin(kKinds), std::end(kKinds), words[0]) == std::end(kKinds)) {
    return context.Fail(kExitUsage, fmt::format("\"{}\" is none of input, processor, output, "
                                                "pipeline, agent, server",
                                                words[0]));
  }
  if (words.size() == 2) return DescribeComponent(catalog, words[0], words[1], context);
  context.out.Out(ListKind(catalog, words[0]));
  return kExitOk;
}

int PrintSchema(const Arguments&, const Context& context) {
  context.out.Out(AgentJsonSchema(context.registry));
  return kExitOk;
}

}  // namespace

Command DescribeCommand() {
  return {
      .name = "describe",
      .positional = "[KIND [NAME]]",
      .positional_max = 2,
      .summary = "tells what can be configured",
      .doc =
          "Without words it lists the inputs, processors and outputs that are compiled in. With\n"
          "a kind and a name it tells every key with type, default, bounds and meaning. KIND is\n"
          "input, processor or output; \"agent\", \"pipeline\" and \"server\" tell the keys of "
          "those\n"
          "configurations.",
      .examples = {{"kelp describe", "all components"},
                   {"kelp describe input file", "the keys of the input that reads files"}},
      .run = Describe,
  };
}

Command SchemaCommand() {
  return {
      .name = "schema",
      .positional = "",
      .summary = "prints the JSON Schema of agent.yaml",
      .doc =
          "The schema (draft 2020-12) covers the agent's keys and those of every component. "
          "Editors\nthat speak YAML use it for completion and checks.",
      .examples = {{"kelp schema > agent.schema.json", "then name it in the editor's settings"}},
      .run = PrintSchema,
  };
}

}  // namespace kelp::cli
