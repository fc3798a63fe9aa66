// PipelineConfig: one entry of `pipelines:`, parsed down to its components' own structs.
//
//   pipelines:
//     - name: web
//       inputs: [{type: file, include: [/var/log/nginx/*.log]}]
//       processors: [{type: parse_json}]
//       outputs:
//         - {type: kelp, url: http://logs:7700}
//         - {type: file, path: /backup/web.log, required: false}
//       dead_letter: {type: file, path: /backup/refused.log}
#ifndef KELP_PIPELINE_PIPELINE_CONFIG_H_
#define KELP_PIPELINE_PIPELINE_CONFIG_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/schema.h"
#include "pipeline/registry.h"
#include "spool/spool_config.h"

namespace kelp::pipeline {

// The dead-letter output's name in metrics.
inline constexpr const char* kDeadLetterId = "dead_letter";

// What every output may say besides its own keys.
struct OutputKeys {
  bool required = true;
  std::optional<spool::SpoolConfig> spool;
  static const config::Schema<OutputKeys>& ConfigSchema();
};

// One component of a pipeline, ready to be created.
struct ComponentSpec {
  const Registry::Entry* entry = nullptr;
  std::string id;  // the type; the second one of a type is "file#2"
  Registry::AnyConfig config;
  bool required = true;                     // outputs: false means "must not hold positions"
  std::optional<spool::SpoolConfig> spool;  // outputs: a queue on disk before it
  config::Place place;
};

struct PipelineConfig {
  std::string name;
  std::vector<ComponentSpec> inputs;
  std::vector<ComponentSpec> processors;
  std::vector<ComponentSpec> outputs;
  std::optional<ComponentSpec> dead_letter;  // its id is kDeadLetterId
  // Sample lines and expected rows for `kelp config test`; not run by the agent.
  config::ConfigNode tests;
  // A hash of the canonical text, equal for two configurations that mean the same: what reload
  // compares.
  std::array<uint64_t, 2> meaning{};
};

// As it is kept: by whoever loaded it and by what runs, and there are thousands.
using SharedPipelineConfig = std::shared_ptr<const PipelineConfig>;

// The shape of a pipeline before its components are looked up; for parsing and for reference pages.
struct PipelineShape {
  std::string name;
  std::vector<config::ConfigNode> inputs;
  std::vector<config::ConfigNode> processors;
  std::vector<config::ConfigNode> outputs;
  std::optional<config::ConfigNode> dead_letter;
  config::ConfigNode tests;
  static const config::Schema<PipelineShape>& ConfigSchema();
};

// Parses one pipeline. What is wrong goes to `problems`; the result is good only if none was added.
// `path` is the key path for messages, "pipelines[2]".
PipelineConfig ParsePipeline(const Registry& registry, const config::ConfigNode& node,
                             const std::string& path, config::Problems& problems);

// Creates every component once and throws it away: finds what schemas cannot, such as a pattern
// that does not compile.
void CheckComponents(const PipelineConfig& pipeline, const AgentServices& services,
                     config::Problems& problems);

// Creates the output that `spec` tells of, with its spool before it if it has one.
// `dead_letter`: the pipeline has an output for what this one gives up.
Result<std::unique_ptr<Output>> CreateOutputOf(const ComponentSpec& spec,
                                               const ComponentContext& context,
                                               bool dead_letter = false);

ComponentContext ContextOf(const AgentServices& services, const PipelineConfig& pipeline,
                           const ComponentSpec& spec);

}  // namespace kelp::pipeline

#endif  // KELP_PIPELINE_PIPELINE_CONFIG_H_
