// TailService: follows files for all pipelines of the agent.
//
// An input registers a Follow: which files, where to begin, how to decode. The service finds the
// files, gives each incarnation of each file a FileSource at the input's host, says when there is
// something to read, and stores what was acknowledged. Workers of the engine do the reading.
//
//   TailService tail(env, metrics, std::move(store), {});
//   tail.StartThread();
//   const FollowId id = tail.Add(std::move(options), host);
//   ...
//   tail.Remove(id);                     // afterwards `host` is called no more
//
// The ideas:
// - Directories are watched, not files; one inotify instance serves all pipelines. What is idle
//   costs nothing: an event is mapped by (watch, name) to the file it concerns. A slow, bounded
//   scan is the safety net, and the fast one where nothing can be watched.
// - A path, a device and inode, a beginning are evidence; identity is the OriginId that is kept
//   with the checkpoint. A name that leads to another file than before begins a new incarnation;
//   the old one is read to its end first.
// - Nothing is held in memory that the file holds: what is not acknowledged is read again.
//
// Place:    one per agent (AgentServices::tail).
// Threads:  Add and Remove are thread-safe. Step is called by one thread: the service's own
//           (StartThread) or the simulation's.
// Blocking: Step waits up to its time-out, then does file and database I/O. Remove waits for a
//           Step's work to end. Hosts are called with the service's lock held; they must not call
//           back.
// Limits:   TailOptions.
// Errors:   of single files and directories: one rate-limited message each, counted, tried again.
// Format:   docs/formats/checkpoint.md
// Tests:    tail_service_test.cc, tail_model_test.cc
#ifndef KELP_TAIL_TAIL_SERVICE_H_
#define KELP_TAIL_TAIL_SERVICE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/env.h"
#include "base/metrics.h"
#include "framing/line_decoder.h"
#include "pipeline/component.h"
#include "pipeline/input.h"
#include "tail/checkpoint.h"
#include "tail/glob.h"
#include "tail/start_at.h"

namespace kelp::tail {

struct TailOptions {
  // After something happened, the next look comes this much later: a writer at full speed costs 20
  // wake-ups a second, not thousands.
  Duration coalesce = 50ms;
  // Positions are written this long after the first of a group was acknowledged.
  Duration checkpoint_interval = 500ms;
  // A deleted file is closed after this much silence at its end.
  Duration deleted_linger = 5s;
  // When a file was emptied, its copy is looked for this long; what is written to it waits.
  Duration copy_wait = 1s;
  // A file that became smaller was cut when so much of it is the same as before. What is written
  // anew begins like what was there, too (banners), but not for so long.
  uint64_t left_bytes_min = 64u << 10;
  // A rotated file that went out of sight is closed after this much silence at its end.
  Duration rotated_linger = 60s;
  // A checkpoint is kept this long after its file was seen last.
  Duration vanished_kept = 24h;
  // A directory is listed again this long after it was listed last, watched or not; with many of
  // them, later (see safety_rate).
  Duration safety_scan_interval = 30s;
  // So many names are looked at per second by the safety scan, all follows together: what is idle
  // costs the same, however much of it there is.
  uint64_t safety_rate = 200;
  // Deleted files, and rotated ones that went out of sight, are held open until they were read. So
  // many of them, so many bytes of them that were not read, for so long; beyond that the one held
  // longest is let go, and what was not read is lost and counted. 0 bytes: any number.
  size_t held_files_max = 1024;
  uint64_t held_bytes_max = 10ull << 30;
  Duration held_age_max = 24h;
  // More descriptors than this are not kept open for files that have nothing to read.
  size_t open_files_max = 16384;
  // No file is opened beyond it before another one was read and closed: the descriptors that are
  // left are for those who take the rows, without whom no file would ever be done with.
  size_t descriptors_max = SIZE_MAX;
};

// Counters of one input. For(context) makes them under the names that the docs list.
struct FollowMetrics {
  Counter* read_bytes = nullptr;
  Counter* read_rows = nullptr;
  Counter* cut_lines = nullptr;
  Counter* malformed_lines = nullptr;
  Counter* unmatched_lines = nullptr;
  Counter* skipped_nul_bytes = nullptr;
  Counter* read_errors = nullptr;
  Counter* rotated_files = nullptr;
  Counter* truncated_files = nullptr;
  Counter* vanished_files = nullptr;
  Counter* compressed_files = nullptr;
  Gauge* followed_files = nullptr;
  Gauge* lag_bytes = nullptr;
  static FollowMetrics For(const pipeline::ComponentContext& context);
};

struct FollowOptions {
  // "<pipeline>/<component>": under this name the positions are kept.
  std::string checkpoint_space;
  GlobSet include;
  GlobSet exclude;
  // More to say about which paths are wanted; null: all that match. Of a directory: whether
  // anything below it can be wanted.
  std::function<bool(const std::string& path)> want_file;
  std::function<bool(const std::string& path)> want_dir;
  StartAt start_at;
  OnLostCheckpoints on_lost_checkpoints = OnLostCheckpoints::kBeginning;
  size_t line_bytes_max = 256u << 10;
  // What is incomplete at the end of a file (a line without its end, a record that may go on) is
  // sent after this much silence.
  Duration half_line_timeout = 5s;
  // Where nothing can be watched, everything is looked at this often.
  Duration scan_interval = 1s;
  framing::DecoderFactory decoder;
  // What the rows of a file share.
  std::function<ResourcePtr(const std::string& path)> resource;
  FollowMetrics metrics;
};

using FollowId = uint64_t;  // never 0

class TailService {
 public:
  TailService(Env& env, MetricRegistry& metrics, std::unique_ptr<CheckpointStore> store,
              const TailOptions& options = {});
  // REQUIRES: every follow was removed. Ends the thread and stores what is left to store.
  ~TailService();
  TailService(const TailService&) = delete;
  TailService& operator=(const TailService&) = delete;

  // A service with its database at <data_dir>/checkpoints.db. Errors as OpenCheckpointDatabase.
  static Result<std::unique_ptr<TailService>> Open(Env& env, MetricRegistry& metrics,
                                                   const std::string& data_dir,
                                                   const TailOptions& options = {});

  // Files are looked for in the next Step; the call returns at once. `host` must live until Remove
  // returned.
  FollowId Add(FollowOptions options, pipeline::InputHost& host);
  // Removes the sources from the host. What is on its way may still be acknowledged, and is stored.
  void Remove(FollowId id);

  // Waits up to `timeout` for something to happen, and does all there is to do. True when something
  // had happened.
  bool Step(Duration timeout);
  // Stores what was acknowledged now, without waiting for the group's time. Not while Step runs.
  Status StoreCheckpoints();

  void StartThread();
  void StopThread();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace kelp::tail

#endif  // KELP_TAIL_TAIL_SERVICE_H_
