#include "codec/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <fmt/core.h>
#include <pcre2.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "codec/span_program.h"

namespace kelp::codec {
namespace {

constexpr size_t kJitStackStart = 32 << 10;

std::string PcreMessage(int error) {
  PCRE2_UCHAR buffer[256];
  const int size = pcre2_get_error_message(error, buffer, sizeof buffer);
  if (size < 0) return fmt::format("PCRE2 error {}", error);
  return std::string(reinterpret_cast<const char*>(buffer), static_cast<size_t>(size));
}

template <typename T, void (*kFree)(T*)>
struct PcreFree {
  void operator()(T* p) const { kFree(p); }
};
using CodePtr = std::unique_ptr<pcre2_code, PcreFree<pcre2_code, pcre2_code_free>>;
using CompileContextPtr =
    std::unique_ptr<pcre2_compile_context,
                    PcreFree<pcre2_compile_context, pcre2_compile_context_free>>;
using MatchContextPtr =
    std::unique_ptr<pcre2_match_context, PcreFree<pcre2_match_context, pcre2_match_context_free>>;
using MatchDataPtr =
    std::unique_ptr<pcre2_match_data, PcreFree<pcre2_match_data, pcre2_match_data_free>>;
using JitStackPtr =
    std::unique_ptr<pcre2_jit_stack, PcreFree<pcre2_jit_stack, pcre2_jit_stack_free>>;

std::vector<std::string> ReadNames(const pcre2_code* code) {
  uint32_t groups = 0, count = 0, entry_size = 0;
  PCRE2_SPTR table = nullptr;
  pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &groups);
  pcre2_pattern_info(code, PCRE2_INFO_NAMECOUNT, &count);
  pcre2_pattern_info(code, PCRE2_INFO_NAMEENTRYSIZE, &entry_size);
  pcre2_pattern_info(code, PCRE2_INFO_NAMETABLE, &table);
  std::vector<std::string> names(groups + 1);
  for (uint32_t i = 0; i < count; ++i, table += entry_size) {
    const size_t group = static_cast<size_t>(table[0]) << 8 | table[1];
    names[group] = reinterpret_cast<const char*>(table + 2);
  }
  return names;
}

// With a ^ of its own, or put into one that covers all its alternatives.
std::string AnchoredPattern(std::string_view pattern) {
  const bool alone = pattern.find('|') == std::string_view::npos;
  if (pattern.starts_with('^') && alone) return std::string(pattern);
  return alone ? "^" + std::string(pattern) : "^(?:" + std::string(pattern) + ")";
}

}  // namespace

struct Regex::Code {
  CodePtr pcre;
  std::vector<std::string> names;
  std::optional<SpanProgram> span;
  bool has_verbs = false;
};

Result<Regex> Regex::Compile(std::string_view pattern, const RegexOptions& options) {
  CompileContextPtr context(pcre2_compile_context_create(nullptr));
  CHECK(context != nullptr, "out of memory");
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  // Without this option a text that is not UTF-8 would be an error; it switches UTF on by itself.
  const bool utf = pattern.starts_with("(*UTF");
  const uint32_t flags = PCRE2_DOLLAR_ENDONLY | PCRE2_NEVER_BACKSLASH_C |
                         (utf ? PCRE2_MATCH_INVALID_UTF : 0) |
                         (options.anchored ? PCRE2_ANCHORED : 0);
  int error = 0;
  PCRE2_SIZE offset = 0;
  auto code = std::make_shared<Code>();
  code->pcre.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                 flags, &error, &offset, context.get()));
  if (code->pcre == nullptr) {
    return InvalidArgumentError(
        fmt::format("bad regular expression at character {}: {}", offset, PcreMessage(error)));
  }
  // Without JIT (a machine that forbids writable code) PCRE2 interprets.
  static_cast<void>(pcre2_jit_compile(code->pcre.get(), PCRE2_JIT_COMPLETE));
  code->names = ReadNames(code->pcre.get());
  code->has_verbs = pattern.find("(*") != std::string_view::npos;
  if (options.span_program) {
    code->span = options.anchored ? SpanProgram::Compile(AnchoredPattern(pattern))
                                  : SpanProgram::Compile(pattern);
  }
  return Regex(std::move(code));
}

size_t Regex::groups() const { return code_->names.size(); }
const std::vector<std::string>& Regex::names() const { return code_->names; }
bool Regex::has_span_program() const { return code_->span.has_value(); }

