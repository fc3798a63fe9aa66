// Search over the real store: rows in the hot tail, in fresh segments and in merged ones.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <future>

#include "base/env.h"
#include "codec/kelp_batch.h"
#include "query/parser.h"
#include "query/query_testing.h"
#include "store/store.h"

namespace kelp::query {
namespace {

using testing::Chance;
using testing::TestRow;

const store::LogstoreName kName{"default", "logs"};

class StoreSearchTest : public ::testing::Test {
 protected:
  StoreSearchTest() {
    char name[] = "/tmp/kelp_query_test.XXXXXX";
    dir_ = ::mkdtemp(name);
    auto opened = store::Store::Open(RealEnv(), {.dir = dir_, .disk_free_min = 1_MiB}, metrics_);
    CHECK(opened.ok(), opened.status().ToString());
    store_ = std::move(opened).value();
    CHECK(store_->PutLogstore(kName, {}).ok(), "no logstore");
  }
  ~StoreSearchTest() override {
    store_.reset();
    RealEnv().files().RemoveTree(dir_).IgnoreError();
  }

  void Append(const std::vector<TestRow>& rows) {
    store::BatchSet set;
    codec::BatchSetEncoder encoder;
    for (const TestRow& row : rows) {
      set.batches.push_back(testing::BatchOf(row));
      encoder.Add(*set.batches.back(), 0);
    }
    set.encoded = encoder.Finish();
    std::promise<Result<store::AppendResult>> done;
    store_->Append(kName, std::move(set),
                   [&](Result<store::AppendResult> result) { done.set_value(std::move(result)); });
    const Result<store::AppendResult> result = done.get_future().get();
    ASSERT_TRUE(result.ok()) << result.status().ToString();
    ASSERT_EQ(result->accepted, rows.size());
  }

  // Rows as the store keeps them: distinct, in order within their origin, bodies present.
  std::vector<TestRow> RandomRows(size_t count) {
    std::vector<TestRow> rows;
    while (rows.size() < count) {
      TestRow row = testing::RandomRow(chance_);
      row.time += 1'763'700'000'000'000'000;
      if (!row.origin.empty()) row.offset = ++next_offset_;
      if (row.body.kind != ValueKind::kString) row.body = testing::Text(row.body.text);
      std::erase_if(row.resource,
                    [](const auto& tag) { return tag.second.kind == ValueKind::kMissing; });
      rows.push_back(std::move(row));
    }
    return rows;
  }

  void ExpectSearchesAgree(const std::vector<TestRow>& rows, int queries) {
    auto snapshot = store_->Read(kName);
    ASSERT_TRUE(snapshot.ok());
    for (int i = 0; i < queries; ++i) {
      const std::string text = testing::RandomQuery(chance_, 3);
      ParseError error;
      const auto tree = ParseTree(text, error);
      const auto query = Parse(text, error);
      ASSERT_NE(query, nullptr) << text;
      std::vector<std::string> expected, found;
      for (const TestRow& row : rows) {
        if (PlainMatches(*tree, row)) expected.push_back(testing::JsonOf(row));
      }
      SearchRequest request;
      request.limit = static_cast<uint32_t>(1 + chance_.Below(100));
      do {
        const Result<SearchResult> result = Search(**snapshot, *query, request);
        ASSERT_TRUE(result.ok()) << result.status().ToString();
        ASSERT_EQ(result->partial, "");
        for (const Row& row : result->rows) found.push_back(testing::JsonOf(row));
        request.cursor = result->cursor;
      } while (!request.cursor.empty());
      std::sort(expected.begin(), expected.end());
      std::sort(found.begin(), found.end());
      ASSERT_EQ(found, expected) << text;
      HistogramRequest histogram{.from = 1'763'700'000'000'000'000 - 100,
                                 .to = 1'763'700'000'000'000'000 + 100,
                                 .buckets = 13,
                                 .limits = {}};
      const Result<HistogramResult> counted = CountOverTime(**snapshot, *query, histogram);
      ASSERT_TRUE(counted.ok());
      ASSERT_EQ(counted->total, expected.size()) << text;
    }
  }

  std::string dir_;
  MetricRegistry metrics_;
  std::unique_ptr<store::Store> store_;
  Chance chance_{20261121};
  uint64_t next_offset_ = 0;
};

TEST_F(StoreSearchTest, AgreesWithThePlainEvaluatorWhereverRowsAre) {
  std::vector<TestRow> rows;
  for (int round = 0; round < 4; ++round) {
    const std::vector<TestRow> fresh = RandomRows(60);
    Append(fresh);
    rows.insert(rows.end(), fresh.begin(), fresh.end());
    ExpectSearchesAgree(rows, 60);  // hot tail and segments
    if (round == 3) break;
    ASSERT_TRUE(store_->Flush().ok());
    ExpectSearchesAgree(rows, 60);
  }
  ASSERT_TRUE(store_->Flush().ok());
  ASSERT_TRUE(store_->Maintain().ok());
  ExpectSearchesAgree(rows, 100);  // merged
}

TEST_F(StoreSearchTest, AbsentWordsDoNotScanTheHotTail) {
  const std::vector<TestRow> rows = RandomRows(30);
  ASSERT_NO_FATAL_FAILURE(Append(rows));
  ParseError error;
  const auto query = Parse("wordthatisnowhere OR msg:wordthatisnowhere", error);
  ASSERT_NE(query, nullptr);
  const auto snapshot = store_->Read(kName);
  ASSERT_TRUE(snapshot.ok());
  SearchRequest request;
  request.explain = true;
  const Result<SearchResult> result = Search(**snapshot, *query, request);
  ASSERT_TRUE(result.ok()) << result.status().ToString();
  EXPECT_GT(result->explain.hot_blocks, 0u);
  EXPECT_EQ(result->explain.hot_blocks, result->explain.blocks);
  EXPECT_EQ(result->explain.fate(BlockFate::kScanned).blocks, 0u);
  EXPECT_EQ(result->explain.bytes_decoded, 0u);
}

TEST_F(StoreSearchTest, PagingGoesOnThroughFlushAndMerge) {
  std::vector<TestRow> rows = RandomRows(150);
  Append({rows.begin(), rows.begin() + 50});
  ASSERT_TRUE(store_->Flush().ok());
  Append({rows.begin() + 50, rows.end()});
  ParseError error;
  const auto query = Parse("*", error);
  std::vector<std::string> expected, found;
  for (const TestRow& row : rows) expected.push_back(testing::JsonOf(row));
  SearchRequest request;
  request.limit = 20;
  for (int page = 0; page == 0 || !request.cursor.empty(); ++page) {
    auto snapshot = store_->Read(kName);
    ASSERT_TRUE(snapshot.ok());
    const Result<SearchResult> result = Search(**snapshot, *query, request);
    ASSERT_TRUE(result.ok());
    for (const Row& row : result->rows) found.push_back(testing::JsonOf(row));
    request.cursor = result->cursor;
    if (page == 1) {
      ASSERT_TRUE(store_->Flush().ok());
    }
    if (page == 3) {
      ASSERT_TRUE(store_->Maintain().ok());
    }
  }
  std::sort(expected.begin(), expected.end());
  std::sort(found.begin(), found.end());
  EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace kelp::query
