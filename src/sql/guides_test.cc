// The examples of docs/guides/search.md and docs/guides/sql.md do what they say.
#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "base/env.h"
#include "sql/lexer.h"
#include "sql/sql_testing.h"

namespace kelp::sql::testing {
namespace {

std::vector<std::string> Lines(const std::string& path) {
  const char* root = std::getenv("KELP_SOURCE_DIR");
  const auto text = ReadFile(RealEnv().files(), JoinPath(root == nullptr ? "." : root, path));
  EXPECT_TRUE(text.ok()) << text.status().ToString();
  std::vector<std::string> lines;
  std::istringstream in(text.ok() ? *text : "");
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// What stands between the marks, from `at` on; `at` goes behind it. False when there is none.
bool Between(const std::string& line, const std::string& mark, size_t& at, std::string& out) {
  const size_t begin = line.find(mark, at);
  if (begin == line.npos) return false;
  const size_t end = line.find(mark, begin + mark.size());
  if (end == line.npos) return false;
  out = line.substr(begin + mark.size(), end - begin - mark.size());
  at = end + mark.size();
  return true;
}

void ExpectParses(const std::string& query) {
  query::ParseError error;
  EXPECT_NE(query::Parse(query, error), nullptr)
      << query << ": " << error.position << " " << error.message;
}

TEST(SearchGuide, ExamplesParse) {
  size_t examples = 0;
  bool table = false;
  for (const std::string& line : Lines("docs/guides/search.md")) {
    table = line.starts_with("|") && (table || line.find("you write") != line.npos);
    size_t at = table ? line.find('|', 1) : 0;
    std::string query;
    while (table && Between(line, "`", at, query)) {
      if (query == "200.0") continue;  // of a remark
      ExpectParses(query);
      ++examples;
    }
    if (line.starts_with("kelp logs") && Between(line, "'", at, query)) {
      ExpectParses(query);
      ++examples;
    }
  }
  EXPECT_GE(examples, 25u);
}

TEST(SearchGuide, MistakesAreSaidAsShown) {
  const std::vector<std::string> lines = Lines("docs/guides/search.md");
  auto line = std::find(lines.begin(), lines.end(), "## Mistakes");
  size_t examples = 0;
  for (; line != lines.end(); ++line) {
    const size_t gap = line->find("   ");
    const size_t colon = line->find(": ", gap);
    if (gap == line->npos || colon == line->npos || gap == 0) continue;
    const std::string query = line->substr(0, gap);
    const size_t said = line->find_first_not_of(' ', gap);
    query::ParseError error;
    EXPECT_EQ(query::Parse(query, error), nullptr) << query;
    EXPECT_EQ(std::to_string(error.position) + ": " + error.message, line->substr(said)) << query;
    ++examples;
  }
  EXPECT_GE(examples, 3u);
}

class SqlGuide : public SqlTest {
 protected:
  SqlGuide() {
    std::vector<TestRow> rows;
    for (int i = 0; i < 20; ++i) {
      TestRow row;
      row.time = 1'763'726'400'000'000'000 + i * int64_t{30'000'000'000};
      row.body = Text("connection refused code=" + std::to_string(i % 3));
      row.fields = {{"level", Text(i % 4 == 0 ? "error" : "info")},
                    {"path", Text(i % 2 == 0 ? "/a" : "/b")},
                    {"status", Json(i % 5 == 0 ? "503" : "200")},
                    {"request", Json("{\"user\":{\"id\":\"u" + std::to_string(i % 3) + "\"}}")},
                    {"took", Json(std::to_string(i * 20))}};
      row.resource = {{"k8s.pod.name", Text("web-" + std::to_string(i % 2))}};
      rows.push_back(row);
    }
    snapshot_.Add(rows);
  }
};

TEST_F(SqlGuide, ExamplesRunAndFindSomething) {
  bool fenced = false;
  size_t examples = 0;
  for (const std::string& line : Lines("docs/guides/sql.md")) {
    if (line.starts_with("```")) {
      fenced = !fenced;
      continue;
    }
    const size_t pipe = FindPipe(line);
    if (!fenced || pipe == line.npos) continue;
    const std::string result = Run(line.substr(pipe + 1), line.substr(0, pipe));
    EXPECT_FALSE(result.starts_with("error") || result.starts_with("search:")) << line << "\n"
                                                                               << result;
    EXPECT_GT(outcome_.rows, 0u) << line;
    ++examples;
  }
  EXPECT_GE(examples, 15u);
}

}  // namespace
}  // namespace kelp::sql::testing
