#include "disk.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace kelp::sim {
namespace {

// As the kernel's.
constexpr int kLinksMax = 40;

bool IsDir(const Node& node) { return node.type == FileType::kDirectory; }

bool IsWithin(std::shared_ptr<Node> node, const Node& above) {
  for (; node != nullptr; node = node->parent.lock()) {
    if (node.get() == &above) return true;
  }
  return false;
}

}  // namespace

Handle::Handle(Disk& disk, std::shared_ptr<Entry> entry)
    : disk_(disk), entry_(std::move(entry)), node_(entry_->node) {
  ++node_->opens;
  disk_.handles_.push_back(this);
}

Handle::~Handle() {
  --node_->opens;
  std::erase(disk_.handles_, this);
  disk_.EndUnpinned();
  disk_.MaybeForget(*node_);
}

Disk::Disk(Clock& clock, const DiskOptions& options) : clock_(clock), options_(options) {
  root_ = NewNode(FileType::kDirectory);
  root_->links = 1;
}

Disk::~Disk() = default;

// --- inodes ---

UnixNanos Disk::Tick() const {
  const UnixNanos now = clock_.Now();
  return now - now % options_.tick.count();
}

std::shared_ptr<Node> Disk::NewNode(FileType type) {
  auto node = std::make_shared<Node>();
  node->type = type;
  node->serial = ++last_serial_;
  if (!free_numbers_.empty()) {
    node->number = *free_numbers_.begin();
    free_numbers_.erase(free_numbers_.begin());
  } else {
    node->number = ++last_number_;
  }
  node->modified = Tick();
  if (options_.has_birth_times) node->born = node->modified;
  return node;
}

void Disk::MaybeForget(Node& node) {
  if (node.links > 0 || node.opens > 0 || node.number == 0) return;
  if (options_.reuse_inodes) free_numbers_.insert(node.number);
  node.number = 0;
}

FileInfo Disk::InfoOf(const Node& node) const {
  FileInfo info;
  info.device = kDevice;
  info.inode = node.number;
  info.size = node.type == FileType::kSymlink ? node.target.size() : node.data.size();
  info.modified = node.modified;
  info.born = node.born;
  info.links = node.links;
  info.type = node.type;
  return info;
}

// --- names ---

int Disk::Walk(const std::string& path, bool follow, int& links, std::shared_ptr<Node>& node,
               std::shared_ptr<Entry>* entry) const {
  if (path.empty() || path[0] != '/') return ENOENT;
  node = root_;
  std::string here = "/";
  for (size_t at = 1; at < path.size();) {
    const size_t slash = std::min(path.find('/', at), path.size());
    const std::string name = path.substr(at, slash - at);
    at = slash + 1;
    if (name.empty()) continue;
    if (!IsDir(*node)) return ENOTDIR;
    const auto it = node->entries.find(name);
    if (it == node->entries.end()) return ENOENT;
    const bool last = at >= path.size();
    if (entry != nullptr) *entry = it->second;
    node = it->second->node;
    if (node->type == FileType::kSymlink && (!last || follow)) {
      if (++links > kLinksMax) return ELOOP;
      const std::string target =
          node->target[0] == '/' ? node->target : JoinPath(here, node->target);
      if (const int error = Walk(target, true, links, node, entry); error != 0) return error;
    }
    here = JoinPath(here, name);
  }
  return 0;
}

int Disk::Find(const std::string& path, bool follow, std::shared_ptr<Node>& node) const {
  int links = 0;
  return Walk(path, follow, links, node, nullptr);
}

bool Disk::Exists(const std::string& path) const {
  std::shared_ptr<Node> node;
  return Find(path, false, node) == 0;
}

int Disk::FindParent(const std::string& path, std::shared_ptr<Node>& dir, std::string& name) const {
  name = BaseName(path);
  if (name.empty()) return EEXIST;
  if (const int error = Find(DirName(path), true, dir); error != 0) return error;
  return IsDir(*dir) ? 0 : ENOTDIR;
}

void Disk::Put(const std::shared_ptr<Node>& dir, const std::string& name,
               std::shared_ptr<Entry> entry) {
  entry->dir = dir;
  entry->name = name;
  dir->unsynced_names.emplace_back(name, entry->node);
  dir->entries[name] = std::move(entry);
}

void Disk::Take(const std::shared_ptr<Node>& dir, const std::string& name) {
  dir->unsynced_names.emplace_back(name, nullptr);
  dir->entries.erase(name);
}

