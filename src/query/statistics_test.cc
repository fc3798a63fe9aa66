// Field statistics, context, patterns and several logstores at once.
#include <gtest/gtest.h>
#include <simdjson.h>

#include "query/context.h"
#include "query/field_statistics.h"
#include "query/line_mask.h"
#include "query/merged_snapshot.h"
#include "query/pattern_query.h"
#include "query/patterns.h"
#include "query/query_testing.h"
#include "query/scan_pool.h"
#include "query/value_table.h"

namespace kelp::query {
namespace {

using testing::Json;
using testing::MemorySnapshot;
using testing::TestRow;
using testing::Text;

std::shared_ptr<const Query> Q(std::string_view text) {
  ParseError error;
  auto query = Parse(text, error);
  EXPECT_NE(query, nullptr) << error.message;
  return query;
}

TestRow At(UnixNanos time, std::string_view body) {
  TestRow row;
  row.time = time;
  row.body = Text(body);
  row.offset = static_cast<uint64_t>(time);
  return row;
}

bool IsJson(const std::string& text) {
  simdjson::dom::parser parser;
  return parser.parse(text).error() == simdjson::SUCCESS;
}

// 100 rows in blocks of 10: every second has a status, durations are 1 to 100.
MemorySnapshot Requests() {
  MemorySnapshot snapshot;
  for (UnixNanos block = 0; block < 10; ++block) {
    std::vector<TestRow> rows;
    for (UnixNanos i = block * 10; i < block * 10 + 10; ++i) {
      TestRow row = At(i, i % 2 == 0 ? "even" : "odd");
      if (i % 2 == 0) row.fields["status"] = Json(i % 10 == 0 ? "500" : "200");
      row.fields["ms"] = Json(std::to_string(i + 1));
      row.resource["pod"] = Text(block < 7 ? "a" : "b");
      rows.push_back(row);
    }
    snapshot.Add(rows, {.dictionary_max = block % 2 == 0 ? 100u : 0u});
  }
  return snapshot;
}

const FieldStat* Find(const FieldStatsResult& result, std::string_view name) {
  for (const FieldStat& field : result.fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

TEST(FieldStatisticsTest, CountsCoverageAndTopValues) {
  const Result<FieldStatsResult> result = FieldStatistics(Requests(), *Q("*"), {});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->rows, 100u);
  EXPECT_TRUE(result->complete);
  ASSERT_EQ(result->fields.size(), 3u);
  const FieldStat* status = Find(*result, "status");
  ASSERT_NE(status, nullptr);
  EXPECT_EQ(status->present, 50u);
  EXPECT_EQ(status->distinct, 2u);
  EXPECT_TRUE(status->exact);
  ASSERT_EQ(status->top.size(), 2u);
  EXPECT_EQ(status->top[0].value, "200");
  EXPECT_EQ(status->top[0].count, 40u);
  const FieldStat* pod = Find(*result, "pod");
  ASSERT_NE(pod, nullptr);
  EXPECT_TRUE(pod->resource);
  EXPECT_EQ(pod->top[0].count, 70u);
  EXPECT_FALSE(pod->numbers);
}

TEST(FieldStatisticsTest, SaysWhatKindOfValuesAFieldHas) {
  std::vector<TestRow> rows;
  for (int i = 0; i < 4; ++i) {
    TestRow row = At(i, "x");
    row.fields["code"] = Text(std::to_string(-i));
    row.fields["took"] = Json(i == 0 ? "1" : "2.5");
    row.fields["ok"] = Json(i == 0 ? "true" : "false");
    row.fields["who"] = Json(i == 0 ? "{\"a\":1}" : "[]");
    row.fields["size"] = Text(i == 0 ? "-" : "10");
    row.fields["name"] = Text(i == 0 ? "7" : "ann");
    rows.push_back(row);
  }
  const auto result = FieldStatistics(MemorySnapshot(rows), *Q("*"), {});
  ASSERT_TRUE(result.ok());
  for (const auto& [name, kind] :
       std::vector<std::pair<std::string, std::string>>{{"code", "integer"},
                                                        {"took", "number"},
                                                        {"ok", "boolean"},
                                                        {"who", "json"},
                                                        {"size", "mixed"},
                                                        {"name", "text"}}) {
    EXPECT_EQ(Find(*result, name)->kind, kind) << name;
  }
}

TEST(FieldStatisticsTest, ListsValuesWithAPrefix) {
  FieldStatsRequest request;
  request.fields = {"body"};
  request.prefix = "OD";
  const auto result = FieldStatistics(Requests(), *Q("*"), request);
  ASSERT_TRUE(result.ok());
  ASSERT_EQ(result->fields.size(), 1u);
  EXPECT_EQ(result->fields[0].distinct, 2u);
  ASSERT_EQ(result->fields[0].top.size(), 1u);
  EXPECT_EQ(result->fields[0].top[0].value, "odd");
}

TEST(FieldStatisticsTest, SaysHowFarItIs) {
  Progress progress;
  FieldStatsRequest request;
  request.from = 50;
  request.limits.progress = &progress;
  ASSERT_TRUE(FieldStatistics(Requests(), *Q("status:500"), request).ok());
  EXPECT_EQ(progress.blocks, 5u);
  EXPECT_EQ(progress.blocks_done, 5u);
  EXPECT_EQ(progress.rows_scanned, 50u);
  EXPECT_EQ(progress.rows, 5u);
}

TEST(FieldStatisticsTest, SummarisesNumbers) {
  const Result<FieldStatsResult> result = FieldStatistics(Requests(), *Q("*"), {});
  ASSERT_TRUE(result.ok());
  const FieldStat* ms = Find(*result, "ms");
  ASSERT_TRUE(ms != nullptr && ms->numbers);
  EXPECT_EQ(ms->numbers->count, 100u);
  EXPECT_EQ(ms->numbers->min, 1);
  EXPECT_EQ(ms->numbers->max, 100);
  EXPECT_EQ(ms->numbers->average, 50.5);
  EXPECT_EQ(ms->numbers->p50, 50);
  EXPECT_EQ(ms->numbers->p99, 99);
  ASSERT_EQ(ms->numbers->buckets.size(), 20u);
  for (const uint64_t bucket : ms->numbers->buckets) EXPECT_EQ(bucket, 5u);
}

TEST(FieldStatisticsTest, NumbersTooFarApartForADifferenceStayJson) {
  MemorySnapshot snapshot;
  std::vector<TestRow> rows;
  for (const char* x : {"-1.7e308", "1.6e308", "1.7e308", "1.7e308"}) {
    TestRow row;
    row.time = static_cast<UnixNanos>(rows.size()) + 1;
    row.fields["x"] = testing::Json(x);
    rows.push_back(std::move(row));
  }
  snapshot.Add(std::move(rows));
  const Result<FieldStatsResult> result = FieldStatistics(snapshot, *Q("*"), {});
  ASSERT_TRUE(result.ok());
  const FieldStat* x = Find(*result, "x");
  ASSERT_TRUE(x != nullptr && x->numbers);
  EXPECT_EQ(x->numbers->buckets.front(), 1u);
  EXPECT_EQ(x->numbers->buckets.back(), 3u);
  std::string json;
  PrintFieldStatsJson(*result, json);
  EXPECT_TRUE(IsJson(json)) << json;
}

TEST(FieldStatisticsTest, LooksAtMatchingRowsOnlyAndAtFieldsAskedFor) {
  FieldStatsRequest request;
  request.fields = {"body", "pod"};
  request.from = 50;
  const Result<FieldStatsResult> result = FieldStatistics(Requests(), *Q("status:500"), request);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->rows, 5u);
  ASSERT_EQ(result->fields.size(), 2u);
  EXPECT_EQ(Find(*result, "body")->top[0].value, "even");
}

TEST(FieldStatisticsTest, ThreadsChangeNothing) {
  ScanPool pool(2);
  FieldStatsRequest request;
  std::string one, three;
  PrintFieldStatsJson(*FieldStatistics(Requests(), *Q("*"), request), one);
  request.limits.pool = &pool;
  request.limits.threads = 3;
  PrintFieldStatsJson(*FieldStatistics(Requests(), *Q("*"), request), three);
  EXPECT_EQ(one, three);
  EXPECT_TRUE(IsJson(one)) << one;
}

TEST(ValueTableTest, EstimatesWhatItHasNoRoomFor) {
  ValueTable table;
  int64_t memory = INT64_MAX;
  constexpr uint64_t kValues = 300'000;
  for (uint64_t i = 1; i <= kValues; ++i) table.Add(std::to_string(i), 1, memory);
  EXPECT_FALSE(table.exact());
  EXPECT_EQ(table.count(), kValues);
  EXPECT_NEAR(static_cast<double>(table.distinct()), kValues, kValues * 0.05);
  EXPECT_EQ(table.entries().size(), ValueTable::kValuesMax);
  EXPECT_EQ(table.sketched(), kValues - ValueTable::kValuesMax);
  for (const auto& [bucket, count] : table.sketch()) {
    EXPECT_GT(ValueTable::SketchValue(bucket), 0.98 * ValueTable::kValuesMax);
  }
}

TEST(ValueTableTest, StopsWhenMemoryIsSpent) {
  ValueTable table;
  int64_t memory = 10;
  for (const char* value : {"twelve bytes", "another one", "twelve bytes"}) {
    table.Add(value, 1, memory);
  }
  EXPECT_EQ(table.entries().size(), 1u);
  EXPECT_EQ(table.entries()[0]->count, 2u);
  EXPECT_EQ(table.distinct(), 2u);
}

// Two origins, rows of one spread over blocks and times that go astray.
MemorySnapshot TwoOrigins() {
  MemorySnapshot snapshot;
  for (UnixNanos block = 0; block < 4; ++block) {
    std::vector<TestRow> rows;
    for (UnixNanos i = block * 10; i < block * 10 + 10; ++i) {
      TestRow row = At(i % 3 == 0 ? i + 1 : i, "line " + std::to_string(i));
      row.origin = {1, static_cast<uint64_t>(i % 2)};
      row.offset = static_cast<uint64_t>(i);
      rows.push_back(row);
    }
    snapshot.Add(rows);
  }
  return snapshot;
}

TEST(ContextTest, GivesRowsOfTheOriginByOffset) {
  ContextRequest request;
  request.origin = {1, 1};
  request.offset = 19;
  request.time = 19;
  request.before = 3;
  request.after = 2;
  const Result<ContextResult> result = FindContext(TwoOrigins(), request);
  ASSERT_TRUE(result.ok()) << result.status().ToString();
  std::string lines;
  for (const Row& row : result->before) lines += row.body + ",";
  ASSERT_TRUE(result->row.has_value());
  lines += "[" + result->row->body + "]";
  for (const Row& row : result->after) lines += "," + row.body;
  EXPECT_EQ(lines, "line 13,line 15,line 17,[line 19],line 21,line 23");
}

TEST(ContextTest, StopsAtTheEndsAndRefusesRowsWithoutOrigin) {
  ContextRequest request;
  request.origin = {1, 0};
  request.offset = 2;
  request.time = 2;
  const Result<ContextResult> result = FindContext(TwoOrigins(), request);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->before.size(), 1u);
  EXPECT_EQ(result->after.size(), 10u);
  request.origin = {};
  EXPECT_EQ(FindContext(TwoOrigins(), request).status().code(), Code::kInvalidArgument);
}

std::string Masked(std::string_view line) {
  std::string out;
  MaskLine(line, out);
  return out;
}

TEST(LineMaskTest, MasksWhatVaries) {
  EXPECT_EQ(Masked("GET /api/users/42 took 15ms from 10.0.0.7"),
            "GET /api/users/<num> took <num>ms from <ip>");
  EXPECT_EQ(Masked("2026-11-21T10:00:01.123Z ERROR  x"), "<time> ERROR x");
  EXPECT_EQ(Masked("2026-11-21 10:00:01,123 [http-8080-3]"), "<time> [http-<num>-<num>]");
  EXPECT_EQ(Masked("at 10:00:01 peer 10.0.0.7:443 and 2001:db8::1"),
            "at <time> peer <ip> and <ip>");
  EXPECT_EQ(Masked("id 4bf92f3577b34da6a3ce929d0e0e4736 0xDEADBEEF"), "id <id> <id>");
  EXPECT_EQ(Masked("u 6ba7b810-9dad-11d1-80b4-00c04fd430c8."), "u <id>.");
  EXPECT_EQ(Masked("user=\"ann lee\" it's 'x'"), "user=<str> it's <str>");
  EXPECT_EQ(Masked("web-6c5d7b9f4-x2kzq E404 v1"), "web-<id>-x<num>kzq E<num> v<num>");
  EXPECT_EQ(Masked("load -3.5 of 1,024 (99.9%)"), "load <num> of <num> (<num>%)");
  EXPECT_EQ(Masked("错误 5 次"), "错误 <num> 次");
  EXPECT_EQ(Masked(""), "");
  EXPECT_EQ(Masked("no \"end"), "no \"end");
}

MemorySnapshot Lines(UnixNanos begin, int logins, int failures, int others) {
  MemorySnapshot snapshot;
  std::vector<TestRow> rows;
  for (int i = 0; i < logins; ++i) {
    const std::string name = i % 2 == 0 ? "ann" : "bob";
    rows.push_back(At(begin + i, "user " + name + " logged in from 10.0.0." + std::to_string(i)));
  }
  for (int i = 0; i < failures; ++i) {
    rows.push_back(At(begin + i, "cannot reach db-" + std::to_string(i) + " after 30s"));
  }
  for (int i = 0; i < others; ++i) rows.push_back(At(begin + i, "started"));
  snapshot.Add(rows);
  return snapshot;
}

TEST(PatternsTest, GroupsLinesThatAreAlike) {
  const Result<PatternsResult> result = FindPatterns(Lines(0, 60, 30, 10), *Q("*"), {});
  ASSERT_TRUE(result.ok()) << result.status().ToString();
  EXPECT_EQ(result->rows, 100u);
  ASSERT_EQ(result->patterns.size(), 3u);
  EXPECT_EQ(result->patterns[0].text, "user <*> logged in from <ip>");
  EXPECT_EQ(result->patterns[0].count, 60u);
  EXPECT_EQ(result->patterns[0].samples.size(), kPatternSamples);
  EXPECT_EQ(result->patterns[1].text, "cannot reach db-<num> after <num>s");
  EXPECT_EQ(result->patterns[2].text, "started");
  std::string json;
  PrintPatternsJson(*result, json);
  EXPECT_TRUE(IsJson(json)) << json;
}

TEST(PatternsTest, ASearchFindsTheRowsOfAPattern) {
  EXPECT_EQ(PatternQuery("user <num> logged in after <num>ms", false),
            "\"user * logged in after\"");
  EXPECT_EQ(PatternQuery("a=<num>, <str> \"b*\\ (<id>)", false), "\"a * b\"");
  EXPECT_EQ(PatternQuery("<time> 错误<num>次 here", false), "\"错 * here\"");
  EXPECT_EQ(PatternQuery("the last may be cu", true), "\"the last may be\"");
  EXPECT_EQ(PatternQuery("<time> <num>", false), "");
  const std::vector<std::string> lines = {
      "user ann-7 (10.0.0.1) took 1.5ms, 3 retries",
      "2026-11-21 10:00:01,123 [http-8080-3] GET /x?id=\"a b\" 200 -1",
      "错误5次, 请求 0xdeadbeef 失败",
      "path=/var/log/pods/web-6c5d7b9f4-x2kzq/app_0.log it's 'quoted text' end",
      std::string(600, 'w') + " tail",
      "a " + std::string(509, 'b') + "_goes_on",
  };
  for (const std::string& line : lines) {
    for (size_t words = 1; words < 70; words += 23) {
      std::string body;
      for (size_t i = 0; i < words; ++i) body += (i == 0 ? "" : " ") + line;
      const MemorySnapshot one({At(1, body)});
      const auto found = FindPatterns(one, *Q("*"), {});
      ASSERT_TRUE(found.ok() && found->patterns.size() == 1u) << line;
      std::string json;
      PrintPatternsJson(*found, json);
      const std::string query =
          PatternQuery(found->patterns[0].text, body.size() > kMaskedBytesMax);
      if (query.empty()) continue;
      EXPECT_EQ(Search(one, *Q(query), {})->rows.size(), 1u) << query << "\n" << body;
    }
  }
}

TEST(PatternsTest, ComparesTwoSpansOfTime) {
  MemorySnapshot snapshot = Lines(0, 50, 0, 50);
  for (const auto& row :
       {At(1000, "user x logged in from 10.0.0.1"), At(1001, "new thing here"),
        At(1002, "user y logged in from 10.0.0.1"), At(1003, "user z logged in from 10.0.0.1")}) {
    snapshot.Add({row});
  }
  PatternsRequest request;
  request.from = 1000;
  request.to = 2000;
  request.compare_to = 1000;
  const Result<PatternsResult> result = FindPatterns(snapshot, *Q("*"), request);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->rows, 4u);
  EXPECT_EQ(result->compared, 100u);
  ASSERT_EQ(result->patterns.size(), 3u);
  EXPECT_EQ(result->patterns[0].change, 1.5);
  EXPECT_EQ(result->patterns[1].text, "new thing here");
  EXPECT_EQ(result->patterns[1].compared, 0u);
  EXPECT_EQ(result->patterns[2].text, "started");
  EXPECT_EQ(result->patterns[2].count, 0u);
}

