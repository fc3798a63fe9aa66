#include "codec/json.h"

#include <gtest/gtest.h>

#include <string>

#include "codec/json_scan.h"

namespace kelp::codec {
namespace {

// Parses each text as a row of one batch and prints the fields: a=text b=`json`, or "not JSON".
std::string Parse(std::initializer_list<std::string_view> texts, std::string prefix = "") {
  Batch batch;
  for (const std::string_view text : texts) batch.AddRow(text, 0, 1, kNoTime);
  JsonFields fields(std::move(prefix));
  fields.Start(batch);
  std::string out;
  for (uint32_t row = 0; row < batch.rows(); ++row) {
    if (row != 0) out += " / ";
    if (!fields.Parse(row, batch.body().Get(row).text())) {
      out += "not JSON";
      continue;
    }
    for (size_t i = 1; i < batch.column_count(); ++i) {
      const Value& value = batch.column(i).Get(row);
      if (value.missing()) continue;
      const std::string_view quote = value.kind == ValueKind::kJson ? "`" : "";
      out += batch.column(i).name() + "=" + std::string(quote) + std::string(value.text()) +
             std::string(quote) + " ";
    }
  }
  return out;
}

TEST(JsonFields, MakesAColumnOfEachKey) {
  EXPECT_EQ(Parse({R"({"a":"x","b":1,"c":true,"d":null,"e":{"f":[1,2]},"g":[]})"}),
            "a=x b=`1` c=`true` d=`null` e=`{\"f\":[1,2]}` g=`[]` ");
  EXPECT_EQ(Parse({R"({})"}), "");
  EXPECT_EQ(Parse({R"({"a":"x"})"}, "app."), "app.a=x ");
}

TEST(JsonFields, AcceptsWhiteSpaceEverywhere) {
  EXPECT_EQ(Parse({" { \"a\" : \"x\" , \"b\" :\t-1.5e+3 } ", "\n{\"a\":\r\n \"y\"}\n"}),
            "a=x b=`-1.5e+3`  / a=y ");
}

TEST(JsonFields, FollowsRowsWhoseKeysChange) {
  EXPECT_EQ(Parse({R"({"a":"1","b":"2","c":"3"})", R"({"a":"1","c":"3"})", R"({"c":"3","a":"1"})",
                   R"({"b":"2","d":"4"})", R"({"a":"1","b":"2","c":"3"})"}),
            "a=1 b=2 c=3  / a=1 c=3  / a=1 c=3  / b=2 d=4  / a=1 b=2 c=3 ");
}

TEST(JsonFields, TellsKeysWithACommonBeginApart) {
  EXPECT_EQ(Parse({R"({"key":"1","ke":"2","keys":"3"})", R"({"keys":"3","key":"1","ke":"2"})"}),
            "key=1 ke=2 keys=3  / key=1 ke=2 keys=3 ");
}

TEST(JsonFields, ReadsKeysOfAnyLength) {
  std::string expected, text = "{";
  for (size_t size = 0; size < 80; ++size) {
    const std::string key(size, static_cast<char>('a' + size % 26));
    text += (size == 0 ? "\"" : ",\"") + key + "\":\"v" + std::to_string(size) + "\"";
    expected += key + "=v" + std::to_string(size) + " ";
  }
  text += "}";
  EXPECT_EQ(Parse({text, text}), expected + " / " + expected);
}

TEST(JsonFields, ReadsStringsOfAnyLength) {
  for (size_t size = 0; size < 150; ++size) {
    const std::string value(size, 'v');
    EXPECT_EQ(Parse({"{\"a\":\"" + value + "\",\"b\":\"" + value + "\\n\"}"}),
              "a=" + value + " b=" + value + "\n ");
  }
}

TEST(JsonFields, ResolvesEscapesInKeysAndValues) {
  EXPECT_EQ(Parse({R"({"a\"b":"c\\d","\u0061":"\ud83d\ude00\t\/"})"}),
            "a\"b=c\\d a=\xf0\x9f\x98\x80\t/ ");
  // A backslash in a name is not an escape in the text that follows.
  EXPECT_EQ(Parse({R"({"a\\nb":"1"})", R"({"a\nb":"2"})"}), "a\\nb=1  / a\nb=2 ");
  EXPECT_EQ(Parse({R"({"a":"\ud800x"})"}), "a=\xef\xbf\xbdx ");
}

TEST(JsonFields, LetsTheLastOfRepeatedKeysCount) {
  EXPECT_EQ(Parse({R"({"a":1,"a":"x"})"}), "a=x ");
}

TEST(JsonFields, RefusesWhatIsNoObject) {
  for (const std::string_view bad : {"",
                                     " ",
                                     "x",
                                     "1",
                                     "[]",
                                     "\"a\"",
                                     "{",
                                     "{}x",
                                     "{\"a\"}",
                                     "{\"a\":}",
                                     "{\"a\":1",
                                     "{\"a\":1,}",
                                     "{,}",
                                     "{a:1}",
                                     "{\"a\":01}",
                                     "{\"a\":1.}",
                                     "{\"a\":-}",
                                     "{\"a\":1e}",
                                     "{\"a\":tru}",
                                     "{\"a\":nul}",
                                     "{\"a\":\"x}",
                                     "{\"a\":\"\\x\"}",
                                     "{\"a\":\"\\u12g4\"}",
                                     "{\"a\":[1,]}",
                                     "{\"a\":{\"b\":1,}}",
                                     "{\"a\":[1}",
                                     "{\"a\":\"x\ny\"}",
                                     "{\"a\":1 \"b\":2}",
                                     "{\"a\" 1}",
                                     "{\"a\":\"x\"\"b\":2}",
                                     "{\"a\":truefalse}",
                                     "{\"a\":\"b\\",
                                     "{\"a\\"}) {
    EXPECT_EQ(Parse({bad}), "not JSON") << bad;
    EXPECT_EQ(Parse({R"({"a":"x","b":1})", bad}), "a=x b=`1`  / not JSON") << bad;
  }
}

TEST(JsonFields, LeavesTheRowAloneWhenItIsNotJson) {
  Batch batch;
  batch.AddRow("{\"a\":\"new\",\"b\":}", 0, 1, kNoTime);
  batch.AddColumn("a").Set(0, Value::String("old"));
  JsonFields fields;
  fields.Start(batch);
  EXPECT_FALSE(fields.Parse(0, batch.body().Get(0).text()));
  EXPECT_EQ(batch.FindColumn("a")->Get(0).text(), "old");
  EXPECT_EQ(batch.FindColumn("b"), nullptr);
}

TEST(JsonFields, RefusesTextThatIsNestedTooDeeply) {
  const auto nested = [](size_t depth) {
    return "{\"a\":" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  EXPECT_NE(Parse({nested(kJsonDepthMax)}), "not JSON");
  EXPECT_EQ(Parse({nested(kJsonDepthMax + 1)}), "not JSON");
}

TEST(JsonFields, KeepsFieldsBeyondTheLastColumn) {
  std::string text = "{";
  for (int i = 0; i < 5000; ++i) {
    text += (i == 0 ? "\"k" : ",\"k") + std::to_string(i) + "\":" + std::to_string(i);
  }
  text += "}";
  Batch batch;
  batch.AddRow(text, 0, 1, kNoTime);
  batch.AddRow(text, 1, 2, kNoTime);
  JsonFields fields;
  for (int round = 0; round < 2; ++round) {
    fields.Start(batch);
    ASSERT_TRUE(fields.Parse(1, text));
    ASSERT_EQ(batch.column_count(), Batch::kColumnsMax);
    EXPECT_EQ(batch.FindColumn("k253")->Get(1).text(), "253");
    const Column* overflow = batch.FindColumn(Batch::kOverflowColumn);
    EXPECT_TRUE(overflow->Get(0).missing());
    EXPECT_TRUE(overflow->Get(1).text().ends_with(",\"k4999\":4999}"));
    EXPECT_TRUE(IsJson(overflow->Get(1).text()));
    EXPECT_EQ(fields.overflowed(), 4746u * static_cast<unsigned>(round + 1));
  }
}

}  // namespace
}  // namespace kelp::codec
