// Runs tests/cases/query/*.case: rows and queries as text, with the rows or the error expected.
// The form is described in tests/cases/query/README.md.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "query/query_testing.h"

namespace kelp::query {
namespace {

using testing::TestRow;

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// The text up to the first space, which is taken away.
std::string_view TakeWord(std::string_view& text) {
  const size_t space = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, space);
  text = Trim(text.substr(space));
  return word;
}

class CaseRunner {
 public:
  explicit CaseRunner(std::string name) : name_(std::move(name)) {}

  void Run(std::istream& in) {
    std::string line;
    while (std::getline(in, line)) {
      ++line_number_;
      const bool indented = line.starts_with(' ');
      std::string_view rest = Trim(line);
      if (rest.empty() || rest[0] == '#') continue;
      SCOPED_TRACE(name_ + ":" + std::to_string(line_number_) + ": " + query_);
      const std::string_view word = TakeWord(rest);
      if (!indented && word == "row") {
        AddRow(rest);
      } else if (!indented && word == "query") {
        query_ = rest;
      } else if (!indented && word == "rows") {
        ExpectRows(rest);
      } else if (!indented && word == "error") {
        ExpectError(rest);
      } else if (indented && !rest.empty()) {
        AddField(word, rest);
      } else {
        ADD_FAILURE() << "not understood: " << line;
      }
    }
  }

 private:
  void AddRow(std::string_view rest) {
    TestRow row;
    row.time = std::atoll(std::string(TakeWord(rest)).c_str());
    row.offset = rows_.size() + 1;  // the number by which "rows" names it
    if (!rest.empty()) row.body = testing::Text(rest);
    rows_.push_back(std::move(row));
  }

  void AddField(std::string_view name, std::string_view rest) {
    ASSERT_FALSE(rows_.empty());
    const std::string_view sign = TakeWord(rest);
    const bool json = sign == ":=";
    ASSERT_TRUE(json || sign == "=") << "expected = or :=";
    const bool tag = name.starts_with('@');
    auto& values = tag ? rows_.back().resource : rows_.back().fields;
    values[std::string(name.substr(tag ? 1 : 0))] =
        json ? testing::Json(rest) : testing::Text(rest == "\"\"" ? "" : rest);
  }

  void ExpectRows(std::string_view expected) {
    ParseError error;
    const auto query = Parse(query_, error);
    ASSERT_NE(query, nullptr) << error.position << " " << error.message;
    // As one block, and as one block a row.
    for (const size_t block_rows : {rows_.size(), size_t{1}}) {
      testing::MemorySnapshot snapshot;
      for (size_t i = 0; i < rows_.size(); i += block_rows) {
        const auto begin = rows_.begin() + static_cast<ptrdiff_t>(i);
        snapshot.Add({begin, begin + static_cast<ptrdiff_t>(block_rows)});
      }
      const Result<SearchResult> result = Search(snapshot, *query, {});
      ASSERT_TRUE(result.ok()) << result.status().ToString();
      std::string found;
      for (const Row& row : result->rows) {
        found += (found.empty() ? "" : " ") + std::to_string(row.offset);
      }
      EXPECT_EQ(found.empty() ? "none" : found, expected);
    }
  }

  void ExpectError(std::string_view rest) {
    ParseError error;
    EXPECT_EQ(Parse(query_, error), nullptr);
    EXPECT_EQ(std::to_string(error.position), TakeWord(rest));
    EXPECT_NE(error.message.find(rest), std::string::npos) << error.message;
  }

  const std::string name_;
  size_t line_number_ = 0;
  std::vector<TestRow> rows_;
  std::string query_;
};

TEST(QueryCaseTest, AllCasesHold) {
  const char* source = std::getenv("KELP_SOURCE_DIR");
  const std::filesystem::path dir =
      std::filesystem::path(source == nullptr ? "." : source) / "tests/cases/query";
  ASSERT_TRUE(std::filesystem::is_directory(dir)) << dir << " (set KELP_SOURCE_DIR)";
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(dir)) {
    if (entry.path().extension() != ".case") continue;
    ++files;
    std::ifstream in(entry.path());
    CaseRunner(entry.path().filename().string()).Run(in);
  }
  EXPECT_GE(files, 1u);
}

}  // namespace
}  // namespace kelp::query
