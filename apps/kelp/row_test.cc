#include "row.h"

#include <gtest/gtest.h>

#include "json_slice.h"
#include "sse.h"
#include "test_context.h"

namespace kelp::cli {
namespace {

using testing::CapturedPrinter;

constexpr const char* kRow =
    R"({"time":"2026-11-20T23:49:26.304280852Z","body":"GET / \u001b[31m","fields":)"
    R"({"status":200,"user":"bob","deep":{"a":[1, 2]}},"resource":)"
    R"({"k8s.namespace.name":"shop","k8s.pod.name":"web-1"},"origin":{"id":"0f","offset":7}})";

TEST(JsonSlice, HandsOutMembersAsTheyAreWritten) {
  std::string seen;
  EXPECT_TRUE(ForEachMember(R"( {"a" : 1.50, "b\n":[1, {"x":2}] ,"c":"\u00e9"} )",
                            [&](std::string_view key, std::string_view value) {
                              seen += std::string(key) + "=" + std::string(value) + ";";
                            }));
  EXPECT_EQ(seen, "a=1.50;b\n=[1, {\"x\":2}];c=\"\\u00e9\";");
  EXPECT_EQ(ValueText("\"\\u00e9\\\"\""), "é\"");
  EXPECT_EQ(ValueText("17"), "17");
  size_t items = 0;
  EXPECT_TRUE(ForEachItem("[1, [2], \"3\"]", [&](std::string_view) { ++items; }));
  EXPECT_EQ(items, 3u);
  EXPECT_TRUE(ForEachItem("[]", [](std::string_view) {}));
  EXPECT_EQ(Member(R"({"a":null})", "a"), "null");
  EXPECT_FALSE(Member("{}", "a").has_value());
}

TEST(JsonSlice, RefusesWhatIsNotJson) {
  const auto ignore = [](std::string_view, std::string_view) {};
  for (const char* text :
       {"", "[]", "{", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "{\"a\":1} x", "{\"a\":1"}) {
    EXPECT_FALSE(ForEachMember(text, ignore)) << text;
  }
}

TEST(Row, IsReadAndKeptAsSent) {
  const Result<Row> row = ParseRow(kRow);
  ASSERT_TRUE(row.ok()) << row.status().ToString();
  EXPECT_EQ(row->json, kRow);
  EXPECT_EQ(row->Get("status"), "200");
  EXPECT_EQ(row->Get("deep"), R"({"a":[1, 2]})");
  EXPECT_EQ(row->Get("k8s.pod.name"), "web-1");
  EXPECT_EQ(row->Get("none"), "");
  EXPECT_EQ(row->Source(), "shop/web-1");
  EXPECT_EQ(row->position, R"({"id":"0f","offset":7})");
  EXPECT_EQ(ParseRow("nonsense").status().code(), Code::kDataLoss);
  EXPECT_EQ(ParseRow(R"({"time":null,"body":"x"})")->time, "");
}

TEST(RowWriter, TheTableShowsTimeSourceFieldsAndAHarmlessBody) {
  CapturedPrinter out;
  RowWriter writer(RowFormat::kTable, {"status"}, out);
  writer.Write(*ParseRow(kRow));
  writer.Write(*ParseRow(R"({"time":"2026-11-20T23:49:27.000000000Z","fields":{"a":1,"b":"x"},)"
                         R"("resource":{"log.file.path":"/var/log/x.log"}})"));
  EXPECT_EQ(out.out,
            "TIME (UTC)               SOURCE      status  BODY\n"
            "2026-11-20 23:49:26.304  shop/web-1  200     GET / \\x1b[31m\n"
            "2026-11-20 23:49:27.000  /var/log/x.log          a=1 b=x\n");
}

TEST(RowWriter, RawIsTheBodyAndJsonIsWhatCame) {
  CapturedPrinter raw;
  RowWriter(RowFormat::kRaw, {}, raw).Write(*ParseRow(kRow));
  EXPECT_EQ(raw.out, "GET / \x1b[31m\n");
  CapturedPrinter json;
  RowWriter(RowFormat::kJson, {}, json).Write(*ParseRow(kRow));
  EXPECT_EQ(json.out, std::string(kRow) + "\n");
}

TEST(Table, FitsColumnsAndShortensLongCells) {
  EXPECT_EQ(PrintTable({"A", "B"}, {{"1", "x"}, {"中文", "y"}}), "A     B\n1     x\n中文  y\n");
  const std::string table = PrintTable({"A"}, {{std::string(500, 'x')}});
  EXPECT_LT(table.size(), 80u);
  EXPECT_NE(table.find("…"), std::string::npos);
}

TEST(Table, CountsColumnsOfWideCharacters) {
  EXPECT_EQ(DisplayWidth("abc"), 3u);
  EXPECT_EQ(DisplayWidth("é"), 1u);
  EXPECT_EQ(DisplayWidth("中文"), 4u);
  EXPECT_EQ(DisplayWidth("…"), 1u);
}

TEST(SplitList, TakesNamesApart) {
  EXPECT_EQ(SplitList(" a,b , c,,"), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_TRUE(SplitList("").empty());
}

std::vector<std::string> Events(const std::vector<std::string>& pieces, size_t* dropped = nullptr) {
  std::vector<std::string> events;
  SseParser parser([&](const SseEvent& event) { events.push_back(event.name + ":" + event.data); });
  for (const std::string& piece : pieces) parser.Feed(piece);
  if (dropped != nullptr) *dropped = parser.dropped();
  return events;
}

TEST(Sse, ReadsEventsHoweverTheyAreCut) {
  const std::string stream =
      ": hello\n\nevent: row\nid: 3\ndata: {\"a\":1}\n\ndata:one\r\ndata: two\r\n\r\nevent: "
      "empty\n\n";
  const std::vector<std::string> expected = {"row:{\"a\":1}", "message:one\ntwo"};
  EXPECT_EQ(Events({stream}), expected);
  std::vector<std::string> bytes;
  for (const char c : stream) bytes.emplace_back(1, c);
  EXPECT_EQ(Events(bytes), expected);
}

TEST(Sse, AnUnfinishedEventIsNotAnEvent) {
  EXPECT_TRUE(Events({"data: half"}).empty());
  EXPECT_TRUE(Events({"data: half\n"}).empty());
}

TEST(Sse, DropsAnEventOverTheLimitAndGoesOn) {
  size_t dropped = 0;
  const std::string piece(1u << 20, 'x');
  std::vector<std::string> pieces = {"data: "};
  for (size_t i = 0; i <= SseParser::kSseEventBytesMax >> 20; ++i) pieces.push_back(piece);
  pieces.push_back("\n\ndata: small\n\n");
  EXPECT_EQ(Events(pieces, &dropped), std::vector<std::string>{"message:small"});
  EXPECT_EQ(dropped, 1u);
}

}  // namespace
}  // namespace kelp::cli
