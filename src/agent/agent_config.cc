#include "agent/agent_config.h"

#include <set>

#include "config/load.h"

namespace kelp::agent {
namespace {

// As config::LoadFile, but an empty file is a problem: it is what an editor that truncates first
// leaves for a moment, or a full disk for good, and would take all its pipelines away.
std::optional<config::ConfigNode> LoadWrittenFile(FileSystem& files, const std::string& path,
                                                  config::Problems& problems) {
  std::optional<config::ConfigNode> root = config::LoadFile(files, path, {}, problems);
  if (root && (root->is_null() || (root->is_map() && root->entries().empty()))) {
    problems.Add(
        {.file = path, .message = "the file is empty; to collect nothing, write `pipelines: []`"});
    root.reset();
  }
  return root;
}

}  // namespace

const config::Schema<HttpConfig>& HttpConfig::ConfigSchema() {
  static const auto schema =
      config::Schema<HttpConfig>("http", "The agent's own HTTP endpoint.")
          .Field("listen", &HttpConfig::listen,
                 {.doc = "Address for /healthz, /readyz, /metrics and `kelp tap`. Empty: none.",
                  .example = "0.0.0.0:7701"});
  return schema;
}

const config::Schema<AgentConfig>& AgentConfig::ConfigSchema() {
  static const auto schema =
      config::Schema<AgentConfig>("agent", "What one agent collects, and within which limits.")
          .Field("data_dir", &AgentConfig::data_dir,
                 {.doc = "Directory for checkpoints. One agent at a time may use it.",
                  .example = "/var/lib/kelp-agent"})
          .Field("http", &AgentConfig::http, {.doc = "The agent's own HTTP endpoint."})
          .Field("memory_limit", &AgentConfig::memory_limit,
                 {.doc = "Resident memory that the agent stays below. Log data on its way gets at "
                         "most three quarters of it, and less when the rest needs more; readers "
                         "wait when that is spent.",
                  .example = "64MiB",
                  .min = 4_MiB})
          .Field("cpu_limit", &AgentConfig::cpu_limit,
                 {.doc = "Cores that all threads of the agent may use together; workers rest a few "
                         "milliseconds at a time beyond it. 0: no limit.",
                  .example = "0.5",
                  .min = 0.0})
          .Field("workers", &AgentConfig::workers,
                 {.doc = "Threads that read and process. 0: one for each core of cpu_limit, or, "
                         "without a limit, one for every two cores, four at most.",
                  .min = 0,
                  .max = 64})
          .Field("shutdown_grace", &AgentConfig::shutdown_grace,
                 {.doc = "How long a stopping agent keeps sending what it has read."})
          .Field("held_files_max", &AgentConfig::held_files_max,
                 {.doc = "How many files that were deleted, or rotated out of sight, are held open "
                         "until they were read. Beyond it, the one held longest is closed; what "
                         "was not read of it is lost and counted. Applies to all pipelines "
                         "together.",
                  .min = 1,
                  .max = 1'000'000})
          .Field("held_bytes_max", &AgentConfig::held_bytes_max,
                 {.doc = "How many bytes that were not read yet such files may hold together, on a "
                         "disk that is not free before they are closed. 0: no limit.",
                  .example = "10GiB"})
          .Field("held_age_max", &AgentConfig::held_age_max,
                 {.doc = "How long such a file may be held.", .example = "24h", .min = 1s})
          .Field("host_name", &AgentConfig::host_name,
                 {.doc = "The resource tag host.name of every row. Empty: what the system says."})
          .Field("log", &AgentConfig::log, {.doc = "The agent's own log."})
          .Field("pipelines_dir", &AgentConfig::pipelines_dir,
                 {.doc = "Directory of *.yaml files, each a pipeline or a `pipelines:` list. "
                         "Changes take effect within a second. A relative path is looked up "
                         "beside this file.",
                  .example = "pipelines.d"})
          .Field("pipelines", &AgentConfig::pipelines,
                 {.doc = "Pipelines (see the reference page of pipelines).",
                  .example = "[{name: web, inputs: [{type: file, include: [/var/log/*.log]}], "
                             "outputs: [{type: stdout}]}]",
                  .shape = config::ShapeOf<pipeline::PipelineShape>});
  return schema;
}

ConfigLoader::ConfigLoader(Env& env, const pipeline::Registry& registry, std::string path)
    : env_(env), registry_(registry), path_(std::move(path)) {}

std::vector<std::string> ConfigLoader::Directories() const {
  std::vector<std::string> dirs = {DirName(path_)};
  if (!agent_.pipelines_dir.empty()) dirs.push_back(agent_.pipelines_dir);
  return dirs;
}

ConfigLoader::Pipelines ConfigLoader::ParseList(const std::vector<config::ConfigNode>& nodes,
                                                config::Problems& problems) {
  Pipelines pipelines;
  for (size_t i = 0; i < nodes.size(); ++i) {
    pipelines.push_back(ParseOne(nodes[i], "pipelines[" + std::to_string(i) + "]", problems));
  }
  return pipelines;
}

pipeline::SharedPipelineConfig ConfigLoader::ParseOne(const config::ConfigNode& node,
                                                      const std::string& path,
                                                      config::Problems& problems) {
  return std::make_shared<pipeline::PipelineConfig>(
      pipeline::ParsePipeline(registry_, node, path, problems));
}

bool ConfigLoader::LoadMain(config::Problems& problems) {
  const size_t before = problems.size();
  const auto root = LoadWrittenFile(env_.files(), path_, problems);
  if (!root.has_value()) return false;
  AgentConfig agent = AgentConfig::ConfigSchema().Parse(*root, problems);
  Pipelines pipelines = ParseList(agent.pipelines, problems);
  if (problems.size() != before) return false;
  if (!agent.pipelines_dir.empty() && agent.pipelines_dir[0] != '/') {
    agent.pipelines_dir = JoinPath(DirName(path_), agent.pipelines_dir);
  }
  agent.pipelines.clear();  // parsed: thousands of trees need not stay
  agent_ = std::move(agent);
  main_pipelines_ = std::move(pipelines);
  return true;
}

void ConfigLoader::LoadPipelineFile(const std::string& path, config::Problems& problems) {
  const size_t before = problems.size();
  const auto root = LoadWrittenFile(env_.files(), path, problems);
  Pipelines pipelines;
  if (root.has_value()) {
    const config::ConfigNode* list = root->Find("pipelines");
    if (list != nullptr && root->entries().size() == 1) {
      if (!list->is_list()) problems.Add(*list, "pipelines", "expected a list of pipelines");
      pipelines = ParseList(list->items(), problems);
    } else {
      pipelines.push_back(ParseOne(*root, "", problems));
    }
  }
  if (problems.size() == before) {
    by_file_[path] = std::move(pipelines);
  } else {
    by_file_.try_emplace(path);
  }
}

void ConfigLoader::LoadDirectory(config::Problems& problems) {
  if (agent_.pipelines_dir.empty()) {
    by_file_.clear();
    return;
  }
  const auto paths = config::ListYamlFiles(env_.files(), agent_.pipelines_dir);
  if (!paths.ok()) {
    problems.Add({.file = path_,
                  .key_path = "pipelines_dir",
                  .message = std::string(paths.status().message())});
    return;
  }
  const std::set<std::string> present(paths->begin(), paths->end());
  std::erase_if(by_file_, [&](const auto& entry) { return !present.contains(entry.first); });
  for (const std::string& path : *paths) LoadPipelineFile(path, problems);
}

ConfigLoader::Loaded ConfigLoader::Load(config::Problems& problems) {
  Loaded loaded;
  loaded.main_ok = LoadMain(problems);
  LoadDirectory(problems);
  loaded.agent = agent_;
  std::map<std::string, std::string> owner;  // pipeline → file
  const auto add = [&](const std::string& file, const Pipelines& pipelines) {
    for (const pipeline::SharedPipelineConfig& shared : pipelines) {
      const pipeline::PipelineConfig& pipeline = *shared;
      const auto [it, fresh] = owner.emplace(pipeline.name, file);
      if (fresh) {
        loaded.pipelines.push_back(shared);
        continue;
      }
      const config::Place place =
          pipeline.inputs.empty() ? config::Place{} : pipeline.inputs[0].place;
      problems.Add({.file = file,
                    .line = place.line,
                    .column = place.column,
                    .key_path = "name",
                    .message = "pipeline \"" + pipeline.name + "\" is defined in " + it->second +
                               " already; give one of them another name"});
    }
  };
  add(path_, main_pipelines_);
  for (const auto& [file, pipelines] : by_file_) add(file, pipelines);
  return loaded;
}

}  // namespace kelp::agent
