// CheckpointDatabase: checkpoints in a SQLite file. Internal to src/tail; see checkpoint.h and
// checkpoint_tool.h for what others use.
//
// Format: docs/formats/checkpoint.md
#ifndef KELP_TAIL_CHECKPOINT_DB_H_
#define KELP_TAIL_CHECKPOINT_DB_H_

#include <sqlite3.h>

#include <string>
#include <vector>

#include "base/sync.h"
#include "tail/checkpoint.h"

namespace kelp::tail {

// Of SQLite's codes, those that say that a file is not our database, or not any more.
bool IsCorrupt(int code);

// Place:    made by OpenCheckpointDatabase and the functions of checkpoint_tool.h.
// Owns:     the connection. Borrows the Env.
// Threads:  thread-safe: one mutex around the connection.
class CheckpointDatabase final : public CheckpointStore {
 public:
  CheckpointDatabase(Env& env, std::string path) : env_(env), path_(std::move(path)) {}
  ~CheckpointDatabase() override { sqlite3_close(db_); }

  // Makes the database when there is none; moves a corrupt one aside. Where there was one before,
  // it counts as lost.
  Status Open();
  // Neither: kNotFound and kDataLoss instead.
  Status OpenExisting();

  Result<CheckpointSpace> Start(const std::string& space) override;
  Status Write(const CheckpointChanges& changes) override;
  // Everything there is, by space, path and ordinal.
  Result<std::vector<Checkpoint>> All();

 private:
  static constexpr int kNewer = -1;  // beside SQLite's codes, which are positive

  Status Opened(int code) REQUIRES(mu_);
  int ConnectAsAgent() REQUIRES(mu_);
  int Connect(int flags = SQLITE_OPEN_CREATE) REQUIRES(mu_);
  bool HeaderIsOurs();
  int Exec(const char* sql) REQUIRES(mu_) {
    return sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
  }
  int Prepare() REQUIRES(mu_);
  int CheckVersion() REQUIRES(mu_);
  int QuickCheck() REQUIRES(mu_);
  int RemoveOldSpaces() REQUIRES(mu_);
  std::string MachineId();
  int NoteMachine() REQUIRES(mu_);
  int RenewOrigins() REQUIRES(mu_);
  int Load(const std::string& space, CheckpointSpace& result) REQUIRES(mu_);
  int LoadOrigins(const std::string* space, std::vector<Checkpoint>& out) REQUIRES(mu_);
  int WriteGroup(const CheckpointChanges& changes) REQUIRES(mu_);
  Status MoveAside() REQUIRES(mu_);
  void NoteMade() REQUIRES(mu_);
  bool Removed() REQUIRES(mu_);
  Status Error(const char* what, int code) REQUIRES(mu_);

  Env& env_;
  const std::string path_;
  Mutex mu_;
  sqlite3* db_ GUARDED_BY(mu_) = nullptr;
  int system_error_ GUARDED_BY(mu_) = 0;
  bool lost_ GUARDED_BY(mu_) = false;
  bool made_ GUARDED_BY(mu_) = false;  // there was none
};

}  // namespace kelp::tail

#endif  // KELP_TAIL_CHECKPOINT_DB_H_
