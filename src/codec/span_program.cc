#include "codec/span_program.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "codec/simd.h"
#include "codec/span_compiler.h"

namespace kelp::codec {

// Opens the private types to the kernels.
struct SpanKernels {
  using Op = SpanProgram::Op;
  using Kind = SpanProgram::Kind;
  using Literal = SpanProgram::Literal;
  using SetTables = SpanProgram::SetTables;
};

namespace {

constexpr size_t kReadAhead = 64;
// Text up to this long is copied to the stack where its page ends too soon behind it.
constexpr size_t kStackCopyMax = 4096;

// The first place of the literal at which a run from `p`, all of whose bytes up to `outside` are in
// its set, can end.
const char* FindFirst(const char* p, const char* outside, const char* end,
                      const SpanKernels::Op& op, std::string_view literal) {
  if (static_cast<size_t>(end - p) < op.min) return nullptr;
  const std::string_view text(p, static_cast<size_t>(end - p));
  const size_t at = text.find(literal, op.min);
  return at == std::string_view::npos || p + at > outside ? nullptr : p + at;
}

const char* FindLast(const char* p, const char* outside, const char* end, const SpanKernels::Op& op,
                     std::string_view literal) {
  const std::string_view text(p, static_cast<size_t>(end - p));
  const size_t at = text.rfind(literal, static_cast<size_t>(outside - p));
  return at == std::string_view::npos || at < op.min ? nullptr : p + at;
}

namespace sse2 {
using Block = Block16;
inline const char* FindOutside(const char* p, const char* end, const SpanKernels::SetTables& set) {
  while (p < end && set.has[static_cast<unsigned char>(*p)]) ++p;
  return p;
}
#include "codec/span_run.inc"
}  // namespace sse2

KELP_AVX2_BEGIN
namespace avx2 {
using Block = Block32;
// Each byte picks the row of its low nibble; its high nibble picks the bit.
KELP_ALWAYS_INLINE const char* FindOutside(const char* p, const char* end,
                                           const SpanKernels::SetTables& set) {
  const __m256i low_rows =
      _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(set.low)));
  const __m256i high_rows =
      _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(set.high)));
  const __m256i bits = _mm256_setr_epi8(1, 2, 4, 8, 16, 32, 64, -128, 1, 2, 4, 8, 16, 32, 64, -128,
                                        1, 2, 4, 8, 16, 32, 64, -128, 1, 2, 4, 8, 16, 32, 64, -128);
  const __m256i nibble = _mm256_set1_epi8(0x0f);
  for (; p < end; p += 32) {
    const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    const __m256i low = _mm256_and_si256(bytes, nibble);
    const __m256i high = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), nibble);
    const __m256i bit = _mm256_shuffle_epi8(bits, high);
    // The sign of a byte tells whether its high nibble is 8 or above.
    const __m256i row = _mm256_blendv_epi8(_mm256_shuffle_epi8(low_rows, low),
                                           _mm256_shuffle_epi8(high_rows, low), bytes);
    const __m256i out = _mm256_cmpeq_epi8(_mm256_and_si256(row, bit), _mm256_setzero_si256());
    const auto mask = static_cast<uint32_t>(_mm256_movemask_epi8(out));
    if (mask != 0) return std::min(p + __builtin_ctz(mask), end);
  }
  return end;
}
#include "codec/span_run.inc"
bool RunAll(const SpanKernels::Op* ops, const SpanKernels::Literal* literals,
            const SpanKernels::SetTables* sets, const char* p, const char* end,
            const char** slots) {
  return RunOps(ops, ops, literals, sets, p, end, slots);
}
}  // namespace avx2
KELP_AVX2_END

bool RunAny(const SpanKernels::Op* ops, const SpanKernels::Literal* literals,
            const SpanKernels::SetTables* sets, std::string_view text, const char** slots) {
  const char* end = text.data() + text.size();
  if (HasAvx2()) return avx2::RunAll(ops, literals, sets, text.data(), end, slots);
  return sse2::RunOps(ops, ops, literals, sets, text.data(), end, slots);
}

// True when kReadAhead bytes behind the text are on the page that its last byte is on.
bool CanReadAhead(std::string_view text) {
  constexpr uintptr_t kPage = 4096;
  const auto last = reinterpret_cast<uintptr_t>(text.data() + text.size() - 1);
  return !KELP_CHECKED_MEMORY && !text.empty() && (last & (kPage - 1)) < kPage - kReadAhead;
}

}  // namespace

std::optional<SpanProgram> SpanProgram::Compile(std::string_view pattern) {
  return SpanCompiler(pattern).Compile();
}

bool SpanProgram::Run(std::string_view text, const char** slots) const {
  if (resets_) std::fill(slots, slots + slot_count(), nullptr);
  slots[0] = text.data();
  if (CanReadAhead(text)) [[likely]] {
    return RunAny(ops_.data(), literals_.data(), sets_.data(), text, slots);
  }
  char on_stack[kStackCopyMax + kReadAhead];
  std::unique_ptr<char[]> on_heap;
  char* copy = on_stack;
  if (text.size() > kStackCopyMax) {
    on_heap.reset(new char[text.size() + kReadAhead]);
    copy = on_heap.get();
  }
  if (!text.empty()) std::memcpy(copy, text.data(), text.size());
  std::memset(copy + text.size(), 0, kReadAhead);
  slots[0] = copy;
  if (!RunAny(ops_.data(), literals_.data(), sets_.data(), {copy, text.size()}, slots))
    return false;
  for (size_t i = 0; i < 2 * groups_; ++i) {
    if (slots[i] != nullptr) slots[i] = text.data() + (slots[i] - copy);
  }
  return true;
}

}  // namespace kelp::codec
