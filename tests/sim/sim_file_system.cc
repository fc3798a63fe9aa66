#include "sim_file_system.h"

#include <algorithm>
#include <utility>

#include "breaks.h"
#include "sights.h"

namespace kelp::sim {
namespace {

Status Failed(const std::string& what, int error) {
  return error == 0 ? OkStatus() : ErrnoError(what, error);
}

// What Space tells when the disk has no limit.
constexpr ByteSize kPlenty{1ull << 40};

}  // namespace

class SimFile final : public File {
 public:
  SimFile(SimFileSystem& files, std::unique_ptr<Handle> handle, std::string path)
      : files_(files), handle_(std::move(handle)), path_(std::move(path)) {
    ++files_.descriptors_;
    ++files_.opens_[handle_->node().serial];
  }
  ~SimFile() override {
    --files_.descriptors_;
    const auto it = files_.opens_.find(handle_->node().serial);
    if (--it->second == 0) files_.opens_.erase(it);
  }

  Result<size_t> ReadAt(uint64_t offset, char* buffer, size_t size) override {
    RETURN_IF_ERROR(files_.Enter("read", path_));
    const Node& node = handle_->node();
    if (node.type == FileType::kDirectory) return ErrnoError("cannot read " + path_, EISDIR);
    if (files_.chance_.PerMille(files_.faults.read_errors_per_mille)) {
      return ErrnoError("cannot read " + path_, EIO);
    }
    if (offset >= node.data.size()) return size_t{0};
    const size_t n = std::min<size_t>(size, node.data.size() - offset);
    std::copy_n(node.data.data() + offset, n, buffer);
    if (files_.sights != nullptr) files_.sights->Read(node.serial, offset + n);
    files_.bytes_read_ += n;
    return n;
  }
  Status Append(std::string_view data) override {
    RETURN_IF_ERROR(files_.Enter("write", path_));
    return Failed("cannot write " + path_, files_.disk_.Append(*handle_, data));
  }
  Status AppendAll(std::span<const std::string_view> pieces) override {
    for (const std::string_view piece : pieces) RETURN_IF_ERROR(Append(piece));
    return OkStatus();
  }
  Status Sync() override {
    RETURN_IF_ERROR(files_.Enter("sync", path_));
    if (!Broken(Break::kNoSync)) files_.disk_.Sync(handle_->node());
    return OkStatus();
  }
  Status Truncate(uint64_t size) override {
    RETURN_IF_ERROR(files_.Enter("truncate", path_));
    return Failed("cannot truncate " + path_, files_.disk_.Truncate(*handle_, size));
  }
  const Node& node() const { return handle_->node(); }
  Result<FileInfo> Stat() override {
    RETURN_IF_ERROR(files_.Enter("stat", path_));
    return files_.Look(handle_->node(), /*by_name=*/false);
  }

 private:
  SimFileSystem& files_;
  const std::unique_ptr<Handle> handle_;
  const std::string path_;
};

class SimLock final : public FileLock {
 public:
  SimLock(SimFileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}
  ~SimLock() override { files_.locks_.erase(path_); }

