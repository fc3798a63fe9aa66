// StoreImpl: the store's threads and what they share.
//
//   callers ──Append──▶ queue ──commit thread──▶ Wal ──▶ Logstore (hot tail) ──▶ done
//                                                           │ flush thread
//                                        maintenance ──▶ segments + MANIFEST
//
// Place:    Store::Open makes it. store.cc: life and settings; commit.cc: the commit thread;
//           flush.cc: hot tail to segments; maintain.cc: merge and retention.
// Threads:  lock order: settings_mu_, Logstore::files_mu, then mu_ or Logstore's inner lock, which
// are leaves. Tests:    store_test.cc, store_fault_test.cc, store_model_test.cc
#ifndef KELP_STORE_STORE_IMPL_H_
#define KELP_STORE_STORE_IMPL_H_

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/sync.h"
#include "store/logstore.h"
#include "store/store.h"
#include "store/wal.h"

namespace kelp::store {

struct StoreMetrics {
  explicit StoreMetrics(MetricRegistry& registry);
  Counter& rows;
  Counter& duplicate_rows;
  Counter& refused_queue;
  Counter& refused_disk;
  Counter& refused_wal;
  Counter& wal_bytes;
  Counter& wal_syncs;
  Counter& wal_lost_bytes;
  LatencyHistogram& commit;
  Gauge& hot_bytes;
  Gauge& queue_bytes;
  Gauge& low_disk;
  Counter& flushes;
  Counter& flush_failures;
  Counter& segment_bytes;
  Counter& merges;
  Counter& merge_failures;
  Counter& merged_bytes;
  Counter& corrupt_files;
  Counter& retention_segments;
  Counter& retention_bytes;
  Counter& clamped_rows;
};

class StoreImpl final : public Store {
 public:
  StoreImpl(Env& env, StoreOptions options, MetricRegistry& metrics);
  ~StoreImpl() override;
  Status Start();

  Status PutLogstore(const LogstoreName& name, const LogstoreSettings& settings) override;
  Status DropLogstore(const LogstoreName& name) override;
  void Append(const LogstoreName& name, BatchSet set,
              std::function<void(Result<AppendResult>)> done) override;
  Result<std::shared_ptr<const Snapshot>> Read(const LogstoreName& name) override;
  Result<LogstoreStats> Stats(const LogstoreName& name) override;
  Result<std::shared_ptr<void>> Subscribe(const LogstoreName& name,
                                          std::function<void(const Batch&)> on_rows) override;
  Status Flush() override;
  Status Maintain() override;

 private:
  struct Request {
    std::shared_ptr<Logstore> logstore;
    BatchSet set;
    uint64_t bytes = 0;
    std::function<void(Result<AppendResult>)> done;
    Status refused;  // set: only `done` is left to be called
  };
  using Group = std::vector<Request>;

  // --- store.cc ---
  Status ReplayWal();
  void ReplayFrame(const WalFrame& frame, WalReport& report);
  std::shared_ptr<Logstore> Find(const LogstoreName& name) EXCLUDES(mu_);
  std::shared_ptr<Logstore> FindById(uint64_t id) EXCLUDES(mu_);
  std::vector<std::shared_ptr<Logstore>> All() EXCLUDES(mu_);
  Result<std::shared_ptr<Logstore>> Get(const LogstoreName& name) EXCLUDES(mu_);
  Status WriteManifest(const Logstore& logstore, const Manifest& manifest);
  // Makes `next` the manifest. When that fails, nobody knows which one is on disk: then the files
  // of `added` stay until Settle has written one for certain.
  Status CommitManifest(Logstore& logstore, Manifest next,
                        const std::vector<std::shared_ptr<const Segment>>& added)
      REQUIRES(logstore.files_mu);
  Status Settle(Logstore& logstore) REQUIRES(logstore.files_mu);

  // --- recover.cc ---
  Status OpenLogstores();
  Status OpenLogstore(const LogstoreName& name);
  Status OpenNamedSegments(const std::string& dir, Manifest& manifest,
                           std::vector<std::shared_ptr<const Segment>>& segments);
  Result<Manifest> RebuildManifest(const LogstoreName& name, const std::vector<std::string>& paths,
                                   std::vector<std::shared_ptr<const Segment>>& segments);
  void SetAside(const std::string& path, const Status& why);

  // --- commit.cc ---
  void CommitLoop();
  bool TakeGroup(Group& group) EXCLUDES(mu_);
  void Commit(Group& group);
  Status RoomToCommit();
  Status WaitForHotRoom() EXCLUDES(mu_);
  void RefuseUnfit(Group& group);
  Status WriteFrames(Group& group, std::vector<WalFrame>& frames);
  void Show(Request& request, const WalFrame& frame);

  // --- flush.cc ---
  void FlushLoop();
  bool NeedsFlush(Logstore& logstore, Duration now);
  Status FlushLogstore(Logstore& logstore);
  Status FlushDue();
  Status WriteSegments(Logstore& logstore, const Logstore::Frozen& frozen, Manifest& next,
                       std::vector<std::shared_ptr<const Segment>>& added);
  Status TrimWal();
  uint64_t HotBytes();
  void WakeFlush() EXCLUDES(mu_);

  // --- maintain.cc ---
  void MaintainLoop();
  Status MaintainLogstore(Logstore& logstore) REQUIRES(maintain_mu_);
  Status ApplyRetention(Logstore& logstore);
  Status MergeDays(Logstore& logstore) REQUIRES(maintain_mu_);
  Status MergeInputs(Logstore& logstore, const std::vector<std::shared_ptr<const Segment>>& inputs);
  Status Replace(Logstore& logstore, const std::vector<std::shared_ptr<const Segment>>& added,
                 const std::vector<std::shared_ptr<const Segment>>& removed)
      REQUIRES(logstore.files_mu);
  void SkipCorrupt(const std::vector<std::shared_ptr<const Segment>>& inputs)
      REQUIRES(maintain_mu_);
  bool Stopping() EXCLUDES(mu_);

  Env& env_;
  const StoreOptions options_;
  StoreMetrics metrics_;
  std::unique_ptr<FileLock> lock_;
  Wal wal_;

  Mutex maintain_mu_;  // one round of maintenance at a time; before all others
  std::set<std::string> unmergeable_ GUARDED_BY(maintain_mu_);  // paths of corrupt segments
  Mutex settings_mu_;  // one PutLogstore or DropLogstore at a time

  Mutex mu_;
  CondVar commit_wake_;
  CondVar flush_wake_;
  CondVar maintain_wake_;
  CondVar hot_room_;  // a flush ended, well or not
  std::map<LogstoreName, std::shared_ptr<Logstore>> logstores_ GUARDED_BY(mu_);
  std::deque<Request> queue_ GUARDED_BY(mu_);
  uint64_t queue_bytes_ GUARDED_BY(mu_) = 0;
  bool stopping_ GUARDED_BY(mu_) = false;
  bool flush_wanted_ GUARDED_BY(mu_) = false;
  Status flush_error_ GUARDED_BY(mu_);  // of the last flush
  uint64_t flush_rounds_ GUARDED_BY(mu_) = 0;

  // Commit thread only: when the last group began, and whether requests came in company.
  Duration last_commit_{0};
  bool busy_ = false;

  std::thread commit_thread_;
  std::thread flush_thread_;
  std::thread maintain_thread_;
};

}  // namespace kelp::store

#endif  // KELP_STORE_STORE_IMPL_H_
