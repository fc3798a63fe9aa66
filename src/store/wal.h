// Wal: the store's write-ahead log.
//
// Place:    the commit thread appends groups; the flush removes files that are no longer needed;
//           Open replays.
// Owns:     the files in its directory. Borrows `env`.
// Threads:  Append is confined to one thread at a time; the rest is thread-safe.
// Blocking: Append writes and syncs.
// Limits:   kFileBytesMax a file (a group that begins below it is finished), kPayloadMax a frame.
// Errors:   kResourceExhausted (disk full) or kIo: nothing of the group counts, and the next Append
//           begins a new file. kUnimplemented: a file of a newer version.
// Format:   docs/formats/wal.md
// Tests:    wal_test.cc, wal_fuzz.cc, store_model_test.cc
#ifndef KELP_STORE_WAL_H_
#define KELP_STORE_WAL_H_

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/env.h"
#include "base/status.h"
#include "base/sync.h"

namespace kelp::store {

struct WalFrame {
  uint64_t sequence = 0;
  UnixNanos time = 0;
  uint64_t logstore_id = 0;
  std::string_view project;
  std::string_view logstore;
  std::string_view encoded;  // the batch set
};

// What reading files brought to light.
struct WalReport {
  uint64_t files = 0;
  uint64_t frames = 0;
  uint64_t bytes = 0;
  uint64_t bytes_lost = 0;            // acknowledged once, unreadable now
  std::vector<std::string> problems;  // one sentence each; each is data loss
};

class Wal {
 public:
  // So many bytes of frames and a new file begins: small enough that flushing soon frees disk.
  static constexpr uint64_t kFileBytesMax = 64u << 20;
  // A batch set of the largest size and its names fit well.
  static constexpr uint64_t kPayloadMax = 256u << 20;

  Wal(Env& env, std::string dir);

  // Reads all files and calls on_frame for each whole frame, in order. Call once, first.
  // Errors: those of reading files; corrupt bytes are no error but in the report.
  Status Replay(const std::function<void(const WalFrame&)>& on_frame, WalReport& report);
  // The sequence of the last frame, replayed or appended.
  uint64_t last_sequence() const { return sequence_; }
  // At least `sequence` from now on: a store that has lost its log goes on above its manifests.
  void SkipTo(uint64_t sequence) { sequence_ = std::max(sequence_, sequence); }

  // Makes the frames durable, or none of them. Sets each `sequence`.
  Status Append(std::span<WalFrame> frames);

  // Removes the files of which keep(id, last sequence) is false for each logstore in it. Never the
  // file that is being written.
  Status RemoveObsolete(const std::function<bool(uint64_t, uint64_t)>& keep);
  // Logstores that hold the oldest file back, with more than `bytes` of log in all; else none.
  std::vector<uint64_t> Pinning(uint64_t bytes,
                                const std::function<bool(uint64_t, uint64_t)>& keep) const;
  // Size of all files.
  uint64_t bytes() const;

 private:
  struct FileState {
    uint64_t number = 0;
    uint64_t size = 0;                              // of what counts
    std::map<uint64_t, uint64_t> last_of_logstore;  // logstore id → its last sequence here
  };

  std::string PathOf(uint64_t number) const;
  Status StartFile();
  void Abandon();
  void EncodeFrame(const WalFrame& frame, std::string& head) const;

  Env& env_;
  const std::string dir_;
  std::unique_ptr<File> file_;  // null: the next Append begins a file
  uint64_t sequence_ = 0;
  mutable Mutex mu_;
  std::vector<FileState> files_ GUARDED_BY(mu_);  // by number; the last one is written
};

// Reads the log below `dir` without touching it. `on_frame` may be empty.
Status ReadWal(FileSystem& files, const std::string& dir,
               const std::function<void(const WalFrame&)>& on_frame, WalReport& report);

// One file's bytes, header included. `counts` is the size that the next file's header gives, or
// kWalEndUnknown: the frames themselves tell where the log ends. Calls on_frame for each whole
// frame whose sequence is above `sequence`, and moves that. Returns the size that counts. Errors:
// kUnimplemented for a newer version.
inline constexpr uint64_t kWalEndUnknown = UINT64_MAX;
Result<uint64_t> ParseWalFile(std::string_view bytes, uint64_t counts, const std::string& path,
                              const std::function<void(const WalFrame&)>& on_frame,
                              uint64_t& sequence, WalReport& report);

}  // namespace kelp::store

#endif  // KELP_STORE_WAL_H_
