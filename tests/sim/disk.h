// Disk: a file system in memory with the meaning of a real one.
//
// Inodes are numbers that are used again (the lowest free one first, or never); they live as long
// as a name or a descriptor does. Birth and modification times tick every 4 ms, as ext4's do, or
// are not known. Hard and symbolic links, directories, FIFOs, rename over, holes. An open
// descriptor remembers the name it was opened by, and a rename takes that name along: inotify tells
// of writes by it. Data and names that were not synced may be lost when the power goes.
//
// Place:    one per World. Actors use it directly; the agent sees it through SimFileSystem.
// Threads:  confined to the simulation's thread.
// Errors:   errno values, 0 for none.
// Tests:    disk_test.cc (against the real file system)
#ifndef KELP_TESTS_SIM_DISK_H_
#define KELP_TESTS_SIM_DISK_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/env.h"
#include "chance.h"

namespace kelp::sim {

struct Node;

// A name in a directory. Renaming moves the object; descriptors keep it.
struct Entry {
  std::weak_ptr<Node> dir;
  std::string name;
  std::shared_ptr<Node> node;
};

struct Node {
  uint64_t number = 0;  // the inode
  uint64_t serial = 0;  // never used again: what the oracle calls it
  FileType type = FileType::kRegular;
  std::string data;    // of a file
  std::string target;  // of a symbolic link
  std::map<std::string, std::shared_ptr<Entry>> entries;
  std::weak_ptr<Node> parent;  // of a directory
  UnixNanos modified = 0;
  UnixNanos born = kNoTime;
  uint32_t links = 0;
  int opens = 0;
  bool readable = true;

  // What the power cannot take: of a file its bytes, of a directory its names and, in order, the
  // changes since.
  std::string durable_data;
  std::map<std::string, std::shared_ptr<Node>> durable_names;
  std::vector<std::pair<std::string, std::shared_ptr<Node>>> unsynced_names;
};

class Disk;

// An open descriptor. Closed when destroyed.
class Handle {
 public:
  Handle(Disk& disk, std::shared_ptr<Entry> entry);
  ~Handle();
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  Node& node() const { return *node_; }
  const std::shared_ptr<Node>& shared_node() const { return node_; }
  const Entry& entry() const { return *entry_; }

 private:
  Disk& disk_;
  const std::shared_ptr<Entry> entry_;
  const std::shared_ptr<Node> node_;
};

enum class DirChange : uint8_t { kModified, kCreated, kGone, kMoved };

// Hears what inotify would be told.
class DiskListener {
 public:
  virtual ~DiskListener() = default;
  // `name` is empty when it is about the directory itself: kGone deleted, kMoved renamed.
  virtual void OnChange(const Node& dir, const std::string& name, DirChange change) = 0;
};

struct DiskOptions {
  bool reuse_inodes = true;
  bool has_birth_times = true;
  Duration tick = 4ms;
};

class Disk {
 public:
  static constexpr uint64_t kDevice = 42;

  Disk(Clock& clock, const DiskOptions& options);
  ~Disk();
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  // --- names ---
  int Find(const std::string& path, bool follow, std::shared_ptr<Node>& node) const;
  bool Exists(const std::string& path) const;
  // With `create`, makes an empty regular file where there is none.
  int Open(const std::string& path, bool create, std::unique_ptr<Handle>& handle);
  int MakeDir(const std::string& path);
  int MakeFifo(const std::string& path);
  int Link(const std::string& from, const std::string& to);
  int Symlink(const std::string& target, const std::string& path);
  int Rename(const std::string& from, const std::string& to);
  // A file, a link or an empty directory.
  int Remove(const std::string& path);
  int RemoveTree(const std::string& path);
  int SetReadable(const std::string& path, bool readable);

  // --- bytes ---
  int Append(Handle& handle, std::string_view data);
  // Past the end it leaves a hole.
  int WriteAt(Handle& handle, uint64_t offset, std::string_view data);
  int Truncate(Handle& handle, uint64_t size);
  FileInfo InfoOf(const Node& node) const;

  // --- durability ---
  void Sync(Node& node);
  // Below `path`: of data and names that were not synced some happened, in order, the last write
  // torn.
  void PowerCut(const std::string& path, Chance& chance);

  // So many bytes can still be written, then ENOSPC; nullopt: no limit.
  void set_space(std::optional<uint64_t> bytes) { space_ = bytes; }
  std::optional<uint64_t> space() const { return space_; }
  void Listen(DiskListener* listener) { listeners_.push_back(listener); }
  void Unlisten(DiskListener* listener) { std::erase(listeners_, listener); }
  const std::shared_ptr<Node>& root() const { return root_; }
  // Inodes in use.
  uint64_t files() const { return last_number_ - free_numbers_.size(); }

 private:
  friend class Handle;
  std::shared_ptr<Node> NewNode(FileType type);
  void MaybeForget(Node& node);
  UnixNanos Tick() const;
  // The directory of `path` and its last part.
  int FindParent(const std::string& path, std::shared_ptr<Node>& dir, std::string& name) const;
  int Walk(const std::string& path, bool follow, int& links, std::shared_ptr<Node>& node,
           std::shared_ptr<Entry>* entry) const;
  int Add(const std::string& path, std::shared_ptr<Node> node);
  void Put(const std::shared_ptr<Node>& dir, const std::string& name, std::shared_ptr<Entry> entry);
  void Take(const std::shared_ptr<Node>& dir, const std::string& name);
  // A descriptor of something that was in it keeps a removed directory alive.
  bool Pinned(const Node& dir) const;
  // The end of a removed directory, now or when nothing pins it any more.
  void EndDir(const std::shared_ptr<Node>& dir);
  void EndUnpinned();
  void Tell(const Node& dir, const std::string& name, DirChange change);
  void Modified(Handle& handle);
  uint64_t Allowed(uint64_t bytes);

  Clock& clock_;
  const DiskOptions options_;
  std::shared_ptr<Node> root_;
  std::set<uint64_t> free_numbers_;
  uint64_t last_number_ = 1;
  uint64_t last_serial_ = 0;
  std::optional<uint64_t> space_;
  std::vector<DiskListener*> listeners_;
  std::vector<const Handle*> handles_;
  std::vector<std::shared_ptr<Node>> ending_dirs_;
};

}  // namespace kelp::sim

#endif  // KELP_TESTS_SIM_DISK_H_
