// Pipes: what they give, and what is said when they are wrong.
#include "sql/pipes.h"

#include <gtest/gtest.h>

#include "sql/sql_testing.h"

namespace kelp::sql::testing {
namespace {

class PipesTest : public SqlTest {
 protected:
  PipesTest() {
    std::vector<TestRow> rows;
    for (int i = 0; i < 6; ++i) {
      TestRow row;
      row.time = 1'763'726'400'000'000'000 + i * 30'000'000'000;
      row.body = Text("{\"user\":{\"id\":" + std::to_string(i % 2) + "}}");
      row.fields = {{"level", Text(i % 3 == 0 ? "error" : "info")},
                    {"took", Json(std::to_string(i * 10))}};
      row.resource = {{"k8s.pod.name", Text("web-" + std::to_string(i % 2))}};
      rows.push_back(row);
    }
    snapshot_.Add(rows);
  }
};

TEST_F(PipesTest, Stats) {
  EXPECT_EQ(Run("stats count()"), "6\n");
  EXPECT_EQ(Run("stats count(), max(took) as slowest by level | sort level"),
            "error|2|30\ninfo|4|50\n");
  EXPECT_EQ(sink_.types(), "level:text count:integer slowest:integer");
  EXPECT_EQ(Run("stats count by pod.name | sort count desc, pod.name"), "web-0|3\nweb-1|3\n");
  EXPECT_EQ(Run("stats p50(took), dc(level)"), "25|2\n");
  EXPECT_EQ(sink_.types(), "p50(took):number dc(level):integer");
}

TEST_F(PipesTest, Top) {
  EXPECT_EQ(Run("top 1 level"), "info|4\n");
  EXPECT_EQ(Run("top level | limit 1"), "info|4\n");
}

TEST_F(PipesTest, TimeChart) {
  EXPECT_EQ(Run("timechart 1m by level | limit 2 | fields level, count | sort level"),
            "error|1\ninfo|1\n");
  EXPECT_EQ(Run("timechart 1h avg(took)"), "2025-11-21T12:00:00.000000000Z|25\n");
  ASSERT_TRUE(outcome_.chart);
  EXPECT_EQ(outcome_.chart->kind, "time");
}

TEST_F(PipesTest, FieldsSortLimitWhereExtendDistinct) {
  EXPECT_EQ(Run("fields level, took | sort took desc | limit 2"), "info|50\ninfo|40\n");
  EXPECT_EQ(Run("where level = 'error' | extend took * 2 AS twice | fields twice | sort -twice"),
            "60\n0\n");
  EXPECT_EQ(Run("distinct level | sort level"), "error\ninfo\n");
  EXPECT_EQ(Run("where level || 'x' = 'errorx' | stats count()"), "2\n");
}

TEST_F(PipesTest, ParseJson) {
  EXPECT_EQ(Run("parse json | stats count() by json.user.id | sort count desc | limit 1"), "0|3\n");
  EXPECT_EQ(Run("parse json body as b | where b.user.id = '1' | stats count()"), "3\n");
}

// DuckDB's messages point into the SQL; what stands there may be longer than what was written.
TEST(PipedStatementTest, WhatStandsForAWordPointsAtTheWord) {
  for (const std::string_view pipes : {"stats p95(took)", "stats count() | sort -count(a)"}) {
    PipedStatement statement;
    Problem problem;
    ASSERT_TRUE(TranslatePipes(pipes, statement, problem));
    for (size_t place = 0; place < statement.sql().size(); ++place) {
      EXPECT_LE(statement.OriginalPlace(place), pipes.size()) << statement.sql() << " at " << place;
    }
  }
  PipedStatement statement;
  Problem problem;
  ASSERT_TRUE(TranslatePipes("stats p95(took)", statement, problem));
  const size_t made = statement.sql().find("quantile_cont(took");
  ASSERT_NE(made, std::string::npos) << statement.sql();
  EXPECT_EQ(statement.OriginalPlace(made), 6u);
  EXPECT_EQ(statement.OriginalPlace(made + 13), 6u);
  EXPECT_EQ(statement.OriginalPlace(made + 14), 10u);
  EXPECT_EQ(statement.OriginalPlace(made + 16), 12u);
}

TEST_F(PipesTest, ErrorsPointAtThePlace) {
  EXPECT_EQ(Run("stats count() | srot level"),
            "error at 16: after '|' comes SELECT or one of stats, top, timechart, fields, parse "
            "json, sort, limit, where, extend, distinct; did you mean sort?");
  EXPECT_EQ(Run("stats count() by levle"),
            "error at 17: there is no column levle; did you mean level?");
  EXPECT_EQ(Run("timechart level"),
            "error at 10: a span of time like 1m, 30s or 1h is expected here");
  EXPECT_EQ(Run("stats getenv(level)"),
            "error at 6: the function getenv is not known or not allowed here");
  EXPECT_EQ(Run("limit x"), "error at 6: a number of rows is expected here");
}

}  // namespace
}  // namespace kelp::sql::testing
