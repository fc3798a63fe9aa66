// Little-endian numbers, varints and checksums of the store's files; reading never passes the end.
//
// Threads: values.
// Format:  docs/formats/segment.md, "Numbers".
#ifndef KELP_STORE_BYTES_H_
#define KELP_STORE_BYTES_H_

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace kelp::store {

// XXH3-64 of the bytes; every checksum in the store.
uint64_t Checksum(std::string_view bytes);
// Of the two pieces as if they were one.
uint64_t Checksum(std::string_view first, std::string_view second);

inline void PutU32(std::string& out, uint32_t v) {
  for (int i = 0; i < 4; ++i) out += static_cast<char>(v >> (8 * i));
}
inline void PutU64(std::string& out, uint64_t v) {
  for (int i = 0; i < 8; ++i) out += static_cast<char>(v >> (8 * i));
}
inline void PutVarint(std::string& out, uint64_t v) {
  for (; v >= 0x80; v >>= 7) out += static_cast<char>(v | 0x80);
  out += static_cast<char>(v);
}
inline uint64_t Zigzag(int64_t v) {
  return (static_cast<uint64_t>(v) << 1) ^ static_cast<uint64_t>(v >> 63);
}
inline int64_t Unzigzag(uint64_t v) {
  return static_cast<int64_t>(v >> 1) ^ -static_cast<int64_t>(v & 1);
}
inline void PutSigned(std::string& out, int64_t v) { PutVarint(out, Zigzag(v)); }
inline void PutText(std::string& out, std::string_view text) {
  PutVarint(out, text.size());
  out += text;
}

inline uint32_t GetU32(const char* p) {
  uint32_t v = 0;
  for (int i = 3; i >= 0; --i) v = v << 8 | static_cast<unsigned char>(p[i]);
  return v;
}
inline uint64_t GetU64(const char* p) {
  return GetU32(p) | static_cast<uint64_t>(GetU32(p + 4)) << 32;
}

// Reads from front to back. After a read past the end or a malformed number, ok() is false and all
// further reads give zero or nothing: check once, at the end or before a loop that trusts a count.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : p_(bytes.data()), end_(p_ + bytes.size()) {}

  bool ok() const { return ok_; }
  size_t left() const { return static_cast<size_t>(end_ - p_); }

  uint8_t U8() { return Need(1) ? static_cast<uint8_t>(*p_++) : uint8_t{0}; }
  uint32_t U32() {
    if (!Need(4)) return 0;
    p_ += 4;
    return GetU32(p_ - 4);
  }
  uint64_t U64() {
    if (!Need(8)) return 0;
    p_ += 8;
    return GetU64(p_ - 8);
  }
  uint64_t Varint() {
    uint64_t v = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const uint8_t byte = U8();
      v |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return v;
    }
    return Fail();
  }
  // A varint of at most `max`.
  uint64_t Varint(uint64_t max) {
    const uint64_t v = Varint();
    return v <= max ? v : Fail();
  }
  int64_t Signed() { return Unzigzag(Varint()); }
  std::string_view Bytes(uint64_t size) {
    if (!Need(size)) return {};
    p_ += size;
    return {p_ - size, static_cast<size_t>(size)};
  }
  std::string_view Text() { return Bytes(Varint()); }
  uint64_t Fail() {
    ok_ = false;
    p_ = end_;
    return 0;
  }

 private:
  bool Need(uint64_t n) {
    if (n <= left()) return true;
    Fail();
    return false;
  }

  const char* p_;
  const char* end_;
  bool ok_ = true;
};

}  // namespace kelp::store

#endif  // KELP_STORE_BYTES_H_