 private:
  SimFileSystem& files_;
  const std::string path_;
};

SimFileSystem::SimFileSystem(Disk& disk, Chance chance, std::function<void()> on_call)
    : disk_(disk), chance_(chance), on_call_(std::move(on_call)) {}

SimFileSystem::~SimFileSystem() = default;

Status SimFileSystem::Enter(std::string_view what, const std::string& path) {
  ++calls_;
  if (!dead_ && !in_call_ && on_call_ != nullptr) {
    in_call_ = true;
    on_call_();
    in_call_ = false;
  }
  if (!dead_) return OkStatus();
  return IoError("cannot " + std::string(what) + " " + path + ": the process is dead");
}

int SimFileSystem::OpensOf(uint64_t serial) const {
  const auto it = opens_.find(serial);
  return it == opens_.end() ? 0 : it->second;
}

uint64_t SimFileSystem::SerialOf(const File& file) {
  const auto* const sim = dynamic_cast<const SimFile*>(&file);
  return sim == nullptr ? 0 : sim->node().serial;
}

Result<std::unique_ptr<File>> SimFileSystem::OpenFile(const std::string& path, bool write,
                                                      bool truncate) {
  RETURN_IF_ERROR(Enter("open", path));
  const std::string what = "cannot open " + path;
  if (descriptors_ >= faults.descriptors_max) return ErrnoError(what, EMFILE);
  if (chance_.PerMille(faults.open_errors_per_mille)) return ErrnoError(what, EIO);
  std::unique_ptr<Handle> handle;
  if (const int error = disk_.Open(path, write, handle); error != 0) return ErrnoError(what, error);
  if (!handle->node().readable) return ErrnoError(what, EACCES);
  if (write && handle->node().type == FileType::kDirectory) return ErrnoError(what, EISDIR);
  if (truncate) disk_.Truncate(*handle, 0);
  return std::unique_ptr<File>(new SimFile(*this, std::move(handle), path));
}

Result<std::unique_ptr<File>> SimFileSystem::OpenForRead(const std::string& path) {
  return OpenFile(path, false, false);
}

Result<std::unique_ptr<File>> SimFileSystem::OpenForWrite(const std::string& path, bool truncate,
                                                          uint32_t) {
  return OpenFile(path, true, truncate);
}

Result<FileInfo> SimFileSystem::Stat(const std::string& path, bool follow_symlink) {
  RETURN_IF_ERROR(Enter("stat", path));
  std::shared_ptr<Node> node;
  const int error = disk_.Find(path, follow_symlink, node);
  if (error != 0) return ErrnoError("cannot stat " + path, error);
  return Look(*node, /*by_name=*/true);
}

FileInfo SimFileSystem::Look(const Node& node, bool by_name) {
  if (sights != nullptr) sights->Looked(node.serial, node.data.size(), by_name);
  return disk_.InfoOf(node);
}

Result<std::vector<DirEntry>> SimFileSystem::ListDir(const std::string& path) {
  RETURN_IF_ERROR(Enter("list", path));
  std::shared_ptr<Node> node;
  int error = disk_.Find(path, true, node);
  if (error == 0 && node->type != FileType::kDirectory) error = ENOTDIR;
  if (error == 0 && !node->readable) error = EACCES;
  if (error != 0) return ErrnoError("cannot list " + path, error);
  std::vector<DirEntry> entries;
  for (const auto& [name, entry] : node->entries) entries.push_back({name, entry->node->type});
  // Directories come in the order of hashes.
  for (size_t i = entries.size(); i > 1; --i) std::swap(entries[i - 1], entries[chance_.Below(i)]);
  return entries;
}

Result<std::string> SimFileSystem::ReadLink(const std::string& path) {
  RETURN_IF_ERROR(Enter("read the link", path));
  std::shared_ptr<Node> node;
  int error = disk_.Find(path, false, node);
  if (error == 0 && node->type != FileType::kSymlink) error = EINVAL;
  if (error != 0) return ErrnoError("cannot read the link " + path, error);
  return node->target;
}

Status SimFileSystem::MakeDirs(const std::string& path, uint32_t) {
  RETURN_IF_ERROR(Enter("create", path));
  for (size_t at = 1; at <= path.size(); ++at) {
    if (at != path.size() && path[at] != '/') continue;
    const int error = disk_.MakeDir(path.substr(0, at));
    if (error != 0 && error != EEXIST) return ErrnoError("cannot create " + path, error);
  }
  return OkStatus();
}

Status SimFileSystem::Rename(const std::string& from, const std::string& to) {
  RETURN_IF_ERROR(Enter("rename", from));
  return Failed("cannot rename " + from + " to " + to, disk_.Rename(from, to));
}

Status SimFileSystem::Remove(const std::string& path) {
  RETURN_IF_ERROR(Enter("remove", path));
  return Failed("cannot remove " + path, disk_.Remove(path));
}

Status SimFileSystem::RemoveTree(const std::string& path) {
  RETURN_IF_ERROR(Enter("remove", path));
  const int error = disk_.RemoveTree(path);
  return Failed("cannot remove " + path, error == ENOENT ? 0 : error);
}

Status SimFileSystem::SyncDir(const std::string& path) {
  RETURN_IF_ERROR(Enter("sync", path));
  std::shared_ptr<Node> node;
  const int error = disk_.Find(path, true, node);
  if (error == 0) disk_.Sync(*node);
  return Failed("cannot sync " + path, error);
}

Result<std::unique_ptr<FileLock>> SimFileSystem::Lock(const std::string& path) {
  RETURN_IF_ERROR(Enter("lock", path));
  if (!locks_.insert(path).second) return AlreadyExistsError(path + " is locked");
  return std::unique_ptr<FileLock>(new SimLock(*this, path));
}

Result<DiskSpace> SimFileSystem::Space(const std::string& path) {
  RETURN_IF_ERROR(Enter("look at", path));
  return DiskSpace{{disk_.space().value_or(kPlenty.bytes)}, kPlenty};
}

}  // namespace kelp::sim
