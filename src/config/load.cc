#include "config/load.h"

#include <algorithm>

namespace kelp::config {
namespace {

void AddStatus(const std::string& path, const Status& status, Problems& problems) {
  problems.Add(Problem{path, 0, 0, "", std::string(status.message())});
}

}  // namespace

std::optional<ConfigNode> LoadFile(FileSystem& files, const std::string& path,
                                   const YamlOptions& options, Problems& problems) {
  const Result<std::string> text = ReadFile(files, path, kYamlBytesMax);
  if (!text.ok()) {
    AddStatus(path, text.status(), problems);
    return std::nullopt;
  }
  return ParseYaml(text.value(), path, options, problems);
}

Result<std::vector<std::string>> ListYamlFiles(FileSystem& files, const std::string& dir) {
  ASSIGN_OR_RETURN(const std::vector<DirEntry> entries, files.ListDir(dir));
  std::vector<std::string> paths;
  for (const DirEntry& entry : entries) {
    if (entry.name.starts_with('.')) continue;
    if (!entry.name.ends_with(".yaml") && !entry.name.ends_with(".yml")) continue;
    std::string path = JoinPath(dir, entry.name);
    // A link that leads nowhere stays in the list: loading it says so.
    const Result<FileInfo> info = files.Stat(path);
    if (info.ok() && info.value().type == FileType::kDirectory) continue;
    paths.push_back(std::move(path));
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::vector<ConfigFile> LoadPath(FileSystem& files, const std::string& path,
                                 const YamlOptions& options, Problems& problems) {
  std::vector<ConfigFile> loaded;
  const Result<FileInfo> info = files.Stat(path);
  if (!info.ok()) {
    AddStatus(path, info.status(), problems);
    return loaded;
  }
  std::vector<std::string> paths = {path};
  if (info.value().type == FileType::kDirectory) {
    Result<std::vector<std::string>> listed = ListYamlFiles(files, path);
    if (!listed.ok()) {
      AddStatus(path, listed.status(), problems);
      return loaded;
    }
    paths = std::move(listed).value();
  }
  for (std::string& file : paths) {
    std::optional<ConfigNode> root = LoadFile(files, file, options, problems);
    if (root) loaded.push_back({std::move(file), *std::move(root)});
  }
  return loaded;
}

}  // namespace kelp::config
