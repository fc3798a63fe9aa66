// The reference pages: what people wrote about a component, joined with its table.
//
//   MakePages → docs/reference/**.md      (kelp-docgen, and the test docs_current)
//   CheckYamlBlocks → every ```yaml block in the documentation is read as what it is (docs_yaml)
#ifndef KELP_TOOLS_DOCGEN_DOCGEN_H_
#define KELP_TOOLS_DOCGEN_DOCGEN_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/env.h"
#include "base/status.h"
#include "config/problems.h"
#include "pipeline/registry.h"

namespace kelp::docgen {

// Path below docs/reference → text.
using Pages = std::map<std::string, std::string>;

// All pages. `source_dir` is the project's root, where prose lies beside components. Errors:
// kNotFound for a component without prose.
Result<Pages> MakePages(FileSystem& files, const std::string& source_dir,
                        const pipeline::Registry& registry);

// Writes pages that differ and removes pages that should not be there.
Status WritePages(FileSystem& files, const std::string& reference_dir, const Pages& pages);

// What WritePages would do, one line per page; empty when the directory is current.
Result<std::vector<std::string>> ComparePages(FileSystem& files, const std::string& reference_dir,
                                              const Pages& pages);

// One ```yaml block of a Markdown text.
struct YamlBlock {
  int line = 0;  // of its first line of YAML, from 1
  std::string text;
};
std::vector<YamlBlock> FindYamlBlocks(std::string_view markdown);

// Checks a block against what it looks like: agent.yaml, server.yaml, a pipeline, a component or a
// list of components; `hint` is the kind of component that the page is about, or empty. Variables
// of the environment count as set. The tests of a pipeline are run. Problems name the page's file
// and line.
void CheckYamlBlock(const YamlBlock& block, const std::string& file, std::string_view hint,
                    Env& env, const pipeline::Registry& registry, config::Problems& problems);

// Every block of README.md, ARCHITECTURE.md, CONTRIBUTING.md and docs/**.md.
config::Problems CheckYamlBlocks(Env& env, const std::string& source_dir,
                                 const pipeline::Registry& registry);

}  // namespace kelp::docgen

#endif  // KELP_TOOLS_DOCGEN_DOCGEN_H_
