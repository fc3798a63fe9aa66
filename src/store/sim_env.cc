#include "store/sim_env.h"

#include <algorithm>
#include <cstring>

namespace kelp::store {

// A file or a folder.
struct SimNode {
  // Names that one change sets; null: the name is gone.
  using Change = std::vector<std::pair<std::string, std::shared_ptr<SimNode>>>;

  bool folder = false;
  std::string data;
  size_t synced = 0;  // bytes of data that survive
  std::map<std::string, std::shared_ptr<SimNode>> entries;
  std::map<std::string, std::shared_ptr<SimNode>> durable;
  std::vector<Change> changes;  // since the last sync of the folder

  void Apply(const Change& change) {
    for (const auto& [name, node] : change) {
      if (node == nullptr) {
        entries.erase(name);
      } else {
        entries[name] = node;
      }
    }
  }
  void Do(Change change) {
    Apply(change);
    changes.push_back(std::move(change));
  }
};

class SimFile final : public File {
 public:
  SimFile(SimEnv& env, std::shared_ptr<SimNode> node) : env_(env), node_(std::move(node)) {}

  Result<size_t> ReadAt(uint64_t offset, char* buffer, size_t size) override {
    MutexLock lock(env_.mu_);
    if (offset >= node_->data.size()) return size_t{0};
    const size_t n = std::min<size_t>(size, node_->data.size() - offset);
    std::memcpy(buffer, node_->data.data() + offset, n);
    return n;
  }
  Status Append(std::string_view data) override {
    MutexLock lock(env_.mu_);
    const size_t n = std::min<uint64_t>(data.size(), env_.write_budget_);
    node_->data += data.substr(0, n);
    if (env_.write_budget_ != UINT64_MAX) env_.write_budget_ -= n;
    return n == data.size() ? OkStatus() : ErrnoError("cannot write", ENOSPC);
  }
  Status AppendAll(std::span<const std::string_view> pieces) override {
    for (const std::string_view piece : pieces) RETURN_IF_ERROR(Append(piece));
    return OkStatus();
  }
  Status Sync() override {
    MutexLock lock(env_.mu_);
    if (env_.SyncFails()) return ErrnoError("cannot sync", EIO);
    node_->synced = node_->data.size();
    return OkStatus();
  }
  Status Truncate(uint64_t size) override {
    MutexLock lock(env_.mu_);
    node_->data.resize(size);
    node_->synced = std::min<size_t>(node_->synced, size);
    return OkStatus();
  }
  Result<FileInfo> Stat() override {
    MutexLock lock(env_.mu_);
    FileInfo info;
    info.size = node_->data.size();
    info.type = node_->folder ? FileType::kDirectory : FileType::kRegular;
    return info;
  }

 private:
  SimEnv& env_;
  const std::shared_ptr<SimNode> node_;
};

class SimLock final : public FileLock {
 public:
  SimLock(SimEnv& env, std::string path) : env_(env), path_(std::move(path)) {}
  ~SimLock() override {
    MutexLock lock(env_.mu_);
    env_.locks_.erase(path_);
  }

