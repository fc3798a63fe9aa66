// Store: the embedded log store of a Kelp server: write-ahead log, hot tail, segments, merge,
// retention (design, section 11; formats: docs/formats/wal.md, docs/formats/segment.md).
//
//   auto store = Store::Open(env, {.dir = "/var/lib/kelp/store"}, metrics);
//   store->PutLogstore({"default", "logs"}, {.retention = 720h});
//   store->Append({"default", "logs"}, std::move(batch_set), [](Result<AppendResult> r) {...});
//   std::shared_ptr<const Snapshot> snapshot = *store->Read({"default", "logs"});
//
// Life of a row: Append → duplicate rows taken out by the origin's high-water mark → write-ahead
// log, group commit (one fdatasync for all requests that wait) → hot tail, searchable → `done` →
// segment of its day → merged into larger segments → removed with its day by retention.
//
// Place:    the server owns one; ingest appends, query reads snapshots.
// Owns:     its directory (locked), its threads (commit, flush, merge and retention).
// Threads:  thread-safe.
// Blocking: Append only queues; PutLogstore, DropLogstore, Flush and Check do I/O.
// Limits:   queue_bytes_max waiting for commit → kResourceExhausted at once; free disk below
//           disk_free_min → kResourceExhausted, reads go on.
// Errors:   kAlreadyExists when another process holds the directory; kDataLoss names the file and
//           the offset of what is corrupt; a torn end of the log is no error.
#ifndef KELP_STORE_STORE_H_
#define KELP_STORE_STORE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/env.h"
#include "base/metrics.h"
#include "base/status.h"
#include "base/units.h"
#include "batch/batch.h"
#include "store/snapshot.h"

namespace kelp::store {

struct StoreOptions {
  std::string dir;
  // Rows of a logstore stay in the hot tail until so many raw bytes or so much age has gathered.
  ByteSize hot_bytes_max = 64_MiB;
  Duration hot_age_max = 10min;
  // All hot tails together; appends wait while they hold more.
  ByteSize hot_bytes_total_max = 192_MiB;
  // Appends wait so long for company before the group is made durable.
  Duration commit_interval = 5ms;
  ByteSize queue_bytes_max = 64_MiB;
  ByteSize disk_free_min = 512_MiB;
  // Merge goal: segments of a day grow up to this size.
  ByteSize segment_bytes_max = 512_MiB;
  Duration maintenance_interval = 10s;
};

struct LogstoreName {
  std::string project;
  std::string logstore;
  auto operator<=>(const LogstoreName&) const = default;
};

struct LogstoreSettings {
  std::optional<Duration> retention;       // by age of the day's end; none: for ever
  std::optional<ByteSize> retention_size;  // oldest days go first; none: unlimited
};

struct LogstoreStats {
  uint64_t rows = 0;
  uint64_t bytes = 0;      // on disk, segments only
  uint64_t raw_bytes = 0;  // of the values in segments
  uint64_t hot_rows = 0;
  uint64_t hot_bytes = 0;  // of the values that are in no segment yet
  uint64_t segments = 0;
  UnixNanos oldest = kNoTime;
  UnixNanos newest = kNoTime;
};

// What an ingest request carries: the batches, and the same in encoded form
// (docs/formats/kelp-batch.md, compressed) as the write-ahead log keeps it.
struct BatchSet {
  std::vector<BatchPtr> batches;
  std::string encoded;
};

struct AppendResult {
  uint64_t accepted = 0;   // rows stored by this call
  uint64_t duplicate = 0;  // rows that were stored before
};

struct CheckReport {
  uint64_t files = 0;
  uint64_t rows = 0;
  uint64_t bytes = 0;
  std::vector<std::string> problems;  // one sentence each: what, which file, where
};

class Store {
 public:
  // Opens or creates, and recovers: replays the write-ahead log, removes temporary files, sets
  // corrupt segments aside (renamed *.corrupt, logged, counted) and goes on without them.
  static Result<std::unique_ptr<Store>> Open(Env& env, StoreOptions options,
                                             MetricRegistry& metrics);
  virtual ~Store() = default;

  // Creates the logstore or changes its settings. Names are 1-128 of [a-z0-9._-].
  virtual Status PutLogstore(const LogstoreName& name, const LogstoreSettings& settings) = 0;
  virtual Status DropLogstore(const LogstoreName& name) = 0;

  // Queues the batches. `done` runs once, on the commit thread: durable and searchable, or why not.
  // kNotFound: no such logstore. Appends are committed in the order of the calls.
  virtual void Append(const LogstoreName& name, BatchSet set,
                      std::function<void(Result<AppendResult>)> done) = 0;

  // What is stored at this moment; stays readable while it is held, also past retention.
  virtual Result<std::shared_ptr<const Snapshot>> Read(const LogstoreName& name) = 0;
  virtual Result<LogstoreStats> Stats(const LogstoreName& name) = 0;

  // Calls `on_rows` on the commit thread with each batch as it becomes searchable, duplicates
  // already deselected; the callee copies what it needs and returns quickly. Ends when the handle
  // is destroyed (which waits for a running call).
  virtual Result<std::shared_ptr<void>> Subscribe(const LogstoreName& name,
                                                  std::function<void(const Batch&)> on_rows) = 0;

  // Writes all hot rows to segments. For tests and clean stops.
  virtual Status Flush() = 0;
  // Runs one round of merge and retention now. For tests.
  virtual Status Maintain() = 0;

  // Reads every segment and write-ahead log file of a store that is not open, verifies all
  // checksums; reports progress in bytes through `progress` when given.
  static Result<CheckReport> Check(Env& env, const std::string& dir,
                                   const std::function<void(uint64_t, uint64_t)>& progress = {});
};

}  // namespace kelp::store

#endif  // KELP_STORE_STORE_H_
