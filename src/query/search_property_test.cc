// Search, CountOverTime and LiveMatcher against PlainMatches, on random rows and queries.
#include <gtest/gtest.h>

#include <algorithm>

#include "query/parser.h"
#include "query/query_testing.h"
#include "query/scan_pool.h"

namespace kelp::query {
namespace {

using testing::BlockOptions;
using testing::Chance;
using testing::JsonOf;
using testing::MemorySnapshot;
using testing::TestRow;

// One to three threads for a call.
Limits RandomLimits(Chance& chance) {
  static ScanPool pool(2);
  Limits limits;
  limits.pool = &pool;
  limits.threads = static_cast<uint32_t>(1 + chance.Below(3));
  return limits;
}

std::vector<TestRow> RandomRows(Chance& chance, uint64_t most) {
  std::vector<TestRow> rows;
  for (uint64_t n = chance.Below(most); n > 0; --n) {
    rows.push_back(testing::RandomRow(chance));
    // Rows that are equal in everything.
    if (chance.OneIn(10)) rows.push_back(rows.back());
  }
  return rows;
}

// The same rows in other blocks, in another order inside them.
MemorySnapshot Blocks(Chance& chance, std::vector<TestRow> rows) {
  for (size_t i = rows.size(); i > 1; --i) std::swap(rows[i - 1], rows[chance.Below(i)]);
  MemorySnapshot snapshot;
  while (!rows.empty()) {
    const size_t size = 1 + chance.Below(rows.size());
    BlockOptions options;
    options.dictionary_max = chance.Below(6);
    options.filters = !chance.OneIn(4);
    snapshot.Add({rows.end() - static_cast<ptrdiff_t>(size), rows.end()}, options);
    rows.resize(rows.size() - size);
  }
  return snapshot;
}

std::vector<std::string> Sorted(std::vector<std::string> texts) {
  std::sort(texts.begin(), texts.end());
  return texts;
}

struct Case {
  explicit Case(uint64_t seed) : chance(seed) {
    rows = RandomRows(chance, 80);
    text = testing::RandomQuery(chance, 3);
    ParseError error;
    tree = ParseTree(text, error);
    query = Parse(text, error);
    from = static_cast<UnixNanos>(chance.Below(20)) - 12;
    to = from + 1 + static_cast<UnixNanos>(chance.Below(45));
    if (query == nullptr) return;
    for (const TestRow& row : rows) {
      if (row.time >= from && row.time < to && PlainMatches(*tree, row)) matching.push_back(row);
    }
  }
  std::vector<std::string> Expected() const {
    std::vector<std::string> out;
    for (const TestRow& row : matching) out.push_back(JsonOf(row));
    return Sorted(std::move(out));
  }

  Chance chance;
  std::vector<TestRow> rows;
  std::string text;
  std::optional<Tree> tree;
  std::shared_ptr<const Query> query;
  UnixNanos from = 0;
  UnixNanos to = 0;
  std::vector<TestRow> matching;
};

// Few enough for a second or two under sanitizers; the fuzz target goes on from here.
constexpr uint64_t kSeeds = 300;

TEST(SearchPropertyTest, FindsWhatThePlainEvaluatorFinds) {
  size_t found_something = 0;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Case c(seed);
    ASSERT_NE(c.query, nullptr) << c.text;
    const MemorySnapshot snapshot = Blocks(c.chance, c.rows);
    SearchRequest request;
    request.from = c.from;
    request.to = c.to;
    request.limits = RandomLimits(c.chance);
    request.limit = 1000;
    const Result<SearchResult> result = Search(snapshot, *c.query, request);
    ASSERT_TRUE(result.ok()) << result.status().ToString();
    std::vector<std::string> found;
    UnixNanos last = INT64_MAX;
    for (const Row& row : result->rows) {
      ASSERT_LE(row.time, last);
      last = row.time;
      found.push_back(JsonOf(row));
    }
    ASSERT_EQ(Sorted(found), c.Expected()) << "seed " << seed << ": " << c.text;
    ASSERT_EQ(result->cursor, "");
    found_something += found.empty() ? 0 : 1;
  }
  EXPECT_GT(found_something, kSeeds / 3);
}

TEST(SearchPropertyTest, PagesAreTheSameHoweverRowsAreStored) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Case c(seed);
    ASSERT_NE(c.query, nullptr);
    SearchRequest request;
    request.from = c.from;
    request.to = c.to;
    request.limits = RandomLimits(c.chance);
    std::vector<std::string> found;
    do {
      request.limit = static_cast<uint32_t>(1 + c.chance.Below(7));
      // Merged anew before each page.
      const Result<SearchResult> result = Search(Blocks(c.chance, c.rows), *c.query, request);
      ASSERT_TRUE(result.ok()) << result.status().ToString();
      ASSERT_LE(result->rows.size(), request.limit);
      ASSERT_TRUE(result->cursor.empty() || result->rows.size() == request.limit);
      for (const Row& row : result->rows) found.push_back(JsonOf(row));
      request.cursor = result->cursor;
      ASSERT_LE(found.size(), c.matching.size()) << "seed " << seed << ": " << c.text;
    } while (!request.cursor.empty());
    ASSERT_EQ(Sorted(found), c.Expected()) << "seed " << seed << ": " << c.text;
  }
}

