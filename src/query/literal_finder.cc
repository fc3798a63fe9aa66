#include "query/literal_finder.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/check.h"

namespace kelp::query {
namespace {

// Bytes of log text from common to rare (by look at a mixed corpus); what is missing is rarer
// still.
constexpr std::string_view kCommonBytes = " e0t1oansir2c5=3d4-l6798m:p.u\"fbg/h,vywk_xqjz";

size_t Rareness(char c) {
  const size_t at = kCommonBytes.find(FoldAscii(c));
  return at == std::string_view::npos ? kCommonBytes.size() : at;
}

}  // namespace

bool EqualsFolded(const char* text, std::string_view folded) {
  for (size_t i = 0; i < folded.size(); ++i) {
    if (FoldAscii(text[i]) != folded[i]) return false;
  }
  return true;
}

LiteralFinder::LiteralFinder(std::string_view literal, bool ignore_case)
    : literal_(literal), ignore_case_(ignore_case) {
  CHECK(!literal.empty(), "nothing to look for");
  if (ignore_case) std::transform(literal_.begin(), literal_.end(), literal_.begin(), FoldAscii);
  for (size_t i = 1; i < literal_.size(); ++i) {
    if (Rareness(literal_[i]) > Rareness(literal_[first_])) first_ = i;
  }
  second_ = first_ == 0 ? literal_.size() - 1 : 0;
  for (size_t i = 0; i < literal_.size(); ++i) {
    if (i != first_ && Rareness(literal_[i]) > Rareness(literal_[second_])) second_ = i;
  }
  if (second_ < first_) std::swap(first_, second_);
}

bool LiteralFinder::StandsAt(const char* position) const {
  return ignore_case_ ? EqualsFolded(position, literal_)
                      : std::memcmp(position, literal_.data(), literal_.size()) == 0;
}

size_t LiteralFinder::FindSlow(std::string_view text, size_t from) const {
  for (; from + literal_.size() <= text.size(); ++from) {
    if (StandsAt(text.data() + from)) return from;
  }
  return npos;
}

#if defined(__SSE2__)
size_t LiteralFinder::Find(std::string_view text, size_t from) const {
  // Setting bit 5 on both sides folds letters; what else it makes equal StandsAt sorts out.
  const char fold = ignore_case_ ? 0x20 : 0;
  const __m128i fold_all = _mm_set1_epi8(fold);
  const __m128i want_first = _mm_set1_epi8(static_cast<char>(literal_[first_] | fold));
  const __m128i want_second = _mm_set1_epi8(static_cast<char>(literal_[second_] | fold));
  const char* const base = text.data();
  const auto candidates = [&](size_t at) {
    const __m128i a = _mm_loadu_si128(reinterpret_cast<const __m128i*>(base + at + first_));
    const __m128i b = _mm_loadu_si128(reinterpret_cast<const __m128i*>(base + at + second_));
    return _mm_and_si128(_mm_cmpeq_epi8(_mm_or_si128(a, fold_all), want_first),
                         _mm_cmpeq_epi8(_mm_or_si128(b, fold_all), want_second));
  };
  const auto verify = [&](size_t at, uint32_t mask) {
    for (; mask != 0; mask &= mask - 1) {
      const size_t hit = at + static_cast<size_t>(std::countr_zero(mask));
      if (hit + literal_.size() <= text.size() && StandsAt(base + hit)) return hit;
    }
    return npos;
  };
  // Four vectors a turn: one branch for 64 positions.
  for (; from + second_ + 64 <= text.size(); from += 64) {
    const __m128i m0 = candidates(from), m1 = candidates(from + 16);
    const __m128i m2 = candidates(from + 32), m3 = candidates(from + 48);
    const __m128i any = _mm_or_si128(_mm_or_si128(m0, m1), _mm_or_si128(m2, m3));
    if (_mm_movemask_epi8(any) == 0) continue;
    const __m128i masks[4] = {m0, m1, m2, m3};
    for (size_t i = 0; i < 4; ++i) {
      const auto mask = static_cast<uint32_t>(_mm_movemask_epi8(masks[i]));
      if (const size_t hit = verify(from + 16 * i, mask); hit != npos) return hit;
    }
  }
  for (; from + second_ + 16 <= text.size(); from += 16) {
    const auto mask = static_cast<uint32_t>(_mm_movemask_epi8(candidates(from)));
    if (const size_t hit = verify(from, mask); hit != npos) return hit;
  }
  return FindSlow(text, from);
}
#else
size_t LiteralFinder::Find(std::string_view text, size_t from) const {
  return FindSlow(text, from);
}
#endif

}  // namespace kelp::query
