#include "tail/file_source.h"

#include <string.h>

#include <algorithm>
#include <utility>

namespace kelp::tail {

using pipeline::ReadState;

void SourceNews::Tell(const std::shared_ptr<FileSource>& source, uint32_t bits) {
  constexpr uint32_t kQuiet = FileSource::kQuietBits;
  if (source->bits_.fetch_or(bits) != 0 && (bits & ~kQuiet) == 0) return;
  MutexLock lock(mu_);
  // A source with bits may be here already; TakeBits makes the second time harmless.
  told_.push_back(source);
  if ((bits & ~kQuiet) != 0 && wake_) wake_();
}

std::vector<std::shared_ptr<FileSource>> SourceNews::Take() {
  MutexLock lock(mu_);
  return std::exchange(told_, {});
}

void SourceNews::Disconnect() {
  MutexLock lock(mu_);
  wake_ = nullptr;
}

FileSource::Start FileSource::StartOf(Checkpoint& checkpoint) {
  return {.origin = checkpoint.origin,
          .space = std::move(checkpoint.space),
          .path = std::move(checkpoint.path),
          .resume = checkpoint.resume,
          .vanished = checkpoint.vanished,
          .begun = checkpoint.begun,
          .heir = checkpoint.heir,
          .seen = checkpoint.seen};
}

FileSource::FileSource(Options options)
    : start_(StartOf(options.start)),
      resource_(std::move(options.resource)),
      decoder_(std::move(options.decoder)),
      metrics_(std::move(options.metrics)),
      clock_(*options.clock),
      news_(std::move(options.news)),
      position_(start_.resume),
      size_(std::max(start_.resume, start_.seen)),
      acked_(start_.resume),
      ordinal_(options.start.ordinal),
      packing_(options.start.packing),
      plain_size_(packing_ == Packing::kNone ? 0 : start_.seen),
      identity_(options.start.identity),
      guard_(options.start.guard),
      marks_(std::move(options.start.marks)) {
  const Checkpoint& start = options.start;
  decoder_->Start(start.line, start.emitted);
  flights_.push_back({start.resume, start.emitted, start.line, start.guard});
  MutexLock lock(mu_);
  stored_print_bytes_ = identity_.print.bytes;
  cuts_ = start.cuts;
  if (!start_.heir.empty() && !cuts_.empty()) {
    hand_over_ = std::make_unique<HandOver>();
    hand_over_->at = cuts_.back();
    hand_over_->to = start_.heir;
    cuts_.pop_back();
  }
  cut_ = NextCut(position_);
}

uint64_t FileSource::ResumeAt() const {
  return std::min<uint64_t>({position_, decoder_->pending_begin(), hold_});
}

FileSource::~FileSource() = default;

void FileSource::Attach(std::shared_ptr<File> file) {
  MutexLock lock(mu_);
  file_.swap(file);
}

std::shared_ptr<File> FileSource::file() const {
  MutexLock lock(mu_);
  return file_;
}

void FileSource::Detach() {
  std::shared_ptr<File> closed;  // not under the lock
  MutexLock lock(mu_);
  replaced_ = true;
  file_.swap(closed);
}

void FileSource::MoveTo(std::shared_ptr<File> file, std::shared_ptr<PackedFile> packed,
                        const FileInfo& info, Packing packing) {
  MutexLock lock(mu_);
  file_.swap(file);
  packed_.swap(packed);
  if (packing_ == Packing::kNone && packing != Packing::kNone) plain_size_ = TextSize(size_);
  if (packed_ != nullptr) packed_->Expect(position_ + 1);
  packing_ = packing;
  identity_.key = FileKey::Of(info);
  identity_.born = info.born;
  replaced_ = false;
}

std::shared_ptr<PackedFile> FileSource::packed() const {
  MutexLock lock(mu_);
  return packed_;
}

Result<bool> FileSource::SkipTo(uint64_t offset) {
  const std::shared_ptr<PackedFile> packed = this->packed();
  return packed == nullptr ? Result<bool>(true) : packed->SkipTo(offset);
}

Result<ReadState> FileSource::Read(Batch& batch, size_t bytes_max) {
  if (ended_) return ReadState::kFinished;
  const std::shared_ptr<File> file = this->file();
  batch.origin = origin();
  batch.set_resource(resource_);
  batch.begin = batch.end = position_;
  batch.resume = ResumeAt();
  if (released_) {
    std::unique_ptr<framing::Carry> carry;
    {
      MutexLock lock(mu_);
      carry.swap(inherited_);
    }
    if (carry != nullptr) decoder_->Adopt(std::move(carry));
  }
  if (file == nullptr && finish_) return AtEnd(batch);
  if (file == nullptr && !replaced_) news_->Tell(shared_from_this(), SourceNews::kClosed);
  if (file == nullptr || replaced_ || !released_) return ReadState::kIdle;
  Result<ReadState> state = ReadFrom(*file, batch, bytes_max);
  if (state.ok()) {
    errors_in_a_row_ = 0;
  } else {
    ++errors_in_a_row_;
    if (metrics_->read_errors != nullptr) metrics_->read_errors->Add();
  }
  return state;
}

Result<ReadState> FileSource::ReadFrom(File& file, Batch& batch, size_t bytes_max) {
  const uint64_t position = position_;
  // What was written before the file was displaced is in the size that is asked for after it.
  watched_ = watch_end_;
  const uint64_t known_size = size_;
  ASSIGN_OR_RETURN(const FileInfo info, file.Stat());
  // Of what was seen before anything was read, too, nothing may be missing. A packed file tells no
  // size.
  const bool untouched_plain = position == 0 && this->packed() == nullptr;
  if (info.size < (untouched_plain ? Evidence().second.end : position)) {
    cut_to_ = info.size;
    return Replaced(file, batch);
  }
  const uint64_t stored_to = finish_ ? kNoCut : stored_to_.load();
  const uint64_t end = std::max(position, std::min<uint64_t>({info.size, cut_, stored_to}));
  const bool unstored = stored_to < std::min<uint64_t>(info.size, cut_);
  if (end == position && cut_ <= position) return AtCut(batch);
  const uint64_t available = end - position;
  const bool to_the_end = finish_ || end == cut_;
  const bool nothing_new = line_bytes_ != 0 && line_bytes_ == available;
  if (available == 0 || (nothing_new && !to_the_end)) {
    ASSIGN_OR_RETURN(const bool holds, HoldsNothingNew(file, known_size, info.size));
    if (!holds) return Replaced(file, batch);
    if (available == 0) line_bytes_ = 0;  // the half line was cut off
    return unstored ? AtStored(batch) : AtEnd(batch);
  }

  const size_t before = Guard::BytesBefore(position);
  ASSIGN_OR_RETURN(const bool there, SkipTo(position - before));
  if (!there) return ReadState::kMore;
  const std::shared_ptr<PackedFile> packed = this->packed();
  // It may still be written, or is damaged: both are for a closer look.
  const std::optional<PackedFile::Break> broken =
      packed == nullptr ? std::nullopt : packed->broken();
  if (broken.has_value() && broken->at < position) return AtEnd(batch);
  const size_t want = TurnBytes(available, bytes_max);
  char* const data = batch.AddBuffer(want + before);
  ASSIGN_OR_RETURN(const size_t n, file.ReadAt(position - before, data, want + before));
  const Raw raw{data, std::min(n, before), n - std::min(n, before)};
  ASSIGN_OR_RETURN(const bool follows, Follows(file, raw));
  if (!follows) return Replaced(file, batch);
  SeeSize(known_size, info.size);
  if (raw.size == 0) return AtEnd(batch);
  framing::Chunk chunk{data + before, raw.size, position, false};
  // The size of a packed file is a guess until its end was reached.
  const bool exact = packed == nullptr || packed->exact();
  bool whole = exact ? chunk.size == available : chunk.size < want;
  chunk.last = whole && to_the_end;
  if (!chunk.last && !watched_ && packed == nullptr && chunk.data[chunk.size - 1] == '\0') {
    ASSIGN_OR_RETURN(const Nuls nuls, LookAtNuls(file, chunk, info.size));
    const uint64_t skip_to = std::min(nuls.text_at, end) / 8 * 8;  // text of two bytes a unit
    if (skip_to > position) return SkipNulsTo(file, skip_to, batch);
    chunk.size -= nuls.leave;
    whole = whole || nuls.leave > 0;
    if (chunk.size == 0) {
      line_bytes_ = 0;
      return unstored ? AtStored(batch) : AtEnd(batch);
    }
  }
  GrowEvidence(file, chunk, {data, before + chunk.size});
  const size_t used = Decode(file, chunk, batch);
  line_bytes_ = 0;
  if (used == chunk.size) {
    if (whole && unstored) return AtStored(batch);
    if (whole) return end == cut_ ? AtCut(batch) : AtEnd(batch);
  } else if (batch.rows() + framing::LineDecoder::kRowsPerLineMax <= Batch::kRowsMax) {
    // A line without its end: read again from its begin when there is more of it.
    line_bytes_ = chunk.size - used;
    if (whole) return unstored ? AtStored(batch) : AtEnd(batch);
  }
  Seal(batch);
  return ReadState::kMore;
}

// Whether a file in which nothing is to be read is still the same.
Result<bool> FileSource::HoldsNothingNew(File& file, uint64_t known_size, uint64_t size) {
  ASSIGN_OR_RETURN(const bool holds, Holds(file, size));
  // A size without a beginning may be that of any content.
  ASSIGN_OR_RETURN(const bool begins, position_ > 0 ? Result<bool>(true) : SeeHead(file));
  if (!holds || !begins) return false;
  if (position_ > 0 || Evidence().first.bytes > 0) SeeSize(known_size, size);
  return true;
}

// Moves the position behind what was used up of the chunk; how many bytes.
size_t FileSource::Decode(File& file, const framing::Chunk& chunk, Batch& batch) {
  // Decoders may change the bytes, so guards are made first: for the end of the chunk and for that
  // of its last line.
  const char* const line_end = static_cast<const char*>(memrchr(chunk.data, '\n', chunk.size));
  const size_t lines = line_end == nullptr ? 0 : static_cast<size_t>(line_end - chunk.data) + 1;
  const auto guard_at = [&](size_t at) {
    return Guard::Of(chunk.offset + at, chunk.data + at - Guard::BytesBefore(chunk.offset + at));
  };
  const Guard candidates[] = {guard_at(lines), guard_at(chunk.size)};
  const size_t used = decoder_->Decode(chunk, batch);
  const Guard guard = GuardBehind(file, chunk.offset + used, candidates);
  {
    MutexLock lock(mu_);
    guard_ = guard;
  }
  position_ = chunk.offset + used;
  if (metrics_->read_bytes != nullptr) metrics_->read_bytes->Add(used);
  return used;
}

// The file was emptied and perhaps filled anew. What is held of this origin waits for the service
// to find the rest.
ReadState FileSource::Replaced(const File& file, Batch& batch) {
  Seal(batch);
  {
    MutexLock lock(mu_);
    // The service was faster, and perhaps found the rest already.
    if (file_.get() != &file) return ReadState::kMore;
    file_.reset();
    replaced_ = true;
  }
  news_->Tell(shared_from_this(), SourceNews::kReplaced);
  return ReadState::kIdle;
}

size_t FileSource::TurnBytes(uint64_t available, size_t bytes_max) const {
  size_t turn = std::min(kTurnBytes, std::max(bytes_max, kTurnBytesMin));
  if (line_bytes_ != 0) {
    // Enough to get past the line that did not fit; one byte over its limit is always enough, and
    // one more for a '\r'.
    const size_t line_max = decoder_->line_bytes_max() + 2;
    turn = std::max(turn, std::min(2 * line_bytes_, line_max));
  }
  return static_cast<size_t>(std::min<uint64_t>(available, turn));
}

ReadState FileSource::AtEnd(Batch& batch) {
  const bool full = batch.rows() + framing::LineDecoder::kRowsPerLineMax > Batch::kRowsMax;
  if (full && finish_) {
    Seal(batch);
    return ReadState::kMore;
  }
  if (finish_) {
    decoder_->Flush(position_, batch);
    return End(batch, 0);
  }
  const bool pieces = decoder_->pending_begin() != framing::LineDecoder::kNothingPending;
  has_half_ = line_bytes_ != 0 || pieces;
  has_pieces_only_ = line_bytes_ == 0 && pieces;
  end_seen_ = position_ + line_bytes_;
  Seal(batch);
  if (has_half_) news_->Tell(shared_from_this(), SourceNews::kHalf);
  const std::shared_ptr<PackedFile> packed = this->packed();
  const bool complete = packed == nullptr || !packed->incomplete();
  if (!has_half_ && complete && watched_ && watch_end_) {
    // The next file may be read at once: only after the rows of this turn were handed on.
    if (batch.rows() > 0) return ReadState::kMore;
    watch_end_ = false;
    news_->Tell(shared_from_this(), SourceNews::kAtEnd);
  }
  return ReadState::kIdle;
}

ReadState FileSource::AtStored(Batch& batch) {
  Seal(batch);
  news_->Tell(shared_from_this(), SourceNews::kUnstored);
  return ReadState::kIdle;
}

ReadState FileSource::End(Batch& batch, uint32_t news) {
  ended_ = true;
  has_half_ = false;
  Seal(batch);
  news_->Tell(shared_from_this(), news | SourceNews::kFinished);
  return ReadState::kFinished;
}

void FileSource::Seal(Batch& batch) {
  decoder_->AddFields(batch);
  batch.end = position_;
  batch.resume = ResumeAt();
  batch.read_at = clock_.Monotonic();
  const framing::DecodeCounts counts = decoder_->TakeCounts();
  if (metrics_->read_rows != nullptr) metrics_->read_rows->Add(batch.rows());
  if (counts.cut_lines != 0 && metrics_->cut_lines != nullptr) {
    metrics_->cut_lines->Add(counts.cut_lines);
  }
  if (counts.malformed_lines != 0 && metrics_->malformed_lines != nullptr) {
    metrics_->malformed_lines->Add(counts.malformed_lines);
  }
  if (counts.unmatched_lines != 0 && metrics_->unmatched_lines != nullptr) {
    metrics_->unmatched_lines->Add(counts.unmatched_lines);
  }
  if (counts.nul_bytes != 0 && metrics_->skipped_nul_bytes != nullptr) {
    metrics_->skipped_nul_bytes->Add(counts.nul_bytes);
  }
  const framing::LinePlace line =
      batch.resume == batch.end ? decoder_->place() : framing::LinePlace::kStart;
  MutexLock lock(mu_);
  const Flight flight{batch.resume, std::max(batch.resume, decoder_->emitted()), line, guard_};
  // Of several batches with one `resume` only the first counts: an acknowledgement of that value
  // does not tell which of them it was for.
  if (flight.resume > flights_.back().resume) flights_.push_back(flight);
}

void FileSource::Acked(uint64_t resume) {
  uint64_t before = acked_.load();
  while (before < resume && !acked_.compare_exchange_weak(before, resume)) {
  }
  if (before < resume) news_->Tell(shared_from_this(), SourceNews::kAcked);
}

void FileSource::Done() {
  done_ = true;
  news_->Tell(shared_from_this(), SourceNews::kDone);
}

pipeline::SourceInfo FileSource::Info() const {
  const uint64_t position = position_;
  return {start_.path, start_.resume, position, std::max<uint64_t>(position, size_)};
}

Checkpoint FileSource::Snapshot() {
  Checkpoint checkpoint;
  checkpoint.origin = start_.origin;
  checkpoint.space = start_.space;
  checkpoint.path = start_.path;
  checkpoint.ordinal = ordinal_;
  checkpoint.vanished = start_.vanished;
  checkpoint.begun = start_.begun;
  checkpoint.resume = acked_;
  MutexLock lock(mu_);
  checkpoint.identity = identity_;
  checkpoint.packing = packing_;
  checkpoint.marks = marks_;
  checkpoint.seen = packing_ == Packing::kNone ? TextSize(size_) : plain_size_;
  stored_seen_ = checkpoint.seen;
  stored_print_bytes_ = identity_.print.bytes;
  size_t passed = 0;
  while (passed + 1 < flights_.size() && flights_[passed].resume < checkpoint.resume) ++passed;
  flights_.erase(flights_.begin(), flights_.begin() + static_cast<ptrdiff_t>(passed));
  if (flights_.size() == 1) flights_.shrink_to_fit();  // ten thousand files rest
  const uint64_t settled = std::min(checkpoint.resume, made_cut_);
  std::erase_if(cuts_, [settled](uint64_t cut) { return cut <= settled; });
  std::copy_if(cuts_.begin(), cuts_.end(), std::back_inserter(checkpoint.cuts),
               [&](uint64_t cut) { return cut > checkpoint.resume; });
  if (hand_over_ != nullptr && hand_over_->at > checkpoint.resume) {
    checkpoint.heir = hand_over_->to;
    checkpoint.cuts.push_back(hand_over_->at);
  }
  const Flight& flight = flights_.front();
  const bool exact = flight.resume == checkpoint.resume;
  checkpoint.emitted = exact ? flight.emitted : checkpoint.resume;
  checkpoint.line = exact ? flight.line : framing::LinePlace::kStart;
  checkpoint.guard = flight.guard;
  return checkpoint;
}

}  // namespace kelp::tail
