// Logstore: the state of one logstore in memory: hot tail, open segments, high-water marks.
//
// Place:    StoreImpl owns them; the commit thread applies batches, the flush and the maintenance
//           exchange segments, queries take snapshots.
// Threads:  thread-safe. `files_mu` is held by whoever changes what is on disk; it is taken before
//           the inner lock and never inside it.
// Limits:   kMarksMax origins, kMarkAgeMax after their last row.
// Tests:    store_test.cc, store_model_test.cc
#ifndef KELP_STORE_LOGSTORE_H_
#define KELP_STORE_LOGSTORE_H_

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/sync.h"
#include "store/hot_block.h"
#include "store/manifest.h"
#include "store/segment.h"
#include "store/store.h"

namespace kelp::store {

class Logstore {
 public:
  // An origin that has been silent for so long is not coming back with old bytes: an agent re-sends
  // what was in flight when it stopped, and that is at most as old as its outage.
  static constexpr Duration kMarkAgeMax = 7 * 24h;
  // About 60 MB in memory; the oldest go first.
  static constexpr size_t kMarksMax = 1'000'000;
  // Hot blocks are joined up to this size: few enough rows that building one costs little.
  static constexpr uint32_t kJoinedRowsMax = 8192;

  Logstore(LogstoreName name, std::string dir, Manifest manifest);

  const LogstoreName& name() const { return name_; }
  const std::string& dir() const { return dir_; }
  uint64_t id() const { return id_; }

  // --- commit thread ---
  // Takes out rows whose end is not above their origin's mark, moves the marks, adds what is left
  // to the hot tail. `added` gets the new parts. A sequence that was applied before does nothing.
  AppendResult Apply(std::vector<BatchPtr> batches, uint64_t sequence, UnixNanos time, Duration now,
                     std::vector<HotPartPtr>& added) EXCLUDES(mu_);

  // --- any thread ---
  std::shared_ptr<const Snapshot> Read() EXCLUDES(mu_);
  LogstoreStats Stats() EXCLUDES(mu_);
  size_t hot_bytes() const { return hot_bytes_.load(std::memory_order_relaxed); }
  // When the oldest row came that is not in a segment; Duration::max() when there is none.
  Duration hot_since() EXCLUDES(mu_);
  bool dropped() const { return dropped_.load(std::memory_order_acquire); }
  void set_dropped() { dropped_.store(true, std::memory_order_release); }
  // Frames up to here are in segments.
  uint64_t applied() const { return applied_.load(std::memory_order_acquire); }

  // --- changes of what is on disk ---
  Mutex files_mu;
  // What MANIFEST says.
  Manifest& manifest() REQUIRES(files_mu) { return manifest_; }

  // Files that a manifest may name of which nobody knows whether it is on disk.
  std::vector<std::string>& uncertain() REQUIRES(files_mu) { return uncertain_; }

  struct Frozen {
    std::vector<HotPartPtr> parts;
    uint64_t sequence = 0;
    Marks marks;
    bool empty = true;  // nothing happened since `applied`
  };
  // What must go to segments now. It stays visible until Publish, and is given again when the flush
  // failed.
  Frozen Freeze(UnixNanos now) REQUIRES(files_mu) EXCLUDES(mu_);
  // Shows `added` and hides `removed`; with `flushed` the frozen rows go, too. At once for readers.
  void Publish(const std::vector<std::shared_ptr<const Segment>>& added,
               const std::vector<uint64_t>& removed, bool flushed) REQUIRES(files_mu) EXCLUDES(mu_);
  std::vector<std::shared_ptr<const Segment>> segments() EXCLUDES(mu_);

  // --- subscribers ---
  std::shared_ptr<void> Subscribe(std::function<void(const Batch&)> on_rows) EXCLUDES(mu_);
  void Notify(const std::vector<HotPartPtr>& parts) EXCLUDES(mu_);

 private:
  struct Subscription {
    Mutex mu;
    std::function<void(const Batch&)> on_rows GUARDED_BY(mu);
  };
  using BlockList = std::vector<std::shared_ptr<const Block>>;

  uint64_t RemoveDuplicates(Batch& batch, UnixNanos time) REQUIRES(mu_);
  void AddHotBlock(std::vector<HotPartPtr> parts) REQUIRES(mu_);
  void AddHot(const std::vector<HotPartPtr>& parts) REQUIRES(mu_);
  void PruneMarks(UnixNanos now) REQUIRES(mu_);
  std::shared_ptr<const BlockList> SegmentBlocks() REQUIRES(mu_);

  const LogstoreName name_;
  const std::string dir_;
  const uint64_t id_;
  Manifest manifest_ GUARDED_BY(files_mu);
  std::vector<std::string> uncertain_ GUARDED_BY(files_mu);
  std::atomic<uint64_t> applied_;
  std::atomic<size_t> hot_bytes_{0};
  std::atomic<bool> dropped_{false};

  Mutex mu_;
  std::vector<std::shared_ptr<const HotBlock>> hot_ GUARDED_BY(mu_);
  std::vector<std::shared_ptr<const HotBlock>> frozen_ GUARDED_BY(mu_);
  Duration hot_since_ GUARDED_BY(mu_) = Duration::max();
  Duration frozen_since_ GUARDED_BY(mu_) = Duration::max();
  uint64_t sequence_ GUARDED_BY(mu_);  // of the last frame applied
  Marks marks_ GUARDED_BY(mu_);
  std::vector<std::shared_ptr<const Segment>> segments_ GUARDED_BY(mu_);
  uint64_t version_ GUARDED_BY(mu_) = 1;
  std::shared_ptr<const Snapshot> snapshot_ GUARDED_BY(mu_);         // of version_, or null
  std::shared_ptr<const BlockList> segment_blocks_ GUARDED_BY(mu_);  // newest first, or null
  std::vector<std::weak_ptr<Subscription>> subscriptions_ GUARDED_BY(mu_);
};

}  // namespace kelp::store

#endif  // KELP_STORE_LOGSTORE_H_
