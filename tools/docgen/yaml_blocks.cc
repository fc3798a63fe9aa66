#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <optional>

#include "agent/agent_config.h"
#include "apps/kelp/catalog.h"
#include "apps/kelp/dry_run.h"
#include "apps/kelp/validate.h"
#include "base/metrics.h"
#include "docgen.h"
#include "server/server_config.h"

namespace kelp::docgen {
namespace {

config::YamlOptions AllVariablesSet() {
  config::YamlOptions options;
  options.env = [](const std::string&) { return std::optional<std::string>("1"); };
  return options;
}

// Tries to read a block in one of the ways in which it could be meant.
using Reading = std::function<void(const config::ConfigNode&, config::Problems&)>;

class BlockChecker {
 public:
  BlockChecker(Env& env, const pipeline::Registry& registry, std::string_view hint)
      : env_(env), registry_(registry), hint_(hint) {}

  // The problems of the reading that fits best: none, when one of them accepts the block.
  config::Problems Check(const config::ConfigNode& node) {
    std::vector<Reading> readings;
    if (node.is_list()) {
      readings = {[this](const auto& n, auto& p) { CheckEach(n, p); }};
    } else if (node.Find("type") != nullptr) {
      readings = {[this](const auto& n, auto& p) { CheckComponent(n, p); }};
    } else if (cli::KindOf(node) == cli::FileKind::kPipelines) {
      readings = {[this](const auto& n, auto& p) { CheckPipelines(n, p); }};
    } else if (node.Find("tests") != nullptr && node.entries().size() == 1) {
      readings = {[](const auto& n, auto& p) { CheckTests(n, p); }};
    } else {
      readings = {[this](const auto& n, auto& p) { CheckAgent(n, p); },
                  [](const auto& n, auto& p) { server::ServerConfig::ConfigSchema().Parse(n, p); }};
    }
    std::optional<config::Problems> best;
    for (const Reading& reading : readings) {
      config::Problems problems;
      reading(node, problems);
      if (!best || problems.size() < best->size()) best = std::move(problems);
    }
    return *best;
  }

 private:
  void CheckEach(const config::ConfigNode& node, config::Problems& problems) {
    for (const config::ConfigNode& item : node.items()) {
      if (item.Find("type") != nullptr) {
        CheckComponent(item, problems);
      } else {
        Parsed(pipeline::ParsePipeline(registry_, item, "", problems), problems);
      }
    }
  }

  void CheckComponent(const config::ConfigNode& node, config::Problems& problems) {
    const std::string& type = node.Find("type")->text();
    const cli::RegistryCatalog catalog(registry_);
    for (const char* kind : {"input", "processor", "output"}) {
      if (!hint_.empty() && hint_ != kind) continue;
      for (const config::SchemaBase* schema : catalog.List(kind)) {
        if (schema->name() != type) continue;
        config::Scope scope;
        scope.known_keys = {"type", "required", "spool"};
        config::Problems found;
        schema->Validate(node, found, scope);
        if (found.empty()) return;
        for (const config::Problem& problem : found.Sorted()) problems.Add(problem);
        return;
      }
    }
    problems.Add(node, "type", "there is no component \"" + type + "\"");
  }

  void Parsed(const pipeline::PipelineConfig& pipeline, config::Problems& problems) {
    if (!problems.empty()) return;
    MetricRegistry metrics;
    pipeline::CheckComponents(pipeline, {.env = &env_, .metrics = &metrics}, problems);
    const std::vector<cli::TestCase> tests = cli::ParseTests(pipeline, problems);
    if (!problems.empty()) return;
    for (const cli::TestCase& test : tests) {
      const Result<std::string> difference = cli::RunTest(env_, pipeline, test);
      const std::string why =
          difference.ok() ? *difference : std::string(difference.status().message());
      if (!why.empty()) problems.Add(pipeline.tests, "tests", test.name + ": " + why);
    }
  }

  void CheckPipelines(const config::ConfigNode& node, config::Problems& problems) {
    for (const auto& pipeline : cli::ParsePipelineFile(registry_, node, problems)) {
      Parsed(pipeline, problems);
    }
  }

