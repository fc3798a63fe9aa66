// PatternQuery: a search that finds the rows of a pattern (patterns.h).
//
//   "user <num> logged in after <num>ms"  →  "\"user * logged in after\""
//
// It finds every row of the pattern, and may find a few others: marks stand for any tokens, and so
// do the tokens that touch one.
//
// Threads: a pure function.
// Tests:   statistics_test.cc
#ifndef KELP_QUERY_PATTERN_QUERY_H_
#define KELP_QUERY_PATTERN_QUERY_H_

#include <string>
#include <string_view>

namespace kelp::query {

// A phrase of the search language; "" when the pattern has no token to look for. `cut`: lines go on
// behind the pattern, so its last token may be the beginning of one.
std::string PatternQuery(std::string_view pattern, bool cut);

}  // namespace kelp::query

#endif  // KELP_QUERY_PATTERN_QUERY_H_
