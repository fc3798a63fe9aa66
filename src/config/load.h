// Loading configuration from the file system.
#ifndef KELP_CONFIG_LOAD_H_
#define KELP_CONFIG_LOAD_H_

#include <optional>
#include <string>
#include <vector>

#include "base/env.h"
#include "config/node.h"
#include "config/problems.h"
#include "config/yaml.h"

namespace kelp::config {

struct ConfigFile {
  std::string path;
  ConfigNode root;
};

// Reads and parses one file. What goes wrong is a problem at that file.
std::optional<ConfigNode> LoadFile(FileSystem& files, const std::string& path,
                                   const YamlOptions& options, Problems& problems);

// The paths of the *.yaml and *.yml files in a directory, sorted by name; not of its
// subdirectories. Names that begin with a dot are passed over: a mounted ConfigMap keeps its
// versions there. Symbolic links are followed.
Result<std::vector<std::string>> ListYamlFiles(FileSystem& files, const std::string& dir);

// Loads a file, or all that ListYamlFiles names in a directory. Files that cannot be loaded are
// problems; the others are returned all the same.
std::vector<ConfigFile> LoadPath(FileSystem& files, const std::string& path,
                                 const YamlOptions& options, Problems& problems);

}  // namespace kelp::config

#endif  // KELP_CONFIG_LOAD_H_
