// How much a FileSource knows its file to hold: sizes, what was cut off, NULs that are no text yet.
#include <algorithm>

#include "tail/file_source.h"

namespace kelp::tail {

using pipeline::ReadState;

// A file may be made as large as it is going to be, and written to then: NULs are skipped only when
// something stands behind them.
Result<FileSource::Nuls> FileSource::LookAtNuls(File& file, const framing::Chunk& chunk,
                                                uint64_t size) {
  const size_t text = WithoutNuls({chunk.data, chunk.size}).size();
  if (text == chunk.size) return Nuls();
  bool looked = false;
  {
    MutexLock lock(mu_);
    looked = uncommon_ != nullptr && uncommon_->nuls_end == size &&
             uncommon_->text_end <= chunk.offset + text;
  }
  if (chunk.offset + chunk.size < size && !looked) {
    ASSIGN_OR_RETURN(const Text behind, FindText(file, chunk.offset + chunk.size));
    if (behind.state != Text::kNone) return Nuls{0, text == 0 ? behind.at : 0};
  }
  MutexLock lock(mu_);
  MakeUncommon().text_end = chunk.offset + text;
  uncommon_->nuls_end = size;
  return Nuls{chunk.size - text, 0};
}

ReadState FileSource::SkipNulsTo(File& file, uint64_t offset, Batch& batch) {
  const Result<Guard> guard = GuardBefore(file, offset);
  {
    MutexLock lock(mu_);
    guard_ = guard.ok() ? *guard : Guard();
  }
  const uint64_t skipped = offset - position_;
  if (metrics_->read_bytes != nullptr) metrics_->read_bytes->Add(skipped);
  if (metrics_->skipped_nul_bytes != nullptr) metrics_->skipped_nul_bytes->Add(skipped);
  position_ = offset;
  line_bytes_ = 0;
  Seal(batch);
  return ReadState::kMore;
}

void FileSource::SeeSize(uint64_t known, uint64_t size) {
  // That of a packed file is a guess.
  if (size < known && packed() != nullptr) return;
  const uint64_t before = known;
  if (size == known || !size_.compare_exchange_strong(known, size) || size > before) return;
  {
    MutexLock lock(mu_);
    const uint64_t text = TextSize(before);
    ForgetBehind(size);
    MakeUncommon().cut_off += text > size ? text - size : 0;
  }
  news_->Tell(shared_from_this(), SourceNews::kCut);
}

uint64_t FileSource::seen() const {
  MutexLock lock(mu_);
  return packing_ == Packing::kNone ? TextSize(size_) : plain_size_;
}

bool FileSource::SawUnstored() const { return seen() > std::max<uint64_t>(acked_, stored_seen_); }

void FileSource::ForgetUnread() {
  MutexLock lock(mu_);
  if (packing_ == Packing::kNone) size_ = position_.load();
  plain_size_ = std::min<uint64_t>(plain_size_, position_);
}

uint64_t FileSource::settled() const {
  MutexLock lock(mu_);
  const bool delivered = hand_over_ != nullptr && hand_over_->delivered;
  return delivered ? std::max<uint64_t>(position_, hand_over_->at) : position_.load();
}

}  // namespace kelp::tail
