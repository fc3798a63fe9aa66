#include "output/kelp/encoder_pool.h"

#include <algorithm>
#include <thread>

namespace kelp::output {

EncoderPool& EncoderPool::Shared() {
  static EncoderPool* pool =
      new EncoderPool(std::max(1, static_cast<int>(std::thread::hardware_concurrency())));
  return *pool;
}

EncoderPool::Lease EncoderPool::Borrow(int zstd_level) {
  std::unique_ptr<codec::BatchSetEncoder> encoder;
  {
    MutexLock lock(mu_);
    while (free_ == 0) returned_.Wait(mu_);
    --free_;
    const auto it = std::find_if(kept_.begin(), kept_.end(),
                                 [&](const auto& kept) { return kept.first == zstd_level; });
    if (it != kept_.end()) {
      encoder = std::move(it->second);
      kept_.erase(it);
    } else if (!kept_.empty() && static_cast<int>(kept_.size()) > free_) {
      kept_.erase(kept_.begin());  // of another level: makes room for the new one
    }
  }
  if (encoder == nullptr) encoder = std::make_unique<codec::BatchSetEncoder>(zstd_level);
  return {*this, zstd_level, std::move(encoder)};
}

size_t EncoderPool::kept() const {
  MutexLock lock(mu_);
  return kept_.size();
}

void EncoderPool::Return(int level, std::unique_ptr<codec::BatchSetEncoder> encoder) {
  if (level == kDropped) encoder.reset();
  MutexLock lock(mu_);
  ++free_;
  if (encoder != nullptr) kept_.emplace_back(level, std::move(encoder));
  returned_.NotifyOne();
}

void EncoderPool::AddUser() {
  MutexLock lock(mu_);
  ++users_;
}

void EncoderPool::RemoveUser() {
  MutexLock lock(mu_);
  if (--users_ == 0) kept_.clear();
}

}  // namespace kelp::output
