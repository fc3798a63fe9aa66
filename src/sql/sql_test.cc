// Statements over rows in memory: what comes out, and what is said when it does not.
#include <gtest/gtest.h>

#include "query/merged_snapshot.h"
#include "sql/sql_testing.h"

namespace kelp::sql::testing {
namespace {

constexpr UnixNanos kNoon = 1'763'726'400'000'000'000;  // 2025-11-21T12:00:00Z
constexpr UnixNanos kMinute = 60'000'000'000;

class StatementTest : public SqlTest {
 protected:
  StatementTest() {
    const auto row = [](int minute, const char* level, const char* status, const char* took,
                        const char* pod) {
      TestRow made;
      made.time = kNoon + minute * kMinute;
      made.body = Text(std::string("GET /a ") + status);
      made.fields = {{"level", Text(level)},
                     {"status", Json(status)},
                     {"took", Text(took)},
                     {"req", Json("{\"user\":{\"id\":7},\"path\":\"/a\"}")}};
      made.resource = {{"k8s.pod.name", Text(pod)}};
      made.offset = static_cast<uint64_t>(minute);
      return made;
    };
    snapshot_.Add({row(0, "info", "200", "0.5", "web-1"), row(1, "info", "200", "1.5", "web-2"),
                   row(1, "error", "500", "2.5", "web-1")});
    snapshot_.Add({row(2, "info", "204", "0.25", "web-1"), row(3, "warn", "404", "3", "web-3")});
  }
};

TEST_F(StatementTest, OverSeveralLogstoresEachRowSaysWhichItIsOf) {
  const auto other = std::make_shared<MemorySnapshot>();
  TestRow row;
  row.time = kNoon;
  row.fields = {{"level", Text("info")}, {"logstore", Text("a field of that name")}};
  other->Add({row});
  const query::MergedSnapshot all({{"web", std::make_shared<MemorySnapshot>(snapshot_)},
                                   {"a-longer-name-of-a-logstore", other}});
  query::ParseError error;
  const auto everything = query::Parse("*", error);
  request_.statement = "SELECT logstore, level, count(*) GROUP BY ALL ORDER BY ALL";
  ASSERT_TRUE(engine_.Run(all, *everything, request_, sink_, outcome_, problem_));
  EXPECT_EQ(sink_.text(),
            "a-longer-name-of-a-logstore|info|1\nweb|error|1\nweb|info|3\nweb|warn|1\n");
  EXPECT_EQ(sink_.types(), "logstore:text level:text count_star():integer");
  request_.statement = "SELECT count(*) WHERE logstore = 'web' AND level = 'info'";
  ASSERT_TRUE(engine_.Run(all, *everything, request_, sink_, outcome_, problem_));
  EXPECT_EQ(sink_.text(), "3\n");
  // Of one logstore the name is free.
  EXPECT_NE(Run("SELECT logstore").find("logstore"), std::string::npos);
  snapshot_ = *other;
  EXPECT_EQ(Run("SELECT logstore"), "a field of that name\n");
}

TEST_F(StatementTest, CountsWithAndWithoutFrom) {
  EXPECT_EQ(Run("SELECT count(*)"), "5\n");
  EXPECT_EQ(Run("SELECT count(*) FROM log"), "5\n");
  EXPECT_EQ(Run("select count(*) WHERE level = 'info'"), "3\n");
  EXPECT_EQ(Run("SELECT count(*);  "), "5\n");
  EXPECT_EQ(Run("SELECT count(*) -- all of them"), "5\n");
}

TEST_F(StatementTest, ReadsOnlyWhatTheSearchLetsThrough) {
  EXPECT_EQ(Run("SELECT count(*)", "level:info"), "3\n");
  EXPECT_EQ(Run("SELECT count(*)", "absent"), "0\n");
  request_.from = kNoon + kMinute;
  request_.to = kNoon + 2 * kMinute;
  EXPECT_EQ(Run("SELECT count(*), min(time)"), "2|2025-11-21T12:01:00.000000000Z\n");
}

TEST_F(StatementTest, GroupsAndOrders) {
  EXPECT_EQ(Run("SELECT level, count(*) AS n GROUP BY 1 ORDER BY n DESC, level"),
            "info|3\nerror|1\nwarn|1\n");
  EXPECT_EQ(sink_.types(), "level:text n:integer");
  EXPECT_EQ(Run("SELECT level, count(*) n GROUP BY level HAVING count(*) > 1"), "info|3\n");
}

TEST_F(StatementTest, FieldsOfNumbersAreNumbers) {
  EXPECT_EQ(Run("SELECT max(status), sum(took), avg(status) WHERE status >= 300"), "500|5.5|452\n");
  EXPECT_EQ(sink_.types(), "max(status):integer sum(took):number avg(status):number");
}

TEST_F(StatementTest, ANumberLessValueMakesAFieldText) {
  TestRow row;
  row.time = kNoon + 9 * kMinute;
  row.fields = {{"took", Text("-")}, {"status", Text("007")}};
  snapshot_.Add({row});
  EXPECT_EQ(Run("SELECT took WHERE took = '-'"), "-\n");
  EXPECT_EQ(Run("SELECT status, count(*) GROUP BY 1 ORDER BY 1 LIMIT 2"), "007|1\n200|2\n");
  // Where numbers are needed they are taken, and the rest is counted.
  EXPECT_EQ(Run("SELECT sum(took)"), "7.75\n");
  EXPECT_EQ(outcome_.partial, "1 values of took are not numbers and count as NULL");
}

TEST_F(StatementTest, TextsThatAreNotTheSameStayApart) {
  MemorySnapshot versions;
  for (const char* version : {"1.1", "1.10", "1.9"}) {
    TestRow row;
    row.time = kNoon;
    row.fields = {{"version", Text(version)}};
    versions.Add({row});
  }
  snapshot_ = versions;
  EXPECT_EQ(Run("SELECT version, count(*) GROUP BY 1 ORDER BY 1"), "1.1|1\n1.10|1\n1.9|1\n");
}

TEST_F(StatementTest, FindsColumnsByTheirLastParts) {
  EXPECT_EQ(Run("SELECT k8s.pod.name AS p, count(*) GROUP BY p ORDER BY 2 DESC, 1 LIMIT 1"),
            "web-1|3\n");
  EXPECT_EQ(Run("SELECT pod.name, count(*) c GROUP BY pod.name ORDER BY c DESC LIMIT 1"),
            "web-1|3\n");
  EXPECT_EQ(Run("SELECT count(DISTINCT l.k8s.pod.name) FROM log AS l"), "3\n");
  EXPECT_EQ(Run("SELECT count(DISTINCT \"k8s.pod.name\")"), "3\n");
}

TEST_F(StatementTest, ReadsPartsOfJsonFields) {
  EXPECT_EQ(Run("SELECT req.user.id, count(*) GROUP BY 1"), "7|5\n");
  EXPECT_EQ(Run("SELECT json_extract_scalar(req, '$.path') LIMIT 1"), "/a\n");
}

TEST_F(StatementTest, GroupsByTimeSayHowToDrawThem) {
  EXPECT_EQ(Run("SELECT date_trunc('minute', time) AS t, level, count(*) AS n GROUP BY 1, 2 "
                "ORDER BY t, level LIMIT 2"),
            "2025-11-21T12:00:00.000000000Z|info|1\n2025-11-21T12:01:00.000000000Z|error|1\n");
  ASSERT_TRUE(outcome_.chart);
  EXPECT_EQ(outcome_.chart->kind, "time");
  EXPECT_EQ(outcome_.chart->x, "t");
  EXPECT_EQ(outcome_.chart->series, std::vector<std::string>{"level"});
  EXPECT_EQ(outcome_.chart->values, std::vector<std::string>{"n"});
}

TEST_F(StatementTest, WindowsSubqueriesSetsAndCommonTables) {
  EXPECT_EQ(Run("SELECT level, row_number() OVER (ORDER BY time, level) AS r ORDER BY r LIMIT 2"),
            "info|1\nerror|2\n");
  EXPECT_EQ(Run("WITH e AS (SELECT * FROM log WHERE status >= 400) SELECT count(*) FROM e"), "2\n");
  EXPECT_EQ(Run("SELECT count(*) UNION ALL SELECT 7 ORDER BY 1"), "5\n7\n7\n7\n7\n7\n");
  EXPECT_EQ(Run("SELECT count(*) FROM log WHERE status > (SELECT avg(status) FROM log)"), "2\n");
}

TEST_F(StatementTest, PrintsEveryTypeAsJsonOrText) {
  EXPECT_EQ(Run("SELECT true, 1.50::DECIMAL(4,2), [1,2], {'a': 'x'}, NULL, DATE '2025-01-02', "
                "sum(status::HUGEINT), 'x'::BLOB, ln(0.5) < 0 FROM log"),
            "true|1.50|[1,2]|{\"a\":\"x\"}|-|2025-01-02|1508|x|true\n");
}

TEST_F(StatementTest, SlsNames) {
  EXPECT_EQ(Run("SELECT approx_distinct(level), count_if(status = 200), "
                "to_unixtime(min(time)), date_format(min(time), '%Y-%m-%d %H:%i:%s')"),
            "3|2|1763726400|2025-11-21 12:00:00\n");
  EXPECT_EQ(Run("SELECT regexp_like('abc', 'b'), url_extract_host('https://u@kelp.dev:8/x?y=1'), "
                "url_extract_path('/x?y'), split_part('a/b', '/', 2), "
                "url_extract_parameter('/x?a=1&b=2', 'b') LIMIT 1"),
            "true|kelp.dev|/x|b|2\n");
}

TEST_F(StatementTest, ErrorsPointAtThePlace) {
  EXPECT_EQ(Run("SELECT levle, count(*) GROUP BY 1"),
            "error at 7: there is no column levle; did you mean level?");
  EXPECT_EQ(Run("SELECT count(* FROM log"), "error at 15: syntax error at or near \"FROM\"");
  EXPECT_EQ(Run("SELECT cuont(level)"),
            "error at 7: the function cuont is not known or not allowed here; did you mean count?");
  EXPECT_EQ(Run("SELECT pod.name, k8s.pod.name, levl"),
            "error at 31: there is no column levl; did you mean level?");
}

TEST_F(StatementTest, InvalidUtf8ComesAsReplacementCharacters) {
  TestRow row;
  row.time = kNoon;
  row.body = Text("caf\xE9 is longer than twelve");
  snapshot_.Add({row});
  EXPECT_EQ(Run("SELECT body, length(body) WHERE body LIKE 'caf%'"),
            "caf\xEF\xBF\xBD is longer than twelve|26\n");
}

TEST_F(StatementTest, StopsAtLimitsAndWhenCancelled) {
  request_.rows_max = 2;
  EXPECT_EQ(Run("SELECT level ORDER BY time, level"), "info\nerror\n");
  EXPECT_TRUE(outcome_.more);
  std::atomic<bool> cancelled{true};
  request_.limits.cancelled = &cancelled;
  EXPECT_EQ(Run("SELECT count(*) FROM log a, log b, log c, log d, log e, log f, log g, log h, log i"
                ", log j, log k, log l, log m, log n"),
            "error at ?: the query was cancelled");
}

TEST_F(StatementTest, DamagedBlocksAreLeftOutAndSaid) {
  TestRow row;
  row.time = kNoon;
  row.body = Text("x");
  snapshot_.Add({row}, {.corrupt = true});
  EXPECT_EQ(Run("SELECT count(body)"), "5\n");
  EXPECT_FALSE(outcome_.partial.empty());
}

}  // namespace
}  // namespace kelp::sql::testing
