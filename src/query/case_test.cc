// Runs tests/cases/query/*.case: rows and queries as text, with the rows or the error expected.
// The form is described in tests/cases/query/README.md.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "query/parser.h"
#include "query/query_testing.h"
#include "query/scan_pool.h"

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
  size_t queries() const { return queries_; }

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
    ++queries_;
    ParseError error;
    const auto query = Parse(query_, error);
    ASSERT_NE(query, nullptr) << error.position << " " << error.message;
    const std::optional<Tree> tree = ParseTree(query_, error);
    EXPECT_EQ(PlainRows(*tree), expected) << "by the plain evaluator";
    EXPECT_EQ(LiveRows(query), expected) << "by live tail";
    static ScanPool pool(1);
    // As one block, a few rows a block, one row a block; with filters and without; with columns as
    // dictionaries and as plain text; on one thread and on two.
    for (const size_t block_rows : {rows_.size(), size_t{3}, size_t{1}}) {
      for (const unsigned form : {0u, 1u, 2u, 3u}) {
        const testing::BlockOptions options{.dictionary_max = form % 2 == 0 ? size_t{0} : 100,
                                            .filters = form < 2};
        SearchRequest request;
        request.limits.pool = &pool;
        request.limits.threads = 1 + form % 2;
        EXPECT_EQ(FoundRows(*query, block_rows, options, request), expected)
            << "in blocks of " << block_rows << ", form " << form;
      }
    }
  }

  static std::string ListOf(std::vector<std::pair<UnixNanos, uint64_t>> rows) {
    std::sort(rows.rbegin(), rows.rend());
    std::string out;
    for (const auto& [time, number] : rows)
      out += (out.empty() ? "" : " ") + std::to_string(number);
    return out.empty() ? "none" : out;
  }

  std::string PlainRows(const Tree& tree) const {
    std::vector<std::pair<UnixNanos, uint64_t>> found;
    for (const TestRow& row : rows_) {
      if (PlainMatches(tree, row)) found.emplace_back(row.time, row.offset);
    }
    return ListOf(std::move(found));
  }

  std::string LiveRows(const std::shared_ptr<const Query>& query) const {
    LiveMatcher matcher(query);
    std::vector<std::pair<UnixNanos, uint64_t>> found;
    for (const TestRow& row : rows_) {
      matcher.Match(*testing::BatchOf(row),
                    [&](uint32_t) { found.emplace_back(row.time, row.offset); });
    }
    return ListOf(std::move(found));
  }

  std::string FoundRows(const Query& query, size_t block_rows, const testing::BlockOptions& options,
                        const SearchRequest& request) const {
    testing::MemorySnapshot snapshot;
    for (size_t i = 0; i < rows_.size(); i += block_rows) {
      const auto begin = rows_.begin() + static_cast<ptrdiff_t>(i);
      const size_t count = std::min(block_rows, rows_.size() - i);
      snapshot.Add({begin, begin + static_cast<ptrdiff_t>(count)}, options);
    }
    const Result<SearchResult> result = Search(snapshot, query, request);
    if (!result.ok()) return result.status().ToString();
    std::vector<std::pair<UnixNanos, uint64_t>> found;
    for (const Row& row : result->rows) found.emplace_back(row.time, row.offset);
    return ListOf(std::move(found));
  }

  void ExpectError(std::string_view rest) {
    ++queries_;
    ParseError error;
    EXPECT_EQ(Parse(query_, error), nullptr);
    EXPECT_EQ(std::to_string(error.position), TakeWord(rest));
    EXPECT_NE(error.message.find(rest), std::string::npos) << error.message;
  }

  const std::string name_;
  size_t queries_ = 0;
  size_t line_number_ = 0;
  std::vector<TestRow> rows_;
  std::string query_;
};

TEST(QueryCaseTest, AllCasesHold) {
  const char* source = std::getenv("KELP_SOURCE_DIR");
  const std::filesystem::path dir =
      std::filesystem::path(source == nullptr ? "." : source) / "tests/cases/query";
  ASSERT_TRUE(std::filesystem::is_directory(dir)) << dir << " (set KELP_SOURCE_DIR)";
  size_t queries = 0;
  for (const auto& entry : std::filesystem::directory_iterator(dir)) {
    if (entry.path().extension() != ".case") continue;
    std::ifstream in(entry.path());
    CaseRunner runner(entry.path().filename().string());
    runner.Run(in);
    queries += runner.queries();
  }
  EXPECT_GE(queries, 300u);
}

}  // namespace
}  // namespace kelp::query
