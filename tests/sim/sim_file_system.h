// SimFileSystem: what one process sees of a Disk, with the faults that it meets.
//
// Between any two of its system calls anything may happen: `on_call` runs before each, and there
// the World lets writers write, rotators rotate, and the process die. A dead process changes
// nothing any more: its calls fail until its objects are destroyed.
//
// Place:    one per life of the agent (SimEnv).
// Owns:     nothing; a File it gave must not outlive it.
// Threads:  confined to the simulation's thread; after Die() also Engine::Stop's.
// Tests:    disk_test.cc
#ifndef KELP_TESTS_SIM_SIM_FILE_SYSTEM_H_
#define KELP_TESTS_SIM_SIM_FILE_SYSTEM_H_

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/env.h"
#include "chance.h"
#include "disk.h"

namespace kelp::sim {

struct ProcessFaults {
  size_t descriptors_max = SIZE_MAX;  // EMFILE beyond
  uint32_t read_errors_per_mille = 0;
  uint32_t open_errors_per_mille = 0;
};

class Sights;

class SimFileSystem final : public FileSystem {
 public:
  SimFileSystem(Disk& disk, Chance chance, std::function<void()> on_call);
  ~SimFileSystem() override;

  Result<std::unique_ptr<File>> OpenForRead(const std::string& path) override;
  Result<std::unique_ptr<File>> OpenForWrite(const std::string& path, bool truncate,
                                             uint32_t mode) override;
  Result<FileInfo> Stat(const std::string& path, bool follow_symlink) override;
  Result<std::vector<DirEntry>> ListDir(const std::string& path) override;
  Result<std::string> ReadLink(const std::string& path) override;
  Status MakeDirs(const std::string& path, uint32_t mode) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status Remove(const std::string& path) override;
  Status RemoveTree(const std::string& path) override;
  Status SyncDir(const std::string& path) override;
  Result<std::unique_ptr<FileLock>> Lock(const std::string& path) override;
  Result<DiskSpace> Space(const std::string& path) override;

  // --- the World's ---
  ProcessFaults faults;
  Sights* sights = nullptr;  // may stay null
  void Die() { dead_ = true; }
  bool dead() const { return dead_; }
  size_t open_descriptors() const { return descriptors_; }
  // How many descriptors the process has on a file, by Node::serial.
  int OpensOf(uint64_t serial) const;
  // Node::serial of a file that was opened here; 0 of any other.
  static uint64_t SerialOf(const File& file);
  uint64_t calls() const { return calls_; }
  uint64_t bytes_read() const { return bytes_read_; }

 private:
  friend class SimFile;
  friend class SimLock;
  FileInfo Look(const Node& node, bool by_name);
  // Before each system call: lets the world happen. An error when the process is dead.
  Status Enter(std::string_view what, const std::string& path);
  Result<std::unique_ptr<File>> OpenFile(const std::string& path, bool write, bool truncate);

  Disk& disk_;
  Chance chance_;
  const std::function<void()> on_call_;
  std::atomic<bool> dead_{false};
  bool in_call_ = false;
  size_t descriptors_ = 0;
  uint64_t calls_ = 0;
  uint64_t bytes_read_ = 0;
  std::map<uint64_t, int> opens_;
  std::set<std::string> locks_;
};

}  // namespace kelp::sim

#endif  // KELP_TESTS_SIM_SIM_FILE_SYSTEM_H_
