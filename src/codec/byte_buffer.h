// ByteBuffer: bytes that printers append to; a std::string without the zeroing and the checks.
//
//   ByteBuffer out;
//   char* p = out.Reserve(20);          // at least 20 writable bytes at the end
//   out.set_end(PutVarint(p, 7));       // how far they were used
//   out.Append("text");
//
// Owns:     its memory; Clear() keeps it for the next use.
// Threads:  thread-compatible.
#ifndef KELP_CODEC_BYTE_BUFFER_H_
#define KELP_CODEC_BYTE_BUFFER_H_

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>

#include "base/check.h"

namespace kelp::codec {

// Copies `size` bytes; inlined for the short values that logs are full of.
inline void CopyShort(char* to, const char* from, size_t size) {
  if (size > 32) {
    std::memcpy(to, from, size);
  } else if (size >= 16) {
    char head[16], tail[16];
    std::memcpy(head, from, 16);
    std::memcpy(tail, from + size - 16, 16);
    std::memcpy(to, head, 16);
    std::memcpy(to + size - 16, tail, 16);
  } else if (size >= 8) {
    char head[8], tail[8];
    std::memcpy(head, from, 8);
    std::memcpy(tail, from + size - 8, 8);
    std::memcpy(to, head, 8);
    std::memcpy(to + size - 8, tail, 8);
  } else if (size >= 4) {
    char head[4], tail[4];
    std::memcpy(head, from, 4);
    std::memcpy(tail, from + size - 4, 4);
    std::memcpy(to, head, 4);
    std::memcpy(to + size - 4, tail, 4);
  } else if (size != 0) {
    const char first = from[0], middle = from[size / 2], last = from[size - 1];
    to[0] = first;
    to[size / 2] = middle;
    to[size - 1] = last;
  }
}

class ByteBuffer {
 public:
  ByteBuffer() = default;
  ByteBuffer(ByteBuffer&&) = default;
  ByteBuffer& operator=(ByteBuffer&&) = default;

  char* data() { return data_.get(); }
  const char* data() const { return data_.get(); }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::string_view view() const { return {data_.get(), size_}; }
  void Clear() { size_ = 0; }
  // Frees memory beyond `capacity_max`, for buffers that are kept between uses.
  void Shrink(size_t capacity_max) {
    if (capacity_ <= capacity_max) return;
    data_.reset();
    size_ = capacity_ = 0;
  }

  // The end of the bytes, with at least `size` writable ones behind it.
  char* Reserve(size_t size) {
    if (capacity_ - size_ < size) [[unlikely]]
      Grow(size);
    return data_.get() + size_;
  }
  void set_end(const char* end) {
    DCHECK(end >= data_.get() + size_ && end <= data_.get() + capacity_, "not in the reserve");
    size_ = static_cast<size_t>(end - data_.get());
  }
  void Append(std::string_view bytes) {
    char* p = Reserve(bytes.size());
    CopyShort(p, bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  void Append(char c) {
    *Reserve(1) = c;
    ++size_;
  }

 private:
  struct Free {
    void operator()(char* p) const { std::free(p); }
  };
  void Grow(size_t size) {
    const size_t wanted = std::max({size_ + size, capacity_ * 2, size_t{256}});
    char* grown = static_cast<char*>(std::realloc(data_.release(), wanted));
    CHECK(grown != nullptr, "out of memory");
    data_.reset(grown);
    capacity_ = wanted;
  }

  std::unique_ptr<char, Free> data_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace kelp::codec

#endif  // KELP_CODEC_BYTE_BUFFER_H_
