// Queries over more rows than a case holds: limits, pages, ranges that overlap, streams, live rows.
#include <gtest/gtest.h>

#include "loki/log_query.h"
#include "loki/metric_query.h"
#include "loki/streams.h"
#include "query/query_testing.h"
#include "query/scan_pool.h"

namespace kelp::loki {
namespace {

using query::testing::MemorySnapshot;
using query::testing::TestRow;

std::unique_ptr<const Expr> ParseGood(const std::string& text) {
  SyntaxError error;
  auto expr = Parse(text, error);
  EXPECT_NE(expr, nullptr) << text << ": " << error.message;
  return expr;
}

// Rows at the given times, newest first in blocks of 1000.
Target MakeTarget(const std::vector<UnixNanos>& times) {
  auto snapshot = std::make_shared<MemorySnapshot>();
  std::vector<TestRow> rows;
  for (size_t i = times.size(); i-- > 0;) {
    TestRow row;
    row.time = times[i];
    row.offset = i + 1;
    row.body = query::testing::Text("row " + std::to_string(i));
    row.fields["n"] = query::testing::Json(std::to_string(i));
    row.resource["app"] = query::testing::Text(i % 2 == 0 ? "even" : "odd");
    rows.push_back(std::move(row));
    if (rows.size() == 1000 || i == 0) snapshot->Add(std::exchange(rows, {}));
  }
  Target target;
  target.sources.push_back({"logs", snapshot});
  return target;
}

std::vector<UnixNanos> Steps(size_t count, UnixNanos step) {
  std::vector<UnixNanos> times;
  for (size_t i = 1; i <= count; ++i) times.push_back(static_cast<UnixNanos>(i) * step);
  return times;
}

TEST(LogQuery, GoesOnPastPagesThatALateStageFiltersOut) {
  const Target target = MakeTarget(Steps(25'000, 1000));
  const auto expr = ParseGood(R"({app=~".+"} | n < 5)");
  for (const bool forward : {false, true}) {
    const auto found = RunLogQuery(target, *expr, {0, INT64_MAX / 2, 100, forward});
    ASSERT_TRUE(found.ok()) << found.status().ToString();
    ASSERT_EQ(found->lines.size(), 5u);
    EXPECT_EQ(found->lines[0].line, forward ? "row 0" : "row 4");
    EXPECT_EQ(found->cost.partial, "");
  }
}

TEST(LogQuery, TheOldestRowsOfManyAreFoundForward) {
  const Target target = MakeTarget(Steps(25'000, 1));
  const auto expr = ParseGood(R"({app="odd"})");
  const auto found = RunLogQuery(target, *expr, {0, INT64_MAX / 2, 3, true});
  ASSERT_TRUE(found.ok());
  ASSERT_EQ(found->lines.size(), 3u);
  EXPECT_EQ(found->lines[0].line, "row 1");
  EXPECT_EQ(found->lines[2].line, "row 5");
}

TEST(LogQuery, CancellingEndsIt) {
  std::atomic<bool> cancelled{true};
  Target target = MakeTarget(Steps(5000, 1));
  target.limits.cancelled = &cancelled;
  const auto found =
      RunLogQuery(target, *ParseGood(R"({app="odd"})"), {0, INT64_MAX / 2, 3, false});
  EXPECT_EQ(found.status().code(), Code::kCancelled);
}

// Ranges that overlap are added up from buckets; here is the plain way.
TEST(MetricQuery, OverlappingRangesCountAsThePlainWayDoes) {
  std::vector<UnixNanos> times;
  uint64_t state = 7;
  for (int i = 0; i < 3000; ++i) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    times.push_back(static_cast<UnixNanos>(state >> 33) % 100'000);
  }
  std::sort(times.begin(), times.end());
  const Target target = MakeTarget(times);
  for (const int64_t range : {1, 7, 100, 1000, 1001, 3000, 99'991}) {
    for (const int64_t step : {100, 700, 997}) {
      SCOPED_TRACE(std::to_string(range) + " by " + std::to_string(step));
      const auto expr = ParseGood(R"(sum(count_over_time({app=~".+"}[)" + std::to_string(range) +
                                  "ns] offset 13ns))");
      const MetricRequest request{500, 90'000, Duration(step)};
      const auto found = RunMetricQuery(target, *expr, request);
      ASSERT_TRUE(found.ok()) << found.status().ToString();
      for (size_t i = 0; i < request.steps(); ++i) {
        const int64_t at = 500 + static_cast<int64_t>(i) * step - 13;
        const auto plain = std::count_if(times.begin(), times.end(), [&](UnixNanos time) {
          return time > at - range && time <= at;
        });
        const double counted = found->series.empty() || found->series[0].present[i] == 0
                                   ? 0
                                   : found->series[0].values[i];
        ASSERT_EQ(counted, static_cast<double>(plain)) << "step " << i;
      }
    }
  }
}

TEST(MetricQuery, TooManySeriesAndTooMuchMemoryAreRefused) {
  Target target = MakeTarget(Steps(6000, 1));
  const MetricRequest moment{6000, 6000, Duration(0)};
  const auto by_n = ParseGood(R"(sum by (n) (count_over_time({app=~".+"}[1h])))");
  const auto many = RunMetricQuery(target, *by_n, moment);
  EXPECT_EQ(many.status().code(), Code::kResourceExhausted) << many.status().ToString();
  target.limits.memory = 1_KiB;
  const auto by_app = ParseGood(R"(sum by (app) (count_over_time({app=~".+"}[1h])))");
  const auto large = RunMetricQuery(target, *by_app, {0, 6000, Duration(1)});
  EXPECT_EQ(large.status().code(), Code::kResourceExhausted) << large.status().ToString();
  EXPECT_EQ(RunMetricQuery(target, *by_app, {0, 20'000, Duration(1)}).status().code(),
            Code::kInvalidArgument);
}

TEST(MetricQuery, AQuantilePaysForEachStepThatKeepsAValue) {
  Target target = MakeTarget(Steps(6000, 1));
  // 1000 steps, so close and with so long a range that each keeps nearly every row.
  const MetricRequest close{0, 7000, Duration(7)};
  target.limits.memory = 4_MiB;
  const auto expr = ParseGood(R"(quantile_over_time(0.5, {app=~".+"} | unwrap n [1h]) by (x))");
  const auto found = RunMetricQuery(target, *expr, close);
  EXPECT_EQ(found.status().code(), Code::kResourceExhausted) << found.status().ToString();
}

TEST(MetricQuery, EveryAggregationCanGroupByAField) {
  const Target target = MakeTarget(Steps(3, 1));
  for (const char* text : {R"(sum by (n) (count_over_time({app=~".+"}[1h])))",
                           R"(max by (n) (count_over_time({app=~".+"}[1h])))",
                           R"(avg by (n) (rate({app=~".+"}[1h]) * 3600))"}) {
    const auto found = RunMetricQuery(target, *ParseGood(text), {6000, 6000, Duration(0)});
    ASSERT_TRUE(found.ok()) << found.status().ToString();
    ASSERT_EQ(found->series.size(), 3u) << text;
    EXPECT_EQ(found->series[0].labels, (LabelList{{"n", "0"}})) << text;
    EXPECT_DOUBLE_EQ(found->series[0].values[0], 1) << text;
  }
}

TEST(MetricQuery, ManyRangesShareTheTimeOfOneQuery) {
  Target target = MakeTarget(Steps(10, 1));
  target.limits.time = Duration(0);
  const auto expr = ParseGood(R"(rate({app="odd"}[1h]) + rate({app="even"}[1h]))");
  const auto found = RunMetricQuery(target, *expr, {6000, 6000, Duration(0)});
  EXPECT_EQ(found.status().message(), "the query ran into its time limit; use fewer ranges");
}

TEST(MetricQuery, TheSameComesFromTwoThreads) {
  query::ScanPool pool(1);
  Target target = MakeTarget(Steps(20'000, 1000));
  const auto expr = ParseGood(R"(sum by (app) (sum_over_time({app=~".+"} | unwrap n [1ms])))");
  const MetricRequest request{1'000'000, 20'000'000, 500us};
  const auto one = RunMetricQuery(target, *expr, request);
  target.limits.pool = &pool;
  target.limits.threads = 2;
  const auto two = RunMetricQuery(target, *expr, request);
  ASSERT_TRUE(one.ok() && two.ok());
  ASSERT_EQ(one->series.size(), 2u);
  for (size_t i = 0; i < 2; ++i) EXPECT_EQ(one->series[i].values, two->series[i].values);
}

TEST(Streams, AreCountedByTheLabelsThatAreWanted) {
  const Target target = MakeTarget(Steps(5000, 1));
  Wanted wanted;
  wanted.Add("app");
  const auto found = FindStreams(target, {}, {}, wanted, 1, 1002);
  ASSERT_TRUE(found.ok());
  ASSERT_EQ(found->streams.size(), 2u);
  EXPECT_EQ(found->streams[0].labels, (LabelList{{"app", "even"}}));
  EXPECT_EQ(found->streams[0].rows + found->streams[1].rows, 1001u);
  const auto expr = ParseGood(R"({app="odd"} |= "9")");
  const auto filtered = FindStreams(target, expr->selector, expr->stages, wanted, 1, 101);
  ASSERT_TRUE(filtered.ok());
  ASSERT_EQ(filtered->streams.size(), 1u);
  EXPECT_EQ(filtered->streams[0].rows, 14u);  // 9 19 … 89, and 91 93 95 97 99
}

TEST(LiveRows, AreThoseThatTheQueryWouldFind) {
  const auto expr = ParseGood(R"({app="odd", logstore="logs"} |= "7")");
  RowFilter filter(*expr);
  TestRow row;
  row.time = 1;
  row.body = query::testing::Text("row 7");
  row.resource["app"] = query::testing::Text("odd");
  const BatchPtr batch = query::testing::BatchOf(row);
  EXPECT_TRUE(filter.MayTake(*batch->resource(), "logs"));
  EXPECT_FALSE(filter.MayTake(*batch->resource(), "other"));
  query::Row full = query::RowOf(*batch, 0);
  full.logstore = "logs";
  ASSERT_TRUE(filter.Take(full));
  full.body = "row 8";
  EXPECT_FALSE(filter.Take(full));
}

}  // namespace
}  // namespace kelp::loki
