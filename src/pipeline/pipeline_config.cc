#include "pipeline/pipeline_config.h"

#include <xxhash.h>

#include <algorithm>
#include <map>

#include "pipeline/spooled_output.h"

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

const config::Schema<OutputKeys>& OutputKeys::ConfigSchema() {
  static const auto schema =
      config::Schema<OutputKeys>("output", "Keys of every output.")
          .Field("required", &OutputKeys::required,
                 {.doc = "Whether positions wait for this output's acknowledgement. With false, a "
                         "slow or absent output loses rows (counted) and holds up nothing."})
          .Field("spool", &OutputKeys::spool,
                 {.doc = "A queue on disk before this output: rows are acknowledged once they are "
                         "in it. Without it, rows wait where they came from.",
                  .example = "{size: 4GiB}"});
  return schema;
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
          .Field("dead_letter", &PipelineShape::dead_letter,
                 {.doc = "Takes the rows that an output gives up because no retry can save them, "
                         "with the fields kelp.drop_reason and kelp.drop_output. Without it they "
                         "are only counted. While it is full, the pipeline rests.",
                  .example = "{type: file, path: /var/lib/kelp-agent/refused.jsonl}",
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

// Reads the keys that every output has; the component's own parser passes over them.
void ParseOutputKeys(const config::ConfigNode& node, const std::string& path, ComponentSpec& spec,
                     config::Scope& scope, config::Problems& problems) {
  std::vector<std::string_view> others;
  for (const auto& field : OutputKeys::ConfigSchema().fields()) {
    scope.known_keys.push_back(field.name);
  }
  for (const auto& entry : node.entries()) {
    const auto& known = scope.known_keys;
    const bool own = std::find(known.begin() + 1, known.end(), entry.key) == known.end();
    if (own) others.push_back(entry.key);
  }
  const OutputKeys keys = OutputKeys::ConfigSchema().Parse(
      node.Without(others), problems, config::Scope{.path = path, .known_keys = {}});
  spec.required = keys.required;
  spec.spool = keys.spool;
}

// False when there is no such component.
bool ParseComponent(const Registry& registry, ComponentKind kind, const config::ConfigNode& node,
                    const std::string& path, ComponentSpec& spec, config::Problems& problems) {
  spec.entry = FindEntry(registry, kind, node, path, problems);
  if (spec.entry == nullptr) return false;
  spec.id = spec.entry->name;
  spec.place = node.place();
  config::Scope scope{.path = path, .known_keys = {"type"}};
  if (kind == ComponentKind::kOutput) ParseOutputKeys(node, path, spec, scope, problems);
  spec.config = spec.entry->parse(node, problems, scope);
  return true;
}

std::vector<ComponentSpec> ParseComponents(const Registry& registry, ComponentKind kind,
                                           const std::vector<config::ConfigNode>& nodes,
                                           const std::string& path, config::Problems& problems) {
  std::vector<ComponentSpec> specs;
  std::map<std::string, int> seen;
  for (size_t i = 0; i < nodes.size(); ++i) {
    ComponentSpec spec;
    const std::string here = path + "[" + std::to_string(i) + "]";
    if (!ParseComponent(registry, kind, nodes[i], here, spec, problems)) continue;
    const int nth = ++seen[spec.id];
    if (nth != 1) spec.id += "#" + std::to_string(nth);
    specs.push_back(std::move(spec));
  }
  return specs;
}

void ParseDeadLetter(const Registry& registry, const config::ConfigNode& node,
                     const std::string& path, PipelineConfig& pipeline,
                     config::Problems& problems) {
  ComponentSpec spec;
  if (!ParseComponent(registry, ComponentKind::kOutput, node, path, spec, problems)) return;
  if (!spec.required) {
    problems.Add(node, path + ".required",
                 "a dead-letter output is always required: leave the key out");
  }
  spec.id = kDeadLetterId;
  pipeline.dead_letter = std::move(spec);
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
  if (shape.dead_letter) {
    ParseDeadLetter(registry, *shape.dead_letter, path + ".dead_letter", pipeline, problems);
  }
  const bool all_optional = !pipeline.outputs.empty() &&
                            std::none_of(pipeline.outputs.begin(), pipeline.outputs.end(),
                                         [](const ComponentSpec& spec) { return spec.required; });
  if (all_optional && problems.size() == before) {
    problems.Add(node, path + ".outputs",
                 "at least one output must be required: nothing would hold the positions");
  }
  const std::string_view no_tests[] = {"tests"};
  const std::string text = config::CanonicalText(node.Without(no_tests));
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  pipeline.meaning = {hash.low64, hash.high64};
  return pipeline;
}

Result<std::unique_ptr<Output>> CreateOutputOf(const ComponentSpec& spec,
                                               const ComponentContext& context, bool dead_letter) {
  ASSIGN_OR_RETURN(auto output, spec.entry->create_output(spec.config, context));
  if (!spec.spool) return output;
  return MakeSpooledOutput(std::move(output), *spec.spool, context, dead_letter);
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
    report(spec, CreateOutputOf(spec, ContextOf(services, pipeline, spec)));
  }
  if (const auto& spec = pipeline.dead_letter) {
    report(*spec, CreateOutputOf(*spec, ContextOf(services, pipeline, *spec)));
  }
}

}  // namespace kelp::pipeline
