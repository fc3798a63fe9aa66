#include "codec/json_scan.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include "codec/json_escape.h"
#include "codec/simd.h"

namespace kelp::codec {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

const char* SkipDigits(const char* p, const char* end) {
  while (p < end && IsDigit(*p)) ++p;
  return p;
}

const char* SkipLiteral(const char* p, const char* end, std::string_view word) {
  if (static_cast<size_t>(end - p) < word.size()) return nullptr;
  return std::memcmp(p, word.data(), word.size()) == 0 ? p + word.size() : nullptr;
}

const char* SkipScalar(const char* p, const char* end) {
  bool escaped = false;
  switch (*p) {
    case '"':
      p = SkipJsonString(p + 1, end, escaped);
      return p == nullptr ? nullptr : p + 1;
    case 't':
      return SkipLiteral(p, end, "true");
    case 'f':
      return SkipLiteral(p, end, "false");
    case 'n':
      return SkipLiteral(p, end, "null");
    default:
      return SkipJsonNumber(p, end);
  }
}

// The objects and arrays around a place, innermost last; one bit each.
class Nesting {
 public:
  bool empty() const { return depth_ == 0; }
  bool in_object() const { return (bits_[(depth_ - 1) / 64] >> ((depth_ - 1) % 64) & 1) != 0; }
  bool Push(bool object) {
    if (depth_ == kJsonDepthMax) return false;
    const uint64_t bit = uint64_t{1} << (depth_ % 64);
    uint64_t& word = bits_[depth_++ / 64];
    word = object ? word | bit : word & ~bit;
    return true;
  }
  void Pop() { --depth_; }

 private:
  std::array<uint64_t, kJsonDepthMax / 64 + 1> bits_;
  size_t depth_ = 0;
};

// A member's key and colon at `p`: where its value begins.
const char* SkipKey(const char* p, const char* end) {
  p = SkipJsonSpace(p, end);
  if (p == end || *p != '"') return nullptr;
  bool escaped = false;
  p = SkipJsonString(p + 1, end, escaped);
  if (p == nullptr) return nullptr;
  p = SkipJsonSpace(p + 1, end);
  return p < end && *p == ':' ? p + 1 : nullptr;
}

// Behind a value: over the closing brackets that follow and the comma to the next value. Sets
// `done` when the outermost one was closed.
const char* SkipAfterValue(const char* p, const char* end, Nesting& nesting, bool& done) {
  while (!nesting.empty()) {
    p = SkipJsonSpace(p, end);
    if (p == end) return nullptr;
    const bool object = nesting.in_object();
    if (*p == ',') return object ? SkipKey(p + 1, end) : p + 1;
    if (*p != (object ? '}' : ']')) return nullptr;
    nesting.Pop();
    ++p;
  }
  done = true;
  return p;
}

// Behind '{' or '[': where the first value in it begins, or behind its end when it is empty.
const char* SkipOpening(const char* p, const char* end, Nesting& nesting, bool& empty) {
  const bool object = *p == '{';
  p = SkipJsonSpace(p + 1, end);
  if (p == end) return nullptr;
  if (!nesting.Push(object)) return nullptr;
  empty = *p == (object ? '}' : ']');
  if (empty) {
    nesting.Pop();
    return p + 1;
  }
  return object ? SkipKey(p, end) : p;
}

const char* SkipContainer(const char* p, const char* end) {
  Nesting nesting;
  bool done = false;
  while (!done) {
    p = SkipJsonSpace(p, end);
    if (p == end) return nullptr;
    bool complete = true;
    if (*p == '{' || *p == '[') {
      p = SkipOpening(p, end, nesting, complete);
    } else {
      p = SkipScalar(p, end);
    }
    if (p == nullptr) return nullptr;
    if (complete) p = SkipAfterValue(p, end, nesting, done);
    if (p == nullptr) return nullptr;
  }
  return p;
}

}  // namespace

const char* SkipJsonString(const char* p, const char* end, bool& escaped) {
  for (;;) {
    p = FindJsonSpecial(p, end);
    if (p == end) return nullptr;
    if (*p == '"') return p;
    if (*p != '\\') return nullptr;
    escaped = true;
    p = SkipEscape(p, end);
    if (p == nullptr) return nullptr;
  }
}

const char* SkipJsonNumber(const char* p, const char* end) {
  if (p < end && *p == '-') ++p;
  if (p == end || !IsDigit(*p)) return nullptr;
  p = *p == '0' ? p + 1 : SkipDigits(p, end);
  if (p < end && *p == '.') {
    const char* fraction = SkipDigits(p + 1, end);
    if (fraction == p + 1) return nullptr;
    p = fraction;
  }
  if (p < end && (*p == 'e' || *p == 'E')) {
    ++p;
    if (p < end && (*p == '+' || *p == '-')) ++p;
    const char* exponent = SkipDigits(p, end);
    if (exponent == p) return nullptr;
    p = exponent;
  }
  return p;
}

const char* SkipJsonValue(const char* p, const char* end) {
  p = SkipJsonSpace(p, end);
  if (p == end) return nullptr;
  return *p == '{' || *p == '[' ? SkipContainer(p, end) : SkipScalar(p, end);
}

bool IsJson(std::string_view text) {
  const char* end = text.data() + text.size();
  const char* p = SkipJsonValue(text.data(), end);
  return p != nullptr && SkipJsonSpace(p, end) == end;
}

namespace {
namespace sse2 {
using Block = Block16;
#include "codec/json_content.inc"
}  // namespace sse2

KELP_AVX2_BEGIN
namespace avx2 {
using Block = Block32;
#include "codec/json_content.inc"
}  // namespace avx2
KELP_AVX2_END
}  // namespace

bool ReadJsonContent(const char* p, const char* end, Batch& arena, std::string_view& text) {
  return HasAvx2() ? avx2::ReadContent(p, end, arena, text)
                   : sse2::ReadContent(p, end, arena, text);
}

char* UnescapeJson(const char* p, const char* end, char* out) {
  const __m128i backslash = _mm_set1_epi8('\\');
  while (end - p >= 16) {
    const __m128i bytes = Load16(p);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), bytes);
    const auto mask = static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, backslash)));
    if (mask == 0) {
      p += 16;
      out += 16;
      continue;
    }
    const int plain = __builtin_ctz(mask);
    p += plain;
    out += plain;
    ResolveEscape(p, end, out);
  }
  while (p < end) {
    if (*p == '\\') {
      ResolveEscape(p, end, out);
    } else {
      *out++ = *p++;
    }
  }
  return out;
}

}  // namespace kelp::codec
