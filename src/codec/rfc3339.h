// Reads RFC 3339 timestamps out of lines that mostly share their second: the first 19 bytes are
// compared with those of the last line, and only the fraction is computed.
//
// Threads: thread-compatible; one reader per thread or input.
// Tests:   cri_test.cc, time_format_test.cc, cri_fuzz.cc
#ifndef KELP_CODEC_RFC3339_H_
#define KELP_CODEC_RFC3339_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/units.h"

namespace kelp::codec {

// Up to eight digits at `p`, where eight bytes can be read: how many there are, and their value as
// if zeros followed up to eight.
struct Digits8 {
  uint32_t count;
  uint32_t value;
};
inline Digits8 ReadDigits8(const char* p) {
  uint64_t bytes;
  std::memcpy(&bytes, p, 8);
  uint64_t digits = bytes ^ 0x3030303030303030u;
  // The top bit of each byte that is no digit.
  const uint64_t other =
      (digits | ((digits & 0x7f7f7f7f7f7f7f7fu) + 0x7676767676767676u)) & 0x8080808080808080u;
  const uint32_t count = other == 0 ? 8 : static_cast<uint32_t>(__builtin_ctzll(other)) / 8;
  if (count == 0) return {0, 0};
  if (count < 8) digits &= (uint64_t{1} << (8 * count)) - 1;
  digits = digits * 10 + (digits >> 8);
  const uint64_t pairs = 0x000000ff000000ffu;
  digits =
      ((digits & pairs) * 0x000f424000000064u + ((digits >> 16) & pairs) * 0x0000271000000001u) >>
      32;
  return {count, static_cast<uint32_t>(digits)};
}

class Rfc3339Reader {
 public:
  // Reads the timestamp at `p`: the end of it, or nullptr when there is none. 0 to 9 digits of
  // fraction, 'Z' or an offset of hours and minutes.
  const char* Read(const char* p, const char* end, UnixNanos& time) {
    if (end - p >= kFastBytes && SameSecond(p)) [[likely]] {
      const char* q = p + kSecondBytes;
      int64_t nanos = 0;
      if (*q == '.') {
        const Digits8 digits = ReadDigits8(++q);
        if (digits.count == 0) return nullptr;
        nanos = int64_t{digits.value} * 10;
        q += digits.count;
        if (digits.count == 8 && *q >= '0' && *q <= '9') nanos += *q++ - '0';
      }
      if (*q == 'Z') [[likely]] {
        time = second_ + nanos;
        return q + 1;
      }
      if (end - q >= kZoneBytes && std::memcmp(q, zone_, kZoneBytes) == 0) {
        time = second_ + nanos - zone_offset_;
        return q + kZoneBytes;
      }
    }
    return ReadSlowly(p, end, time);
  }

 private:
  static constexpr ptrdiff_t kSecondBytes = 19;  // 2026-11-20T23:49:26
  static constexpr ptrdiff_t kZoneBytes = 6;     // +01:00
  static constexpr ptrdiff_t kFastBytes = 30;    // a second, a fraction and 'Z'

  bool SameSecond(const char* p) const {
    uint64_t a, b, c, d;
    uint32_t e, f;
    std::memcpy(&a, p, 8);
    std::memcpy(&b, prefix_, 8);
    std::memcpy(&c, p + 8, 8);
    std::memcpy(&d, prefix_ + 8, 8);
    std::memcpy(&e, p + kSecondBytes - 4, 4);
    std::memcpy(&f, prefix_ + kSecondBytes - 4, 4);
    return ((a ^ b) | (c ^ d) | (e ^ f)) == 0;
  }
  const char* ReadSlowly(const char* p, const char* end, UnixNanos& time);

  char prefix_[kSecondBytes + 1] = "1970-01-01T00:00:00";
  char zone_[kZoneBytes + 1] = "+00:00";
  int64_t second_ = 0;       // of prefix_ as UTC, in ns
  int64_t zone_offset_ = 0;  // of zone_, in ns
};

}  // namespace kelp::codec

#endif  // KELP_CODEC_RFC3339_H_
