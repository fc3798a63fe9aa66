// SyntaxTree: what DuckDB understood of a statement, walked and judged.
//
// Threads:  values.
// Tests:    attack_test.cc
#ifndef KELP_SQL_SYNTAX_TREE_H_
#define KELP_SQL_SYNTAX_TREE_H_

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace kelp::sql {

class Database;
struct Problem;

class SyntaxTree {
 public:
  // A name in the statement: of a column with its qualifiers, of a function.
  struct Ref {
    std::vector<std::string> names;
    std::optional<size_t> position;
  };

  // False with `problem` when the text is no single allowed SELECT.
  bool Read(Database& database, const std::string& sql, Problem& problem);

  const std::vector<Ref>& columns() const { return columns_; }
  const std::vector<Ref>& functions() const { return functions_; }
  // Whether some * wants all columns.
  bool has_star() const { return has_star_; }
  bool has_groups() const { return has_groups_; }
  // Whether the statement itself defines this name: for a column, a table or a parameter of a
  // lambda.
  bool HasAlias(std::string_view name) const;
  // Whether it is the name of something cast to JSON, whose parts may be named with dots.
  bool IsJsonAlias(std::string_view name) const;

 private:
  class Walk;

  std::vector<Ref> columns_;
  std::vector<Ref> functions_;
  std::set<std::string> aliases_;  // lower case
  std::set<std::string> json_aliases_;
  bool has_star_ = false;
  bool has_groups_ = false;
};

}  // namespace kelp::sql

#endif  // KELP_SQL_SYNTAX_TREE_H_
