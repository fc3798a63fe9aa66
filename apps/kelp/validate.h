// What `kelp config validate` does.
#ifndef KELP_APPS_KELP_VALIDATE_H_
#define KELP_APPS_KELP_VALIDATE_H_

#include <string>
#include <vector>

#include "base/env.h"
#include "config/load.h"
#include "config/problems.h"
#include "pipeline/pipeline_config.h"

namespace kelp::cli {

enum class FileKind { kAgent, kPipelines, kServer };

// What a file is meant to be. A file of pipelines_dir is one pipeline, or nothing but a
// `pipelines:` list; everything else is agent.yaml or server.yaml, whichever knows more of its
// keys.
FileKind KindOf(const config::ConfigNode& root);

// The pipelines of a file of pipelines_dir.
std::vector<pipeline::PipelineConfig> ParsePipelineFile(const pipeline::Registry& registry,
                                                        const config::ConfigNode& root,
                                                        config::Problems& problems);

struct Checked {
  size_t files = 0;
  size_t pipelines = 0;
};

// Checks a file, or all YAML files of a directory, as agent and server would read them, components
// included. An agent.yaml brings its pipelines_dir along. Everything wrong goes to `problems`.
Checked Validate(Env& env, const pipeline::Registry& registry, const std::string& path,
                 config::Problems& problems);

}  // namespace kelp::cli

#endif  // KELP_APPS_KELP_VALIDATE_H_
