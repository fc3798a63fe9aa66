// Input: finds origins and reads them; Source: one origin being read.
//
// An input does not push. It registers a Source for each origin it finds and says when there is
// something to read; the engine's workers then call Source::Read when it is the origin's turn and
// memory is left. So backpressure needs no code in inputs, and file data stays in the file.
//
// Order of calls: Input::Start → (host.Add, host.Ready)* from any thread of the input →
// Input::Stop; after Stop returned the input calls the host no more. Source::Read is called by one
// worker at a time. Source::Acked may overlap Read. A source that is removed, or whose Read
// answered kFinished, is read no more, still gets Acked for what is on its way, and then Done.
#ifndef KELP_PIPELINE_INPUT_H_
#define KELP_PIPELINE_INPUT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "batch/batch.h"
#include "pipeline/component.h"

namespace kelp::pipeline {

enum class ReadState {
  kMore,      // call again without waiting for Ready
  kIdle,      // nothing more at the moment; Ready will say when
  kFinished,  // the end; this origin is read no more
};

// Bytes of an origin that were not read and never will be.
struct Loss {
  // One of a few lower-case words with underscores, the same for all origins: a label of
  // pipeline_lost_bytes_total. "truncated", "deleted_held_bytes", …
  std::string_view cause;
  uint64_t bytes = 0;
  uint64_t lines = 0;  // newlines in them where they could still be counted, else 0
};

// An origin as its ledger shows it.
struct SourceInfo {
  std::string name;       // the path, "udp 0.0.0.0:514"; for people, never a label
  uint64_t begin = 0;     // where this source began: read bytes are position - begin
  uint64_t position = 0;  // read up to here
  uint64_t size = 0;      // known to be there; size - position is still unread
};

// One origin. Owned jointly by its input and the engine.
//
// Threads: Read is confined to one thread at a time; Acked and Done may come from any thread, one
//          at a time, and must not block (no I/O) nor call the host.
class Source {
 public:
  virtual ~Source() = default;
  // Fills the empty `batch` from where the last Read ended: rows, origin, begin, end, resume,
  // resource. Takes at most about `bytes_max` bytes of memory for it (a single record may need more
  // up to its limit). No rows is fine; end > begin without rows still moves the checkpoint.
  // Errors: the source is tried again after a pause, with a rate-limited message.
  virtual Result<ReadState> Read(Batch& batch, size_t bytes_max) = 0;
  // All required outputs acknowledged every batch up to the one with this `resume`.
  virtual void Acked(uint64_t resume) = 0;
  // Nothing of it is on its way any more, and Read will not be called again.
  virtual void Done() {}
  // Any thread, at any time.
  virtual SourceInfo Info() const { return {}; }
};

using SourceId = uint64_t;  // never 0, never reused

// What the engine offers an input. Thread-safe; calls return at once.
class InputHost {
 public:
  virtual ~InputHost() = default;
  virtual SourceId Add(std::shared_ptr<Source> source) = 0;
  // There is something to read (also when unsure). No effect after Remove or kFinished.
  virtual void Ready(SourceId id) = 0;
  virtual void Remove(SourceId id) = 0;
  // Something of the origin is lost: into its ledger and the metrics. The input says the one clear
  // message itself. Also after Remove, until Done.
  virtual void Lost([[maybe_unused]] SourceId id, [[maybe_unused]] const Loss& loss) {}
};

class Input {
 public:
  virtual ~Input() = default;
  virtual Status Start(InputHost& host) = 0;
  virtual void Stop() = 0;
};

}  // namespace kelp::pipeline

#endif  // KELP_PIPELINE_INPUT_H_
