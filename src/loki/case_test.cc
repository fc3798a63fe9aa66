// Runs tests/cases/logql/*.case: rows and LogQL queries as text, with what must come out. The form
// is described in tests/cases/logql/README.md. Every query runs with the prefilter and without,
// over rows in one block and in many, on one thread and on two: the answer must be the same.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "loki/log_query.h"
#include "loki/metric_query.h"
#include "query/query_testing.h"
#include "query/scan_pool.h"

namespace kelp::loki {
namespace {

using query::testing::MemorySnapshot;
using query::testing::TestRow;

constexpr int64_t kSecond = 1'000'000'000;

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

std::string TakeWord(std::string_view& text) {
  const size_t space = std::min(text.find(' '), text.size());
  std::string word(text.substr(0, space));
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
      const std::string word = TakeWord(rest);
      if (indented) {
        AddField(word, rest);
      } else if (word == "row") {
        AddRow(rest);
      } else if (word == "range") {
        request_.start = Seconds(rest);
        request_.end = Seconds(rest);
        request_.step = Duration(Seconds(rest));
      } else if (word == "query") {
        Query(rest);
      } else if (word == "lines") {
        ExpectLines(rest);
      } else if (word == "is") {
        const int64_t row = std::atoll(TakeWord(rest).c_str());
        EXPECT_EQ(LineOf(row).line, rest);
      } else if (word == "label") {
        ExpectLabel(rest);
      } else if (word == "series") {
        expected_.insert(std::string(rest));
        EXPECT_EQ(series_.count(std::string(rest)), 1u) << Join(series_);
      } else if (word == "end") {
        EXPECT_EQ(Join(series_), Join(expected_));
      } else if (word == "error") {
        ExpectError(rest);
      } else {
        ADD_FAILURE() << "not understood: " << line;
      }
    }
  }

 private:
  static int64_t Seconds(std::string_view& rest) {
    return std::atoll(TakeWord(rest).c_str()) * kSecond;
  }

  void AddRow(std::string_view rest) {
    TestRow row;
    row.time = Seconds(rest);
    row.offset = rows_.size() + 1;
    if (!rest.empty()) row.body = query::testing::Text(rest);
    rows_.push_back(std::move(row));
  }

  void AddField(const std::string& name, std::string_view rest) {
    ASSERT_FALSE(rows_.empty());
    const bool json = TakeWord(rest) == ":=";
    const bool tag = name.starts_with('@');
    auto& values = tag ? rows_.back().resource : rows_.back().fields;
    values[name.substr(tag ? 1 : 0)] =
        json ? query::testing::Json(rest) : query::testing::Text(rest == "\"\"" ? "" : rest);
  }

