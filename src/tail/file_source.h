// FileSource: one incarnation of one file, being read.
//
// Each read begins a little before the position: what was read there must still be there, or the
// file was emptied and filled anew since, and this origin's bytes are elsewhere (a copy) or lost.
//
// Place:    TailService makes one for each incarnation; the engine's workers call Read.
// Owns:     the descriptor while one is attached (jointly with a Read that is under way), the
//           decoder.
// Threads:  Read is confined to one thread at a time; Acked and Done may come from any thread and
//           only store; everything else is thread-safe, called by the TailService.
// Limits:   a turn takes kTurnBytes; a line over line_bytes_max is cut; memory of a turn follows
//           from what there is to read.
// Errors:   of reading the file; nothing is consumed then.
// Tests:    copytruncate_test.cc, hand_over_test.cc, half_line_test.cc, tail_model_test.cc
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
#include "tail/packed_file.h"

namespace kelp::tail {

class FileSource;

// What sources tell the TailService, from any thread. Kept apart from the service, so that a source
// may outlive it.
class SourceNews {
 public:
  enum Bit : uint32_t {
    kAcked = 1,       // the checkpoint moved
    kAtEnd = 2,       // a displaced file was read to its end
    kReplaced = 4,    // the file no longer holds what was read of it
    kFinished = 8,    // Read answered kFinished
    kDone = 16,       // nothing of it is on its way any more
    kClosed = 32,     // there was something to read, but no descriptor
    kHalf = 64,       // the end was reached, and something there is incomplete
    kUnstored = 128,  // more of the beginning has to be stored before it is read
    kCut = 256,       // the file became shorter, but not below the position
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

// Counters of one input, for all its sources; each may be null.
struct SourceMetrics {
  Counter* read_bytes = nullptr;
  Counter* read_rows = nullptr;
  Counter* cut_lines = nullptr;
  Counter* malformed_lines = nullptr;
  Counter* read_errors = nullptr;
  Counter* unmatched_lines = nullptr;
  Counter* skipped_nul_bytes = nullptr;
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
    std::shared_ptr<const SourceMetrics> metrics;
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
  // The file no longer holds this origin's bytes: without a descriptor, Read answers kIdle until
  // there is another one.
  void Detach();
  // Goes on in another file that holds the same bytes.
  void MoveTo(std::shared_ptr<File> file, std::shared_ptr<PackedFile> packed, const FileInfo& info,
              Packing packing);
  // The file it goes on in begins with that, and has `size` bytes: what was seen beyond is not
  // there.
  void CutEvidence(std::string_view head, uint64_t size);
  // The packed file in which this origin's bytes are; nullptr when they are in a plain one.
  std::shared_ptr<PackedFile> packed() const;
  // Whether the file still holds what was read or seen of this origin. Errors: of reading.
  Result<bool> Holds(File& file, uint64_t size) const;
  // Read answers kIdle until then: an older incarnation comes first. Called when what is known of
  // the beginning was stored (Snapshot): rows are read of that much, until it is enough to know it
  // again.
  void Release();
  // More of the beginning than that is known by now.
  bool SawMore() const;
  // Nothing was read of it yet, and nothing will be before the next Release.
  bool untouched() const { return position_ == 0 && (!released_ || stored_to_ == 0); }
  // Takes note of the beginning of a file that nothing was read of yet. False when it is not the
  // beginning that was seen before. Errors: of reading.
  Result<bool> SeeHead(File& file);
  // While nothing was read: takes note of what stands some way behind the first bytes, or of `all`
  // on the way there.
  void SeeBehindHead(bool all);
  // There is nothing to be stored, and nobody will write there any more.
  void ReadUnstored() { stored_to_ = kNoCut; }
  // The name belongs to another file now, or to none: say kAtEnd when the end is reached.
  void WatchEnd() { watch_end_ = true; }
  // What is incomplete before `offset` will be emitted there, however much comes behind it. False
  // when that was decided already. To be stored (Snapshot) before ApplyCuts.
  bool PlanCut(uint64_t offset);
  void ApplyCuts();
  // Whether its records may begin in one file and end in the next.
  bool spans_files() const { return decoder_->spans_files(); }
  // What is incomplete at `offset`, the end of this file, will be given to `heir`, the file that
  // came after it; the position stays before it until the heir's is delivered. To be stored before
  // ApplyCuts. False when that was decided already.
  bool PlanHandOver(uint64_t offset, std::shared_ptr<FileSource> heir);
  // After a restart, before anything is read: whether the heir that was stored delivered what it
  // was given. Else it is to be given anew.
  void ResumeHandOver(bool delivered);
  // The heir delivered it: the position may move on.
  void HandedOver();
  // An heir has yet to deliver it.
  bool handing_over() const;
  // Goes on with what the file before held. Before Release.
  void Inherit(std::unique_ptr<framing::Carry> carry);
  // The next Read at the end is the last: it emits what is incomplete and answers kFinished.
  void RequestFinish() { finish_ = true; }

