// Where a FileSource ends what is incomplete, and what it gives to the file that came next.
#include <algorithm>
#include <utility>

#include "tail/file_source.h"

namespace kelp::tail {

using pipeline::ReadState;

bool FileSource::PlanHandOver(uint64_t offset, std::shared_ptr<FileSource> heir) {
  MutexLock lock(mu_);
  if (hand_over_ != nullptr || (!cuts_.empty() && cuts_.back() >= offset)) return false;
  hand_over_ = std::make_unique<HandOver>();
  hand_over_->at = offset;
  hand_over_->to = heir->origin();
  hand_over_->heir = std::move(heir);
  return true;
}

void FileSource::ResumeHandOver(bool delivered) {
  MutexLock lock(mu_);
  if (hand_over_ == nullptr) return;
  hand_over_->delivered = delivered;
  if (!delivered) hand_over_ = nullptr;
  cut_ = NextCut(position_);
}

void FileSource::HandedOver() {
  MutexLock lock(mu_);
  if (hand_over_ == nullptr) return;
  hand_over_->delivered = true;
  hand_over_->heir = nullptr;
  hold_ = kNoCut;
}

bool FileSource::handing_over() const {
  MutexLock lock(mu_);
  return hand_over_ != nullptr && !hand_over_->delivered;
}

void FileSource::Inherit(std::unique_ptr<framing::Carry> carry) {
  MutexLock lock(mu_);
  inherited_ = std::move(carry);
}

// Everything up to the end was decoded: what is left incomplete is the heir's.
void FileSource::GiveToHeir() {
  const uint64_t begin = decoder_->pending_begin();
  std::shared_ptr<FileSource> heir;
  bool delivered = false;
  {
    MutexLock lock(mu_);
    hand_over_->done = true;
    heir = hand_over_->heir;
    delivered = hand_over_->delivered;
  }
  std::unique_ptr<framing::Carry> carry = decoder_->TakePending();
  if (carry == nullptr || delivered) return;
  hold_ = begin;
  heir->Inherit(std::move(carry));
}

bool FileSource::PlanCut(uint64_t offset) {
  MutexLock lock(mu_);
  const bool given_away = hand_over_ != nullptr && (!hand_over_->done || hand_over_->at >= offset);
  if (given_away || (!cuts_.empty() && cuts_.back() >= offset)) return false;
  if (cuts_.size() == Checkpoint::kCutsMax) cuts_.erase(cuts_.begin());
  cuts_.push_back(offset);
  return true;
}

void FileSource::ApplyCuts() {
  MutexLock lock(mu_);
  cut_ = NextCut(position_);
}

// A cut at the position itself is still to be made when pieces are held.
uint64_t FileSource::NextCut(uint64_t position) const {
  const auto it = std::lower_bound(cuts_.begin(), cuts_.end(), std::max(position, made_cut_ + 1));
  if (it != cuts_.end()) return *it;
  return hand_over_ != nullptr && !hand_over_->done ? hand_over_->at : kNoCut;
}

ReadState FileSource::AtCut(Batch& batch) {
  const bool full = batch.rows() + framing::LineDecoder::kRowsPerLineMax > Batch::kRowsMax;
  if (!full) {
    bool hand_over = false;
    {
      MutexLock lock(mu_);
      hand_over = hand_over_ != nullptr && !hand_over_->done && hand_over_->at == cut_;
    }
    if (hand_over) {
      GiveToHeir();
    } else {
      decoder_->Flush(position_, batch);
    }
    line_bytes_ = 0;
    has_half_ = has_pieces_only_ = false;
    MutexLock lock(mu_);
    made_cut_ = cut_;
    cut_ = NextCut(position_);
  }
  Seal(batch);
  return ReadState::kMore;
}

}  // namespace kelp::tail
