#include "codec/json_scan.h"

#include <gtest/gtest.h>

#include <string>

namespace kelp::codec {
namespace {

std::string Unescaped(std::string_view content) {
  std::string out(content.size() + kUnescapeSlack, '\0');
  const char* end = UnescapeJson(content.data(), content.data() + content.size(), out.data());
  out.resize(static_cast<size_t>(end - out.data()));
  return out;
}

TEST(JsonScan, KnowsJson) {
  for (const std::string_view json :
       {"0", "-0", "10.25", "1e5", "1E-05", "-1.5e+3", "true", "false", "null", "\"\"",
        "\"a\\u00e9\"", "[]", "[ ]", "{}", "[1,[2,[]],{}]",
        "{\"a\":{\"b\":[1,{\"c\":null}]},\"d\":\"}\"}", " 1 ", "\n{ \"a\" :\t[ ]\r}\n"}) {
    EXPECT_TRUE(IsJson(json)) << json;
  }
  for (const std::string_view other :
       {"",           " ",         "01",          "1.",
        ".5",         "+1",        "1e",          "--1",
        "tru",        "nulll",     "\"",          "\"a",
        "\"\\\"",     "\"\\a\"",   "\"\\u00g0\"", "\"a\nb\"",
        "[",          "]",         "[1",          "[1,]",
        "[,1]",       "[1 2]",     "{",           "{\"a\"}",
        "{\"a\":1,}", "{\"a\":1]", "[1}",         "{1:2}",
        "1 2",        "'a'",       "NaN",         "\xef\xbb\xbf{}"}) {
    EXPECT_FALSE(IsJson(other)) << other;
  }
}

TEST(JsonScan, FindsTheEndOfAValue) {
  const auto rest = [](std::string_view text) {
    const char* end = text.data() + text.size();
    const char* p = SkipJsonValue(text.data(), end);
    return p == nullptr ? "none" : std::string(p, end);
  };
  EXPECT_EQ(rest("12,3"), ",3");
  EXPECT_EQ(rest("{\"a\":\"}\"}}"), "}");
  EXPECT_EQ(rest("[[]] x"), " x");
  EXPECT_EQ(rest("\"a\\\"b\"c"), "c");
  EXPECT_EQ(rest("{\"a\":"), "none");
}

TEST(JsonScan, SkipsStringsOfAnyLength) {
  for (size_t size = 0; size < 100; ++size) {
    const std::string text = std::string(size, 'a') + "\"tail";
    bool escaped = false;
    const char* quote = SkipJsonString(text.data(), text.data() + text.size(), escaped);
    EXPECT_EQ(quote, text.data() + size);
    EXPECT_FALSE(escaped);
    EXPECT_EQ(SkipJsonString(text.data(), text.data() + size, escaped), nullptr);
  }
}

TEST(JsonScan, ResolvesEscapes) {
  EXPECT_EQ(Unescaped("\\\"\\\\\\/\\b\\f\\n\\r\\t"), "\"\\/\b\f\n\r\t");
  EXPECT_EQ(Unescaped("\\u0041\\u00e9\\u4e2d\\ud83d\\ude00"),
            "A\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80");
  EXPECT_EQ(Unescaped("\\u0000"), std::string(1, '\0'));
  for (const std::string_view lone : {"\\ud800", "\\udc00"}) {
    EXPECT_EQ(Unescaped(lone), "\xef\xbf\xbd") << lone;
  }
  EXPECT_EQ(Unescaped("\\ud800\\ud800"), "\xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(Unescaped("\\ud800\\u0041"),
            "\xef\xbf\xbd"
            "A");
}

TEST(JsonScan, ChecksContentBetweenKnownQuotes) {
  const auto read = [](std::string content) {
    Batch arena;
    const size_t size = content.size();
    content.append(kContentAhead, '"');
    std::string_view text;
    if (!ReadJsonContent(content.data(), content.data() + size, arena, text)) {
      return std::string("none");
    }
    return std::string(text);
  };
  EXPECT_EQ(read(""), "");
  EXPECT_EQ(read("plain"), "plain");
  EXPECT_EQ(read("a\\\"b"), "a\"b");
  for (const std::string bad : {"a\"b", "a\\", "a\\\\\\", "\\u12", "\\ud800\\u12", "a\nb", "\\x"}) {
    EXPECT_EQ(read(bad), "none") << bad;
    EXPECT_EQ(read(std::string(40, 'x') + "\\n" + bad), "none") << bad;
  }
}

TEST(JsonScan, WalksMembers) {
  std::string seen;
  const auto walk = [&](std::string_view text) {
    seen.clear();
    return ForEachMember(text, [&](std::string_view key, std::string_view value) {
      seen += std::string(key) + "=" + std::string(value) + ";";
      return key != "\"stop\"";
    });
  };
  EXPECT_TRUE(walk(" { \"a\" : 1 , \"b\":[2, 3] } "));
  EXPECT_EQ(seen, "\"a\"=1;\"b\"=[2, 3];");
  EXPECT_TRUE(walk("{}"));
  EXPECT_FALSE(walk("{\"stop\":1,\"a\":2}"));
  EXPECT_EQ(seen, "\"stop\"=1;");
  for (const std::string_view bad :
       {"", "[]", "{", "{\"a\"", "{\"a\":1", "{\"a\":1,", "{\"a\":1}x"}) {
    EXPECT_FALSE(walk(bad)) << bad;
  }
}

}  // namespace
}  // namespace kelp::codec