  const OriginId& origin() const { return start_.origin; }
  const std::string& path() const { return start_.path; }
  uint64_t ordinal() const { return ordinal_; }
  // Before the first Snapshot: where it belongs among the files of its path.
  void set_ordinal(uint64_t ordinal) { ordinal_ = ordinal; }
  UnixNanos begun() const { return start_.begun; }
  // As it was stored.
  const OriginId& heir() const { return start_.heir; }
  // Everything up to here was handed on or is held as pieces.
  uint64_t position() const { return position_; }
  // Told: nobody need be woken for these.
  static constexpr uint32_t kQuietBits = SourceNews::kAcked | SourceNews::kHalf;
  // Bytes behind position() belong to a half line, or pieces are held.
  bool has_half() const { return has_half_; }
  // Pieces are held, and there is no half line behind them.
  bool has_pieces_only() const { return has_pieces_only_; }
  // The end that was reached last, half line included.
  uint64_t end_seen() const { return end_seen_; }
  // The size seen last, of the content that is this origin's.
  uint64_t size() const { return size_; }
  void set_size(uint64_t size) { size_ = size; }
  // size() without the NULs at the end of a file that was made larger than what is written to it.
  uint64_t text_size() const {
    MutexLock lock(mu_);
    return TextSize(size_);
  }
  // The file still holds what was read, and has this size now; size() was `known` before that was
  // asked for. Whoever was faster knows better.
  void SeeSize(uint64_t known, uint64_t size);
  // Whether there is text behind NULs that follow the fingerprinted bytes.
  Result<bool> TextBehindHead(File& file) const;
  // What size() is, but certain: of a packed file, what was seen of the content before it was
  // packed.
  uint64_t seen() const;
  // More was seen and not delivered than the last Snapshot told.
  bool SawUnstored() const;
  // What was seen and not read is lost, and that was said.
  void ForgetUnread();
  // Bytes that were seen, and cut off since, unread; since the last call.
  uint64_t TakeCutOff() {
    MutexLock lock(mu_);
    return uncommon_ == nullptr ? 0 : std::exchange(uncommon_->cut_off, 0);
  }
  uint64_t acked() const { return acked_; }
  // Everything up to here was handed on, or given to an heir that delivered it.
  uint64_t settled() const;
  // Nothing was read since an earlier run stored the position: what it sent last may be behind it.
  bool at_stored() const { return start_.seen != 0 && position_ == start_.resume; }
  // Reads that failed since one succeeded.
  uint32_t errors_in_a_row() const { return errors_in_a_row_; }
  bool done() const { return done_; }
  // Bits told since the last call. The service's, after SourceNews::Take.
  uint32_t TakeBits() { return bits_.exchange(0); }
  // What is acknowledged, as a checkpoint. `path` as at the start.
  Checkpoint Snapshot();
  // What is known of the content: its beginning, and what stands before position().
  std::pair<Fingerprint, Guard> Evidence() const;
  Marks marks() const;
  // The size at which the reader found the file cut; kNotCut: it did not.
  uint64_t cut_to() const { return cut_to_; }
  static constexpr uint64_t kNotCut = UINT64_MAX;

