// What explain says, and that threads change no answer.
#include "query/explain.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include "query/query_testing.h"
#include "query/scan_pool.h"

namespace kelp::query {
namespace {

using testing::MemorySnapshot;
using testing::TestRow;
using testing::Text;

std::shared_ptr<const Query> Q(std::string_view text) {
  ParseError error;
  auto query = Parse(text, error);
  EXPECT_NE(query, nullptr) << error.message;
  return query;
}

TestRow At(UnixNanos time, std::string_view body, std::string_view level) {
  TestRow row;
  row.time = time;
  row.body = Text(body);
  row.fields["level"] = Text(level);
  row.offset = static_cast<uint64_t>(time);
  return row;
}

MemorySnapshot ThreeBlocks() {
  MemorySnapshot snapshot;
  snapshot.Add({At(30, "late timeout", "error"), At(31, "late ok", "info")});
  snapshot.Add({At(20, "disk full", "error"), At(21, "disk ok", "error")});
  snapshot.Add({At(10, "early timeout", "info"), At(11, "early ok", "info")});
  return snapshot;
}

Explain ExplainOf(const MemorySnapshot& snapshot, std::string_view text, UnixNanos from = 0,
                  uint32_t limit = 100) {
  SearchRequest request;
  request.from = from;
  request.limit = limit;
  request.explain = true;
  Result<SearchResult> result = Search(snapshot, *Q(text), request);
  EXPECT_TRUE(result.ok()) << result.status().ToString();
  return result.ok() ? result->explain : Explain();
}

TEST(ExplainTest, SaysWhyBlocksWereSkipped) {
  const MemorySnapshot snapshot = ThreeBlocks();
  const Explain words = ExplainOf(snapshot, "timeout");
  EXPECT_EQ(words.blocks, 3u);
  EXPECT_EQ(words.hot_blocks, 3u);
  EXPECT_EQ(words.fate(BlockFate::kWords).blocks, 1u);
  EXPECT_EQ(words.fate(BlockFate::kWords).rows, 2u);
  EXPECT_EQ(words.rows_matched, 2u);
  EXPECT_EQ(ExplainOf(snapshot, "level:=info").fate(BlockFate::kValues).blocks, 1u);
  EXPECT_EQ(ExplainOf(snapshot, "level:>=x").fate(BlockFate::kValues).blocks, 3u);
  EXPECT_EQ(ExplainOf(snapshot, "absent:x").fate(BlockFate::kNoField).blocks, 3u);
  EXPECT_EQ(ExplainOf(snapshot, "*", 25).fate(BlockFate::kTime).blocks, 2u);
  EXPECT_EQ(ExplainOf(snapshot, "*", 0, 1).fate(BlockFate::kNotReached).blocks, 2u);
}

TEST(ExplainTest, CountsTermsThatSettleOrRuleOut) {
  const Explain explain = ExplainOf(ThreeBlocks(), "level:=error disk");
  ASSERT_EQ(explain.terms.size(), 2u);
  EXPECT_EQ(explain.terms[0].term, "level:=\"error\"");
  EXPECT_EQ(explain.terms[0].settled, 1u);
  EXPECT_EQ(explain.terms[0].ruled_out, 1u);
  EXPECT_EQ(explain.plan, "(and level:=\"error\" \"disk\")");
}

TEST(ExplainTest, IsOnlyFilledWhenAskedFor) {
  const Result<SearchResult> result = Search(ThreeBlocks(), *Q("timeout"), {});
  ASSERT_TRUE(result.ok());
  EXPECT_FALSE(result->explain.filled);
}

TEST(ExplainTest, PatternsThatGiveUpOnDictionariesAreCountedOnce) {
  MemorySnapshot snapshot;
  TestRow row = At(1, "x", std::string(40, 'a') + "!");
  snapshot.Add({row, At(2, "y", "b")}, {.dictionary_max = 10});
  const Result<HistogramResult> result =
      CountOverTime(snapshot, *Q("level:/(a+)+$|b$/"), {.from = 0, .to = 10});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->total, 1u);
  EXPECT_NE(result->partial.find("on 1 values"), std::string::npos) << result->partial;
}

TEST(ExplainTest, PrintsJson) {
  std::string json;
  PrintExplainJson(ExplainOf(ThreeBlocks(), "\"a \\\"b\\\" timeout\""), json);
  simdjson::dom::parser parser;
  simdjson::dom::element parsed;
  ASSERT_EQ(parser.parse(json).get(parsed), simdjson::SUCCESS) << json;
  EXPECT_EQ(uint64_t(parsed["fates"]["words"]["blocks"]), 3u);
  EXPECT_EQ(parsed["terms"].get_array().size(), 1u);
}

TEST(ScanPoolTest, RunsTheCallerAndItsHelpers) {
  ScanPool pool(2);
  for (int round = 0; round < 200; ++round) {
    std::atomic<int> calls{0};
    std::atomic<int> running{0};
    pool.Run(2, [&](size_t) {
      ++running;
      ++calls;
      --running;
    });
    EXPECT_GE(calls, 1);
    EXPECT_LE(calls, 3);
    EXPECT_EQ(running, 0);
  }
}

TEST(ScanPoolTest, ThreadsChangeNoAnswer) {
  ScanPool pool(3);
  std::vector<TestRow> rows;
  for (UnixNanos i = 0; i < 600; ++i) {
    rows.push_back(At(i * 7 % 600, i % 3 == 0 ? "timeout here" : "fine", i % 2 ? "a" : "b"));
  }
  MemorySnapshot snapshot;
  for (size_t i = 0; i < rows.size(); i += 20) {
    const auto begin = rows.begin() + static_cast<ptrdiff_t>(i);
    snapshot.Add({begin, begin + 20});
  }
  for (const uint32_t limit : {5u, 60u, 1000u}) {
    SearchRequest request;
    request.limit = limit;
    const Result<SearchResult> one = Search(snapshot, *Q("timeout level:a"), request);
    request.limits.pool = &pool;
    request.limits.threads = 4;
    const Result<SearchResult> four = Search(snapshot, *Q("timeout level:a"), request);
    ASSERT_TRUE(one.ok() && four.ok());
    ASSERT_EQ(one->rows.size(), four->rows.size());
    EXPECT_EQ(one->cursor, four->cursor);
    for (size_t i = 0; i < one->rows.size(); ++i) {
      EXPECT_EQ(testing::JsonOf(one->rows[i]), testing::JsonOf(four->rows[i]));
    }
  }
}

TEST(ScanPoolTest, CancellingStopsAllThreads) {
  ScanPool pool(1);
  std::atomic<bool> cancelled{false};
  MemorySnapshot snapshot;
  for (UnixNanos i = 0; i < 50; ++i) {
    testing::BlockOptions options{.dictionary_max = 0};
    options.on_decode_body = [&] { cancelled = true; };
    snapshot.Add({At(i, "one timeout", "a"), At(i, "two", "a")}, options);
  }
  HistogramRequest request;
  request.to = 100;
  request.limits.pool = &pool;
  request.limits.threads = 2;
  request.limits.cancelled = &cancelled;
  EXPECT_EQ(CountOverTime(snapshot, *Q("timeout"), request).status().code(), Code::kCancelled);
}

}  // namespace
}  // namespace kelp::query
