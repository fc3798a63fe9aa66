#include "store/segment.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "store/segment_writer.h"
#include "store/sim_env.h"
#include "store/store_test_util.h"
#include "store/tokens.h"

namespace kelp::store {
namespace {

const std::string kPath = "/logs/20251121/0000000000000001.seg";

// Writes the batches into one segment; `rows_of_block` cuts blocks.
std::shared_ptr<const Segment> Write(Env& env, const std::vector<BatchPtr>& batches) {
  auto writer = SegmentWriter::Create(env.files(), kPath, {5, 1, 20413, 77, {}});
  EXPECT_TRUE(writer.ok()) << writer.status().ToString();
  BlockBuilder builder;
  EncodedBlock block;
  for (const BatchPtr& batch : batches) {
    std::vector<uint32_t> rows;
    batch->ForEach([&](uint32_t row) { rows.push_back(row); });
    std::span<const uint32_t> left = rows;
    while (!left.empty()) {
      const uint32_t taken = builder.Add(*batch, left);
      left = left.subspan(taken);
      if (left.empty()) break;
      builder.Finish(block);
      EXPECT_TRUE((*writer)->Add(block).ok());
    }
  }
  builder.Finish(block);
  EXPECT_TRUE((*writer)->Add(block).ok());
  EXPECT_TRUE((*writer)->Finish().ok());
  auto segment = Segment::Open(env.files(), kPath);
  EXPECT_TRUE(segment.ok()) << segment.status().ToString();
  return *segment;
}

int ColumnAt(const Block& block, std::string_view name) {
  for (size_t i = 0; i < block.columns().size(); ++i) {
    if (block.columns()[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

BatchPtr TwoKinds() {
  BatchPtr batch = BatchPool::Shared().Get();
  batch->origin = {3, 4};
  batch->set_resource(std::make_shared<const Resource>(
      std::vector<Resource::Tag>{{"k8s.namespace.name", "shop"}, {"zone", "a"}}));
  for (uint64_t n = 0; n < 600; ++n) {
    batch->AddRow(batch->Copy("request " + std::to_string(n) + " served"), n * 50, n * 50 + 50,
                  1'000'000 * static_cast<int64_t>(n));
  }
  Column& level = batch->AddColumn("level");
  Column& code = batch->AddColumn("code");
  Column& id = batch->AddColumn("id");
  Column& app = batch->AddColumn("app");
  for (uint32_t r = 0; r < 600; ++r) {
    level.Set(r, r % 7 == 0 ? Value() : Value::String(r % 2 == 0 ? "info" : "Error Level"));
    code.Set(r, Value::Json(r % 2 == 0 ? "200" : "404"));
    id.Set(r, r % 3 == 0   ? Value::Json(batch->Copy(std::to_string(r)))
              : r % 3 == 1 ? Value::String(batch->Copy("id-" + std::to_string(r)))
                           : Value());
    app.Set(r, Value::String("web"));
  }
  return batch;
}

TEST(Segment, GivesBackEachKindOfColumn) {
  SimEnv env(1);
  std::vector<BatchPtr> batches;
  batches.push_back(TwoKinds());
  const auto segment = Write(env, batches);
  EXPECT_EQ(segment->rows(), 600u);
  EXPECT_EQ(segment->applied(), 77u);
  ASSERT_EQ(segment->blocks().size(), 1u);
  const SegmentBlock& block = segment->blocks().front();
  ASSERT_TRUE(block.Verify().ok());
  BlockReader reader;
  reader.Open(block);
  EXPECT_EQ((*reader.Column(ColumnAt(block, "level")))->form, TextColumn::Form::kDictionary);
  EXPECT_EQ((*reader.Column(ColumnAt(block, "id")))->form, TextColumn::Form::kPlain);
  EXPECT_TRUE(block.columns()[static_cast<size_t>(ColumnAt(block, "app"))].constant);
  EXPECT_TRUE(block.columns()[static_cast<size_t>(ColumnAt(block, "code"))].all_json);
  EXPECT_FALSE(block.columns()[static_cast<size_t>(ColumnAt(block, "id"))].all_json);
  EXPECT_TRUE(block.columns()[static_cast<size_t>(ColumnAt(block, "zone"))].constant);
  const auto times = *reader.Times();
  const OriginColumn& origins = **reader.Origins();
  EXPECT_TRUE(origins.rows.empty());
  for (const std::string name : {"body", "level", "code", "id", "app"}) {
    const TextColumn& column = **reader.Column(ColumnAt(block, name));
    const Column& expected = *batches[0]->FindColumn(name);
    for (uint32_t r = 0; r < 600; ++r) {
      ASSERT_EQ(column.Get(r).text(), expected.Get(r).text()) << name << " " << r;
      ASSERT_EQ(column.Get(r).kind, expected.Get(r).kind) << name << " " << r;
    }
  }
  for (uint32_t r = 0; r < 600; ++r) {
    ASSERT_EQ(times[r], batches[0]->time(r));
    ASSERT_EQ(origins.offsets[r], batches[0]->row_begin(r));
  }
}

TEST(Segment, SkipsByTokensAndValues) {
  SimEnv env(1);
  std::vector<BatchPtr> batches;
  batches.push_back(TwoKinds());
  const auto segment = Write(env, batches);
  const SegmentBlock& block = segment->blocks().front();
  const auto may = [&](std::string_view column, std::string_view token) {
    const uint64_t hash[] = {TokenHash(token)};
    return block.MayContainTokens(column.empty() ? -1 : ColumnAt(block, column), hash);
  };
  EXPECT_TRUE(may("", "served"));
  EXPECT_TRUE(may("", "ERROR"));
  EXPECT_FALSE(may("", "absent"));
  EXPECT_FALSE(may("", "shop"));  // resources are not in the filter
  EXPECT_TRUE(may("k8s.namespace.name", "shop"));
  EXPECT_FALSE(may("k8s.namespace.name", "bank"));
  EXPECT_TRUE(may("level", "level"));
  EXPECT_FALSE(may("level", "served"));
  EXPECT_TRUE(block.MayEqual(ColumnAt(block, "level"), "info"));
  EXPECT_FALSE(block.MayEqual(ColumnAt(block, "level"), "inf"));
  EXPECT_TRUE(block.MayEqual(ColumnAt(block, "zone"), "a"));
  EXPECT_FALSE(block.MayEqual(ColumnAt(block, "zone"), "b"));
  EXPECT_TRUE(block.MayEqual(ColumnAt(block, "body"), "anything"));
}

TEST(Segment, CutsBlocksBySizeAndKeepsHugeRows) {
  SimEnv env(1);
  std::vector<TestRow> rows;
  for (uint64_t n = 0; n < 5; ++n) {
    rows.push_back({static_cast<int64_t>(n), std::string(400'000, 'a'), {}, n, n + 1});
  }
  rows.push_back({9, std::string(3'000'000, 'b'), {}, 9, 10});
  rows.push_back({10, "small", {}, 10, 11});
  std::vector<BatchPtr> batches;
  batches.push_back(MakeBatch({1, 1}, {}, rows));
  const auto segment = Write(env, batches);
  EXPECT_EQ(segment->rows(), 7u);
  size_t large = 0;
  for (const SegmentBlock& block : segment->blocks()) {
    EXPECT_TRUE(block.Verify().ok());
    large += block.raw_bytes() > BlockBuilder::kRawBytesMax;
  }
  EXPECT_EQ(large, 1u);
  EXPECT_EQ(segment->blocks().size(), 5u);
}

TEST(Segment, SaysWhereAFrameIsCorrupt) {
  SimEnv env(1);
  std::vector<BatchPtr> batches;
  batches.push_back(TwoKinds());
  const auto good = Write(env, batches);
  std::string bytes = env.AllFiles()[kPath];
  const SegmentBlock& block = good->blocks().front();
  const FrameRef frame = block.entry().columns[0].data;
  bytes[16 + frame.offset + 5] ^= 1;
  const auto bad = Segment::Parse(bytes, kPath);
  ASSERT_TRUE(bad.ok());
  BlockReader reader;
  reader.Open((*bad)->blocks().front());
  EXPECT_TRUE(reader.Times().ok());
  const Status status = reader.Column(0).status();
  EXPECT_EQ(status.code(), Code::kDataLoss);
  EXPECT_NE(
      status.message().find(kPath + " is corrupt at offset " + std::to_string(16 + frame.offset)),
      std::string::npos)
      << status.message();
}

TEST(Segment, ReadsBlocksWhoseFilterIsCorrupt) {
  SimEnv env(1);
  std::vector<BatchPtr> batches;
  batches.push_back(TwoKinds());
  const auto good = Write(env, batches);
  std::string bytes = env.AllFiles()[kPath];
  const std::string filter(good->blocks().front().filter());
  const size_t at = bytes.find(filter);
  ASSERT_NE(at, std::string::npos);
  std::fill_n(bytes.begin() + static_cast<ptrdiff_t>(at), filter.size(), '\0');
  const auto bad = Segment::Parse(bytes, kPath);
  ASSERT_TRUE(bad.ok());
  const uint64_t hash[] = {TokenHash("served")};
  EXPECT_TRUE((*bad)->blocks().front().MayContainTokens(-1, hash));
  EXPECT_EQ((*bad)->Verify().code(), Code::kDataLoss);
}

TEST(Segment, RefusesEveryTruncation) {
  SimEnv env(1);
  std::vector<BatchPtr> batches;
  batches.push_back(NumberedRows({1, 1}, 0, 20));
  Write(env, batches);
  const std::string bytes = env.AllFiles()[kPath];
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(Segment::Parse(bytes.substr(0, size), kPath).status().code(), Code::kDataLoss);
  }
}

}  // namespace
}  // namespace kelp::store