int Disk::Add(const std::string& path, std::shared_ptr<Node> node) {
  std::shared_ptr<Node> dir;
  std::string name;
  int error = FindParent(path, dir, name);
  if (error == 0 && dir->entries.count(name) != 0) error = EEXIST;
  if (error != 0) {
    MaybeForget(*node);
    return error;
  }
  ++node->links;
  if (IsDir(*node)) node->parent = dir;
  auto entry = std::make_shared<Entry>();
  entry->node = std::move(node);
  Put(dir, name, std::move(entry));
  Tell(*dir, name, DirChange::kCreated);
  return 0;
}

int Disk::Open(const std::string& path, bool create, std::unique_ptr<Handle>& handle) {
  int links = 0;
  std::shared_ptr<Node> node;
  std::shared_ptr<Entry> entry;
  int error = Walk(path, true, links, node, &entry);
  if (error == ENOENT && create) {
    error = Add(path, NewNode(FileType::kRegular));
    if (error != 0) return error;
    error = Walk(path, true, links, node, &entry);
  }
  if (error != 0) return error;
  if (entry == nullptr) {  // the root
    entry = std::make_shared<Entry>();
    entry->node = node;
  }
  handle = std::make_unique<Handle>(*this, std::move(entry));
  return 0;
}

int Disk::MakeDir(const std::string& path) { return Add(path, NewNode(FileType::kDirectory)); }
int Disk::MakeFifo(const std::string& path) { return Add(path, NewNode(FileType::kOther)); }

int Disk::Link(const std::string& from, const std::string& to) {
  std::shared_ptr<Node> node;
  if (const int error = Find(from, false, node); error != 0) return error;
  std::shared_ptr<Node> dir;
  std::string name;
  if (const int error = FindParent(to, dir, name); error != 0) return error;
  if (dir->entries.count(name) != 0) return EEXIST;
  return IsDir(*node) ? EPERM : Add(to, node);
}

int Disk::Symlink(const std::string& target, const std::string& path) {
  auto node = NewNode(FileType::kSymlink);
  node->target = target;
  return Add(path, std::move(node));
}

int Disk::Rename(const std::string& from, const std::string& to) {
  std::shared_ptr<Node> from_dir, to_dir;
  std::string from_name, to_name;
  if (const int error = FindParent(from, from_dir, from_name); error != 0) return error;
  if (const int error = FindParent(to, to_dir, to_name); error != 0) return error;
  const auto it = from_dir->entries.find(from_name);
  if (it == from_dir->entries.end()) return ENOENT;
  const std::shared_ptr<Entry> entry = it->second;
  if (IsDir(*entry->node) && IsWithin(to_dir, *entry->node)) return EINVAL;
  const auto old = to_dir->entries.find(to_name);
  std::shared_ptr<Node> replaced;
  if (old != to_dir->entries.end()) {
    replaced = old->second->node;
    if (IsDir(*replaced) && IsWithin(from_dir, *replaced)) return ENOTEMPTY;
    if (replaced == entry->node) return 0;
    if (IsDir(*replaced) && !IsDir(*entry->node)) return EISDIR;
    if (!IsDir(*replaced) && IsDir(*entry->node)) return ENOTDIR;
    if (IsDir(*replaced) && !replaced->entries.empty()) return ENOTEMPTY;
    Take(to_dir, to_name);
    --replaced->links;
  }
  Take(from_dir, from_name);
  Put(to_dir, to_name, entry);
  if (IsDir(*entry->node)) entry->node->parent = to_dir;
  Tell(*from_dir, from_name, DirChange::kGone);
  Tell(*to_dir, to_name, DirChange::kCreated);
  if (IsDir(*entry->node)) Tell(*entry->node, "", DirChange::kMoved);
  if (replaced != nullptr) {
    if (IsDir(*replaced)) EndDir(replaced);
    MaybeForget(*replaced);
  }
  return 0;
}

int Disk::Remove(const std::string& path) {
  std::shared_ptr<Node> dir;
  std::string name;
  if (const int error = FindParent(path, dir, name); error != 0) return error;
  const auto it = dir->entries.find(name);
  if (it == dir->entries.end()) return ENOENT;
  const std::shared_ptr<Node> node = it->second->node;
  if (IsDir(*node) && !node->entries.empty()) return ENOTEMPTY;
  Take(dir, name);
  --node->links;
  if (IsDir(*node)) EndDir(node);
  Tell(*dir, name, DirChange::kGone);
  MaybeForget(*node);
  return 0;
}

int Disk::RemoveTree(const std::string& path) {
  std::shared_ptr<Node> node;
  if (const int error = Find(path, false, node); error != 0) return error;
  while (IsDir(*node) && !node->entries.empty()) {
    const int error = RemoveTree(JoinPath(path, node->entries.begin()->first));
    if (error != 0) return error;
  }
  return Remove(path);
}

