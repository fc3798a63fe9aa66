#include <gtest/gtest.h>

#include <chrono>
#include <set>

#include "query/limits.h"
#include "query/query_testing.h"
#include "query/row_key.h"
#include "query/row_scan.h"

namespace kelp::query {
namespace {

using testing::BlockOptions;
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

std::vector<TestRow> Rows(UnixNanos first, UnixNanos last, std::string_view body) {
  std::vector<TestRow> rows;
  for (UnixNanos time = first; time <= last; ++time) rows.push_back(At(time, body));
  return rows;
}

std::vector<UnixNanos> Times(const SearchResult& result) {
  std::vector<UnixNanos> times;
  for (const Row& row : result.rows) times.push_back(row.time);
  return times;
}

SearchResult Find(const MemorySnapshot& snapshot, std::string_view text, uint32_t limit,
                  std::string cursor = {}) {
  SearchRequest request;
  request.limit = limit;
  request.cursor = std::move(cursor);
  Result<SearchResult> result = Search(snapshot, *Q(text), request);
  EXPECT_TRUE(result.ok()) << result.status().ToString();
  return result.ok() ? std::move(result).value() : SearchResult();
}

TEST(SearchTest, GivesNewestFirstAndStopsEarly) {
  MemorySnapshot snapshot;
  int decoded = 0;
  for (UnixNanos block = 0; block < 10; ++block) {
    BlockOptions options{.dictionary_max = 0};
    options.on_decode_body = [&] { ++decoded; };
    std::vector<TestRow> rows = Rows(block * 10, block * 10 + 9, "x");
    rows.push_back(At(block * 10 + 5, "y"));
    snapshot.Add(std::move(rows), options);
  }
  const SearchResult result = Find(snapshot, "x", 15);
  EXPECT_EQ(Times(result),
            (std::vector<UnixNanos>{99, 98, 97, 96, 95, 94, 93, 92, 91, 90, 89, 88, 87, 86, 85}));
  EXPECT_EQ(decoded, 2);
  EXPECT_EQ(result.stats.blocks, 10u);
  EXPECT_EQ(result.stats.blocks_skipped, 8u);
  EXPECT_EQ(result.stats.rows_scanned, 22u);
  EXPECT_FALSE(result.cursor.empty());
  EXPECT_EQ(result.partial, "");
}

TEST(SearchTest, FiltersSpareBlocksFromDecoding) {
  MemorySnapshot snapshot;
  int decoded = 0;
  for (UnixNanos block = 0; block < 4; ++block) {
    BlockOptions options{.dictionary_max = 0};
    options.on_decode_body = [&] { ++decoded; };
    snapshot.Add(
        {At(block * 10, block == 2 ? "rare word" : "common word"), At(block * 10 + 1, "z")},
        options);
  }
  EXPECT_EQ(Find(snapshot, "rare", 10).rows.size(), 1u);
  EXPECT_EQ(decoded, 1);
  EXPECT_EQ(Find(snapshot, "absent OR \"rare absent\" OR /xx absent yy/", 10).rows.size(), 0u);
  EXPECT_EQ(decoded, 1);
  EXPECT_EQ(Find(snapshot, "body:=\"rare word\"", 10).rows.size(), 1u);
  EXPECT_EQ(decoded, 2);
}

TEST(SearchTest, ConstantColumnsSettleWholeBlocks) {
  MemorySnapshot snapshot;
  for (UnixNanos block = 0; block < 4; ++block) {
    std::vector<TestRow> rows = Rows(block * 10, block * 10 + 9, "x");
    rows[0].body = Text("y");
    for (TestRow& row : rows) row.resource["k8s.pod.name"] = Text("pod-" + std::to_string(block));
    snapshot.Add(std::move(rows), {.corrupt = true});
  }
  // No body is decoded: it is corrupt.
  HistogramRequest request{.from = 0, .to = 100, .buckets = 10, .limits = {}};
  const Result<HistogramResult> result = CountOverTime(snapshot, *Q("pod.name:pod-2"), request);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->counts, (std::vector<uint64_t>{0, 0, 10, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(result->partial, "");
  EXPECT_EQ(result->stats.blocks_skipped, 4u);
}

TEST(SearchTest, TimesAreInclusiveAndExclusive) {
  MemorySnapshot snapshot(Rows(0, 9, "x"));
  SearchRequest request{.from = 3, .to = 6, .limit = 10, .cursor = {}, .limits = {}};
  EXPECT_EQ(Times(*Search(snapshot, *Q(""), request)), (std::vector<UnixNanos>{5, 4, 3}));
}

TEST(SearchTest, CursorsAreCheckedAndVersioned) {
  MemorySnapshot snapshot(Rows(0, 9, "x"));
  for (const char* cursor : {"x", "1", "1.2.3", "2.5.1.1.5.0.1", "1.5.1.1.5.0.1.7", "1..1.1.5.0.1",
                             "1.5.1.1.5.0.zz", "1.99999999999999999999.1.1.5.0.1"}) {
    SearchRequest request;
    request.cursor = cursor;
    EXPECT_EQ(Search(snapshot, *Q(""), request).status().code(), Code::kInvalidArgument) << cursor;
  }
  EXPECT_EQ(Times(Find(snapshot, "", 3, "1.5.1.1.5.0.1")), (std::vector<UnixNanos>{4, 3, 2}));
}

TEST(SearchTest, CursorGoesOnWhereTheRowIsGone) {
  MemorySnapshot snapshot(Rows(0, 9, "x"));
  const std::string cursor = Find(snapshot, "", 3).cursor;
  MemorySnapshot later(Rows(0, 5, "x"));
  EXPECT_EQ(Times(Find(later, "", 2, cursor)), (std::vector<UnixNanos>{5, 4}));
}

TEST(SearchTest, RowsEqualInEverythingAreAllDelivered) {
  MemorySnapshot snapshot;
  const std::vector<TestRow> same(7, At(5, "same"));
  snapshot.Add(same).Add(same);
  size_t found = 0;
  std::string cursor;
  do {
    const SearchResult page = Find(snapshot, "", 4, cursor);
    found += page.rows.size();
    cursor = page.cursor;
  } while (!cursor.empty());
  EXPECT_EQ(found, 14u);
}

TEST(SearchTest, TheLastPageHasNoCursor) {
  MemorySnapshot snapshot(Rows(0, 9, "x"));
  EXPECT_EQ(Find(snapshot, "", 10).cursor, "");
  const SearchResult page = Find(snapshot, "", 9);
  EXPECT_NE(page.cursor, "");
  EXPECT_EQ(Find(snapshot, "", 9, page.cursor).cursor, "");
}

TEST(SearchTest, CancellationIsSeenBetweenBlocks) {
  std::atomic<bool> cancelled = false;
  MemorySnapshot snapshot;
  for (UnixNanos block = 0; block < 3; ++block) {
    BlockOptions options;
    options.on_decode_body = [&] { cancelled = true; };
    snapshot.Add({At(block * 10, "a b"), At(block * 10 + 1, "b c")}, options);
  }
  SearchRequest request;
  request.limits.cancelled = &cancelled;
  EXPECT_EQ(Search(snapshot, *Q("a"), request).status().code(), Code::kCancelled);
  HistogramRequest histogram{.from = 0, .to = 100, .buckets = 10, .limits = request.limits};
  EXPECT_EQ(CountOverTime(snapshot, *Q("a"), histogram).status().code(), Code::kCancelled);
}

TEST(SearchTest, WithoutTimeThereIsNothingToShow) {
  MemorySnapshot snapshot(Rows(0, 9, "x"));
  SearchRequest request;
  request.limits.time = Duration(0);
  EXPECT_EQ(Search(snapshot, *Q("x"), request).status().code(), Code::kDeadlineExceeded);
  HistogramRequest histogram{.from = 0, .to = 100, .buckets = 10, .limits = request.limits};
  EXPECT_EQ(CountOverTime(snapshot, *Q("x"), histogram).status().code(), Code::kDeadlineExceeded);
}

// Blocks [0,9], [10,19], ...; decoding the body of one of them takes longer than the query may.
MemorySnapshot SlowAt(UnixNanos slow, Duration time) {
  MemorySnapshot snapshot;
  for (UnixNanos block = 0; block < 4; ++block) {
    BlockOptions options;
    if (block == slow) {
      options.on_decode_body = [time] {
        const auto end = std::chrono::steady_clock::now() + time;
        while (std::chrono::steady_clock::now() < end) {
        }
      };
    }
    std::vector<TestRow> rows = Rows(block * 10, block * 10 + 9, "x");
    rows[3].body = Text("y");
    snapshot.Add(std::move(rows), options);
  }
  return snapshot;
}

TEST(SearchTest, OutOfTimeGivesWhatIsSureAndACursorForTheRest) {
  SearchRequest request;
  request.limits.time = 200ms;
  const Result<SearchResult> result = Search(SlowAt(1, 200ms), *Q("y"), request);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(Times(*result), (std::vector<UnixNanos>{33, 23, 13}));
  EXPECT_EQ(result->partial, "the query ran into its time limit of 200ms");
  EXPECT_EQ(Times(Find(SlowAt(1, 0ms), "y", 10, result->cursor)), (std::vector<UnixNanos>{3}));
}

TEST(SearchTest, OutOfTimeHistogramSaysThatItIsPartial) {
  HistogramRequest request{.from = 0, .to = 40, .buckets = 4, .limits = {}};
  request.limits.time = 200ms;
  const Result<HistogramResult> result = CountOverTime(SlowAt(1, 200ms), *Q("y"), request);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->counts, (std::vector<uint64_t>{0, 1, 1, 1}));
  EXPECT_EQ(result->partial, "the query ran into its time limit of 200ms");
}

TEST(SearchTest, OutOfMemoryGivesWhatFitsAndACursorForTheRest) {
  MemorySnapshot snapshot(Rows(0, 9, std::string(1000, 'x')));
  SearchRequest request;
  request.limits.memory = ByteSize{5000};
  const Result<SearchResult> result = Search(snapshot, *Q(""), request);
  ASSERT_TRUE(result.ok());
  ASSERT_GT(result->rows.size(), 0u);
  ASSERT_LT(result->rows.size(), 10u);
  EXPECT_EQ(result->partial, "the rows are larger than the memory limit of 5000B");
  EXPECT_EQ(Find(snapshot, "", 10, result->cursor).rows.size(), 10 - result->rows.size());
  // The same where rows are made while their block is at hand.
  std::vector<TestRow> mixed = Rows(0, 9, "match " + std::string(1000, 'x'));
  for (size_t i = 0; i < mixed.size(); i += 2) mixed[i].body = Text("other");
  const Result<SearchResult> early = Search(MemorySnapshot(mixed), *Q("match"), request);
  ASSERT_TRUE(early.ok());
  EXPECT_EQ(early->rows.size(), result->rows.size());
  EXPECT_EQ(early->partial, result->partial);
  EXPECT_EQ(early->lost, "");
  request.limits.memory = ByteSize{500};
  EXPECT_EQ(Search(snapshot, *Q(""), request).status().code(), Code::kResourceExhausted);
}

TEST(SearchTest, ACorruptBlockDoesNotHideTheOthers) {
  MemorySnapshot snapshot;
  snapshot.Add({At(1, "a"), At(2, "b")}).Add({At(11, "a"), At(12, "b")}, {.corrupt = true});
  const SearchResult result = Find(snapshot, "a", 10);
  EXPECT_EQ(Times(result), (std::vector<UnixNanos>{1}));
  EXPECT_EQ(result.partial, "test segment: the body is corrupt at byte 17");
  EXPECT_EQ(result.lost, result.partial);
  SearchRequest request;
  EXPECT_EQ(Search(snapshot, *Q("a body:*"), request).status().code(), Code::kOk);
  request.from = 10;
  EXPECT_EQ(Search(snapshot, *Q("a"), request).status().code(), Code::kDataLoss);
  request.from = 0;
  // Found by time alone, and corrupt when they are read.
  EXPECT_EQ(Times(Find(snapshot, "", 10)), (std::vector<UnixNanos>{2, 1}));
}

TEST(SearchTest, ReportsValuesOnWhichARegexGaveUp) {
  std::vector<TestRow> rows = Rows(0, 4, std::string(60, 'a') + "b");
  rows.push_back(At(9, "aaa"));
  const SearchResult result = Find(MemorySnapshot(rows), "/^(a+)+$/", 10);
  EXPECT_EQ(Times(result), (std::vector<UnixNanos>{9}));
  EXPECT_NE(result.partial.find("took too long on"), std::string::npos) << result.partial;
}

TEST(HistogramTest, SpansAreEqualAndCoverTheWholeTime) {
  MemorySnapshot snapshot;
  snapshot.Add(Rows(0, 9, "x")).Add(Rows(5, 30, "x"));
  HistogramRequest request{.from = 0, .to = 31, .buckets = 10, .limits = {}};
  const Result<HistogramResult> result = CountOverTime(snapshot, *Q(""), request);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->step, Duration(4));
  EXPECT_EQ(result->counts, (std::vector<uint64_t>{4, 7, 6, 4, 4, 4, 4, 3}));
  EXPECT_EQ(result->total, 36u);
}

TEST(HistogramTest, BlocksInsideOneBucketAreNotDecoded) {
  MemorySnapshot snapshot;
  snapshot.Add(Rows(0, 9, "x")).Add(Rows(10, 19, "x"));
  HistogramRequest request{.from = 0, .to = 100, .buckets = 10, .limits = {}};
  const Result<HistogramResult> result = CountOverTime(snapshot, *Q("*"), request);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->counts[0], 10u);
  EXPECT_EQ(result->counts[1], 10u);
  EXPECT_EQ(result->stats.bytes_scanned, 0u);
}

TEST(HistogramTest, ManyBucketsInOneBlock) {
  MemorySnapshot snapshot(Rows(0, 999, "x"));
  HistogramRequest request{.from = 100, .to = 600, .buckets = 250, .limits = {}};
  const Result<HistogramResult> result = CountOverTime(snapshot, *Q(""), request);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->counts, std::vector<uint64_t>(250, 2));
}

