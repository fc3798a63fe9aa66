#include "codec/docker_json.h"

#include <gtest/gtest.h>

#include <string>

namespace kelp::codec {
namespace {

constexpr std::string_view kTail =
    "\",\"stream\":\"stdout\",\"time\":\"2026-11-20T23:59:27.887402093Z\"}";

std::string Line(std::string_view log) {
  return "{\"log\":\"" + std::string(log) + std::string(kTail);
}

// The log of a line of Docker's own shape; both ways must agree.
std::string Log(std::string_view escaped) {
  const std::string text = Line(escaped);
  Batch arena;
  DockerJsonParser parser;
  DockerLine fast, plain;
  EXPECT_TRUE(parser.ParsePlain(text, arena, plain)) << text;
  EXPECT_TRUE(parser.ParseFast(text, arena, fast)) << text;
  EXPECT_EQ(fast.log, plain.log);
  EXPECT_EQ(fast.partial, plain.partial);
  EXPECT_EQ(fast.time, plain.time);
  return std::string(fast.log) + (fast.partial ? "|partial" : "");
}

TEST(DockerJson, ReadsWhatDockerWrites) {
  Batch arena;
  DockerJsonParser parser;
  DockerLine line;
  const std::string text = Line("hello\\n");
  ASSERT_TRUE(parser.Parse(text, arena, line));
  EXPECT_EQ(line.log, "hello");
  EXPECT_EQ(line.log.data(), text.data() + 8) << "no copy without escapes";
  EXPECT_EQ(line.time, ParseRfc3339("2026-11-20T23:59:27.887402093Z").value());
  EXPECT_EQ(line.stream, Stream::kStdout);
  EXPECT_FALSE(line.partial);
  EXPECT_TRUE(line.attrs.empty());
}

TEST(DockerJson, ReadsStderrAndCutFractions) {
  Batch arena;
  DockerJsonParser parser;
  DockerLine line;
  for (const std::string fraction : {"", ".5", ".123456", ".12345678"}) {
    const std::string time = "2026-11-20T23:59:27" + fraction + "Z";
    ASSERT_TRUE(
        parser.ParseFast("{\"log\":\"some content of a log that is long\\n\",\"stream\":"
                         "\"stderr\",\"time\":\"" +
                             time + "\"}",
                         arena, line));
    EXPECT_EQ(line.time, ParseRfc3339(time).value());
    EXPECT_EQ(line.stream, Stream::kStderr);
  }
}

TEST(DockerJson, ResolvesEscapesAtEveryPlace) {
  for (size_t before = 0; before < 70; ++before) {
    const std::string pad(before, 'x');
    EXPECT_EQ(Log(pad + "\\\"a\\\"\\n"), pad + "\"a\"");
    EXPECT_EQ(Log(pad + "\\\\\\n"), pad + "\\");
    EXPECT_EQ(Log(pad + "\\u0009\\u003c\\ufffd\\ud83d\\ude00z\\n"),
              pad + "\t<\xef\xbf\xbd\xf0\x9f\x98\x80z");
    EXPECT_EQ(Log(pad + "\\r\\n" + pad + "\\n"), pad + "\r\n" + pad);
    EXPECT_EQ(Log(pad + "\\\\\\\\\\\\\\\"" + pad + "\\n"), pad + "\\\\\\\"" + pad);
    EXPECT_EQ(Log(pad + "\xe4\xb8\xad\\n"), pad + "\xe4\xb8\xad");
  }
}

TEST(DockerJson, KnowsPartialLines) {
  EXPECT_EQ(Log("part"), "part|partial");
  EXPECT_EQ(Log(""), "|partial");
  EXPECT_EQ(Log("\\n"), "");
  EXPECT_EQ(Log("ends in backslash and n\\\\n"), "ends in backslash and n\\n|partial");
  EXPECT_EQ(Log("backslash, newline\\\\\\n"), "backslash, newline\\");
}

TEST(DockerJson, ReadsAnyOtherOrderOfKeys) {
  Batch arena;
  DockerJsonParser parser;
  DockerLine line;
  ASSERT_TRUE(
      parser.Parse("{\"log\":\"a\\tb\\n\",\"stream\":\"stderr\",\"attrs\":{\"FOO\":\"bar\"},"
                   "\"time\":\"2026-11-20T23:59:27.887402093Z\"}",
                   arena, line));
  EXPECT_EQ(line.log, "a\tb");
  EXPECT_EQ(line.attrs, "{\"FOO\":\"bar\"}");
  EXPECT_EQ(line.stream, Stream::kStderr);
  ASSERT_TRUE(
      parser.Parse(" { \"time\" : \"2026-11-20T23:59:27Z\", \"extra\": [1, {}], "
                   "\"l\\u006fg\" : \"x\" } ",
                   arena, line));
  EXPECT_EQ(line.log, "x");
  EXPECT_TRUE(line.partial);
  EXPECT_EQ(line.time, ParseRfc3339("2026-11-20T23:59:27Z").value());
  ASSERT_TRUE(parser.Parse("{\"log\":\"\\n\",\"time\":\"yesterday\"}", arena, line));
  EXPECT_EQ(line.time, kNoTime);
}

TEST(DockerJson, RefusesWhatIsNoLogLine) {
  Batch arena;
  DockerJsonParser parser;
  DockerLine line;
  for (const std::string& bad : {
           std::string(),
           std::string("hello"),
           std::string("{}"),
           std::string("{\"log\":5}"),
           std::string("{\"stream\":\"stdout\"}"),
           std::string("[\"log\"]"),
           Line("ends in \\"),
           Line("a quote \" inside of it"),
           Line("a bad \\x escape in the log of the line"),
           Line("half a code \\u12 in the log of the line"),
           Line("control \x01 character here"),
           Line("ok") + "}",
           Line("ok").substr(0, 40),
       }) {
    EXPECT_FALSE(parser.ParseFast(bad, arena, line)) << bad;
    EXPECT_FALSE(parser.ParsePlain(bad, arena, line)) << bad;
  }
}

}  // namespace
}  // namespace kelp::codec
