// Pipes: "stats count() by pod | sort count desc | limit 10" as SQL.
//
// Each step becomes a SELECT over the one before it, so pipes pass through the same check, the same
// functions and the same limits as SQL (docs/guides/sql.md, "Pipes").
//
// Threads:  values.
// Errors:   kInvalidArgument with the place and what may stand there.
// Tests:    pipes_test.cc, pipes_fuzz.cc
#ifndef KELP_SQL_PIPES_H_
#define KELP_SQL_PIPES_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "sql/problem.h"

namespace kelp::sql {

// SQL made of pipes, and where its parts come from.
class PipedStatement {
 public:
  const std::string& sql() const { return sql_; }
  // The byte of the pipes that a byte of the SQL stands for.
  size_t OriginalPlace(size_t place) const;

  // Text of ours, standing for nothing; text that was written at `place`, letter by letter; text of
  // ours that stands for what was written at `place`.
  void Add(std::string_view text) { sql_ += text; }
  void AddFrom(size_t place, std::string_view text);
  void AddFor(size_t place, std::string_view text);
  void AddAll(const PipedStatement& other);

 private:
  struct Part {
    size_t begin;  // in sql_
    size_t size;   // of what was written so; 0: all of it stands for `place`
    size_t place;  // in the pipes
  };
  std::string sql_;
  std::vector<Part> parts_;
};

// True for text that begins like SQL and not like a pipe.
bool IsSql(std::string_view text);

// False with `problem` when the pipes are wrong.
bool TranslatePipes(std::string_view text, PipedStatement& statement, Problem& problem);

}  // namespace kelp::sql

#endif  // KELP_SQL_PIPES_H_
