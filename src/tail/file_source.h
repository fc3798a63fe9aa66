// FileSource: one incarnation of one file, being read.
//
// Place:    TailService makes one for each incarnation; the engine's workers call Read.
// Owns:     the descriptor while one is attached (jointly with a Read that is under way), the
// decoder. Threads:  Read is confined to one thread at a time; Acked and Done may come from any
// thread and
//           only store; everything else is thread-safe, called by the TailService.
// Limits:   a turn takes kTurnBytes; a line over line_bytes_max is cut; memory of a turn follows
// from
//           what there is to read.
// Errors:   of reading the file; nothing is consumed then.
// Tests:    file_source_test.cc, tail_model_test.cc
#ifndef KELP_TAIL_FILE_SOURCE_H_
#define KELP_TAIL_FILE_SOURCE_H_

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/env.h"
#include "base/metrics.h"
#include "base/sync.h"
#include "framing/line_decoder.h"
#include "pipeline/input.h"
#include "tail/checkpoint.h"

namespace kelp::tail {

class FileSource;

// What sources tell the TailService, from any thread. Kept apart from the service, so that a source
// may outlive it.
class SourceNews {
 public:
  enum Bit : uint32_t {
    kAcked = 1,      // the checkpoint moved
    kAtEnd = 2,      // a displaced file was read to its end
    kTruncated = 4,  // the file became shorter than what was read; this origin has ended
    kFinished = 8,   // Read answered kFinished
    kDone = 16,      // nothing of it is on its way any more
    kClosed = 32,    // there was something to read, but no descriptor
  };
  // `wake` is called, from any thread, when there is news that should not wait.
  explicit SourceNews(std::function<void()> wake) : wake_(std::move(wake)) {}
  void Tell(const std::shared_ptr<FileSource>& source, uint32_t bits);
  // Everything told since the last call; each source once.
  std::vector<std::shared_ptr<FileSource>> Take();
  // No more calls of `wake` after this returned.
  void Disconnect();

 private:
  Mutex mu_;
  std::vector<std::shared_ptr<FileSource>> told_ GUARDED_BY(mu_);
  std::function<void()> wake_ GUARDED_BY(mu_);
};

// Counters of one input; each may be null.
struct SourceMetrics {
  Counter* read_bytes = nullptr;
  Counter* read_rows = nullptr;
  Counter* cut_lines = nullptr;
  Counter* malformed_lines = nullptr;
  Counter* read_errors = nullptr;
};

class FileSource final : public pipeline::Source, public std::enable_shared_from_this<FileSource> {
 public:
  // Stays in the L2 cache together with the batch's columns; larger turns measured no faster.
  static constexpr size_t kTurnBytes = 256u << 10;
  static constexpr size_t kTurnBytesMin = 4u << 10;

  struct Options {
    Checkpoint start;  // where to begin
    ResourcePtr resource;
    std::unique_ptr<framing::LineDecoder> decoder;
    SourceMetrics metrics;
    Clock* clock = nullptr;
    std::shared_ptr<SourceNews> news;
  };
  explicit FileSource(Options options);
  ~FileSource() override;

  // --- the engine ---
  Result<pipeline::ReadState> Read(Batch& batch, size_t bytes_max) override;
  void Acked(uint64_t resume) override;
  void Done() override;
  pipeline::SourceInfo Info() const override;

  // --- the service ---
  // Gives the source its descriptor, or takes it away (nullptr): Read then answers kIdle.
  void Attach(std::shared_ptr<File> file);
  std::shared_ptr<File> file() const;
  // Read answers kIdle until then: an older incarnation comes first.
  void Release() { released_ = true; }
  // The name belongs to another file now, or to none: say kAtEnd when the end is reached.
  void WatchEnd() { watch_end_ = true; }
  // The next Read at the end also emits what is incomplete.
  void RequestFlush() { flush_ = true; }
  // The next Read at the end is the last: it emits what is incomplete and answers kFinished.
  void RequestFinish() { finish_ = true; }

  const OriginId& origin() const { return start_.origin; }
  uint64_t ordinal() const { return start_.ordinal; }
  // Everything up to here was handed on or is held as pieces.
  uint64_t position() const { return position_; }
  // Bytes behind position() belong to a half line, or pieces are held.
  bool has_half() const { return has_half_; }
  // The size seen last.
  uint64_t size() const { return size_; }
  void set_size(uint64_t size) { size_ = size; }
  uint64_t acked() const { return acked_; }
  // Reads that failed since one succeeded.
  uint32_t errors_in_a_row() const { return errors_in_a_row_; }
  bool done() const { return done_; }
  // Bits told since the last call. The service's, after SourceNews::Take.
  uint32_t TakeBits() { return bits_.exchange(0); }
  // What is acknowledged, as a checkpoint. `path` and `ordinal` as at the start.
  Checkpoint Snapshot();

 private:
  friend class SourceNews;
  // What must be stored once everything up to `resume` is acknowledged.
  struct Flight {
    uint64_t resume;
    uint64_t emitted;
    framing::LinePlace line;
  };

  Result<pipeline::ReadState> ReadFrom(File& file, Batch& batch, size_t bytes_max);
  // Bytes worth reading of the `available` ones.
  size_t TurnBytes(uint64_t available, size_t bytes_max) const;
  // Everything was read, but for a half line perhaps.
  pipeline::ReadState AtEnd(Batch& batch);
  // The last batch of this origin.
  pipeline::ReadState End(Batch& batch, uint32_t news);
  void GrowFingerprint(File& file, const framing::Chunk& chunk);
  // Fills in what follows from the rows.
  void Seal(Batch& batch);

  const Checkpoint start_;
  const ResourcePtr resource_;
  const std::unique_ptr<framing::LineDecoder> decoder_;
  const SourceMetrics metrics_;
  Clock& clock_;
  const std::shared_ptr<SourceNews> news_;

  std::atomic<uint32_t> bits_{0};
  std::atomic<bool> released_{false};
  std::atomic<bool> watch_end_{false};
  std::atomic<bool> flush_{false};
  std::atomic<bool> finish_{false};
  std::atomic<bool> has_half_{false};
  std::atomic<bool> done_{false};
  std::atomic<uint32_t> errors_in_a_row_{0};
  std::atomic<uint64_t> position_;
  std::atomic<uint64_t> size_;
  std::atomic<uint64_t> acked_;

  // Of the reading thread.
  bool ended_ = false;
  uint32_t print_bytes_;   // of print_
  size_t line_bytes_ = 0;  // so many bytes at position() were read and hold no line end

  mutable Mutex mu_;
  std::shared_ptr<File> file_ GUARDED_BY(mu_);
  Fingerprint print_ GUARDED_BY(mu_);
  std::vector<Flight> flights_ GUARDED_BY(mu_);
};

}  // namespace kelp::tail

#endif  // KELP_TAIL_FILE_SOURCE_H_
