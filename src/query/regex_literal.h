// FindRequiredText: what every match of a regular expression surely contains, read off its text.
//
// A cautious reader: what it does not understand ends the literal at hand, and what changes the
// meaning of the rest (flags in the middle, verbs, \Q) makes it answer "nothing". Saying less is
// always right.
//
// Threads: a pure function.
// Tests:   regex_test.cc, query_eval_fuzz.cc
#ifndef KELP_QUERY_REGEX_LITERAL_H_
#define KELP_QUERY_REGEX_LITERAL_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kelp::query {

struct RequiredText {
  std::string literal;  // the longest; empty when none is sure
  bool ignore_case = false;
  std::vector<uint64_t> hashes;  // TokenHash of whole tokens inside the literals
};

RequiredText FindRequiredText(std::string_view pattern);

}  // namespace kelp::query

#endif  // KELP_QUERY_REGEX_LITERAL_H_