TEST(PatternsTest, StaysBoundedWhenEveryLineIsDifferent) {
  MemorySnapshot snapshot;
  std::vector<TestRow> rows;
  for (int i = 0; i < 3000; ++i) {
    std::string word;
    for (int n = i + 1; n > 0; n /= 10) word += static_cast<char>('a' + n % 10);
    rows.push_back(At(i, word + " " + word));
  }
  snapshot.Add(rows);
  PatternsRequest request;
  request.limit = 50;
  const Result<PatternsResult> result = FindPatterns(snapshot, *Q("*"), request);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->patterns.size(), 50u);
  EXPECT_EQ(result->others, 2950u);
}

TEST(MergedSnapshotTest, MergesByTimeAndNamesTheLogstore) {
  auto a = std::make_shared<MemorySnapshot>();
  auto b = std::make_shared<MemorySnapshot>();
  a->Add({At(1, "one"), At(4, "four")}).Add({At(6, "six")});
  b->Add({At(2, "two"), At(3, "three")}).Add({At(5, "five"), At(6, "six")});
  const MergedSnapshot all({{"p/a", a}, {"p/b", b}});
  SearchRequest request;
  request.limit = 2;
  std::string seen;
  do {
    const Result<SearchResult> result = Search(all, *Q("*"), request);
    ASSERT_TRUE(result.ok());
    for (const Row& row : result->rows) seen += row.logstore.substr(2) + ":" + row.body + " ";
    request.cursor = result->cursor;
  } while (!request.cursor.empty());
  // The same row in two logstores comes twice, in one order.
  EXPECT_TRUE(seen == "a:six b:six b:five a:four b:three b:two a:one " ||
              seen == "b:six a:six b:five a:four b:three b:two a:one ")
      << seen;
  const Result<HistogramResult> counts = CountOverTime(all, *Q("*"), {.from = 0, .to = 10});
  ASSERT_TRUE(counts.ok());
  EXPECT_EQ(counts->total, 7u);
  std::string json;
  Row row;
  row.logstore = "p/a";
  PrintRowJson(row, json);
  EXPECT_NE(json.find("\"logstore\":\"p/a\""), std::string::npos);
}

}  // namespace
}  // namespace kelp::query
