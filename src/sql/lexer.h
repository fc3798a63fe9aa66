// Tokens of SQL and of pipes, as far as Kelp itself looks at them: DuckDB parses the statement, we
// find places in it.
//
// Threads: values.
// Tests:   attack_test.cc, pipes_test.cc
#ifndef KELP_SQL_LEXER_H_
#define KELP_SQL_LEXER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kelp::sql {

struct Token {
  enum class Kind : uint8_t { kName, kQuotedName, kString, kNumber, kSymbol, kEnd };
  Kind kind = Kind::kEnd;
  size_t begin = 0;
  size_t size = 0;
  std::string text;  // names and strings without quotes and escapes

  size_t end() const { return begin + size; }
  bool IsName() const { return kind == Kind::kName || kind == Kind::kQuotedName; }
  // An unquoted name, whatever its case. REQUIRES: `keyword` in lower case.
  bool Is(std::string_view keyword) const;
  bool IsSymbol(std::string_view symbol) const { return kind == Kind::kSymbol && text == symbol; }
};

// All tokens, then one kEnd. Comments are left out; what does not end is a token to the end.
std::vector<Token> Tokenize(std::string_view text);

// "name" with quotes, as SQL reads it.
std::string QuoteName(std::string_view name);
// 'text' likewise.
std::string QuoteText(std::string_view text);

// Where the search half of "search | rest" ends: the position of the first '|' that is not inside
// quotes or a regular expression; npos when there is none.
size_t FindPipe(std::string_view text);

}  // namespace kelp::sql

#endif  // KELP_SQL_LEXER_H_
