// How texts are cut into tokens and hashed; inlined into the two places that do it in bulk.
//
// Place:    tokens.cc (queries, tests) and token_filter.cc (the segment writer's inner loop).
// Format:   docs/formats/segment.md, "Tokens". A change here is a new segment version.
// Tests:    tokens_test.cc, tokens_fuzz.cc compare ScanTokens with the plain ForEachToken.
#ifndef KELP_STORE_TOKEN_SCAN_H_
#define KELP_STORE_TOKEN_SCAN_H_

#define XXH_INLINE_ALL
#include <xxhash.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <bit>
#include <cstdint>
#include <string_view>

namespace kelp::store {

inline bool IsWordByte(unsigned char c) {
  const unsigned char lower = c | 0x20;
  return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

// The length of the CJK code point that starts at `p`, or 0 when there is none. Scripts that write
// without spaces, by ranges: kana, ideographs with extensions, Hangul syllables.
inline size_t CjkLength(const char* p, size_t left) {
  const auto at = [p](size_t i) { return static_cast<unsigned char>(p[i]); };
  const auto continues = [&](size_t i) { return (at(i) & 0xC0) == 0x80; };
  if (left >= 3 && (at(0) & 0xF0) == 0xE0 && continues(1) && continues(2)) {
    const uint32_t c = (at(0) & 15u) << 12 | (at(1) & 63u) << 6 | (at(2) & 63u);
    const bool cjk = (c >= 0x3040 && c <= 0x30FF) || (c >= 0x3400 && c <= 0x4DBF) ||
                     (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0xAC00 && c <= 0xD7AF) ||
                     (c >= 0xF900 && c <= 0xFAFF);
    return cjk ? 3 : 0;
  }
  if (left >= 4 && at(0) == 0xF0 && continues(1) && continues(2) && continues(3)) {
    const uint32_t c = (at(1) & 63u) << 12 | (at(2) & 63u) << 6 | (at(3) & 63u);
    return c >= 0x20000 && c <= 0x3FFFF ? 4 : 0;
  }
  return 0;
}

// Calls f(begin, end) for each token: the plain statement of the rule.
template <typename F>
void ForEachToken(std::string_view text, F&& f) {
  const size_t n = text.size();
  size_t i = 0;
  while (i < n) {
    const size_t begin = i;
    const auto c = static_cast<unsigned char>(text[i]);
    if (IsWordByte(c)) {
      while (i < n && IsWordByte(static_cast<unsigned char>(text[i]))) ++i;
    } else if (c < 0x80) {
      ++i;
      continue;
    } else if (const size_t cjk = CjkLength(text.data() + i, n - i); cjk != 0) {
      i += cjk;
    } else {
      while (i < n && static_cast<unsigned char>(text[i]) >= 0x80 &&
             CjkLength(text.data() + i, n - i) == 0) {
        ++i;
      }
    }
    f(begin, i);
  }
}

// What one step of 64 bytes says: which bytes are word bytes, and whether all are ASCII.
struct TokenMasks {
  uint64_t word;
  bool ascii;
};

// Classifies 64 bytes at `p` and writes them, with A-Z made lower, to `lower`.
inline TokenMasks ScanStep(const char* p, char* lower) {
#if defined(__SSE2__)
  TokenMasks masks{0, true};
  int high = 0;
  for (int i = 0; i < 4; ++i) {
    const __m128i c = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 16 * i));
    high |= _mm_movemask_epi8(c);
    // Signed comparisons; bytes from 0x80 are negative and fall out of each range.
    const __m128i folded = _mm_or_si128(c, _mm_set1_epi8(0x20));
    const __m128i letter = _mm_and_si128(_mm_cmpgt_epi8(folded, _mm_set1_epi8('a' - 1)),
                                         _mm_cmplt_epi8(folded, _mm_set1_epi8('z' + 1)));
    const __m128i digit = _mm_and_si128(_mm_cmpgt_epi8(c, _mm_set1_epi8('0' - 1)),
                                        _mm_cmplt_epi8(c, _mm_set1_epi8('9' + 1)));
    const __m128i score = _mm_cmpeq_epi8(c, _mm_set1_epi8('_'));
    const __m128i word = _mm_or_si128(_mm_or_si128(letter, digit), score);
    // The case bit may be set on letters only: '@' and '[' must stay what they are.
    const __m128i low = _mm_or_si128(c, _mm_and_si128(letter, _mm_set1_epi8(0x20)));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(lower + 16 * i), low);
    masks.word |= static_cast<uint64_t>(static_cast<uint32_t>(_mm_movemask_epi8(word))) << (16 * i);
  }
  masks.ascii = high == 0;
  return masks;
#else
  TokenMasks masks{0, true};
  for (int i = 0; i < 64; ++i) {
    const auto c = static_cast<unsigned char>(p[i]);
    if (c >= 0x80) masks.ascii = false;
    if (IsWordByte(c)) masks.word |= uint64_t{1} << i;
    lower[i] = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : p[i];
  }
  return masks;
#endif
}

// The hash of a token whose letters are lower already.
inline uint64_t HashLowered(const char* p, size_t n) { return XXH3_64bits(p, n); }

inline void LowerInto(std::string_view text, char* out) {
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    out[i] = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  }
}

// Calls f(hash) for each token of `text`. `scratch` has text.size() + 64 bytes.
template <typename F>
void ScanTokens(std::string_view text, char* scratch, F&& f) {
  const size_t n = text.size();
  uint64_t carry = 0;  // bit 0: the byte before this step was a word byte
  size_t begin = 0;
  bool inside = false;
  for (size_t base = 0; base < n; base += 64) {
    TokenMasks masks;
    if (n - base >= 64) {
      masks = ScanStep(text.data() + base, scratch + base);
    } else {
      char padded[64] = {};
      __builtin_memcpy(padded, text.data() + base, n - base);
      masks = ScanStep(padded, scratch + base);
    }
    if (!masks.ascii) [[unlikely]] {
      // Other scripts: the plain rule, from the start of the token that is open.
      const size_t from = inside ? begin : base;
      LowerInto(text.substr(base), scratch + base);
      ForEachToken(text.substr(from),
                   [&](size_t b, size_t e) { f(HashLowered(scratch + from + b, e - b)); });
      return;
    }
    uint64_t edges = masks.word ^ (masks.word << 1 | carry);
    carry = masks.word >> 63;
    while (edges != 0) {
      const size_t at = base + static_cast<size_t>(std::countr_zero(edges));
      edges &= edges - 1;
      if (inside) f(HashLowered(scratch + begin, at - begin));
      inside = !inside;
      begin = at;
    }
  }
  if (inside) f(HashLowered(scratch + begin, n - begin));
}

}  // namespace kelp::store

#endif  // KELP_STORE_TOKEN_SCAN_H_
