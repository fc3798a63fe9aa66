// ValueMatches: whether one value answers one term. The plain form of what column_scan.h does fast.
#ifndef KELP_QUERY_VALUE_MATCH_H_
#define KELP_QUERY_VALUE_MATCH_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "batch/batch.h"
#include "query/ast.h"
#include "query/regex.h"
#include "store/tokens.h"

namespace kelp::query {

// Working memory of one thread.
struct MatchMemory {
  RegexRun regex;
  std::vector<store::Token> tokens;
};

// A missing value matches nothing.
bool ValueMatches(const Term& term, const Value& value, MatchMemory& memory);

// How the name of a column relates to the field that a query names.
enum class NameMatch : uint8_t {
  kNone,
  kFull,    // it is the name
  kSuffix,  // its last dotted parts are
};
NameMatch MatchName(std::string_view column, std::string_view field);

}  // namespace kelp::query

#endif  // KELP_QUERY_VALUE_MATCH_H_
