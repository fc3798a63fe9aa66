#include "input/common/follow_keys.h"

#include <gtest/gtest.h>

#include "input/file/file_input.h"
#include "input/pod_logs/pod_logs_input.h"

namespace kelp::input {
namespace {

template <typename Config>
std::string Message(const std::string& yaml) {
  const auto config = Config::ConfigSchema().ParseText(yaml, "web.yaml");
  return config.ok() ? "ok" : std::string(config.status().message());
}

std::string OfFile(const std::string& yaml) {
  return Message<FileInputConfig>("include: [/a]\n" + yaml);
}

#define EXPECT_SAYS(message, text) EXPECT_NE((message).find(text), std::string::npos) << (message)

TEST(FollowKeys, BecomeFramingOptions) {
  const auto config = FileInputConfig::ConfigSchema().ParseText(
      "include: [/a]\n"
      "encoding: gbk\n"
      "line_bytes_max: 1MiB\n"
      "multiline: {start: S, end: E, unmatched: drop, lines_max: 7, timeout: 2s}\n");
  ASSERT_TRUE(config.ok()) << config.status().message();
  const framing::FramingOptions framing = config->Framing();
  EXPECT_EQ(framing.charset, framing::Charset::kGbk);
  EXPECT_EQ(framing.line_bytes_max, 1u << 20);
  ASSERT_TRUE(framing.multiline.has_value());
  EXPECT_EQ(framing.multiline->start, "S");
  EXPECT_EQ(framing.multiline->end, "E");
  EXPECT_EQ(framing.multiline->unmatched, framing::Unmatched::kDrop);
  EXPECT_EQ(framing.multiline->lines_max, 7u);
  EXPECT_EQ(framing.multiline->bytes_max, 1u << 20);
  tail::FollowOptions options;
  ASSERT_TRUE(config->Apply(framing, options).ok());
  EXPECT_EQ(options.half_line_timeout, 2s);
  EXPECT_NE(options.decoder(1000), nullptr);
}

TEST(FollowKeys, BothInputsHaveThem) {
  const std::string keys =
      "start_at: end\nhalf_line_timeout: 3s\nmultiline: {start: S, continue: C}\n";
  EXPECT_EQ(OfFile(keys), "ok");
  EXPECT_EQ(Message<PodLogsInputConfig>(keys), "ok");
}

TEST(FollowKeys, WhatIsWrongIsNamedWithFileLineAndKey) {
  EXPECT_SAYS(OfFile("multiline: {start: '(a'}"), "web.yaml:2:");
  EXPECT_SAYS(OfFile("multiline: {start: '(a'}"), "start: bad regular");
  EXPECT_SAYS(OfFile("multiline: {start: '(a'}"), "bad regular expression at character 2");
  EXPECT_SAYS(OfFile("multiline:\n  continue: x"), "web.yaml:3:");
  EXPECT_SAYS(OfFile("multiline:\n  continue: x"), "continue needs start or end");
  EXPECT_SAYS(OfFile("multiline: {}"), "needs start or end");
  EXPECT_SAYS(OfFile("multiline: {start: a, continue: b, end: c}"), "cannot go together");
  EXPECT_SAYS(OfFile("multiline: {start: a, lines_max: 0}"), "below the minimum, 1");
  EXPECT_SAYS(OfFile("multiline: {start: a, stop: b}"), "stop");
  EXPECT_SAYS(OfFile("multiline: {start: a, bytes_max: 1KiB}"), "line_bytes_max (256KiB)");
  EXPECT_SAYS(OfFile("multiline: {start: a, unmatched: maybe}"), "keep");
  EXPECT_SAYS(OfFile("encoding: utf8"), "utf-8");
  EXPECT_SAYS(OfFile("encoding: gbk\nformat: cri"), "encoding");
  EXPECT_SAYS(Message<PodLogsInputConfig>("encoding: gbk"), "encoding");
}

}  // namespace
}  // namespace kelp::input
