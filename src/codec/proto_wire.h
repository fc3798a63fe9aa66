// Protobuf's wire format, as much of it as Kelp's own messages need: a writer over a growing byte
// buffer and a reader over a view. No schema, no reflection, no generated code.
//
//   WireWriter out(buffer);
//   out.Uint(1, 7);
//   out.Bytes(2, "abc");
//
//   WireReader in(bytes);
//   WireField field;
//   while (in.Next(field)) { switch (field.number) ... }
//   if (!in.ok()) ...                      // in.position() says where
//
// Threads: thread-compatible.
// Limits:  a message of 2^35 bytes. Groups (wire types 3 and 4) are refused.
// Tests:   proto_wire_test.cc, kelp_batch_fuzz.cc
#ifndef KELP_CODEC_PROTO_WIRE_H_
#define KELP_CODEC_PROTO_WIRE_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/check.h"
#include "codec/byte_buffer.h"

namespace kelp::codec {

inline constexpr size_t kVarintBytesMax = 10;

inline uint64_t ZigZag(int64_t v) {
  return (static_cast<uint64_t>(v) << 1) ^ static_cast<uint64_t>(v >> 63);
}
inline int64_t UnZigZag(uint64_t v) { return static_cast<int64_t>((v >> 1) ^ (~(v & 1) + 1)); }

// Writes a varint at `p`, where kVarintBytesMax bytes are free; the end of it.
inline char* PutVarint(char* p, uint64_t v) {
  while (v >= 0x80) {
    *p++ = static_cast<char>(v | 0x80);
    v >>= 7;
  }
  *p++ = static_cast<char>(v);
  return p;
}

// Reads a varint from [p, end); the end of it, or nullptr when it is cut off or longer than 64
// bits.
inline const char* GetVarint(const char* p, const char* end, uint64_t& v) {
  if (p < end && static_cast<signed char>(*p) >= 0) [[likely]] {
    v = static_cast<unsigned char>(*p);
    return p + 1;
  }
  uint64_t result = 0;
  for (unsigned shift = 0; p < end && shift < 64; shift += 7) {
    const uint64_t byte = static_cast<unsigned char>(*p++);
    if (shift == 63 && byte > 1) return nullptr;
    result |= (byte & 0x7f) << shift;
    if (byte < 0x80) {
      v = result;
      return p;
    }
  }
  return nullptr;
}

enum class WireType : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

// Appends fields to a buffer.
class WireWriter {
 public:
  explicit WireWriter(ByteBuffer& out) : out_(out) {}

  void Uint(uint32_t number, uint64_t value) {
    char* p = out_.Reserve(2 * kVarintBytesMax);
    p = PutVarint(p, Tag(number, WireType::kVarint));
    out_.set_end(PutVarint(p, value));
  }
  void Bytes(uint32_t number, std::string_view value) {
    BytesHeader(number, value.size());
    out_.Append(value);
  }
  // Tag and length; the caller appends exactly `size` bytes.
  void BytesHeader(uint32_t number, size_t size) {
    char* p = out_.Reserve(2 * kVarintBytesMax);
    p = PutVarint(p, Tag(number, WireType::kBytes));
    out_.set_end(PutVarint(p, size));
  }
  // Begins a field whose length is known only later; pass what comes back to End(). The length
  // takes five bytes, which readers of the format accept.
  size_t Begin(uint32_t number) {
    char* p = out_.Reserve(kVarintBytesMax + kLengthBytes);
    p = PutVarint(p, Tag(number, WireType::kBytes));
    out_.set_end(p + kLengthBytes);
    return out_.size();
  }
  void End(size_t begin) {
    const size_t length = out_.size() - begin;
    CHECK(length < (uint64_t{1} << 35), "message too long");
    char* p = out_.data() + begin - kLengthBytes;
    for (size_t i = 0; i < kLengthBytes; ++i) {
      const unsigned more = i + 1 < kLengthBytes ? 0x80 : 0;
      p[i] = static_cast<char>(((length >> (7 * i)) & 0x7f) | more);
    }
  }

 private:
  static constexpr size_t kLengthBytes = 5;
  static uint64_t Tag(uint32_t number, WireType type) {
    return (uint64_t{number} << 3) | static_cast<uint32_t>(type);
  }
  ByteBuffer& out_;
};

struct WireField {
  uint32_t number = 0;
  WireType type = WireType::kVarint;
  uint64_t value = 0;      // of the number types
  std::string_view bytes;  // of kBytes

  bool is_uint() const { return type == WireType::kVarint; }
  bool is_bytes() const { return type == WireType::kBytes; }
};

// Walks the fields of one message.
class WireReader {
 public:
  explicit WireReader(std::string_view bytes)
      : begin_(bytes.data()), p_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  // The next field; false at the end and at the first malformed byte.
  bool Next(WireField& field) {
    if (p_ == end_ || failed_) return false;
    uint64_t tag = 0;
    const char* p = GetVarint(p_, end_, tag);
    if (p == nullptr || tag >> 32 != 0 || tag < 8) return Fail();
    field.number = static_cast<uint32_t>(tag >> 3);
    field.type = static_cast<WireType>(tag & 7);
    switch (field.type) {
      case WireType::kVarint:
        p = GetVarint(p, end_, field.value);
        return p == nullptr ? Fail() : Advance(p);
      case WireType::kFixed64:
        return Fixed(p, 8, field);
      case WireType::kFixed32:
        return Fixed(p, 4, field);
      case WireType::kBytes: {
        uint64_t size = 0;
        p = GetVarint(p, end_, size);
        if (p == nullptr || size > static_cast<uint64_t>(end_ - p)) return Fail();
        field.bytes = {p, static_cast<size_t>(size)};
        return Advance(p + size);
      }
    }
    return Fail();
  }
  // False once something was malformed.
  bool ok() const { return !failed_; }
  // Offset of the first byte not read; of the field at fault when !ok().
  size_t position() const { return static_cast<size_t>(p_ - begin_); }

 private:
  bool Fixed(const char* p, size_t size, WireField& field) {
    if (static_cast<size_t>(end_ - p) < size) return Fail();
    field.value = 0;
    for (size_t i = 0; i < size; ++i) {
      field.value |= uint64_t{static_cast<unsigned char>(p[i])} << (8 * i);
    }
    return Advance(p + size);
  }
  bool Advance(const char* p) {
    p_ = p;
    return true;
  }
  bool Fail() {
    failed_ = true;
    return false;
  }

  const char* begin_;
  const char* p_;
  const char* end_;
  bool failed_ = false;
};

}  // namespace kelp::codec

#endif  // KELP_CODEC_PROTO_WIRE_H_
