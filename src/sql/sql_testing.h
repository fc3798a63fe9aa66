// Test helpers: statements over rows in memory, results as text.
//
// Place: unit tests of this folder and of the server; linked into no program.
#ifndef KELP_SQL_SQL_TESTING_H_
#define KELP_SQL_SQL_TESTING_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "query/query_testing.h"
#include "sql/sql.h"

namespace kelp::sql::testing {

using query::testing::Json;
using query::testing::MemorySnapshot;
using query::testing::TestRow;
using query::testing::Text;

// Rows as "a|b" lines; NULL as "-".
class TextSink final : public RowSink {
 public:
  void Start(const std::vector<ResultColumn>& columns) override {
    columns_ = columns;
    text_.clear();
  }
  bool Row(std::span<const Cell> cells) override {
    for (size_t i = 0; i < cells.size(); ++i) {
      if (i > 0) text_ += '|';
      text_ += cells[i].kind == Cell::Kind::kNull ? "-" : std::string(cells[i].text);
    }
    text_ += '\n';
    return true;
  }
  const std::string& text() const { return text_; }
  std::string types() const {
    std::string out;
    for (const ResultColumn& column : columns_) {
      out += (out.empty() ? "" : " ") + column.name + ":" + column.type;
    }
    return out;
  }

 private:
  std::vector<ResultColumn> columns_;
  std::string text_;
};

class SqlTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const Status status = engine_.Available(); !status.ok()) {
      GTEST_SKIP() << "without DuckDB there is no SQL: " << status.message();
    }
  }

  // The result's rows, or "error at PLACE: MESSAGE".
  std::string Run(std::string_view statement, const std::string& search = "*") {
    query::ParseError error;
    const auto query = query::Parse(search, error);
    if (query == nullptr) return "search: " + error.message;
    request_.statement = statement;
    sink_ = TextSink();
    outcome_ = Outcome();
    problem_ = Problem();
    if (engine_.Run(snapshot_, *query, request_, sink_, outcome_, problem_)) return sink_.text();
    return "error at " + (problem_.position ? std::to_string(*problem_.position) : "?") + ": " +
           std::string(problem_.status.message());
  }

  const Engine engine_{Options{}};
  MemorySnapshot snapshot_;
  Request request_;
  TextSink sink_;
  Outcome outcome_;
  Problem problem_;
};

}  // namespace kelp::sql::testing

#endif  // KELP_SQL_SQL_TESTING_H_
