#include "codec/cri.h"

#include <gtest/gtest.h>

#include <string>

namespace kelp::codec {
namespace {

UnixNanos Time(std::string_view text) { return ParseRfc3339(text).value(); }

TEST(Cri, ReadsWhatContainerdWrites) {
  CriParser parser;
  CriLine line;
  for (int pass = 0; pass < 2; ++pass) {  // the second time the second is known
    ASSERT_TRUE(parser.Parse("2026-11-20T23:49:26.304280852Z stdout F hello", line));
    EXPECT_EQ(line.time, Time("2026-11-20T23:49:26.304280852Z"));
    EXPECT_EQ(line.stream, Stream::kStdout);
    EXPECT_FALSE(line.partial);
    EXPECT_EQ(line.content, "hello");
  }
  ASSERT_TRUE(parser.Parse("2026-11-20T23:49:26.304280852Z stderr P some part ", line));
  EXPECT_EQ(line.stream, Stream::kStderr);
  EXPECT_TRUE(line.partial);
  EXPECT_EQ(line.content, "some part ");
}

TEST(Cri, ReadsEveryLengthOfFraction) {
  CriParser parser;
  CriLine line;
  const std::string digits = "123456789";
  for (size_t size = 0; size <= 9; ++size) {
    const std::string fraction = size == 0 ? "" : "." + digits.substr(0, size);
    for (const std::string zone : {"Z", "+00:00", "+05:30", "-08:00"}) {
      for (const std::string content : {"", "x", "a longer content than most"}) {
        const std::string time = "2026-11-20T23:49:38" + fraction + zone;
        const std::string text = time + " stdout F " + content;
        ASSERT_TRUE(parser.Parse(text, line)) << time;
        EXPECT_EQ(line.time, Time(time)) << time;
        EXPECT_EQ(line.content, content);
      }
    }
  }
}

TEST(Cri, AcceptsAnEmptyLineWithoutItsLastSpace) {
  CriParser parser;
  CriLine line;
  ASSERT_TRUE(parser.Parse("2026-11-20T23:49:26.3Z stderr F", line));
  EXPECT_EQ(line.content, "");
  EXPECT_EQ(line.stream, Stream::kStderr);
}

TEST(Cri, SkipsFurtherTags) {
  CriParser parser;
  CriLine line;
  ASSERT_TRUE(parser.Parse("2026-11-20T23:49:26Z stdout P:tag:other content", line));
  EXPECT_TRUE(line.partial);
  EXPECT_EQ(line.content, "content");
}

TEST(Cri, RefusesEverythingElse) {
  CriParser parser;
  CriLine line;
  for (const std::string_view bad : {
           "",
           "hello",
           "2026-11-20T23:49:26.304280852Z",
           "2026-11-20T23:49:26.304280852Z ",
           "2026-11-20T23:49:26.304280852Z stdout",
           "2026-11-20T23:49:26.304280852Z stdout ",
           "2026-11-20T23:49:26.304280852Z stdout X hello",
           "2026-11-20T23:49:26.304280852Z stdout FF hello",
           "2026-11-20T23:49:26.304280852Z stdlog F hello",
           "2026-11-20T23:49:26.304280852Z  stdout F hello",
           "2026-11-20T23:49:26.Z stdout F hello",
           "2026-11-20T23:49:26 stdout F hello",
           "2026-11-20T23:49:26.1234567890Z stdout F hello",
           "2026-02-30T23:49:26.304280852Z stdout F hello",
           "2026-13-20T23:49:26.304280852Z stdout F hello",
           "2026-11-20T24:49:26.304280852Z stdout F hello",
           "9999-11-20T23:49:26.304280852Z stdout F hello",
           "2026-11-20T23:49:26.304280852+1:00 stdout F hello",
           "2026-11-20T23:49:26Z stdout F:tag-without-an-end",
       }) {
    EXPECT_FALSE(parser.Parse(bad, line)) << bad;
    EXPECT_FALSE(parser.Parse(bad, line)) << bad;
  }
}

TEST(Cri, DoesNotTakeZeroBytesForAKnownSecond) {
  CriParser parser;
  CriLine line;
  EXPECT_FALSE(parser.Parse(std::string(19, '\0') + "Z stdout F hello and more", line));
}

}  // namespace
}  // namespace kelp::codec
