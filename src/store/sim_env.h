// SimEnv: a disk in memory that can be full, fail, and lose power, for the store's tests.
//
// What is not synced may be lost when the power goes: of a file's unsynced tail a random prefix
// stays, sometimes with garbage behind it; of a folder's unsynced changes (creations, renames,
// removals) a random prefix has happened. Files have no descriptor, so segments are read, not
// mapped.
//
// Owns:     its files. A File or lock that is held over a crash goes on in the old world.
// Threads:  thread-safe.
#ifndef KELP_STORE_SIM_ENV_H_
#define KELP_STORE_SIM_ENV_H_

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "base/env.h"
#include "base/sync.h"

namespace kelp::store {

struct SimNode;

class SimEnv final : public Env, FileSystem, Clock, Random {
 public:
  explicit SimEnv(uint64_t seed);
  ~SimEnv() override;

  // The machine as it comes up when the power goes now.
  std::unique_ptr<SimEnv> Crash();

  // --- faults ---
  // So many bytes can still be written; then writes fail half way with "no space".
  void SetWriteBudget(uint64_t bytes);
  // The next `count` syncs (of files and folders) fail.
  void FailSyncs(int count);
  // Renames fail: segments and manifests cannot be finished, the log can be written.
  void FailRenames(bool fail);
  // What Space says is free.
  void SetFree(ByteSize free);
  void SetNow(UnixNanos now);

  // Every file with its bytes, by path; and a way to damage one.
  std::map<std::string, std::string> AllFiles();
  void Overwrite(const std::string& path, std::string bytes);

  Clock& clock() override { return *this; }
  FileSystem& files() override { return *this; }
  Random& random() override { return *this; }
  Result<std::unique_ptr<FileWatcher>> NewFileWatcher() override;

 private:
  friend class SimFile;
  friend class SimLock;
  using NodePtr = std::shared_ptr<SimNode>;

  UnixNanos Now() override;
  Duration Monotonic() override;
  uint64_t Next() override;

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

  NodePtr Find(const std::string& path) REQUIRES(mu_);
  Result<NodePtr> FindDir(const std::string& path) REQUIRES(mu_);
  bool SyncFails() REQUIRES(mu_);
  NodePtr CopyAfterCrash(const SimNode& node) REQUIRES(mu_);

  Mutex mu_;
  std::mt19937_64 random_ GUARDED_BY(mu_);
  NodePtr root_ GUARDED_BY(mu_);
  std::set<std::string> locks_ GUARDED_BY(mu_);
  uint64_t write_budget_ GUARDED_BY(mu_) = UINT64_MAX;
  int failing_syncs_ GUARDED_BY(mu_) = 0;
  bool failing_renames_ GUARDED_BY(mu_) = false;
  ByteSize free_ GUARDED_BY(mu_){1ull << 40};
  UnixNanos now_ GUARDED_BY(mu_) = 1'763'700'000'000'000'000;
};

}  // namespace kelp::store

#endif  // KELP_STORE_SIM_ENV_H_
