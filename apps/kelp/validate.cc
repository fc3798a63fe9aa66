#include "validate.h"

#include <fmt/format.h>

#include <map>

#include "agent/agent_config.h"
#include "base/metrics.h"
#include "command.h"
#include "dry_run.h"
#include "server/server_config.h"

namespace kelp::cli {

namespace {

size_t KnownKeys(const config::ConfigNode& root, const config::SchemaBase& schema) {
  size_t known = 0;
  for (const auto& entry : root.entries()) known += schema.FindField(entry.key) != nullptr ? 1 : 0;
  return known;
}

}  // namespace

FileKind KindOf(const config::ConfigNode& root) {
  const bool one = root.Find("inputs") != nullptr || root.Find("outputs") != nullptr;
  const bool list = root.entries().size() == 1 && root.Find("pipelines") != nullptr;
  if (one || list) return FileKind::kPipelines;
  const size_t as_agent = KnownKeys(root, agent::AgentConfig::ConfigSchema());
  const size_t as_server = KnownKeys(root, server::ServerConfig::ConfigSchema());
  return as_server > as_agent ? FileKind::kServer : FileKind::kAgent;
}

std::vector<pipeline::PipelineConfig> ParsePipelineFile(const pipeline::Registry& registry,
                                                        const config::ConfigNode& root,
                                                        config::Problems& problems) {
  const config::ConfigNode* list = root.Find("pipelines");
  if (list == nullptr) return {pipeline::ParsePipeline(registry, root, "", problems)};
  if (!list->is_list()) {
    problems.Add(*list, "pipelines", "expected a list of pipelines, found " + list->Describe());
  }
  std::vector<pipeline::PipelineConfig> pipelines;
  for (size_t i = 0; i < list->items().size(); ++i) {
    pipelines.push_back(pipeline::ParsePipeline(registry, list->items()[i],
                                                fmt::format("pipelines[{}]", i), problems));
  }
  return pipelines;
}

namespace {

// Names are unique over all files that one agent reads.
void CheckName(const pipeline::PipelineConfig& pipeline, const std::string& file,
               std::map<std::string, std::string>& owners, config::Problems& problems) {
  const auto [owner, fresh] = owners.emplace(pipeline.name, file);
  if (fresh || pipeline.name.empty()) return;
  const config::Place place = pipeline.inputs.empty() ? config::Place{} : pipeline.inputs[0].place;
  problems.Add({file, place.line, place.column, "name",
                fmt::format("pipeline \"{}\" is defined in {} already; give one of them another "
                            "name",
                            pipeline.name, owner->second)});
}

class Checker {
 public:
  Checker(Env& env, const pipeline::Registry& registry, config::Problems& problems)
      : env_(env), registry_(registry), problems_(problems) {}

  void CheckFile(const config::ConfigFile& file) {
    ++checked_.files;
    const FileKind kind = KindOf(file.root);
    if (kind == FileKind::kAgent) return CheckAgent(file.path);
    if (kind == FileKind::kServer) {
      server::ServerConfig::ConfigSchema().Parse(file.root, problems_);
      return;
    }
    const size_t before = problems_.size();
    const auto pipelines = ParsePipelineFile(registry_, file.root, problems_);
    for (const auto& pipeline : pipelines) CheckName(pipeline, file.path, owners_, problems_);
    if (problems_.size() == before) CheckComponents(pipelines);
  }
  Checked checked() const { return checked_; }

 private:
  // The agent's own loader, so that both find the same.
  void CheckAgent(const std::string& path) {
    const size_t before = problems_.size();
    agent::ConfigLoader loader(env_, registry_, path);
    const agent::ConfigLoader::Loaded loaded = loader.Load(problems_);
    if (problems_.size() != before) return;
    std::vector<pipeline::PipelineConfig> pipelines;
    for (const auto& pipeline : loaded.pipelines) pipelines.push_back(*pipeline);
    CheckComponents(pipelines);
  }

  void CheckComponents(const std::vector<pipeline::PipelineConfig>& pipelines) {
    const pipeline::AgentServices services{.env = &env_, .metrics = &metrics_};
    for (const auto& pipeline : pipelines) {
      pipeline::CheckComponents(pipeline, services, problems_);
      ParseTests(pipeline, problems_);
    }
    checked_.pipelines += pipelines.size();
  }

  Env& env_;
  const pipeline::Registry& registry_;
  config::Problems& problems_;
  MetricRegistry metrics_;
  std::map<std::string, std::string> owners_;  // pipeline → file
  Checked checked_;
};

std::string Count(size_t count, const char* noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

int RunValidate(const Arguments& arguments, const Context& context) {
  config::Problems problems;
  Checked all;
  for (const std::string& path : arguments.positional()) {
    const Checked checked = Validate(context.env, context.registry, path, problems);
    all.files += checked.files;
    all.pipelines += checked.pipelines;
  }
  if (problems.empty()) {
    context.out.Out(
        fmt::format("good: {}, {}\n", Count(all.files, "file"), Count(all.pipelines, "pipeline")));
    return kExitOk;
  }
  context.out.Err(problems.ToString());
  return context.Fail(kExitConfig, Count(problems.size(), "problem"));
}

}  // namespace

Checked Validate(Env& env, const pipeline::Registry& registry, const std::string& path,
                 config::Problems& problems) {
  Checker checker(env, registry, problems);
  const size_t before = problems.size();
  const auto files = config::LoadPath(env.files(), path, {}, problems);
  if (files.empty() && problems.size() == before) {
    problems.Add({path, 0, 0, "", "no *.yaml or *.yml file in this directory"});
  }
  for (const config::ConfigFile& file : files) checker.CheckFile(file);
  return checker.checked();
}

Command ConfigValidateCommand() {
  return {
      .name = "config validate",
      .positional = "FILE|DIR...",
      .positional_min = 1,
      .positional_max = 1000,
      .summary = "checks configuration files",
      .doc =
          "Reads agent.yaml, server.yaml, a pipeline file, or a directory of pipeline files "
          "exactly "
          "as\nthe programs would, and tells everything that is wrong at once, as "
          "FILE:LINE:COLUMN:\nMESSAGE. Nothing is started. Environment variables must be set as "
          "they will be for the\nprograms. Ends with 78 when something is wrong.",
      .examples = {{"kelp config validate /etc/kelp/agent.yaml", "with the pipelines it names"},
                   {"kelp config validate pipelines.d", "before it is copied to the nodes"}},
      .run = RunValidate,
  };
}

}  // namespace kelp::cli
