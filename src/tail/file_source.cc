#include "tail/file_source.h"

#include <algorithm>
#include <utility>

namespace kelp::tail {

using pipeline::ReadState;

void SourceNews::Tell(const std::shared_ptr<FileSource>& source, uint32_t bits) {
  if (source->bits_.fetch_or(bits) != 0 && (bits & ~kAcked) == 0) return;
  MutexLock lock(mu_);
  // A source with bits may be here already; TakeBits makes the second time harmless.
  told_.push_back(source);
  if ((bits & ~kAcked) != 0 && wake_) wake_();
}

std::vector<std::shared_ptr<FileSource>> SourceNews::Take() {
  MutexLock lock(mu_);
  return std::exchange(told_, {});
}

void SourceNews::Disconnect() {
  MutexLock lock(mu_);
  wake_ = nullptr;
}

FileSource::FileSource(Options options)
    : start_(std::move(options.start)),
      resource_(std::move(options.resource)),
      decoder_(std::move(options.decoder)),
      metrics_(options.metrics),
      clock_(*options.clock),
      news_(std::move(options.news)),
      position_(start_.resume),
      size_(start_.resume),
      acked_(start_.resume),
      print_bytes_(start_.identity.print.bytes),
      print_(start_.identity.print) {
  decoder_->Start(start_.line, start_.emitted);
  flights_.push_back({start_.resume, start_.emitted, start_.line});
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

Result<ReadState> FileSource::Read(Batch& batch, size_t bytes_max) {
  if (ended_) return ReadState::kFinished;
  const std::shared_ptr<File> file = this->file();
  batch.origin = origin();
  batch.set_resource(resource_);
  batch.begin = batch.end = position_;
  batch.resume = std::min<uint64_t>(batch.end, decoder_->pending_begin());
  if (file == nullptr && finish_) return AtEnd(batch);
  if (file == nullptr) news_->Tell(shared_from_this(), SourceNews::kClosed);
  if (file == nullptr || !released_) return ReadState::kIdle;
  Result<ReadState> state = ReadFrom(*file, batch, bytes_max);
  if (state.ok()) {
    errors_in_a_row_ = 0;
  } else {
    ++errors_in_a_row_;
    if (metrics_.read_errors != nullptr) metrics_.read_errors->Add();
  }
  return state;
}

Result<ReadState> FileSource::ReadFrom(File& file, Batch& batch, size_t bytes_max) {
  const uint64_t position = position_;
  ASSIGN_OR_RETURN(const FileInfo info, file.Stat());
  size_ = info.size;
  if (info.size < position) {
    decoder_->Flush(position, batch);
    return End(batch, SourceNews::kTruncated);
  }
  const uint64_t available = info.size - position;
  const bool to_the_end = flush_ || finish_;
  const bool nothing_new = line_bytes_ != 0 && line_bytes_ == available;
  if (available == 0 || (nothing_new && !to_the_end)) return AtEnd(batch);

  const size_t want = TurnBytes(available, bytes_max);
  framing::Chunk chunk{batch.AddBuffer(want), 0, position, false};
  ASSIGN_OR_RETURN(chunk.size, file.ReadAt(position, chunk.data, want));
  if (chunk.size == 0) return AtEnd(batch);
  const bool whole = chunk.size == available;
  chunk.last = whole && to_the_end;
  if (print_bytes_ < Fingerprint::kBytesMax) GrowFingerprint(file, chunk);
  const size_t used = decoder_->Decode(chunk, batch);
  position_ = position + used;
  if (metrics_.read_bytes != nullptr) metrics_.read_bytes->Add(used);
  line_bytes_ = 0;
  if (used == chunk.size) {
    if (whole) return AtEnd(batch);
  } else if (batch.rows() + framing::LineDecoder::kRowsPerLineMax <= Batch::kRowsMax) {
    // A line without its end: read again from its begin when there is more of it.
    line_bytes_ = chunk.size - used;
    if (whole) return AtEnd(batch);
  }
  Seal(batch);
  return ReadState::kMore;
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
  if (full && (finish_ || flush_)) {
    Seal(batch);
    return ReadState::kMore;
  }
  if (finish_) {
    decoder_->Flush(position_, batch);
    return End(batch, 0);
  }
  if (flush_.exchange(false)) decoder_->Flush(position_, batch);
  has_half_ =
      line_bytes_ != 0 || decoder_->pending_begin() != framing::LineDecoder::kNothingPending;
  Seal(batch);
  if (!has_half_ && watch_end_.exchange(false)) {
    news_->Tell(shared_from_this(), SourceNews::kAtEnd);
  }
  return ReadState::kIdle;
}

ReadState FileSource::End(Batch& batch, uint32_t news) {
  ended_ = true;
  has_half_ = false;
  Seal(batch);
  news_->Tell(shared_from_this(), news | SourceNews::kFinished);
  return ReadState::kFinished;
}

void FileSource::GrowFingerprint(File& file, const framing::Chunk& chunk) {
  if (chunk.offset + chunk.size <= print_bytes_) return;
  Fingerprint print;
  if (chunk.offset == 0) {
    print = Fingerprint::Of({chunk.data, chunk.size});
  } else {
    const Result<std::string> head = ReadHead(file);
    if (!head.ok()) return;  // the next turn tries again
    print = Fingerprint::Of(*head);
  }
  if (print.bytes <= print_bytes_) return;
  print_bytes_ = print.bytes;
  MutexLock lock(mu_);
  print_ = print;
}

void FileSource::Seal(Batch& batch) {
  decoder_->AddFields(batch);
  batch.end = position_;
  batch.resume = std::min<uint64_t>(batch.end, decoder_->pending_begin());
  batch.read_at = clock_.Monotonic();
  const framing::DecodeCounts counts = decoder_->TakeCounts();
  if (metrics_.read_rows != nullptr) metrics_.read_rows->Add(batch.rows());
  if (counts.cut_lines != 0 && metrics_.cut_lines != nullptr) {
    metrics_.cut_lines->Add(counts.cut_lines);
  }
  if (counts.malformed_lines != 0 && metrics_.malformed_lines != nullptr) {
    metrics_.malformed_lines->Add(counts.malformed_lines);
  }
  const framing::LinePlace line =
      batch.resume == batch.end ? decoder_->place() : framing::LinePlace::kStart;
  const Flight flight{batch.resume, std::max(batch.resume, decoder_->emitted()), line};
  MutexLock lock(mu_);
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
  Checkpoint checkpoint = start_;
  checkpoint.resume = acked_;
  MutexLock lock(mu_);
  checkpoint.identity.print = print_;
  size_t passed = 0;
  while (passed + 1 < flights_.size() && flights_[passed].resume < checkpoint.resume) ++passed;
  flights_.erase(flights_.begin(), flights_.begin() + static_cast<ptrdiff_t>(passed));
  const Flight& flight = flights_.front();
  const bool exact = flight.resume == checkpoint.resume;
  checkpoint.emitted = exact ? flight.emitted : checkpoint.resume;
  checkpoint.line = exact ? flight.line : framing::LinePlace::kStart;
  return checkpoint;
}

}  // namespace kelp::tail
