#include "base/env.h"

namespace kelp {

Result<std::string> ReadFile(FileSystem& files, const std::string& path, ByteSize limit) {
  ASSIGN_OR_RETURN(const std::unique_ptr<File> file, files.OpenForRead(path));
  ASSIGN_OR_RETURN(const FileInfo info, file->Stat());
  if (info.type == FileType::kDirectory) {
    return InvalidArgumentError("cannot read " + path + ": it is a directory");
  }
  std::string data;
  constexpr size_t kStep = 64 << 10;
  while (true) {
    const size_t have = data.size();
    data.resize(have + kStep);
    ASSIGN_OR_RETURN(const size_t n, file->ReadAt(have, data.data() + have, kStep));
    data.resize(have + n);
    if (data.size() > limit.bytes) {
      return ResourceExhaustedError("cannot read " + path + ": it is larger than " +
                                    FormatByteSize(limit));
    }
    if (n < kStep) return data;
  }
}

Status WriteFileAtomically(FileSystem& files, const std::string& path, std::string_view data,
                           uint32_t mode) {
  const std::string temporary = path + ".tmp";
  {
    ASSIGN_OR_RETURN(const std::unique_ptr<File> file,
                     files.OpenForWrite(temporary, /*truncate=*/true, mode));
    RETURN_IF_ERROR(file->Append(data));
    RETURN_IF_ERROR(file->Sync());
  }
  RETURN_IF_ERROR(files.Rename(temporary, path));
  return files.SyncDir(DirName(path));
}

std::string JoinPath(std::string_view dir, std::string_view name) {
  std::string path(dir);
  if (!path.empty() && path.back() != '/') path += '/';
  path += name;
  return path;
}

std::string DirName(std::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return std::string(path.substr(0, slash == 0 ? 1 : slash));
}

std::string BaseName(std::string_view path) {
  const size_t slash = path.rfind('/');
  return std::string(slash == std::string_view::npos ? path : path.substr(slash + 1));
}

}  // namespace kelp