TEST(HistogramTest, TheWholeOfTimeFits) {
  MemorySnapshot snapshot(Rows(0, 9, "x"));
  HistogramRequest request{.from = INT64_MIN + 1, .to = INT64_MAX, .buckets = 2, .limits = {}};
  const Result<HistogramResult> result = CountOverTime(snapshot, *Q("x"), request);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->counts, (std::vector<uint64_t>{0, 10}));
  request.to = request.from;
  EXPECT_EQ(CountOverTime(snapshot, *Q("x"), request).status().code(), Code::kInvalidArgument);
  request.to = INT64_MAX;
  request.buckets = 0;
  EXPECT_EQ(CountOverTime(snapshot, *Q("x"), request).status().code(), Code::kInvalidArgument);
}

TEST(LiveMatcherTest, LooksAtSelectedRowsOnly) {
  Batch batch;
  for (uint64_t i = 0; i < 6; ++i) {
    batch.AddRow(i % 2 == 0 ? "even error" : "odd error", i, i + 1, 0);
  }
  batch.Select([](uint32_t row) { return row != 2; });
  std::vector<uint32_t> rows;
  LiveMatcher(Q("even")).Match(batch, [&](uint32_t row) { rows.push_back(row); });
  EXPECT_EQ(rows, (std::vector<uint32_t>{0, 4}));
}

