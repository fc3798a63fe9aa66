#include "batch/buffer_pool.h"

#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace kelp {
namespace {

constexpr size_t kSmallest = 4096;  // each class is four times the one before

char* Allocate(size_t capacity) {
  char* data = static_cast<char*>(std::malloc(capacity + kBufferPadding));
  CHECK(data != nullptr, "out of memory");
  // The padding is read, never interpreted; zeros keep sanitizers and comparisons calm.
  std::memset(data + capacity, 0, kBufferPadding);
  return data;
}

}  // namespace

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  if (this != &other) {
    Free();
    pool_ = std::exchange(other.pool_, nullptr);
    data_ = std::exchange(other.data_, nullptr);
    capacity_ = std::exchange(other.capacity_, 0);
  }
  return *this;
}

void Buffer::Free() {
  if (data_ != nullptr) pool_->Put(std::exchange(data_, nullptr), capacity_);
}

BufferPool::~BufferPool() { Trim(); }

BufferPool& BufferPool::Shared() {
  static BufferPool* pool = new BufferPool;
  return *pool;
}

int BufferPool::ClassOf(size_t capacity) {
  size_t size = kSmallest;
  for (int i = 0; i < kClasses; ++i, size *= 4) {
    if (capacity <= size) return i;
  }
  return -1;
}

size_t BufferPool::CapacityFor(size_t size) {
  const int c = ClassOf(size);
  return c < 0 ? size : kSmallest << (2 * c);
}

Buffer BufferPool::Get(size_t size) {
  const size_t capacity = CapacityFor(size);
  const int c = ClassOf(capacity);
  if (c >= 0) {
    MutexLock lock(mu_);
    auto& list = free_[static_cast<size_t>(c)];
    if (!list.empty()) {
      char* data = list.back();
      list.pop_back();
      retained_ -= capacity;
      return Buffer(this, data, capacity);
    }
  }
  return Buffer(this, Allocate(capacity), capacity);
}

void BufferPool::Put(char* data, size_t capacity) {
  const int c = ClassOf(capacity);
  if (c >= 0 && CapacityFor(capacity) == capacity) {
    MutexLock lock(mu_);
    if (retained_ + capacity <= kRetainedBytes) {
      free_[static_cast<size_t>(c)].push_back(data);
      retained_ += capacity;
      return;
    }
  }
  std::free(data);
}

void BufferPool::Trim() {
  MutexLock lock(mu_);
  for (auto& list : free_) {
    for (char* data : list) std::free(data);
    list.clear();
  }
  retained_ = 0;
}

}  // namespace kelp
