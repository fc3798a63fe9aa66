#include "pipeline/pipeline_config.h"

#include <algorithm>
#include <map>

namespace kelp::pipeline {

const Registry::Entry* Registry::Find(ComponentKind kind, std::string_view name) const {
  const auto it = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.kind == kind && entry.name == name;
  });
  return it == entries_.end() ? nullptr : &*it;
}

std::vector<std::string_view> Registry::Names(ComponentKind kind) const {
  std::vector<std::string_view> names;
  for (const Entry& entry : entries_) {
    if (entry.kind == kind) names.push_back(entry.name);
  }
  return names;
}

const config::Schema<PipelineShape>& PipelineShape::ConfigSchema() {
  static const auto schema =
      config::Schema<PipelineShape>(
          "pipeline", "Joins inputs, processors and outputs: what is read, done and sent.")
          .Field("name", &PipelineShape::name,
                 {.doc = "Names the pipeline in metrics, in `kelp tap` and in checkpoints: a "
                         "renamed pipeline reads its files as if it were new.",
                  .required = true,
                  .example = "web"})
          .Field("inputs", &PipelineShape::inputs,
                 {.doc = "Where rows come from.",
                  .required = true,
                  .example = "[{type: file, include: [/var/log/*.log]}]",
                  .items_min = 1,
                  .component = "input"})
          .Field("processors", &PipelineShape::processors,
                 {.doc = "What is done with each row, in this order.",
                  .example = "[{type: parse_json}]",
                  .component = "processor"})
          .Field("outputs", &PipelineShape::outputs,
                 {.doc = "Where rows go: each row to every output. Positions move when every "
                         "output has acknowledged, except those with `required: false`.",
                  .required = true,
                  .example = "[{type: stdout}]",
                  .items_min = 1,
                  .component = "output"})
          .Field("tests", &PipelineShape::tests,
                 {.doc = "Sample lines and the rows they must become, for `kelp config test`. "
                         "The agent ignores them."});
  return schema;
}

namespace {

bool GoodName(std::string_view name) {
  return !name.empty() && name.size() <= 128 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-' || c == '/';
  });
}

std::string Quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

const Registry::Entry* FindEntry(const Registry& registry, ComponentKind kind,
                                 const config::ConfigNode& node, const std::string& path,
                                 config::Problems& problems) {
  const std::vector<std::string_view> names = registry.Names(kind);
  const auto list = [&] {
    std::string out;
    for (const std::string_view name : names) out += (out.empty() ? "" : ", ") + std::string(name);
    return out;
  };
  const config::ConfigNode* type = node.is_map() ? node.Find("type") : nullptr;
  if (type == nullptr || !type->is_scalar()) {
    problems.Add(node, path,
                 std::string("an ") + ComponentKindName(kind) +
                     " is a map with a key \"type\", one of: " + list());
    return nullptr;
  }
  const Registry::Entry* entry = registry.Find(kind, type->text());
  if (entry == nullptr) {
    const std::string_view nearest = config::NearestName(type->text(), names);
    problems.Add(*type, path + ".type",
                 "there is no " + std::string(ComponentKindName(kind)) + " " +
                     Quoted(type->text()) +
                     (nearest.empty() ? "" : "; did you mean " + Quoted(nearest) + "?") +
                     " (there are: " + list() + ")");
  }
  return entry;
}

bool ParseRequired(const config::ConfigNode& node, const std::string& path,
                   config::Problems& problems) {
  const config::ConfigNode* value = node.Find("required");
  if (value == nullptr || value->text() == "true") return true;
  if (value->text() != "false") {
    problems.Add(*value, path + ".required", "expected true or false, found " + value->Describe());
  }
  return false;
}

std::vector<ComponentSpec> ParseComponents(const Registry& registry, ComponentKind kind,
                                           const std::vector<config::ConfigNode>& nodes,
                                           const std::string& path, config::Problems& problems) {
  std::vector<ComponentSpec> specs;
  std::map<std::string, int> seen;
  for (size_t i = 0; i < nodes.size(); ++i) {
    const config::ConfigNode& node = nodes[i];
    const std::string here = path + "[" + std::to_string(i) + "]";
    ComponentSpec spec;
    spec.entry = FindEntry(registry, kind, node, here, problems);
    if (spec.entry == nullptr) continue;
    spec.place = node.place();
    const int nth = ++seen[spec.entry->name];
    spec.id = spec.entry->name + (nth == 1 ? "" : "#" + std::to_string(nth));
    config::Scope scope{.path = here, .known_keys = {"type"}};
    if (kind == ComponentKind::kOutput) {
      scope.known_keys.push_back("required");
      spec.required = ParseRequired(node, here, problems);
    }
    spec.config = spec.entry->parse(node, problems, scope);
    specs.push_back(std::move(spec));
  }
  return specs;
}

}  // namespace

PipelineConfig ParsePipeline(const Registry& registry, const config::ConfigNode& node,
                             const std::string& path, config::Problems& problems) {
  const size_t before = problems.size();
  const PipelineShape shape = PipelineShape::ConfigSchema().Parse(
      node, problems, config::Scope{.path = path, .known_keys = {}});
  PipelineConfig pipeline;
  pipeline.name = shape.name;
  pipeline.tests = shape.tests;
  if (!shape.name.empty() && !GoodName(shape.name)) {
    const config::ConfigNode* name = node.Find("name");
    problems.Add(name != nullptr ? *name : node, path + ".name",
                 "a pipeline's name has 1 to 128 letters, digits, '.', '_', '-' or '/'");
  }
  pipeline.inputs =
      ParseComponents(registry, ComponentKind::kInput, shape.inputs, path + ".inputs", problems);
  pipeline.processors = ParseComponents(registry, ComponentKind::kProcessor, shape.processors,
                                        path + ".processors", problems);
  pipeline.outputs =
      ParseComponents(registry, ComponentKind::kOutput, shape.outputs, path + ".outputs", problems);
  const bool all_optional = !pipeline.outputs.empty() &&
                            std::none_of(pipeline.outputs.begin(), pipeline.outputs.end(),
                                         [](const ComponentSpec& spec) { return spec.required; });
  if (all_optional && problems.size() == before) {
    problems.Add(node, path + ".outputs",
                 "at least one output must be required: nothing would hold the positions");
  }
  const std::string_view no_tests[] = {"tests"};
  pipeline.canonical = config::CanonicalText(node.Without(no_tests));
  return pipeline;
}

ComponentContext ContextOf(const AgentServices& services, const PipelineConfig& pipeline,
                           const ComponentSpec& spec) {
  return {.services = services, .pipeline = pipeline.name, .component = spec.id};
}

void CheckComponents(const PipelineConfig& pipeline, const AgentServices& services,
                     config::Problems& problems) {
  const auto report = [&](const ComponentSpec& spec, const auto& result) {
    if (!result.ok()) {
      problems.Add(spec.place, pipeline.name + "/" + spec.id,
                   std::string(result.status().message()));
    }
  };
  for (const ComponentSpec& spec : pipeline.inputs) {
    report(spec, spec.entry->create_input(spec.config, ContextOf(services, pipeline, spec)));
  }
  for (const ComponentSpec& spec : pipeline.processors) {
    report(spec, spec.entry->create_processor(spec.config, ContextOf(services, pipeline, spec)));
  }
  for (const ComponentSpec& spec : pipeline.outputs) {
    report(spec, spec.entry->create_output(spec.config, ContextOf(services, pipeline, spec)));
  }
}

}  // namespace kelp::pipeline