TEST(RowTest, PrintsTheRowOfTheApi) {
  TestRow test = At(1700000000000000001, "a \"b\"\n\xff中");
  test.fields["code"] = Json("200");
  test.fields["bad"] = Json("{\"a\":");
  test.fields["text"] = Text("200");
  test.fields["none"] = {};
  test.resource["k8s.pod.name"] = Text("web");
  const BatchPtr batch = testing::BatchOf(test);
  std::string out;
  PrintRowJson(RowOf(*batch, 0), out);
  EXPECT_EQ(
      out,
      "{\"time\":\"2023-11-14T22:13:20.000000001Z\",\"body\":\"a \\\"b\\\"\\n\xef\xbf\xbd中\","
      "\"fields\":{\"bad\":\"{\\\"a\\\":\",\"code\":200,\"text\":\"200\"},"
      "\"resource\":{\"k8s.pod.name\":\"web\"},"
      "\"origin\":{\"id\":\"00000000000000010000000000000001\","
      "\"offset\":1700000000000000001}}");
}

TEST(RowKeyTest, CursorTextReadsBack) {
  const Cursor cursor{{-5, {0xfedcba9876543210, 2}, UINT64_MAX, 77}, 3};
  const Result<Cursor> read = Cursor::Parse(cursor.ToString());
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->last, cursor.last);
  EXPECT_EQ(read->delivered, 3u);
}

