#include "codec/kelp_batch.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "codec/byte_buffer.h"
#include "codec/proto_wire.h"
#include "codec/zstd.h"

namespace kelp::codec {
namespace {

constexpr UnixNanos kArrival = 1'800'000'000'000'000'000;

ResourcePtr PodResource() {
  return std::make_shared<const Resource>(
      std::vector<Resource::Tag>{{"k8s.pod.name", "web-1"}, {"k8s.namespace.name", "shop"}});
}

// Three rows with a field that one of them lacks.
BatchPtr SmallBatch() {
  BatchPtr batch = BatchPool::Shared().Get();
  batch->origin = {0x0102030405060708, 0x1112131415161718};
  batch->set_resource(PodResource());
  batch->begin = 100;
  batch->AddRow("first", 100, 106, 1'000);
  batch->AddRow("", 106, 107, kNoTime);
  batch->AddRow("third line, which is a little longer than thirty-two bytes", 107, 165, -5);
  Column& level = batch->AddColumn("level");
  level.Set(0, Value::String("info"));
  level.Set(2, Value::Json("{\"a\":1}"));
  batch->AddColumn("never set");
  batch->end = batch->resume = 165;
  return batch;
}

std::string Encode(const Batch& batch) {
  BatchSetEncoder encoder;
  encoder.Add(batch, kArrival);
  return encoder.Finish();
}

std::string Compress(const ByteBuffer& raw) { return ZstdCompressor(1).Compress(raw.view()); }

std::string Message(std::string_view body) {
  auto result = DecodeBatchSet(body);
  if (result.ok()) return "ok";
  EXPECT_EQ(result.status().code(), Code::kInvalidArgument);
  return std::string(result.status().message());
}

// A batch set around one part; the caller writes the part's fields.
template <typename F>
std::string SetOf(F&& write_part) {
  ByteBuffer raw;
  WireWriter out(raw);
  out.Uint(1, 1);
  const size_t part = out.Begin(2);
  write_part(out);
  out.End(part);
  return Compress(raw);
}

void WriteColumn(WireWriter& out, std::string_view name, std::string_view sizes,
                 std::string_view data) {
  const size_t column = out.Begin(8);
  out.Bytes(1, name);
  out.Bytes(2, sizes);
  out.Bytes(3, data);
  out.End(column);
}

// One row that says "hi", with what a case changes in it.
struct OneRow {
  std::string origin = std::string(16, 'o');
  uint64_t rows = 1;
  std::string times = "\x02";
  std::string ends = "\x03";
  std::string begins = "\x03";
  std::string sizes = "\x05";
  std::string data = "hi";
  std::string name = "body";

  std::string Body() const {
    return SetOf([&](WireWriter& out) {
      out.Bytes(1, origin);
      out.Uint(3, rows);
      out.Bytes(4, times);
      out.Bytes(5, ends);
      out.Bytes(6, begins);
      WriteColumn(out, name, sizes, data);
    });
  }
};

TEST(KelpBatch, BringsBackEveryRow) {
  const BatchPtr sent = SmallBatch();
  auto got = DecodeBatchSet(Encode(*sent));
  ASSERT_TRUE(got.ok()) << got.status().ToString();
  ASSERT_EQ(got->size(), 1u);
  const Batch& batch = *(*got)[0];
  EXPECT_EQ(batch.origin, sent->origin);
  EXPECT_EQ(*batch.resource(), *sent->resource());
  ASSERT_EQ(batch.rows(), 3u);
  for (uint32_t row = 0; row < 3; ++row) {
    EXPECT_EQ(batch.body().Get(row).text(), sent->body().Get(row).text());
    EXPECT_EQ(batch.row_begin(row), sent->row_begin(row));
    EXPECT_EQ(batch.row_end(row), sent->row_end(row));
  }
  EXPECT_EQ(batch.time(0), 1'000);
  EXPECT_EQ(batch.time(1), kArrival);
  EXPECT_EQ(batch.time(2), -5);
  ASSERT_EQ(batch.column_count(), 2u) << "a column without values is not sent";
  const Column& level = batch.column(1);
  EXPECT_EQ(level.name(), "level");
  EXPECT_EQ(level.Get(0).kind, ValueKind::kString);
  EXPECT_EQ(level.Get(0).text(), "info");
  EXPECT_TRUE(level.Get(1).missing());
  EXPECT_EQ(level.Get(2).kind, ValueKind::kJson);
  EXPECT_EQ(level.Get(2).text(), "{\"a\":1}");
}

TEST(KelpBatch, SendsSelectedRowsOnly) {
  const BatchPtr sent = SmallBatch();
  sent->Select([](uint32_t row) { return row != 0; });
  auto got = DecodeBatchSet(Encode(*sent));
  ASSERT_TRUE(got.ok()) << got.status().ToString();
  const Batch& batch = *(*got)[0];
  ASSERT_EQ(batch.rows(), 2u);
  EXPECT_EQ(batch.row_end(0), 107u);
  EXPECT_EQ(batch.row_begin(1), 107u);
}

TEST(KelpBatch, KeepsPartsApartAndInOrder) {
  BatchSetEncoder encoder;
  const BatchPtr first = SmallBatch();
  const BatchPtr second = SmallBatch();
  second->origin = {};
  encoder.Add(*first, kArrival);
  encoder.Add(*second, kArrival);
  EXPECT_EQ(encoder.rows(), 6u);
  EXPECT_GT(encoder.raw_bytes(), 100u);
  auto got = DecodeBatchSet(encoder.Finish());
  ASSERT_TRUE(got.ok()) << got.status().ToString();
  ASSERT_EQ(got->size(), 2u);
  EXPECT_EQ((*got)[0]->origin, first->origin);
  EXPECT_TRUE((*got)[1]->origin.empty());
  EXPECT_EQ(encoder.rows(), 0u);
  EXPECT_EQ(encoder.raw_bytes(), 0u);
}

TEST(KelpBatch, AcceptsAnEmptySet) {
  auto got = DecodeBatchSet(BatchSetEncoder().Finish());
  ASSERT_TRUE(got.ok()) << got.status().ToString();
  EXPECT_TRUE(got->empty());
}

TEST(KelpBatch, SplitsAPartThatIsLargerThanABatch) {
  constexpr uint64_t kRows = Batch::kRowsMax + 2;
  OneRow part;
  part.rows = kRows;
  part.times.assign(kRows, '\x02');
  part.ends.assign(kRows, '\x03');
  part.begins.assign(kRows, '\x03');
  part.sizes.assign(kRows, '\x03');
  part.data.assign(kRows, 'x');
  part.data[Batch::kRowsMax] = 'y';
  auto got = DecodeBatchSet(part.Body());
  ASSERT_TRUE(got.ok()) << got.status().ToString();
  ASSERT_EQ(got->size(), 2u);
  EXPECT_EQ((*got)[0]->rows(), Batch::kRowsMax);
  got->erase(got->begin());  // the second does not lean on the first one's memory
  ASSERT_EQ((*got)[0]->rows(), 2u);
  EXPECT_EQ((*got)[0]->body().Get(0).text(), "y");
  EXPECT_EQ((*got)[0]->row_begin(0), uint64_t{3} * Batch::kRowsMax);
}

TEST(KelpBatch, PutsSurplusColumnsIntoTheOverflowColumn) {
  const std::string body = SetOf([](WireWriter& out) {
    out.Uint(3, 1);
    out.Bytes(4, "\x02");
    out.Bytes(5, "\x03");
    out.Bytes(6, "\x03");
    WriteColumn(out, "body", "\x05", "hi");
    for (int i = 0; i < 300; ++i) WriteColumn(out, "c" + std::to_string(i), "\x04", "7");
    WriteColumn(out, Batch::kOverflowColumn, "\x10", "{\"z\":1}");
  });
  auto got = DecodeBatchSet(body);
  ASSERT_TRUE(got.ok()) << got.status().ToString();
  const Batch& batch = *(*got)[0];
  EXPECT_LE(batch.column_count(), Batch::kColumnsMax);
  const std::string_view text = batch.FindColumn(Batch::kOverflowColumn)->Get(0).text();
  EXPECT_TRUE(text.starts_with("{\"z\":1,\"c")) << text;
  EXPECT_NE(text.find(",\"c299\":7"), std::string::npos) << text;
}

TEST(KelpBatch, SkipsUnknownFields) {
  const std::string body = SetOf([](WireWriter& out) {
    out.Uint(99, 5);
    out.Uint(3, 1);
    out.Bytes(4, "\x02");
    out.Bytes(5, "\x03");
    out.Bytes(6, "\x03");
    out.Bytes(98, "later");
    WriteColumn(out, "body", "\x05", "hi");
  });
  EXPECT_EQ(Message(body), "ok");
}

TEST(KelpBatch, NamesTheFieldThatIsWrong) {
  EXPECT_EQ(Message(OneRow().Body()), "ok");
  OneRow row;
  row.origin = "short";
  EXPECT_EQ(Message(row.Body()), "batch set: part 0: origin_id has 5 bytes, not 16");
  row = {};
  row.rows = (1u << 20) + 1;
  EXPECT_EQ(Message(row.Body()), "batch set: part 0: rows is 1048577, at most 1048576");
  row = {};
  row.rows = 2;
  EXPECT_EQ(Message(row.Body()),
            "batch set: part 0: times has no valid number for row 1 at its byte 1");
  row = {};
  row.times += '\x01';
  EXPECT_EQ(Message(row.Body()), "batch set: part 0: times goes on for 1 bytes behind its 1 rows");
  row = {};
  row.begins = "\x04";
  EXPECT_EQ(Message(row.Body()),
            "batch set: part 0: begins of row 0 (before byte 1): before the begin of the origin");
  row = {};
  row.sizes = "\x07";
  EXPECT_EQ(Message(row.Body()),
            "batch set: part 0: column \"body\": sizes of row 0 (before byte 1): 3 bytes, but data "
            "has 2 left");
  row = {};
  row.data = "hi!";
  EXPECT_EQ(Message(row.Body()),
            "batch set: part 0: column \"body\": sizes of row 1 (before byte 1): data has 1 bytes "
            "more");
  row = {};
  row.name = "text";
  EXPECT_EQ(Message(row.Body()), "batch set: part 0: the first column is not \"body\"");
}

TEST(KelpBatch, RefusesRowEndsThatDoNotGrow) {
  OneRow row;
  row.rows = 2;
  row.times = "\x02\x02";
  row.ends = std::string("\x03\x00", 2);
  row.begins = "\x03\x03";
  row.sizes = "\x03\x03";
  EXPECT_EQ(Message(row.Body()),
            "batch set: part 0: ends of row 1 (before byte 2): not above the row before");
  row.origin = "";  // without an origin nothing is deduplicated, so ends mean nothing
  EXPECT_EQ(Message(row.Body()), "ok");
}

TEST(KelpBatch, RefusesOtherVersions) {
  ByteBuffer raw;
  EXPECT_EQ(Message(Compress(raw)), "batch set: version is 0, this reader knows 1");
  WireWriter(raw).Uint(1, 2);
  EXPECT_EQ(Message(Compress(raw)), "batch set: version is 2, this reader knows 1");
}

TEST(KelpBatch, RefusesABombOfMissingValues) {
  constexpr uint64_t kRows = 1u << 20;
  OneRow row;
  const std::string body = SetOf([&](WireWriter& out) {
    out.Uint(3, kRows);
    out.Bytes(4, std::string(kRows, '\x02'));
    out.Bytes(5, std::string(kRows, '\x02'));
    out.Bytes(6, std::string(kRows, '\x02'));
    WriteColumn(out, "body", std::string(kRows, '\0'), "");
    for (int i = 0; i < 20; ++i) {
      WriteColumn(out, std::to_string(i), std::string(kRows, '\0'), "");
    }
  });
  EXPECT_LT(body.size(), 10'000u);
  EXPECT_EQ(Message(body), "batch set: part 0: unfolds to more than 16777216 values");
}

TEST(KelpBatch, RefusesDamagedFrames) {
  const std::string body = Encode(*SmallBatch());
  EXPECT_TRUE(Message("").starts_with("batch set: not a valid zstd frame"));
  EXPECT_TRUE(Message("garbage that is no frame").starts_with("batch set: not a valid zstd frame"));
  EXPECT_EQ(Message(body + "x"), "batch set: 1 bytes follow the zstd frame");
  for (size_t size = 0; size < body.size(); ++size) {
    EXPECT_NE(Message(body.substr(0, size)), "ok") << size;
  }
  for (size_t i = 0; i < body.size(); ++i) {
    std::string damaged = body;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x55);
    static_cast<void>(Message(damaged));  // any answer, but no crash; the checksum finds most
  }
}

TEST(KelpBatch, RefusesABodyThatUnfoldsTooFar) {
  ByteBuffer raw;
  const std::string zeros(1 << 20, '\0');
  for (int i = 0; i < 129; ++i) raw.Append(zeros);
  EXPECT_EQ(Message(Compress(raw)), "batch set: decompressed data is larger than 128MiB");
}

}  // namespace
}  // namespace kelp::codec