Regex::First Regex::first() const {
  First first;
  first.bytes.fill(true);
  uint32_t empty = 1, options = 0, kind = 0, unit = 0;
  const uint8_t* bitmap = nullptr;
  const pcre2_code* code = code_->pcre.get();
  pcre2_pattern_info(code, PCRE2_INFO_MATCHEMPTY, &empty);
  pcre2_pattern_info(code, PCRE2_INFO_ALLOPTIONS, &options);
  pcre2_pattern_info(code, PCRE2_INFO_FIRSTCODETYPE, &kind);
  pcre2_pattern_info(code, PCRE2_INFO_FIRSTCODEUNIT, &unit);
  pcre2_pattern_info(code, PCRE2_INFO_FIRSTBITMAP, &bitmap);
  // Code points have cases that begin with other bytes; verbs may end a match before it begins.
  if (empty != 0 || (options & PCRE2_UTF) != 0 || code_->has_verbs) return first;
  if (bitmap == nullptr && kind != 1) {
    first.nothing = false;
    return first;
  }
  first.nothing = false;
  first.bytes.fill(false);
  for (unsigned c = 0; c < 256; ++c) {
    // Whether the first byte counts in both cases is not told: so it does.
    const bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
    first.bytes[c] = bitmap != nullptr ? (bitmap[c / 8] >> (c % 8) & 1) != 0
                                       : c == unit || (letter && (c ^ 0x20) == unit);
  }
  return first;
}

struct RegexMatcher::Scratch {
  MatchDataPtr data;
  MatchContextPtr context;
  JitStackPtr stack;
};

RegexMatcher::RegexMatcher(Regex regex)
    : regex_(std::move(regex)), scratch_(std::make_unique<Scratch>()) {
  // One slot more, which span programs write what nobody wants to.
  slots_.resize(2 * regex_.groups() + 1);
  scratch_->data.reset(pcre2_match_data_create_from_pattern(regex_.code_->pcre.get(), nullptr));
  scratch_->context.reset(pcre2_match_context_create(nullptr));
  scratch_->stack.reset(pcre2_jit_stack_create(kJitStackStart, Regex::kJitStackMax, nullptr));
  CHECK(scratch_->data != nullptr && scratch_->context != nullptr && scratch_->stack != nullptr,
        "out of memory");
  pcre2_set_match_limit(scratch_->context.get(), Regex::kMatchLimit);
  pcre2_jit_stack_assign(scratch_->context.get(), nullptr, scratch_->stack.get());
}

RegexMatcher::~RegexMatcher() = default;
RegexMatcher::RegexMatcher(RegexMatcher&&) noexcept = default;
RegexMatcher& RegexMatcher::operator=(RegexMatcher&&) noexcept = default;

RegexOutcome RegexMatcher::Match(std::string_view text) {
  if (const auto& span = regex_.code_->span) {
    if (span->Run(text, slots_.data())) return RegexOutcome::kMatch;
    if (span->exact()) return RegexOutcome::kNoMatch;
  }
  return MatchPcre(text);
}

RegexOutcome RegexMatcher::MatchPcre(std::string_view text) {
  // PCRE2 wants a pointer even for no bytes.
  const char* begin = text.data() == nullptr ? "" : text.data();
  const int count = pcre2_match(regex_.code_->pcre.get(), reinterpret_cast<PCRE2_SPTR>(begin),
                                text.size(), 0, 0, scratch_->data.get(), scratch_->context.get());
  if (count == PCRE2_ERROR_NOMATCH) return RegexOutcome::kNoMatch;
  if (count < 0) return RegexOutcome::kLimit;
  const PCRE2_SIZE* offsets = pcre2_get_ovector_pointer(scratch_->data.get());
  for (size_t i = 0; i < regex_.groups(); ++i) {
    const bool set = static_cast<int>(i) < count && offsets[2 * i] != PCRE2_UNSET;
    // A group can end before it begins only by \K in a lookaround; then it is empty.
    slots_[2 * i] = set ? begin + offsets[2 * i] : nullptr;
    slots_[2 * i + 1] = set ? begin + std::max(offsets[2 * i], offsets[2 * i + 1]) : nullptr;
  }
  return RegexOutcome::kMatch;
}

}  // namespace kelp::codec