 private:
  friend class SourceNews;
  static constexpr uint64_t kNoCut = UINT64_MAX;
  struct HandOver {
    uint64_t at = 0;
    OriginId to;
    std::shared_ptr<FileSource> heir;  // until it delivered
    bool done = false;
    bool delivered = false;
  };
  // What must be stored once everything up to `resume` is acknowledged.
  struct Flight {
    uint64_t resume;
    uint64_t emitted;
    framing::LinePlace line;
    Guard guard;
  };
  // What stays of the checkpoint it began with: most of ten thousand sources rest, so what it said
  // of the position is kept in `flights_` and `cuts_` only.
  struct Start {
    OriginId origin;
    std::string space;
    std::string path;
    uint64_t resume = 0;
    UnixNanos vanished = kNoTime;
    UnixNanos begun = kNoTime;
    OriginId heir;
    uint64_t seen = 0;
  };
  // The bytes of a turn as they were read, before the decoder had them.
  struct Raw {
    const char* data;
    size_t before;  // so many of them are before the position
    size_t size;    // and so many behind it
  };

  Result<pipeline::ReadState> ReadFrom(File& file, Batch& batch, size_t bytes_max);
  // False while a packed file is unpacked up to `offset`, which takes several turns.
  Result<bool> SkipTo(uint64_t offset);
  // What ten thousand files at rest have none of.
  struct Uncommon {
    uint64_t text_end = 0;
    uint64_t nuls_end = UINT64_MAX;  // NULs from text_end to there
    uint64_t cut_off = 0;            // see TakeCutOff
  };
  Uncommon& MakeUncommon() REQUIRES(mu_) {
    if (uncommon_ == nullptr) uncommon_ = std::make_unique<Uncommon>();
    return *uncommon_;
  }
  uint64_t TextSize(uint64_t size) const REQUIRES(mu_) {
    const bool nuls = uncommon_ != nullptr && uncommon_->nuls_end == size;
    return nuls ? std::max<uint64_t>(position_, uncommon_->text_end) : size;
  }
  Result<bool> HoldsNothingNew(File& file, uint64_t known_size, uint64_t size);
  size_t Decode(File& file, const framing::Chunk& chunk, Batch& batch);
  struct Nuls {
    size_t leave = 0;      // so many at the end of a chunk are left unread: none but such follow
    uint64_t text_at = 0;  // not 0: the chunk is nothing but NULs, and this is where they end
  };
  Result<Nuls> LookAtNuls(File& file, const framing::Chunk& chunk, uint64_t size);
  // Goes on behind the NULs that begin at the position.
  pipeline::ReadState SkipNulsTo(File& file, uint64_t offset, Batch& batch);
  pipeline::ReadState Replaced(const File& file, Batch& batch);
  // Whether `raw`, read at the position, follows what was read before.
  Result<bool> Follows(File& file, const Raw& raw);
  Result<bool> BeginsAsSeen(File& file, const Fingerprint& print) const;
  // How far may be read when so much of the beginning is stored: should the agent die and the file
  // be emptied and filled anew, that must tell, whatever was sent of it.
  uint64_t ReadTo(uint32_t print_bytes) const REQUIRES(mu_);
  // Bytes worth reading of the `available` ones.
  size_t TurnBytes(uint64_t available, size_t bytes_max) const;
  // Where reading has to go on should everything so far be acknowledged.
  uint64_t ResumeAt() const;
  void GiveToHeir() EXCLUDES(mu_);
  // Emits what is incomplete before a cut.
  pipeline::ReadState AtCut(Batch& batch);
  uint64_t NextCut(uint64_t position) const REQUIRES(mu_);
  // Everything was read, but for a half line perhaps.
  pipeline::ReadState AtEnd(Batch& batch);
  // There is more, but first more of the beginning must be stored.
  pipeline::ReadState AtStored(Batch& batch);
  // The last batch of this origin.
  pipeline::ReadState End(Batch& batch, uint32_t news);
  void GrowEvidence(File& file, const framing::Chunk& chunk, std::string_view raw);
  // The content goes on, but with so many bytes only.
  void ForgetBehind(uint64_t size) REQUIRES(mu_);
  // The guard behind `used` bytes, of those that were made before decoding.
  Guard GuardBehind(File& file, uint64_t end, const Guard (&candidates)[2]);
  // Fills in what follows from the rows.
  void Seal(Batch& batch);
  static Start StartOf(Checkpoint& checkpoint);

