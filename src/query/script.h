// What a token of other than ASCII bytes is made of: some scripts and signs need care.
//
// Threads: pure functions.
// Format:  docs/formats/query.md ("Other scripts")
// Tests:   text_match_test.cc, tests/cases/query/scripts.case
#ifndef KELP_QUERY_SCRIPT_H_
#define KELP_QUERY_SCRIPT_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace kelp::query {

// The code point that begins at text[at], which is not ASCII, and how many bytes it takes; bytes
// that are no UTF-8 are taken one by one as U+FFFD.
inline uint32_t CodePointAt(std::string_view text, size_t at, size_t& bytes) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const auto follows = [&](size_t i) { return at + i < text.size() && (byte(i) & 0xc0) == 0x80; };
  bytes = 1;
  if ((byte(0) & 0xe0) == 0xc0 && follows(1)) {
    bytes = 2;
    return (byte(0) & 31u) << 6 | (byte(1) & 63u);
  }
  if ((byte(0) & 0xf0) == 0xe0 && follows(1) && follows(2)) {
    bytes = 3;
    return (byte(0) & 15u) << 12 | (byte(1) & 63u) << 6 | (byte(2) & 63u);
  }
  return 0xfffd;
}

// Whether the token is nothing but punctuation of other scripts ("，", "。", "…"): it separates
// words as ASCII punctuation does.
inline bool IsPunctuation(std::string_view token) {
  for (size_t at = 0, bytes = 1; at < token.size(); at += bytes) {
    if (static_cast<unsigned char>(token[at]) < 0x80) return false;
    const uint32_t c = CodePointAt(token, at, bytes);
    const bool sign = (c >= 0x2010 && c <= 0x205e) || (c >= 0x3000 && c <= 0x303f && c != 0x3005) ||
                      (c >= 0xff01 && c <= 0xff0f) || (c >= 0xff1a && c <= 0xff20) ||
                      (c >= 0xff3b && c <= 0xff3d) || (c >= 0xff5b && c <= 0xff65) || c == 0xa0 ||
                      c == 0xab || c == 0xb7 || c == 0xbb;
    if (!sign) return false;
  }
  return true;
}

// Whether the token is in a script that writes words without spaces and is not cut into single
// characters (Thai, Lao, Tibetan, Burmese, Khmer): then a word is a part of a token.
inline bool IsUnspaced(std::string_view token) {
  for (size_t at = 0, bytes = 1; at < token.size(); at += bytes) {
    if (static_cast<unsigned char>(token[at]) < 0x80) return false;
    const uint32_t c = CodePointAt(token, at, bytes);
    if ((c >= 0x0e00 && c <= 0x0fff) || (c >= 0x1000 && c <= 0x109f) ||
        (c >= 0x1780 && c <= 0x17ff)) {
      return true;
    }
  }
  return false;
}

}  // namespace kelp::query

#endif  // KELP_QUERY_SCRIPT_H_
