// ValueMatches: whether one value answers one term. The plain form of what column_scan.h does fast.
#ifndef KELP_QUERY_VALUE_MATCH_H_
#define KELP_QUERY_VALUE_MATCH_H_

#include <cstdint>
#include <string>
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
  std::string json;
};

// A missing value matches nothing.
bool ValueMatches(const Term& term, const Value& value, MatchMemory& memory);
// Whether a value that `path` reaches inside a JSON object or array does.
bool ValueMatchesAt(const Term& term, const Value& value, std::string_view path,
                    MatchMemory& memory);

// How the name of a column relates to the field that a query names.
enum class NameMatch : uint8_t {
  kNone,
  kFull,    // it is the name
  kSuffix,  // its last dotted parts are
  kPrefix,  // its first dotted parts are: what the rest names may be inside a JSON value
};
NameMatch MatchName(std::string_view column, std::string_view field);

// What is left of `field` behind the name of a column that is a kPrefix of it.
inline std::string_view PathIn(std::string_view column, std::string_view field) {
  return field.substr(column.size() + 1);
}

}  // namespace kelp::query

#endif  // KELP_QUERY_VALUE_MATCH_H_