  // Rows as they may lie in a store: `rows_per_block` each, columns as dictionaries or not.
  Target MakeTarget(size_t rows_per_block, size_t dictionary_max, bool prefilter) {
    auto snapshot = std::make_shared<MemorySnapshot>();
    std::vector<TestRow> sorted = rows_;
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const TestRow& a, const TestRow& b) { return a.time > b.time; });
    for (size_t i = 0; i < sorted.size(); i += rows_per_block) {
      const auto begin = sorted.begin() + static_cast<std::ptrdiff_t>(i);
      const auto end =
          sorted.begin() + static_cast<std::ptrdiff_t>(std::min(i + rows_per_block, sorted.size()));
      snapshot->Add({begin, end}, {.dictionary_max = dictionary_max});
    }
    Target target;
    target.sources.push_back({"logs", snapshot});
    target.prefilter = prefilter;
    if (rows_per_block == 1) {
      target.limits.pool = &pool_;
      target.limits.threads = 2;
    }
    return target;
  }

  template <typename F>
  void WithEachTarget(F&& f) {
    for (const size_t rows : {size_t{1000}, size_t{3}, size_t{1}}) {
      for (const size_t dictionary : {size_t{0}, size_t{100}}) {
        for (const bool prefilter : {true, false}) {
          SCOPED_TRACE("rows a block " + std::to_string(rows) + ", dictionaries " +
                       std::to_string(dictionary) + (prefilter ? ", prefilter" : ""));
          f(MakeTarget(rows, dictionary, prefilter));
        }
      }
    }
  }

  void Query(std::string_view text) {
    ++queries_;
    query_ = text;
    error_ = {};
    lines_.clear();
    series_.clear();
    expected_.clear();
    expr_ = Parse(text, error_);
    if (expr_ == nullptr) return;
    // One spelling, which means the same.
    SyntaxError error;
    const auto again = Parse(Format(*expr_), error);
    ASSERT_NE(again, nullptr) << Format(*expr_) << ": " << error.message;
    EXPECT_EQ(Format(*again), Format(*expr_));
    if (expr_->is_log()) {
      RunLines();
    } else {
      RunSeries();
    }
  }

  void RunLines() {
    bool first = true;
    WithEachTarget([&](const Target& target) {
      const LogRequest request{0, INT64_MAX / 2, 1000, false};
      auto found = RunLogQuery(target, *expr_, request);
      ASSERT_TRUE(found.ok()) << found.status().ToString();
      EXPECT_EQ(found->cost.partial, "");
      auto forward = RunLogQuery(target, *expr_, {0, INT64_MAX / 2, 1000, true});
      ASSERT_TRUE(forward.ok());
      std::reverse(forward->lines.begin(), forward->lines.end());
      EXPECT_EQ(Text(forward->lines), Text(found->lines));
      if (first) lines_ = found->lines;
      first = false;
      EXPECT_EQ(Text(found->lines), Text(lines_));
    });
  }

  void RunSeries() {
    bool first = true;
    WithEachTarget([&](const Target& target) {
      const auto found = RunMetricQuery(target, *expr_, request_);
      if (!found.ok()) {
        error_.message = found.status().message();
        return;
      }
      std::set<std::string> series;
      for (const Series& one : found->series) series.insert(Text(one));
      if (first) series_ = series;
      first = false;
      EXPECT_EQ(Join(series), Join(series_));
    });
  }

  static std::string Text(const LabelList& labels) {
    std::string out = "{";
    for (const auto& [name, value] : labels) {
      out += (out.size() > 1 ? "," : "") + name + "=" + value;
    }
    return out + "}";
  }
  static std::string Text(const Series& series) {
    std::ostringstream out;
    out << Text(series.labels);
    for (size_t i = 0; i < series.values.size(); ++i) {
      if (series.present[i] != 0) {
        out << " " << series.values[i];
      } else {
        out << " -";
      }
    }
    return out.str();
  }
  static std::string Text(const std::vector<LogLine>& lines) {
    std::string out;
    for (const LogLine& line : lines) {
      out += std::to_string(line.time) + " " + line.line + " " + Text(line.stream) +
             Text(line.fields) + Text(line.parsed) + "\n";
    }
    return out;
  }
  static std::string Join(const std::set<std::string>& texts) {
    std::string out;
    for (const std::string& text : texts) out += text + "\n";
    return out;
  }

  // Times are different in a case, so they name the row.
  int64_t RowOf(const LogLine& line) const {
    for (size_t i = 0; i < rows_.size(); ++i) {
      if (rows_[i].time == line.time) return static_cast<int64_t>(i) + 1;
    }
    return 0;
  }
  LogLine LineOf(int64_t row) const {
    for (const LogLine& line : lines_) {
      if (RowOf(line) == row) return line;
    }
    ADD_FAILURE() << "row " << row << " was not found";
    return {};
  }

  void ExpectLines(std::string_view rest) {
    ASSERT_NE(expr_, nullptr) << error_.message;
    std::string found;
    for (const LogLine& line : lines_) {
      found += (found.empty() ? "" : " ") + std::to_string(RowOf(line));
    }
    EXPECT_EQ(found.empty() ? "none" : found, rest);
  }

  // label ROW NAME VALUE; without VALUE there must be no such label.
  void ExpectLabel(std::string_view rest) {
    const LogLine line = LineOf(std::atoll(TakeWord(rest).c_str()));
    const std::string name = TakeWord(rest);
    std::string value;
    for (const auto* list : {&line.stream, &line.fields, &line.parsed}) {
      for (const auto& label : *list) {
        if (label.first == name) value = label.second;
      }
    }
    EXPECT_EQ(value, rest);
  }

  // error COLUMN PART; "-" for errors without a place.
  void ExpectError(std::string_view rest) {
    const std::string column = TakeWord(rest);
    EXPECT_NE(error_.message, "") << "no error";
    if (column != "-") {
      EXPECT_EQ(std::to_string(error_.position + 1), column) << error_.message;
    }
    EXPECT_NE(error_.message.find(rest), std::string::npos) << error_.message;
  }

  const std::string name_;
  int line_number_ = 0;
  size_t queries_ = 0;
  query::ScanPool pool_{1};
  std::vector<TestRow> rows_;
  MetricRequest request_{10 * kSecond, 10 * kSecond, Duration(0)};
  std::string query_;
  SyntaxError error_;
  std::unique_ptr<const Expr> expr_;
  std::vector<LogLine> lines_;
  std::set<std::string> series_;
  std::set<std::string> expected_;
};

TEST(LogQlCases, AllAnswerAsWritten) {
  const char* root = std::getenv("KELP_SOURCE_DIR");
  const std::filesystem::path dir =
      std::filesystem::path(root == nullptr ? "." : root) / "tests/cases/logql";
  size_t queries = 0;
  for (const auto& entry : std::filesystem::directory_iterator(dir)) {
    if (entry.path().extension() != ".case") continue;
    CaseRunner runner(entry.path().filename().string());
    std::ifstream in(entry.path());
    runner.Run(in);
    queries += runner.queries();
  }
  // So that a run that finds no files does not pass.
  EXPECT_GE(queries, 100u);
}

}  // namespace
}  // namespace kelp::loki