TEST(ScanRowsTest, GivesEveryMatchingRowOnce) {
  testing::MemorySnapshot snapshot;
  for (UnixNanos block = 0; block < 3; ++block) {
    std::vector<testing::TestRow> rows;
    for (UnixNanos i = 0; i < 10; ++i) {
      testing::TestRow row;
      row.time = i * 3 + block;  // blocks overlap
      row.body = testing::Text(i % 2 == 0 ? "even" : "odd");
      rows.push_back(row);
    }
    snapshot.Add(rows, {.corrupt = block == 2});
  }
  ParseError error;
  const auto query = Parse("even", error);
  std::multiset<UnixNanos> times;
  const auto result = ScanRows(snapshot, *query, {.from = 3, .to = 20}, [&](const Row& row) {
    times.insert(row.time);
    return OkStatus();
  });
  ASSERT_TRUE(result.ok()) << result.status().ToString();
  EXPECT_EQ(times, (std::multiset<UnixNanos>{6, 7, 12, 13, 18, 19}));
  EXPECT_EQ(result->rows, 6u);
  EXPECT_FALSE(result->partial.empty());
  const auto stopped =
      ScanRows(snapshot, *query, {}, [](const Row&) { return UnavailableError("enough"); });
  EXPECT_EQ(stopped.status().message(), "enough");
}

}  // namespace
}  // namespace kelp::query
