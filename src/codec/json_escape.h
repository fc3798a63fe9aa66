// The escapes of JSON strings; shared by the scanners of this folder.
//
// Threads: pure functions.
// Tests:   json_scan_test.cc
#ifndef KELP_CODEC_JSON_ESCAPE_H_
#define KELP_CODEC_JSON_ESCAPE_H_

#include <array>
#include <cstdint>

#include "codec/utf8.h"

namespace kelp::codec {

inline constexpr unsigned char kBadHex = 0xff;

inline constexpr std::array<unsigned char, 256> MakeHexTable() {
  std::array<unsigned char, 256> table{};
  for (auto& entry : table) entry = kBadHex;
  for (unsigned i = 0; i < 10; ++i) table['0' + i] = static_cast<unsigned char>(i);
  for (unsigned i = 0; i < 6; ++i) {
    table['a' + i] = table['A' + i] = static_cast<unsigned char>(10 + i);
  }
  return table;
}
inline constexpr std::array<unsigned char, 256> kHexValue = MakeHexTable();

// What follows a backslash, and what it stands for; 0: not an escape. 'u' is handled apart.
inline constexpr std::array<char, 256> MakeEscapeTable() {
  std::array<char, 256> table{};
  table['"'] = '"';
  table['\\'] = '\\';
  table['/'] = '/';
  table['b'] = '\b';
  table['f'] = '\f';
  table['n'] = '\n';
  table['r'] = '\r';
  table['t'] = '\t';
  return table;
}
inline constexpr std::array<char, 256> kJsonEscape = MakeEscapeTable();

inline unsigned char Byte(char c) { return static_cast<unsigned char>(c); }
// The four hexadecimal digits at `p`; above 0xffff when they are not digits.
inline uint32_t Hex4(const char* p) {
  const uint32_t a = kHexValue[Byte(p[0])], b = kHexValue[Byte(p[1])];
  const uint32_t c = kHexValue[Byte(p[2])], d = kHexValue[Byte(p[3])];
  if (((a | b | c | d) & 0xf0) != 0) return UINT32_MAX;
  return a << 12 | b << 8 | c << 4 | d;
}

// The end of the escape whose backslash is at `p`, or nullptr.
inline const char* SkipEscape(const char* p, const char* end) {
  if (end - p < 2) return nullptr;
  if (p[1] == 'u') return end - p >= 6 && Hex4(p + 2) != UINT32_MAX ? p + 6 : nullptr;
  return kJsonEscape[Byte(p[1])] != 0 ? p + 2 : nullptr;
}

// Resolves the escape at `p`, which is well-formed, and moves both ends on.
inline void ResolveEscape(const char*& p, const char* end, char*& out) {
  if (p[1] != 'u') {
    *out++ = kJsonEscape[Byte(p[1])];
    p += 2;
    return;
  }
  uint32_t code = Hex4(p + 2);
  p += 6;
  if (code >= 0xd800 && code < 0xdc00 && end - p >= 6 && p[0] == '\\' && p[1] == 'u') {
    const uint32_t low = Hex4(p + 2);
    if (low >= 0xdc00 && low < 0xe000) {
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
      p += 6;
    }
  }
  out = PutUtf8(out, code);
}

}  // namespace kelp::codec

#endif  // KELP_CODEC_JSON_ESCAPE_H_
