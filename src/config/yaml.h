// ParseYaml: configuration text to ConfigNode, with places, limits and environment variables.
#ifndef KELP_CONFIG_YAML_H_
#define KELP_CONFIG_YAML_H_

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "base/units.h"
#include "config/node.h"
#include "config/problems.h"

namespace kelp::config {

// A text larger than this is not a configuration but a mistake (5 000 pipelines take about 5 MB).
inline constexpr ByteSize kYamlBytesMax = 16_MiB;
// Deeper than any schema of ours; keeps recursion over trees within a small stack.
inline constexpr int kYamlDepthMax = 64;
// With all aliases written out: what walking the tree costs. Guards against alias bombs.
inline constexpr size_t kYamlNodesMax = 2'000'000;

struct YamlOptions {
  // Expand ${VAR} in scalars.
  bool expand_env = true;
  // The value of a variable, or nothing when it is not set. Null: the process's environment.
  std::function<std::optional<std::string>(const std::string& name)> env = nullptr;
};

// Reads one YAML document. Aliases and merge keys (`<<`) work; tags are ignored; two keys of the
// same name in one map are an error.
//
// Environment variables are expanded in values, never in keys, after the text was parsed: what a
// variable holds can become a value but never structure.
//   ${NAME}           the value of NAME; an error when it is not set
//   ${NAME:-default}  the default when NAME is not set or empty
//   $$                one dollar sign. A dollar sign before anything else stands for itself.
//
// All problems go to `problems`, with file, line and column; then nothing is returned.
std::optional<ConfigNode> ParseYaml(std::string_view text, std::string_view file_name,
                                    const YamlOptions& options, Problems& problems);

// As above; the problems are the message of a kInvalidArgument.
Result<ConfigNode> ParseYaml(std::string_view text, std::string_view file_name,
                             const YamlOptions& options = {});

// Expands variables in one value, by the rules above. Errors: kInvalidArgument, saying which
// variable and why.
Result<std::string> ExpandEnv(std::string_view text, const YamlOptions& options);

}  // namespace kelp::config

#endif  // KELP_CONFIG_YAML_H_
