// Regular expressions with captures: PCRE2 with its JIT compiler, and before it, where the pattern
// allows, a span program (span_program.h).
//
//   ASSIGN_OR_RETURN(Regex regex, Regex::Compile("^(?<ip>\\S+) (?<rest>.*)$"));
//   RegexMatcher matcher(regex);                  // one per thread
//   if (matcher.Match(text) == RegexOutcome::kMatch) use(matcher.group(1));
//
// Matching works on bytes: '.' is any byte but '\n', classes are ASCII; (*UTF) at the begin of the
// pattern makes it work on code points, and invalid sequences then match nothing.
// The first match in the text is found, as in Perl; '$' is the very end of the text.
//
// Threads:  Regex is immutable and cheap to copy; RegexMatcher is confined to one thread.
// Limits:   kMatchLimit steps of backtracking and kJitStackMax of stack for one text; a pattern
// that
//           runs into them gives kLimit, which callers count.
// Errors:   kInvalidArgument with PCRE2's message and the place in the pattern.
// Tests:    regex_test.cc, regex_fuzz.cc
#ifndef KELP_CODEC_REGEX_H_
#define KELP_CODEC_REGEX_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace kelp::codec {

enum class RegexOutcome : uint8_t { kMatch, kNoMatch, kLimit };

struct RegexOptions {
  bool span_program = true;  // false: always PCRE2, for tests and comparisons
  bool anchored = false;     // only a match that begins where the text begins counts
};

class Regex {
 public:
  // A hostile text may cost this much: about 10 ms.
  static constexpr uint32_t kMatchLimit = 1'000'000;
  static constexpr size_t kJitStackMax = 512 << 10;

  static Result<Regex> Compile(std::string_view pattern, const RegexOptions& options = {});

  // Groups, the whole match included.
  size_t groups() const;
  // By group; empty for groups without a name.
  const std::vector<std::string>& names() const;
  // Whether matching is first tried without PCRE2.
  bool has_span_program() const;

  // What a match can begin with, to reject texts by one look at their first byte.
  struct First {
    bool nothing = true;  // a match may be empty: every byte can follow
    std::array<bool, 256> bytes{};
  };
  First first() const;

 private:
  friend class RegexMatcher;
  struct Code;
  explicit Regex(std::shared_ptr<const Code> code) : code_(std::move(code)) {}
  std::shared_ptr<const Code> code_;
};

class RegexMatcher {
 public:
  explicit RegexMatcher(Regex regex);
  ~RegexMatcher();
  RegexMatcher(RegexMatcher&&) noexcept;
  RegexMatcher& operator=(RegexMatcher&&) noexcept;

  RegexOutcome Match(std::string_view text);
  // After kMatch: group i, which lies in the text. False when it took no part in the match.
  bool has_group(size_t i) const { return slots_[2 * i] != nullptr; }
  std::string_view group(size_t i) const {
    return {slots_[2 * i], static_cast<size_t>(slots_[2 * i + 1] - slots_[2 * i])};
  }

 private:
  struct Scratch;
  RegexOutcome MatchPcre(std::string_view text);

  Regex regex_;
  std::unique_ptr<Scratch> scratch_;
  std::vector<const char*> slots_;
};

}  // namespace kelp::codec

#endif  // KELP_CODEC_REGEX_H_
