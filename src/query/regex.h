// Regex: a PCRE2 pattern compiled to machine code, with a bound on the work per value.
//
// A pattern sees values as UTF-8; bytes that are not UTF-8 match nothing but break nothing.
//
// Threads: Regex is immutable; a RegexRun is confined to one thread.
// Limits:  kRegexStepsMax, kRegexStackBytesMax per value (query/limits.h).
// Tests:   regex_test.cc
#ifndef KELP_QUERY_REGEX_H_
#define KELP_QUERY_REGEX_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "query/literal_finder.h"

namespace kelp::query {

class Regex {
 public:
  // The compiled pattern, or nullptr and what is wrong where in the pattern.
  static std::shared_ptr<const Regex> Compile(std::string_view pattern, std::string& error,
                                              size_t& error_position);
  ~Regex();
  Regex(const Regex&) = delete;
  Regex& operator=(const Regex&) = delete;

  // A text that every match contains; an empty finder when there is none that is sure.
  const LiteralFinder& literal() const { return literal_; }
  // Tokens that every matching value surely contains, as token filters know them.
  const std::vector<uint64_t>& hashes() const { return hashes_; }

 private:
  friend class RegexRun;
  Regex() = default;
  struct Code;
  std::unique_ptr<Code> code_;
  LiteralFinder literal_;
  std::vector<uint64_t> hashes_;
};

// Working memory for matching, shared by all patterns of one scan.
class RegexRun {
 public:
  RegexRun();
  ~RegexRun();
  RegexRun(const RegexRun&) = delete;
  RegexRun& operator=(const RegexRun&) = delete;

  // Whether the pattern matches somewhere in `text`. False, and counted, when it took too long.
  bool Matches(const Regex& regex, std::string_view text);
  // Values on which a pattern gave up so far.
  uint64_t gave_up() const { return gave_up_; }

 private:
  struct Memory;
  std::unique_ptr<Memory> memory_;  // made when the first pattern runs
  uint64_t gave_up_ = 0;
};

}  // namespace kelp::query

#endif  // KELP_QUERY_REGEX_H_