 private:
  SimEnv& env_;
  const std::string path_;
};

SimEnv::SimEnv(uint64_t seed) : random_(seed), root_(std::make_shared<SimNode>()) {
  root_->folder = true;
}
SimEnv::~SimEnv() = default;

SimEnv::NodePtr SimEnv::CopyAfterCrash(const SimNode& node) {
  auto copy = std::make_shared<SimNode>();
  copy->folder = node.folder;
  if (!node.folder) {
    const size_t tail = node.data.size() - std::min(node.synced, node.data.size());
    const size_t kept = tail == 0 ? 0 : random_() % (tail + 1);
    copy->data = node.data.substr(0, node.synced + kept);
    if (kept < tail && random_() % 4 == 0) {
      // Pages that were allocated but never written, or written out of order.
      for (size_t i = kept; i < tail; ++i) {
        copy->data += random_() % 2 == 0 ? '\0' : node.data[node.synced + i];
      }
    }
    copy->synced = copy->data.size();
    return copy;
  }
  SimNode after;
  after.entries = node.durable;
  const size_t happened = node.changes.empty() ? 0 : random_() % (node.changes.size() + 1);
  for (size_t i = 0; i < happened; ++i) after.Apply(node.changes[i]);
  for (const auto& [name, child] : after.entries) copy->entries[name] = CopyAfterCrash(*child);
  copy->durable = copy->entries;
  return copy;
}

std::unique_ptr<SimEnv> SimEnv::Crash() {
  MutexLock lock(mu_);
  auto env = std::make_unique<SimEnv>(random_());
  MutexLock other(env->mu_);
  env->root_ = CopyAfterCrash(*root_);
  env->now_ = now_;
  env->free_ = free_;
  return env;
}

void SimEnv::SetWriteBudget(uint64_t bytes) {
  MutexLock lock(mu_);
  write_budget_ = bytes;
}
void SimEnv::FailSyncs(int count) {
  MutexLock lock(mu_);
  failing_syncs_ = count;
}
void SimEnv::FailRenames(bool fail) {
  MutexLock lock(mu_);
  failing_renames_ = fail;
}
void SimEnv::SetFree(ByteSize free) {
  MutexLock lock(mu_);
  free_ = free;
}
void SimEnv::SetNow(UnixNanos now) {
  MutexLock lock(mu_);
  now_ = now;
}

namespace {

void Collect(const std::string& path, const SimNode& node,
             std::map<std::string, std::string>& out) {
  if (!node.folder) {
    out[path] = node.data;
    return;
  }
  for (const auto& [name, child] : node.entries) Collect(path + "/" + name, *child, out);
}

}  // namespace

std::map<std::string, std::string> SimEnv::AllFiles() {
  MutexLock lock(mu_);
  std::map<std::string, std::string> all;
  Collect("", *root_, all);
  return all;
}

void SimEnv::Overwrite(const std::string& path, std::string bytes) {
  MutexLock lock(mu_);
  const NodePtr node = Find(path);
  CHECK(node != nullptr, path);
  node->data = std::move(bytes);
  node->synced = node->data.size();
}

Result<std::unique_ptr<FileWatcher>> SimEnv::NewFileWatcher() {
  return UnimplementedError("the simulated disk cannot be watched");
}

UnixNanos SimEnv::Now() {
  MutexLock lock(mu_);
  return now_;
}
// Waiting is real, so is this clock.
Duration SimEnv::Monotonic() { return RealEnv().clock().Monotonic(); }
uint64_t SimEnv::Next() {
  MutexLock lock(mu_);
  return random_();
}

SimEnv::NodePtr SimEnv::Find(const std::string& path) {
  NodePtr node = root_;
  size_t at = 0;
  while (node != nullptr && at < path.size()) {
    const size_t slash = std::min(path.find('/', at), path.size());
    const std::string name = path.substr(at, slash - at);
    at = slash + 1;
    if (name.empty()) continue;
    const auto it = node->entries.find(name);
    node = it == node->entries.end() ? nullptr : it->second;
  }
  return node;
}

Result<SimEnv::NodePtr> SimEnv::FindDir(const std::string& path) {
  NodePtr node = Find(path);
  if (node == nullptr) return ErrnoError(path, ENOENT);
  if (!node->folder) return ErrnoError(path, ENOTDIR);
  return node;
}

bool SimEnv::SyncFails() {
  if (failing_syncs_ == 0) return false;
  --failing_syncs_;
  return true;
}

Result<std::unique_ptr<File>> SimEnv::OpenForRead(const std::string& path) {
  MutexLock lock(mu_);
  NodePtr node = Find(path);
  if (node == nullptr) return ErrnoError("cannot open " + path, ENOENT);
  return std::unique_ptr<File>(new SimFile(*this, std::move(node)));
}

Result<std::unique_ptr<File>> SimEnv::OpenForWrite(const std::string& path, bool truncate,
                                                   uint32_t) {
  MutexLock lock(mu_);
  ASSIGN_OR_RETURN(const NodePtr folder, FindDir(DirName(path)));
  NodePtr node = Find(path);
  if (node == nullptr) {
    node = std::make_shared<SimNode>();
    folder->Do({{BaseName(path), node}});
  } else if (truncate) {
    node->data.clear();
    node->synced = 0;
  }
  return std::unique_ptr<File>(new SimFile(*this, std::move(node)));
}

Result<FileInfo> SimEnv::Stat(const std::string& path, bool) {
  MutexLock lock(mu_);
  const NodePtr node = Find(path);
  if (node == nullptr) return ErrnoError("cannot stat " + path, ENOENT);
  FileInfo info;
  info.size = node->data.size();
  info.type = node->folder ? FileType::kDirectory : FileType::kRegular;
  return info;
}

Result<std::vector<DirEntry>> SimEnv::ListDir(const std::string& path) {
  MutexLock lock(mu_);
  ASSIGN_OR_RETURN(const NodePtr folder, FindDir(path));
  std::vector<DirEntry> entries;
  for (const auto& [name, node] : folder->entries) {
    entries.push_back({name, node->folder ? FileType::kDirectory : FileType::kRegular});
  }
  return entries;
}

Result<std::string> SimEnv::ReadLink(const std::string& path) { return ErrnoError(path, EINVAL); }

Status SimEnv::MakeDirs(const std::string& path, uint32_t) {
  MutexLock lock(mu_);
  for (size_t at = 1; at <= path.size(); ++at) {
    if (at != path.size() && path[at] != '/') continue;
    const std::string part = path.substr(0, at);
    if (Find(part) != nullptr) continue;
    ASSIGN_OR_RETURN(const NodePtr parent, FindDir(DirName(part)));
    auto node = std::make_shared<SimNode>();
    node->folder = true;
    parent->Do({{BaseName(part), std::move(node)}});
  }
  return OkStatus();
}

Status SimEnv::Rename(const std::string& from, const std::string& to) {
  MutexLock lock(mu_);
  CHECK(DirName(from) == DirName(to), "the store renames within a folder");
  ASSIGN_OR_RETURN(const NodePtr folder, FindDir(DirName(from)));
  if (failing_renames_) return ErrnoError("cannot rename " + from, EIO);
  const NodePtr node = Find(from);
  if (node == nullptr) return ErrnoError("cannot rename " + from, ENOENT);
  folder->Do({{BaseName(from), nullptr}, {BaseName(to), node}});
  return OkStatus();
}

Status SimEnv::Remove(const std::string& path) {
  MutexLock lock(mu_);
  const NodePtr node = Find(path);
  if (node == nullptr) return ErrnoError("cannot remove " + path, ENOENT);
  if (node->folder && !node->entries.empty()) return ErrnoError("cannot remove " + path, ENOTEMPTY);
  Find(DirName(path))->Do({{BaseName(path), nullptr}});
  return OkStatus();
}

Status SimEnv::RemoveTree(const std::string& path) {
  std::vector<DirEntry> children;
  if (const auto listed = ListDir(path); listed.ok()) children = *listed;
  for (const DirEntry& entry : children) {
    RETURN_IF_ERROR(RemoveTree(JoinPath(path, entry.name)));
  }
  const Status status = Remove(path);
  return status.code() == Code::kNotFound ? OkStatus() : status;
}

Status SimEnv::SyncDir(const std::string& path) {
  MutexLock lock(mu_);
  ASSIGN_OR_RETURN(const NodePtr folder, FindDir(path));
  if (SyncFails()) return ErrnoError("cannot sync " + path, EIO);
  folder->durable = folder->entries;
  folder->changes.clear();
  return OkStatus();
}

Result<std::unique_ptr<FileLock>> SimEnv::Lock(const std::string& path) {
  MutexLock lock(mu_);
  if (!locks_.insert(path).second) return AlreadyExistsError(path + " is locked");
  return std::unique_ptr<FileLock>(new SimLock(*this, path));
}

Result<DiskSpace> SimEnv::Space(const std::string&) {
  MutexLock lock(mu_);
  return DiskSpace{free_, ByteSize{1ull << 41}};
}

}  // namespace kelp::store
