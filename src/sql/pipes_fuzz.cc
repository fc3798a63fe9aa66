// Lexer, pipes and the place of the first '|' on any bytes: places stay inside the text, and what
// is quoted reads back as it was.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/check.h"
#include "sql/lexer.h"
#include "sql/pipes.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kelp::sql;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t pipe = FindPipe(text);
  CHECK(pipe == text.npos || text[pipe] == '|', "a place that is no pipe");
  size_t at = 0;
  for (const Token& token : Tokenize(text)) {
    CHECK(token.begin >= at && token.end() <= size, "a token outside of the text");
    at = token.end();
  }
  CHECK(Tokenize(QuoteName(text)).front().text == text, "a quoted name changes");
  PipedStatement statement;
  Problem problem;
  if (TranslatePipes(text, statement, problem)) {
    CHECK(IsSql(statement.sql()), "pipes become no SQL");
    for (size_t i = 0; i < statement.sql().size(); i += 7) {
      CHECK(statement.OriginalPlace(i) <= size, "a place outside of the pipes");
    }
  } else {
    CHECK(!problem.status.ok() && problem.position && *problem.position <= size, "no place");
  }
  return 0;
}