TEST(SearchPropertyTest, NewRowsBetweenPagesNeitherRepeatNorHideOldOnes) {
  for (uint64_t seed = 0; seed < kSeeds / 3; ++seed) {
    Case c(seed);
    ASSERT_NE(c.query, nullptr);
    SearchRequest request;
    request.from = c.from;
    request.to = c.to;
    request.limits = RandomLimits(c.chance);
    std::multiset<std::string> found;
    std::vector<TestRow> rows = c.rows;
    do {
      request.limit = static_cast<uint32_t>(1 + c.chance.Below(7));
      const Result<SearchResult> result = Search(Blocks(c.chance, rows), *c.query, request);
      ASSERT_TRUE(result.ok());
      for (const Row& row : result->rows) found.insert(JsonOf(row));
      request.cursor = result->cursor;
      const std::vector<TestRow> fresh = RandomRows(c.chance, 3);
      rows.insert(rows.end(), fresh.begin(), fresh.end());
    } while (!request.cursor.empty());
    std::multiset<std::string> stored;
    for (const TestRow& row : rows) stored.insert(JsonOf(row));
    for (const std::string& row : found) {
      ASSERT_LE(found.count(row), stored.count(row)) << "repeated: " << row;
    }
    for (const std::string& row : c.Expected()) {
      ASSERT_TRUE(found.contains(row)) << "skipped: " << row << " seed " << seed;
    }
  }
}

TEST(SearchPropertyTest, HistogramCountsWhatSearchFinds) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Case c(seed);
    ASSERT_NE(c.query, nullptr);
    HistogramRequest request;
    request.from = c.from;
    request.to = c.to;
    request.limits = RandomLimits(c.chance);
    request.buckets = static_cast<uint32_t>(1 + c.chance.Below(30));
    const Result<HistogramResult> result =
        CountOverTime(Blocks(c.chance, c.rows), *c.query, request);
    ASSERT_TRUE(result.ok()) << result.status().ToString();
    ASSERT_LE(result->counts.size(), request.buckets);
    std::vector<uint64_t> expected(result->counts.size());
    for (const TestRow& row : c.matching) {
      ++expected.at(static_cast<size_t>((row.time - c.from) / result->step.count()));
    }
    ASSERT_EQ(result->counts, expected) << "seed " << seed << ": " << c.text;
    ASSERT_EQ(result->total, c.matching.size());
  }
}

TEST(SearchPropertyTest, LiveMatcherAgreesRowByRow) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Case c(seed);
    ASSERT_NE(c.query, nullptr);
    LiveMatcher matcher(c.query);
    for (const TestRow& row : c.rows) {
      bool matched = false;
      matcher.Match(*testing::BatchOf(row), [&](uint32_t) { matched = true; });
      ASSERT_EQ(matched, PlainMatches(*c.tree, row)) << "seed " << seed << ": " << c.text << "\n"
                                                     << JsonOf(row);
    }
  }
}

TEST(SearchPropertyTest, NormalisingKeepsTheMeaning) {
  // Normalised or not, a tree means the same.
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    Case c(seed);
    ASSERT_NE(c.query, nullptr);
    const Tree normalised{c.tree->terms, c.query->root()};
    for (const TestRow& row : c.rows) {
      ASSERT_EQ(PlainMatches(*c.tree, row), PlainMatches(normalised, row)) << c.text;
    }
  }
}

}  // namespace
}  // namespace kelp::query
