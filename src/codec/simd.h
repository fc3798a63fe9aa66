// What the vector code of this folder shares: loads that stay inside mapped pages, and the choice
// between instruction sets at run time.
//
// The plain variant everywhere is SSE2, which every x86-64 has. AVX2 variants are functions marked
// KELP_AVX2, called only when HasAvx2().
#ifndef KELP_CODEC_SIMD_H_
#define KELP_CODEC_SIMD_H_

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#define KELP_AVX2 __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt")))

// Functions between these two are compiled for AVX2. Kernels that exist for both instruction sets
// are an .inc file, included once plainly and once in between, each time in its own namespace and
// with `Block` naming what is below; all headers are included before, so that their inline
// functions stay plain.
#define KELP_PRAGMA(x) _Pragma(#x)
#if defined(__clang__)
#define KELP_AVX2_BEGIN                                                                   \
  KELP_PRAGMA(clang attribute push(__attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt"))), \
                                   apply_to = function))
#define KELP_AVX2_END KELP_PRAGMA(clang attribute pop)
#else
#define KELP_AVX2_BEGIN \
  KELP_PRAGMA(GCC push_options) KELP_PRAGMA(GCC target("avx2,bmi,bmi2,lzcnt,popcnt"))
#define KELP_AVX2_END KELP_PRAGMA(GCC pop_options)
#endif

#define KELP_ALWAYS_INLINE inline __attribute__((always_inline))

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define KELP_CHECKED_MEMORY 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define KELP_CHECKED_MEMORY 1
#endif
#endif
#ifndef KELP_CHECKED_MEMORY
#define KELP_CHECKED_MEMORY 0
#endif

namespace kelp::codec {

inline bool HasAvx2() {
  static const bool has = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
  return has;
}

// The first `size` (1 to 16) bytes at `p`; the rest is arbitrary. Reads nothing of a page that
// holds none of those bytes, so that any memory will do.
KELP_ALWAYS_INLINE __m128i LoadPartial16(const char* p, size_t size) {
  constexpr uintptr_t kPage = 4096;
#if !KELP_CHECKED_MEMORY
  if ((reinterpret_cast<uintptr_t>(p) & (kPage - 1)) <= kPage - 16) [[likely]] {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  }
#endif
  static_cast<void>(kPage);
  char bytes[16] = {};
  std::memcpy(bytes, p, size);
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
}

KELP_ALWAYS_INLINE __m128i Load16(const char* p) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}

// One bit for each byte that a JSON string cannot hold as it is: quote, backslash, below 0x20.
KELP_ALWAYS_INLINE uint32_t JsonSpecialMask16(__m128i bytes) {
  const __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
  const __m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
  const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
  return static_cast<uint32_t>(
      _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), control)));
}

// The first byte in [p, end) that a JSON string cannot hold as it is, or `end`. Reads only [p,
// end).
KELP_ALWAYS_INLINE const char* FindJsonSpecial(const char* p, const char* end) {
  while (end - p >= 16) {
    const uint32_t mask = JsonSpecialMask16(Load16(p));
    if (mask != 0) return p + __builtin_ctz(mask);
    p += 16;
  }
  if (p == end) return end;
  const size_t left = static_cast<size_t>(end - p);
  const uint32_t mask = JsonSpecialMask16(LoadPartial16(p, left)) & ((1u << left) - 1);
  return mask != 0 ? p + __builtin_ctz(mask) : end;
}

// Sixteen bytes, and one bit for each in what comparisons give.
struct Block16 {
  static constexpr size_t kSize = 16;
  __m128i bytes;

  static KELP_ALWAYS_INLINE Block16 Load(const char* p) { return {Load16(p)}; }
  KELP_ALWAYS_INLINE void Store(char* p) const {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), bytes);
  }
  KELP_ALWAYS_INLINE uint32_t Equal(char c) const {
    return static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8(c))));
  }
  // Bytes that are equal in both.
  KELP_ALWAYS_INLINE uint32_t Equal(const Block16& other) const {
    return static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, other.bytes)));
  }
  KELP_ALWAYS_INLINE uint32_t Control() const {
    return static_cast<uint32_t>(
        _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes)));
  }
  KELP_ALWAYS_INLINE uint32_t JsonSpecial() const { return JsonSpecialMask16(bytes); }
};

KELP_AVX2_BEGIN
// Thirty-two bytes.
struct Block32 {
  static constexpr size_t kSize = 32;
  __m256i bytes;

  static KELP_ALWAYS_INLINE Block32 Load(const char* p) {
    return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))};
  }
  KELP_ALWAYS_INLINE void Store(char* p) const {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), bytes);
  }
  KELP_ALWAYS_INLINE uint32_t Equal(char c) const {
    return static_cast<uint32_t>(
        _mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(c))));
  }
  KELP_ALWAYS_INLINE uint32_t Equal(const Block32& other) const {
    return static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, other.bytes)));
  }
  KELP_ALWAYS_INLINE uint32_t Control() const {
    const __m256i low = _mm256_min_epu8(bytes, _mm256_set1_epi8(0x1f));
    return static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, bytes)));
  }
  KELP_ALWAYS_INLINE uint32_t JsonSpecial() const {
    const __m256i quote = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('"'));
    const __m256i backslash = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\\'));
    const __m256i low = _mm256_min_epu8(bytes, _mm256_set1_epi8(0x1f));
    const __m256i control = _mm256_cmpeq_epi8(low, bytes);
    return static_cast<uint32_t>(
        _mm256_movemask_epi8(_mm256_or_si256(_mm256_or_si256(quote, backslash), control)));
  }
};
KELP_AVX2_END

}  // namespace kelp::codec

#endif  // KELP_CODEC_SIMD_H_
