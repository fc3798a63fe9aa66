#include "codec/json_print.h"

#include <gtest/gtest.h>

#include <string>

#include "codec/json_scan.h"
#include "codec/utf8.h"

namespace kelp::codec {
namespace {

std::string Quoted(std::string_view text) {
  ByteBuffer out;
  AppendJsonString(out, text);
  return std::string(out.view());
}

std::string Json(std::string_view text) {
  ByteBuffer out;
  AppendJsonValue(out, Value::Json(text));
  return std::string(out.view());
}

std::string Time(UnixNanos time) {
  ByteBuffer out;
  AppendJsonTime(out, time);
  return std::string(out.view());
}

TEST(JsonPrint, EscapesAtEveryPlace) {
  for (size_t before = 0; before < 50; ++before) {
    const std::string pad(before, 'x');
    EXPECT_EQ(Quoted(pad), "\"" + pad + "\"");
    EXPECT_EQ(Quoted(pad + "\"\\\n\r\t\x01" + pad),
              "\"" + pad + "\\\"\\\\\\n\\r\\t\\u0001" + pad + "\"");
    EXPECT_EQ(Quoted(pad + "\xe4\xb8\xad" + pad), "\"" + pad + "\xe4\xb8\xad" + pad + "\"");
    EXPECT_EQ(Quoted(pad + "\xff" + pad + "\xe4\xb8\xad"),
              "\"" + pad + "\xef\xbf\xbd" + pad + "\xe4\xb8\xad\"");
  }
}

TEST(JsonPrint, ReplacesEachPieceOfBadUtf8Once) {
  EXPECT_EQ(Quoted("\xe4\xb8"), "\"\xef\xbf\xbd\"") << "a sequence cut off";
  EXPECT_EQ(Quoted("\xc0\xaf"), "\"\xef\xbf\xbd\xef\xbf\xbd\"") << "an overlong form";
  EXPECT_EQ(Quoted("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"") << "a surrogate";
  EXPECT_EQ(Quoted("\xf0\x9f\x98x"), "\"\xef\xbf\xbdx\"");
  EXPECT_EQ(Quoted("\xf4\x90\x80\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"")
      << "past U+10FFFF";
}

TEST(JsonPrint, PrintsJsonValuesOnOneLine) {
  EXPECT_EQ(Json("12"), "12");
  EXPECT_EQ(Json("{\"a\":\n [1,\t\"x\\n\"]}"), "{\"a\":  [1, \"x\\n\"]}");
  EXPECT_EQ(Json("{\"a\":"), "\"{\\\"a\\\":\"") << "what is no JSON becomes a string";
  EXPECT_EQ(Json("\"\xff\""), "\"\xef\xbf\xbd\"");
  ByteBuffer out;
  AppendJsonValue(out, Value());
  EXPECT_EQ(out.view(), "null");
}

TEST(JsonPrint, PrintsTimesWithNineDigits) {
  EXPECT_EQ(Time(0), "\"1970-01-01T00:00:00.000000000Z\"");
  EXPECT_EQ(Time(-1), "\"1969-12-31T23:59:59.999999999Z\"");
  EXPECT_EQ(Time(kNoTime), "null");
  for (const UnixNanos time :
       {UnixNanos{1795218566304280852}, UnixNanos{951782400000000001}, INT64_MAX, INT64_MIN + 1}) {
    EXPECT_EQ(Time(time), "\"" + FormatRfc3339(time) + "\"");
  }
}

TEST(JsonPrint, PrintsRowsAsTheApiSays) {
  Batch batch;
  batch.origin = {1, 2};
  batch.set_resource(std::make_shared<const Resource>(
      std::vector<Resource::Tag>{{"k8s.pod.name", "web"}, {"a\"b", "c"}}));
  batch.AddRow("hello \"you\"", 10, 20, 1795218566304280852);
  batch.AddRow("", 20, 21, kNoTime);
  batch.AddColumn("level").Set(0, Value::String("info"));
  batch.AddColumn("n").Set(0, Value::Json("7"));
  batch.AddColumn("a\nb").Set(1, Value::Json("null"));
  batch.body().Set(1, Value());
  RowPrinter printer;
  printer.Start(batch);
  ByteBuffer out;
  printer.Append(out, 0);
  out.Append('\n');
  printer.Append(out, 1);
  EXPECT_EQ(
      out.view(),
      "{\"time\":\"2026-11-20T23:49:26.304280852Z\",\"body\":\"hello \\\"you\\\"\",\"fields\":"
      "{\"level\":\"info\",\"n\":7},\"resource\":{\"a\\\"b\":\"c\",\"k8s.pod.name\":\"web\"},"
      "\"origin\":{\"id\":\"00000000000000010000000000000002\",\"offset\":10}}\n"
      "{\"time\":null,\"body\":\"\",\"fields\":{\"a\\nb\":null},\"resource\":{\"a\\\"b\":\"c\","
      "\"k8s.pod.name\":\"web\"},\"origin\":{\"id\":\"00000000000000010000000000000002\","
      "\"offset\":20}}");
}

TEST(JsonPrint, FollowsBatchesWithOtherColumnsAndResources) {
  RowPrinter printer;
  ByteBuffer out;
  for (int i = 0; i < 3; ++i) {
    Batch batch;
    batch.set_resource(
        std::make_shared<const Resource>(std::vector<Resource::Tag>{{"r", std::to_string(i)}}));
    batch.AddRow("x", 0, 1, 0);
    for (int c = 0; c < i; ++c) batch.AddColumn("c" + std::to_string(i)).Set(0, Value::Json("1"));
    out.Clear();
    printer.Start(batch);
    printer.Append(out, 0);
    EXPECT_NE(out.view().find("\"resource\":{\"r\":\"" + std::to_string(i) + "\"}"),
              std::string_view::npos);
    EXPECT_EQ(out.view().find("\"c" + std::to_string(i) + "\":1") != std::string_view::npos, i > 0);
    EXPECT_TRUE(IsJson(out.view()));
  }
}

}  // namespace
}  // namespace kelp::codec