  const Start start_;
  const ResourcePtr resource_;
  const std::unique_ptr<framing::LineDecoder> decoder_;
  const std::shared_ptr<const SourceMetrics> metrics_;
  Clock& clock_;
  const std::shared_ptr<SourceNews> news_;

  std::atomic<uint32_t> bits_{0};
  std::atomic<bool> released_{false};
  std::atomic<bool> watch_end_{false};
  std::atomic<uint64_t> cut_{kNoCut};  // nothing is read beyond it before it was flushed there
  std::atomic<bool> finish_{false};
  std::atomic<bool> replaced_{false};
  // Nothing is read beyond it: so much of the beginning is stored.
  std::atomic<uint64_t> stored_to_{0};
  std::atomic<uint64_t> cut_to_{kNotCut};
  std::atomic<bool> has_half_{false};
  std::atomic<bool> has_pieces_only_{false};
  std::atomic<uint64_t> end_seen_{0};
  std::atomic<uint64_t> hold_{kNoCut};  // the position stays here: a record was handed over
  std::atomic<bool> done_{false};
  std::atomic<uint32_t> errors_in_a_row_{0};
  std::atomic<uint64_t> position_;
  std::atomic<uint64_t> size_;
  std::atomic<uint64_t> acked_;
  std::atomic<uint64_t> ordinal_;
  std::atomic<uint64_t> stored_seen_{0};  // of the last Snapshot

  // Of the reading thread.
  bool ended_ = false;
  bool watched_ = false;  // WatchEnd was called before this Read
  uint64_t made_cut_ GUARDED_BY(mu_) = 0;
  size_t line_bytes_ = 0;  // so many bytes at position() were read and hold no line end

  mutable Mutex mu_;
  std::shared_ptr<File> file_ GUARDED_BY(mu_);
  std::shared_ptr<PackedFile> packed_ GUARDED_BY(mu_);  // the same, when it is one
  Packing packing_ GUARDED_BY(mu_) = Packing::kNone;
  std::unique_ptr<Uncommon> uncommon_ GUARDED_BY(mu_);
  uint64_t plain_size_ GUARDED_BY(mu_) = 0;  // seen before it was packed
  FileIdentity identity_ GUARDED_BY(mu_);
  uint32_t stored_print_bytes_ GUARDED_BY(mu_) = 0;  // of the last Snapshot
  uint64_t nuls_ GUARDED_BY(mu_) = 0;  // before what the fingerprint is of, once its head was seen
  // Of position_, as far as it is known, set by the reading thread; before that of what was seen.
  Guard guard_ GUARDED_BY(mu_);
  Marks marks_ GUARDED_BY(mu_);
  std::vector<Flight> flights_ GUARDED_BY(mu_);
  std::vector<uint64_t> cuts_ GUARDED_BY(mu_);
  std::unique_ptr<HandOver> hand_over_ GUARDED_BY(mu_);
  std::unique_ptr<framing::Carry> inherited_ GUARDED_BY(mu_);
};

}  // namespace kelp::tail

#endif  // KELP_TAIL_FILE_SOURCE_H_
