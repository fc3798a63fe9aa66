// Checkpoints: where reading of each origin goes on after a restart.
//
// Format: docs/formats/checkpoint.md
#ifndef KELP_TAIL_CHECKPOINT_H_
#define KELP_TAIL_CHECKPOINT_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/env.h"
#include "base/ids.h"
#include "base/status.h"
#include "base/sync.h"
#include "framing/line_decoder.h"
#include "tail/identity.h"

namespace kelp::tail {

// How the file is packed in which an origin's bytes are now.
enum class Packing : uint8_t { kNone = 0, kGzip = 1, kZstd = 2 };

struct Checkpoint {
  // A restart repeats at most so many forced flushes; beyond that rows may be cut differently.
  static constexpr size_t kCutsMax = 64;

  OriginId origin;
  std::string space;
  std::string path;
  FileIdentity identity;
  uint64_t resume = 0;
  uint64_t emitted = 0;                                  // >= resume
  framing::LinePlace line = framing::LinePlace::kStart;  // what resume stands at
  uint64_t ordinal = 0;
  UnixNanos vanished = kNoTime;
  Guard guard;                 // somewhere at or behind resume
  uint64_t seen = 0;           // the content had this size when it was looked at; 0: not known
  Marks marks;                 // as far as it was seen
  UnixNanos begun = kNoTime;   // when the origin was first seen
  std::vector<uint64_t> cuts;  // > resume, ascending: here what was incomplete was sent
  Packing packing = Packing::kNone;
  OriginId heir;  // goes on with the record that was incomplete at this origin's end
};

// One group of changes, applied together or not at all.
struct CheckpointChanges {
  std::vector<Checkpoint> put;
  std::vector<OriginId> remove;
  bool empty() const { return put.empty() && remove.empty(); }
};

// What a store knows about one input.
struct CheckpointSpace {
  bool first_start = false;  // the space was never started before
  UnixNanos first_started = 0;
  bool lost = false;  // the database was corrupt or gone: checkpoints may have been lost
  std::vector<Checkpoint> checkpoints;
};

// Keeps checkpoints durably.
//
// Place:    TailService uses one for all its follows.
// Threads:  thread-safe. Both calls do I/O.
class CheckpointStore {
 public:
  virtual ~CheckpointStore() = default;
  // Everything known about a space; notes that it started.
  virtual Result<CheckpointSpace> Start(const std::string& space) = 0;
  // Errors: kDataLoss: the store was corrupt or gone and begins anew; the caller writes all it
  // knows. Others: nothing was written; try again later.
  virtual Status Write(const CheckpointChanges& changes) = 0;
};

// A store in memory, for tests, the simulation and `kelp config test`.
class MemoryCheckpointStore final : public CheckpointStore {
 public:
  explicit MemoryCheckpointStore(Clock& clock) : clock_(clock) {}
  Result<CheckpointSpace> Start(const std::string& space) override;
  Status Write(const CheckpointChanges& changes) override;
  // What Write answers from now on; OkStatus() ends it.
  void FailWith(Status status);
  std::map<OriginId, Checkpoint> Contents() const;

 private:
  Clock& clock_;
  mutable Mutex mu_;
  Status failure_ GUARDED_BY(mu_);
  std::map<std::string, UnixNanos> spaces_ GUARDED_BY(mu_);  // when they were first started
  std::map<OriginId, Checkpoint> checkpoints_ GUARDED_BY(mu_);
};

// Opens or makes the database at `path`. A corrupt one is moved aside, with a message; one that was
// removed is noticed, too.
//
// Errors: kAlreadyExists when another process uses it, kIo and kResourceExhausted as the system
//         says, kUnimplemented when a newer agent wrote it.
// Tests:  checkpoint_test.cc, checkpoint_fuzz.cc
Result<std::unique_ptr<CheckpointStore>> OpenCheckpointDatabase(Env& env, const std::string& path);

}  // namespace kelp::tail

#endif  // KELP_TAIL_CHECKPOINT_H_
