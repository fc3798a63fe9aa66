// Statement: a SELECT of a user, checked against what is allowed and rewritten for DuckDB.
//
// DuckDB itself parses it (json_serialize_sql); we walk the tree. Everything that the walk does not
// know is refused: kinds of statements, of tables and of expressions, and functions by name
// (dialect.h). The text that runs is the text whose tree was checked.
//
// Rewritten are: the outermost SELECT without FROM (it reads `log`), names of SLS functions, dotted
// column names without quotes, last parts of column names where only one column ends so, and parts
// of JSON fields ("request.user.id" of the field "request").
//
// Threads:  values.
// Errors:   kInvalidArgument with the place; kPermissionDenied for what is never allowed.
// Limits:   of statement_limits below, each with its reason.
// Tests:    sql_test.cc, attack_test.cc
#ifndef KELP_SQL_STATEMENT_H_
#define KELP_SQL_STATEMENT_H_

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "sql/log_schema.h"
#include "sql/problem.h"

namespace kelp::sql {

class Database;

// Text beyond this is a mistake or an attack.
inline constexpr size_t kStatementBytesMax = 16 << 10;
// How many times larger than its arguments a value may become through concatenation and
// replacement, all levels of subqueries multiplied. Memory of values under way is not under
// DuckDB's limit: 2048 values of 1 KiB grow to 1 GiB at most.
inline constexpr double kGrowthMax = 512;
// What a count of repeat, lpad, range, ... may be.
inline constexpr int64_t kRepeatMax = 10'000;

// Changes of a text at places, and the way back from the new text's places.
class Edits {
 public:
  void Replace(size_t begin, size_t size, std::string text);
  std::string Apply(std::string_view text) const;
  size_t OriginalPlace(size_t place) const;
  bool empty() const { return edits_.empty(); }

 private:
  struct Edit {
    size_t begin;
    size_t size;
    std::string text;
  };
  std::vector<Edit> edits_;  // by begin
};

struct Statement {
  std::string sql;                  // what DuckDB runs
  std::vector<Edits> edits;         // from the user's text to it, in order
  std::set<size_t> columns;         // of the schema that it names
  bool grouped = false;             // it has GROUP BY
  std::vector<std::string> macros;  // CREATE MACRO ... that it needs

  size_t OriginalPlace(size_t place) const;
};

// False with `problem` when the statement is not to run.
bool CheckStatement(Database& database, std::string_view text, const LogSchema& schema,
                    Statement& statement, Problem& problem);

// "did you mean x?" for the nearest name; empty when none is near.
std::string Propose(std::string_view name, const std::vector<std::string_view>& known);

}  // namespace kelp::sql

#endif  // KELP_SQL_STATEMENT_H_
