// Recycled memory for batches, so that the reading loop touches warm pages and never the allocator.
//
// Buffers come in size classes (4 KiB, 16 KiB, 64 KiB, 256 KiB, 1 MiB); larger ones are allocated
// and freed directly. Every buffer has kBufferPadding readable bytes behind its capacity, so that
// vector code may read past the end of the text.
//
// Threads: thread-safe.
// Limits:  kRetainedBytes of free buffers are kept; more go back to the system.
#ifndef KELP_BATCH_BUFFER_POOL_H_
#define KELP_BATCH_BUFFER_POOL_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/sync.h"

namespace kelp {

// What simdjson and 32-byte vector loads may read behind the end.
inline constexpr size_t kBufferPadding = 64;

class BufferPool;

// A buffer of a pool; goes back when destroyed. Move-only.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept { *this = std::move(other); }
  Buffer& operator=(Buffer&& other) noexcept;
  ~Buffer() { Free(); }

  char* data() const { return data_; }
  size_t capacity() const { return capacity_; }
  explicit operator bool() const { return data_ != nullptr; }

 private:
  friend class BufferPool;
  Buffer(BufferPool* pool, char* data, size_t capacity)
      : pool_(pool), data_(data), capacity_(capacity) {}
  void Free();

  BufferPool* pool_ = nullptr;
  char* data_ = nullptr;
  size_t capacity_ = 0;
};

class BufferPool {
 public:
  // Enough for two workers' worth of the largest class; the rest of a burst is returned.
  static constexpr size_t kRetainedBytes = 4u << 20;

  BufferPool() = default;
  ~BufferPool();
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  // A buffer of at least `size` bytes; its content is arbitrary.
  Buffer Get(size_t size);
  // What Get(size).capacity() would be.
  static size_t CapacityFor(size_t size);
  // Gives all free buffers back to the system.
  void Trim();

  // The pool of the process; never destroyed.
  static BufferPool& Shared();

 private:
  friend class Buffer;
  static constexpr int kClasses = 5;
  static int ClassOf(size_t capacity);
  void Put(char* data, size_t capacity);

  Mutex mu_;
  std::array<std::vector<char*>, kClasses> free_ GUARDED_BY(mu_);
  size_t retained_ GUARDED_BY(mu_) = 0;
};

}  // namespace kelp

#endif  // KELP_BATCH_BUFFER_POOL_H_