  static void CheckTests(const config::ConfigNode& node, config::Problems& problems) {
    pipeline::PipelineConfig pipeline;
    pipeline.tests = *node.Find("tests");
    cli::ParseTests(pipeline, problems);
  }

  void CheckAgent(const config::ConfigNode& node, config::Problems& problems) {
    const agent::AgentConfig agent = agent::AgentConfig::ConfigSchema().Parse(node, problems);
    for (const config::ConfigNode& item : agent.pipelines) {
      Parsed(pipeline::ParsePipeline(registry_, item, "pipelines", problems), problems);
    }
  }

  Env& env_;
  const pipeline::Registry& registry_;
  std::string hint_;
};

// The kind of component that a page of the reference is about.
std::string_view HintOf(std::string_view path) {
  for (const std::string_view kind : {"input", "processor", "output"}) {
    if (path.find(fmt::format("reference/{}/", kind)) != std::string_view::npos) return kind;
  }
  return "";
}

void CheckPage(const std::string& path, Env& env, const pipeline::Registry& registry,
               config::Problems& problems) {
  const Result<std::string> text = ReadFile(env.files(), path);
  if (!text.ok()) {
    problems.Add({path, 0, 0, "", std::string(text.status().message())});
    return;
  }
  for (const YamlBlock& block : FindYamlBlocks(text.value())) {
    CheckYamlBlock(block, path, HintOf(path), env, registry, problems);
  }
}

void CheckTree(const std::string& dir, Env& env, const pipeline::Registry& registry,
               config::Problems& problems) {
  Result<std::vector<DirEntry>> entries = env.files().ListDir(dir);
  if (!entries.ok()) {
    problems.Add({dir, 0, 0, "", std::string(entries.status().message())});
    return;
  }
  std::sort(entries->begin(), entries->end(),
            [](const DirEntry& a, const DirEntry& b) { return a.name < b.name; });
  for (const DirEntry& entry : entries.value()) {
    const std::string path = JoinPath(dir, entry.name);
    if (entry.type == FileType::kDirectory) {
      CheckTree(path, env, registry, problems);
    } else if (entry.name.ends_with(".md")) {
      CheckPage(path, env, registry, problems);
    }
  }
}

}  // namespace

std::vector<YamlBlock> FindYamlBlocks(std::string_view markdown) {
  std::vector<YamlBlock> blocks;
  bool inside = false;
  int line_number = 0;
  while (!markdown.empty()) {
    ++line_number;
    const size_t end = std::min(markdown.find('\n'), markdown.size());
    const std::string_view line = markdown.substr(0, end);
    markdown.remove_prefix(std::min(end + 1, markdown.size()));
    if (inside && line.starts_with("```")) {
      inside = false;
    } else if (inside) {
      blocks.back().text += std::string(line) + "\n";
    } else if (line == "```yaml") {
      inside = true;
      blocks.push_back({line_number + 1, ""});
    }
  }
  return blocks;
}

void CheckYamlBlock(const YamlBlock& block, const std::string& file, std::string_view hint,
                    Env& env, const pipeline::Registry& registry, config::Problems& problems) {
  config::Problems found;
  const std::optional<config::ConfigNode> node =
      config::ParseYaml(block.text, file, AllVariablesSet(), found);
  if (node) found = BlockChecker(env, registry, hint).Check(*node);
  for (config::Problem problem : found.Sorted()) {
    if (problem.line > 0) problem.line += block.line - 1;
    problems.Add(std::move(problem));
  }
}

config::Problems CheckYamlBlocks(Env& env, const std::string& source_dir,
                                 const pipeline::Registry& registry) {
  config::Problems problems;
  for (const char* page : {"README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"}) {
    const std::string path = JoinPath(source_dir, page);
    if (env.files().Stat(path).ok()) CheckPage(path, env, registry, problems);
  }
  CheckTree(JoinPath(source_dir, "docs"), env, registry, problems);
  return problems;
}

}  // namespace kelp::docgen