int Disk::SetReadable(const std::string& path, bool readable) {
  int links = 0;
  std::shared_ptr<Node> node;
  std::shared_ptr<Entry> entry;
  if (const int error = Walk(path, true, links, node, &entry); error != 0) return error;
  node->readable = readable;
  if (entry == nullptr) return 0;
  if (const auto dir = entry->dir.lock()) Tell(*dir, entry->name, DirChange::kModified);
  return 0;
}

// --- bytes ---

uint64_t Disk::Allowed(uint64_t bytes) {
  if (!space_.has_value()) return bytes;
  const uint64_t allowed = std::min(bytes, *space_);
  *space_ -= allowed;
  return allowed;
}

void Disk::Modified(Handle& handle) {
  handle.node().modified = Tick();
  // Also after the name was removed: the kernel goes on telling the directory.
  if (const auto dir = handle.entry().dir.lock()) {
    Tell(*dir, handle.entry().name, DirChange::kModified);
  }
}

int Disk::Append(Handle& handle, std::string_view data) {
  return WriteAt(handle, handle.node().data.size(), data);
}

int Disk::WriteAt(Handle& handle, uint64_t offset, std::string_view data) {
  if (data.empty()) return 0;
  std::string& bytes = handle.node().data;
  const uint64_t allowed = Allowed(data.size());
  if (allowed > 0) {
    if (bytes.size() < offset + allowed) bytes.resize(offset + allowed, '\0');
    bytes.replace(offset, allowed, data.substr(0, allowed));
    Modified(handle);
  }
  return allowed == data.size() ? 0 : ENOSPC;
}

int Disk::Truncate(Handle& handle, uint64_t size) {
  handle.node().data.resize(size, '\0');
  Modified(handle);
  return 0;
}

// --- durability ---

void Disk::Sync(Node& node) {
  if (!IsDir(node)) {
    node.durable_data = node.data;
    return;
  }
  for (const auto& [name, child] : node.unsynced_names) {
    if (child == nullptr) {
      node.durable_names.erase(name);
    } else {
      node.durable_names[name] = child;
    }
  }
  node.unsynced_names.clear();
}

void Disk::PowerCut(const std::string& path, Chance& chance) {
  std::shared_ptr<Node> top;
  if (Find(path, true, top) != 0) return;
  std::vector<std::shared_ptr<Node>> dirs{top};
  std::vector<std::shared_ptr<Node>> seen;
  for (size_t i = 0; i < dirs.size(); ++i) {
    Node& dir = *dirs[i];
    dir.unsynced_names.resize(chance.Below(dir.unsynced_names.size() + 1));
    Sync(dir);
    for (auto& [name, entry] : dir.entries) --entry->node->links;
    dir.entries.clear();
    for (const auto& [name, node] : dir.durable_names) {
      auto entry = std::make_shared<Entry>();
      entry->dir = dirs[i];
      entry->name = name;
      entry->node = node;
      ++node->links;
      dir.entries[name] = std::move(entry);
      seen.push_back(node);
      if (IsDir(*node)) dirs.push_back(node);
    }
  }
  for (const auto& node : seen) {
    if (IsDir(*node) || node->data == node->durable_data) continue;
    // Of what was only appended a part stays; anything else is as it was synced.
    const std::string& durable = node->durable_data;
    const bool appended = node->data.compare(0, durable.size(), durable) == 0;
    const size_t kept = appended
                            ? durable.size() + chance.Below(node->data.size() - durable.size() + 1)
                            : durable.size();
    node->data = node->data.substr(0, kept);
    if (!appended) node->data = durable;
    node->durable_data = node->data;
  }
}

bool Disk::Pinned(const Node& dir) const {
  return std::any_of(handles_.begin(), handles_.end(), [&](const Handle* handle) {
    return IsWithin(handle->entry().dir.lock(), dir);
  });
}

void Disk::EndDir(const std::shared_ptr<Node>& dir) {
  if (Pinned(*dir)) {
    ending_dirs_.push_back(dir);
  } else {
    Tell(*dir, "", DirChange::kGone);
  }
}

void Disk::EndUnpinned() {
  for (size_t i = 0; i < ending_dirs_.size();) {
    const std::shared_ptr<Node> dir = ending_dirs_[i];
    if (Pinned(*dir)) {
      ++i;
      continue;
    }
    ending_dirs_.erase(ending_dirs_.begin() + static_cast<ptrdiff_t>(i));
    Tell(*dir, "", DirChange::kGone);
  }
}

void Disk::Tell(const Node& dir, const std::string& name, DirChange change) {
  for (DiskListener* listener : listeners_) listener->OnChange(dir, name, change);
}

}  // namespace kelp::sim
