#include "query/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "query/limits.h"
#include "query/regex_literal.h"

namespace kelp::query {
namespace {

bool IsAsciiText(std::string_view text) {
  // Whole words without an early exit: most text is ASCII to its end.
  uint64_t seen = 0;
  size_t i = 0;
  for (; i + sizeof seen <= text.size(); i += sizeof seen) {
    uint64_t word;
    std::memcpy(&word, text.data() + i, sizeof word);
    seen |= word;
  }
  for (; i < text.size(); ++i) seen |= static_cast<unsigned char>(text[i]);
  return (seen & 0x8080808080808080) == 0;
}

pcre2_code* CompileCode(std::string_view pattern, uint32_t options, int& error, size_t& position) {
  pcre2_code* code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                   options, &error, &position, nullptr);
  // Without machine code (no executable memory) the interpreter does the same, slower.
  if (code != nullptr) pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
  return code;
}

}  // namespace

struct Regex::Code {
  pcre2_code* utf = nullptr;    // for any text
  pcre2_code* ascii = nullptr;  // for plain ASCII text, faster; nullptr when the pattern is not
  ~Code() {
    pcre2_code_free(utf);
    pcre2_code_free(ascii);
  }
};

Regex::~Regex() = default;

std::shared_ptr<const Regex> Regex::Compile(std::string_view pattern, std::string& error,
                                            size_t& error_position) {
  // \C (one byte of a character) would make matching depend on the encoding.
  const uint32_t options = PCRE2_NEVER_BACKSLASH_C;
  std::shared_ptr<Regex> regex(new Regex);
  regex->code_ = std::make_unique<Code>();
  int code = 0;
  regex->code_->utf =
      CompileCode(pattern, options | PCRE2_UTF | PCRE2_MATCH_INVALID_UTF, code, error_position);
  if (regex->code_->utf == nullptr) {
    PCRE2_UCHAR message[256];
    pcre2_get_error_message(code, message, sizeof message);
    error = reinterpret_cast<const char*>(message);
    error_position = std::min(error_position, pattern.size());
    return nullptr;
  }
  int ignored = 0;
  size_t ignored_position = 0;
  if (IsAsciiText(pattern)) {
    regex->code_->ascii =
        CompileCode(pattern, options | PCRE2_NEVER_UTF, ignored, ignored_position);
  }
  RequiredText required = FindRequiredText(pattern);
  if (!required.literal.empty()) {
    regex->literal_ = LiteralFinder(required.literal, required.ignore_case);
  }
  regex->hashes_ = std::move(required.hashes);
  return regex;
}

struct RegexRun::Memory {
  pcre2_match_data* data = pcre2_match_data_create(1, nullptr);
  pcre2_match_context* context = pcre2_match_context_create(nullptr);
  pcre2_jit_stack* stack = pcre2_jit_stack_create(32 << 10, kRegexStackBytesMax, nullptr);
  Memory() {
    CHECK(data != nullptr && context != nullptr && stack != nullptr, "out of memory");
    pcre2_set_match_limit(context, kRegexStepsMax);
    pcre2_set_heap_limit(context, kRegexStackBytesMax >> 10);
    pcre2_jit_stack_assign(context, nullptr, stack);
  }
  ~Memory() {
    pcre2_jit_stack_free(stack);
    pcre2_match_context_free(context);
    pcre2_match_data_free(data);
  }
};

RegexRun::RegexRun() = default;
RegexRun::~RegexRun() = default;

bool RegexRun::Matches(const Regex& regex, std::string_view text) {
  if (memory_ == nullptr) memory_ = std::make_unique<Memory>();
  const pcre2_code* code = regex.code_->utf;
  if (regex.code_->ascii != nullptr && IsAsciiText(text)) code = regex.code_->ascii;
  // An empty view may have no address, which the library takes for a mistake.
  const char* const data = text.empty() ? "" : text.data();
  const int found = pcre2_match(code, reinterpret_cast<PCRE2_SPTR>(data), text.size(), 0, 0,
                                memory_->data, memory_->context);
  if (found < 0 && found != PCRE2_ERROR_NOMATCH) ++gave_up_;
  return found >= 0;
}

}  // namespace kelp::query
