// ParseTree: the text of a query to its tree, as written (not yet normalised).
//
// Recursive descent over the text itself; what a character means depends on where it stands ('-'
// and '/' are parts of words except at their beginning), so there is no separate token stream.
//
// Threads: a pure function.
// Limits:  kQueryBytesMax, kNestingMax, kTermsMax, kRegexesMax (query/limits.h).
// Errors:  the first one, at the character where the text stops making sense.
// Format:  docs/formats/query.md
// Tests:   parser_test.cc, tests/cases/query/*.case, query_parse_fuzz.cc
#ifndef KELP_QUERY_PARSER_H_
#define KELP_QUERY_PARSER_H_

#include <optional>
#include <string_view>

#include "query/ast.h"

namespace kelp::query {

std::optional<Tree> ParseTree(std::string_view text, ParseError& error);

}  // namespace kelp::query

#endif  // KELP_QUERY_PARSER_H_
