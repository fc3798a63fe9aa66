// What statements may call, and the names that people bring from SLS and other systems.
//
// Threads: immutable.
// Tests:   sql_test.cc, attack_test.cc
#ifndef KELP_SQL_DIALECT_H_
#define KELP_SQL_DIALECT_H_

#include <string>
#include <string_view>
#include <vector>

namespace kelp::sql {

// True for functions (and operators) of DuckDB that read nothing but their arguments, in bounded
// memory. REQUIRES of all: names in lower case.
bool IsAllowedFunction(std::string_view name);
// The DuckDB name of a function that SLS calls otherwise; empty when there is none.
std::string_view RenamedFunction(std::string_view name);
// CREATE MACRO ... for a function that DuckDB does not have; empty when there is none.
std::string_view MacroOf(std::string_view name);
// All names that a statement may call, for proposals.
std::vector<std::string_view> FunctionNames();

// How the size of a function's result follows from its arguments, for the checker's bound.
enum class Growth {
  kLargest,  // not larger than the largest argument
  kSum,      // all arguments together
  kReplace,  // (text, found, replacement, ...): grows with the replacement
  kRepeat,   // a count decides: only small constants are allowed
};
Growth GrowthOf(std::string_view name);

}  // namespace kelp::sql

#endif  // KELP_SQL_DIALECT_H_
