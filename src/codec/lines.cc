#include "codec/lines.h"

#include "codec/simd.h"

namespace kelp::codec {
namespace {

// Writes the offsets of the set bits; stops at `max`.
KELP_ALWAYS_INLINE size_t PutBits(uint64_t mask, size_t base, uint32_t* offsets, size_t count,
                                  size_t max) {
  while (mask != 0 && count < max) {
    offsets[count++] = static_cast<uint32_t>(base + static_cast<size_t>(__builtin_ctzll(mask)));
    mask &= mask - 1;
  }
  return count;
}

size_t FindTail(std::string_view text, size_t at, uint32_t* offsets, size_t count, size_t max) {
  for (; at < text.size() && count < max; ++at) {
    if (text[at] == '\n') offsets[count++] = static_cast<uint32_t>(at);
  }
  return count;
}

KELP_AVX2 size_t FindAvx2(std::string_view text, uint32_t* offsets, size_t max) {
  const __m256i newline = _mm256_set1_epi8('\n');
  const char* data = text.data();
  size_t count = 0;
  size_t at = 0;
  for (; text.size() - at >= 64 && count < max; at += 64) {
    const auto* p = reinterpret_cast<const __m256i*>(data + at);
    const __m256i low = _mm256_cmpeq_epi8(_mm256_loadu_si256(p), newline);
    const __m256i high = _mm256_cmpeq_epi8(_mm256_loadu_si256(p + 1), newline);
    if (_mm256_testz_si256(_mm256_or_si256(low, high), _mm256_or_si256(low, high))) continue;
    const uint64_t mask = static_cast<uint32_t>(_mm256_movemask_epi8(low)) |
                          uint64_t{static_cast<uint32_t>(_mm256_movemask_epi8(high))} << 32;
    count = PutBits(mask, at, offsets, count, max);
  }
  return FindTail(text, at, offsets, count, max);
}

size_t FindSse2(std::string_view text, uint32_t* offsets, size_t max) {
  const __m128i newline = _mm_set1_epi8('\n');
  size_t count = 0;
  size_t at = 0;
  for (; text.size() - at >= 16 && count < max; at += 16) {
    const __m128i equal = _mm_cmpeq_epi8(Load16(text.data() + at), newline);
    count = PutBits(static_cast<uint32_t>(_mm_movemask_epi8(equal)), at, offsets, count, max);
  }
  return FindTail(text, at, offsets, count, max);
}

}  // namespace

size_t FindNewlines(std::string_view text, uint32_t* offsets, size_t max) {
  return HasAvx2() ? FindAvx2(text, offsets, max) : FindSse2(text, offsets, max);
}

}  // namespace kelp::codec
