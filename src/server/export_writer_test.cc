#include "server/export_writer.h"

#include <gtest/gtest.h>

#include "query/query_testing.h"

namespace kelp::server {
namespace {

using query::testing::Json;
using query::testing::MemorySnapshot;
using query::testing::TestRow;
using query::testing::Text;

std::string Csv(std::string_view value) {
  std::string out;
  AppendCsv(value, out);
  return out;
}

TEST(AppendCsv, QuotesWhatNeedsIt) {
  EXPECT_EQ(Csv("plain text"), "plain text");
  EXPECT_EQ(Csv(""), "\"\"");
  EXPECT_EQ(Csv("a,b"), "\"a,b\"");
  EXPECT_EQ(Csv("say \"hi\""), "\"say \"\"hi\"\"\"");
  EXPECT_EQ(Csv("\""), "\"\"\"\"");
  EXPECT_EQ(Csv("two\nlines\r"), "\"two\nlines\r\"");
  EXPECT_EQ(Csv(" a"), "\" a\"");
  EXPECT_EQ(Csv("支付"), "支付");
}

query::Row OneRow() {
  query::Row row;
  row.time = 1'000'000'000'000'000'000;
  row.body = "a \"b\"";
  row.fields = {{"n", "7", ValueKind::kJson}, {"who", "x,y", ValueKind::kString}};
  row.resource = {{"pod", "p", ValueKind::kString}, {"who", "tag", ValueKind::kString}};
  row.origin = {1, 2};
  row.offset = 30;
  return row;
}

std::string Write(RowWriter& writer, const query::Row& row) {
  std::string out;
  writer.Begin(out);
  writer.Add(row, out);
  return out;
}

TEST(RowWriter, WritesJsonLines) {
  EXPECT_EQ(Write(*NewJsonRows(), OneRow()),
            "{\"time\":\"2001-09-09T01:46:40.000000000Z\",\"body\":\"a \\\"b\\\"\",\"fields\":"
            "{\"n\":7,\"who\":\"x,y\"},\"resource\":{\"pod\":\"p\",\"who\":\"tag\"},\"origin\":"
            "{\"id\":\"00000000000000010000000000000002\",\"offset\":30}}\n");
  EXPECT_EQ(Write(*NewJsonRows({"who", "none", "n", "offset"}), OneRow()),
            "{\"who\":\"x,y\",\"n\":7,\"offset\":30}\n");
}

TEST(RowWriter, WritesCsv) {
  EXPECT_EQ(Write(*NewCsvRows({"time", "body", "a,b", "n", "who", "pod", "none"}), OneRow()),
            "time,body,\"a,b\",n,who,pod,none\n"
            "2001-09-09T01:46:40.000000000Z,\"a \"\"b\"\"\",,7,\"x,y\",p,\n");
}

TEST(ResultWriter, WritesJsonLinesAndCsv) {
  const std::vector<sql::ResultColumn> columns = {{"a b", "text"}, {"n", "number"}, {"j", "json"}};
  const std::vector<sql::Cell> cells = {{sql::Cell::Kind::kText, "x\"y"},
                                        {sql::Cell::Kind::kNull, ""},
                                        {sql::Cell::Kind::kJson, "{\"k\":1}"}};
  std::string json, csv;
  const auto json_writer = NewJsonResult();
  json_writer->Begin(columns, json);
  json_writer->Add(cells, json);
  EXPECT_EQ(json, "{\"a b\":\"x\\\"y\",\"n\":null,\"j\":{\"k\":1}}\n");
  const auto csv_writer = NewCsvResult();
  csv_writer->Begin(columns, csv);
  csv_writer->Add(cells, csv);
  EXPECT_EQ(csv, "a b,n,j\n\"x\"\"y\",,\"{\"\"k\"\":1}\"\n");
}

TEST(ColumnsOf, AreThoseOfTheSpan) {
  TestRow old, young;
  old.time = 1;
  old.body = Text("x");
  old.fields["only_old"] = Text("x");
  young.time = 100;
  young.body = Text("x");
  young.fields["b"] = Json("1");
  young.fields["a"] = Text("x");
  young.fields["time"] = Text("not this one");
  young.resource["pod"] = Text("p");
  MemorySnapshot snapshot;
  snapshot.Add({young}).Add({old});
  EXPECT_EQ(ColumnsOf(snapshot, 50, 200),
            (std::vector<std::string>{"time", "body", "pod", "a", "b", "origin", "offset"}));
  EXPECT_EQ(ColumnsOf(snapshot, 0, 50),
            (std::vector<std::string>{"time", "body", "only_old", "origin", "offset"}));
  TestRow wide;
  wide.time = 1;
  wide.body = Text("x");
  for (size_t i = 0; i < 2 * kExportColumnsMax; ++i) {
    wide.fields["f" + std::to_string(i)] = Text("x");
  }
  EXPECT_EQ(ColumnsOf(MemorySnapshot({wide}), 0, 2).size(), kExportColumnsMax);
}

}  // namespace
}  // namespace kelp::server
