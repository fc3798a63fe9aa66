// AgentConfig: the keys of agent.yaml, and how they are loaded together with pipelines_dir.
#ifndef KELP_AGENT_AGENT_CONFIG_H_
#define KELP_AGENT_AGENT_CONFIG_H_

#include <map>
#include <string>
#include <vector>

#include "base/env.h"
#include "base/units.h"
#include "config/log_config.h"
#include "config/schema.h"
#include "pipeline/pipeline_config.h"

namespace kelp::agent {

struct HttpConfig {
  std::string listen = "127.0.0.1:7701";
  static const config::Schema<HttpConfig>& ConfigSchema();
};

struct AgentConfig {
  std::string data_dir = "/var/lib/kelp-agent";
  HttpConfig http;
  ByteSize memory_limit = 64_MiB;
  double cpu_limit = 0;
  int workers = 0;
  Duration shutdown_grace = 20s;
  // How much of the disk deleted files may take, held open until they were read.
  int held_files_max = 1024;
  ByteSize held_bytes_max = 10_GiB;
  Duration held_age_max = 24h;
  std::string host_name;
  config::LogConfig log;
  std::string pipelines_dir;
  std::vector<config::ConfigNode> pipelines;
  static const config::Schema<AgentConfig>& ConfigSchema();
};

// Loads agent.yaml and the files of pipelines_dir, again and again; keeps, file by file, the last
// good pipelines, so that one bad file changes nothing that runs.
//
// Place:    the agent loads at start and on every change; `kelp config validate` loads once.
// Owns:     the last good pipelines. Borrows env and registry.
// Threads:  thread-compatible.
class ConfigLoader {
 public:
  ConfigLoader(Env& env, const pipeline::Registry& registry, std::string path);

  struct Loaded {
    AgentConfig agent;  // of the last good agent.yaml
    std::vector<pipeline::SharedPipelineConfig> pipelines;
    bool main_ok = false;  // agent.yaml itself had no problem
  };
  // Everything that is wrong goes to `problems`. What is good, or was good before, is returned.
  Loaded Load(config::Problems& problems);

  // The directories whose entries decide the configuration, for watching.
  std::vector<std::string> Directories() const;
  const std::string& path() const { return path_; }

 private:
  using Pipelines = std::vector<pipeline::SharedPipelineConfig>;
  pipeline::SharedPipelineConfig ParseOne(const config::ConfigNode& node, const std::string& path,
                                          config::Problems& problems);
  bool LoadMain(config::Problems& problems);
  void LoadDirectory(config::Problems& problems);
  void LoadPipelineFile(const std::string& path, config::Problems& problems);
  Pipelines ParseList(const std::vector<config::ConfigNode>& nodes, config::Problems& problems);

  Env& env_;
  const pipeline::Registry& registry_;
  const std::string path_;
  AgentConfig agent_;
  Pipelines main_pipelines_;
  std::map<std::string, Pipelines> by_file_;  // of pipelines_dir; empty list: never was good
};

}  // namespace kelp::agent

#endif  // KELP_AGENT_AGENT_CONFIG_H_
