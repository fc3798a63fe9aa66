#include "net/websocket.h"

#include <gtest/gtest.h>

namespace kelp::net {
namespace {

// A frame as clients send it: masked.
std::string Masked(uint8_t first, std::string_view payload) {
  std::string out(1, static_cast<char>(first));
  out += static_cast<char>(0x80 | payload.size());
  const std::string mask = "\x11\x22\x33\x44";
  out += mask;
  for (size_t i = 0; i < payload.size(); ++i) {
    out += static_cast<char>(payload[i] ^ mask[i % 4]);
  }
  return out;
}

TEST(WebSocket, AcceptsTheKeyOfTheSpecification) {
  EXPECT_EQ(WebSocket::AcceptKey("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(WebSocket, FramesHaveTheThreeFormsOfLength) {
  EXPECT_EQ(WebSocket::Text("Hello"), "\x81\x05Hello");
  EXPECT_EQ(WebSocket::Text(std::string(256, 'x')).substr(0, 4),
            std::string("\x81\x7e\x01\x00", 4));
  EXPECT_EQ(WebSocket::Text(std::string(65536, 'x')).substr(0, 10),
            std::string("\x81\x7f\0\0\0\0\0\x01\0\0", 10));
  EXPECT_EQ(WebSocket::Close(1000, "bye"), std::string("\x88\x05\x03\xe8"
                                                       "bye"));
}

TEST(WebSocket, PingsAreAnsweredWhateverThePieces) {
  WebSocketInput input;
  const std::string ping = Masked(0x89, "Hello");
  std::string answer;
  for (const char c : ping) answer += input.Feed({&c, 1}).answer;
  EXPECT_EQ(answer, "\x8a\x05Hello");
}

TEST(WebSocket, MessagesAreSkippedAndWhatFollowsIsRead) {
  WebSocketInput input;
  const auto step = input.Feed(Masked(0x81, "who reads this") + Masked(0x89, "a"));
  EXPECT_EQ(step.answer,
            "\x8a\x01"
            "a");
  EXPECT_FALSE(step.closed);
}

TEST(WebSocket, ACloseIsAnsweredWithItsCode) {
  WebSocketInput input;
  const auto step = input.Feed(Masked(0x88, "\x03\xe8 reason"));
  EXPECT_EQ(step.answer, "\x88\x02\x03\xe8");
  EXPECT_TRUE(step.closed);
  EXPECT_TRUE(input.Feed("anything").closed);
}

TEST(WebSocket, WhatBreaksTheRulesEndsTheConnection) {
  const auto code = [](std::string_view bytes) {
    WebSocketInput input;
    const auto step = input.Feed(bytes);
    EXPECT_TRUE(step.closed);
    return static_cast<uint8_t>(step.answer[2]) << 8 | static_cast<uint8_t>(step.answer[3]);
  };
  EXPECT_EQ(code("\x81\x05Hello"), 1002);                                        // not masked
  EXPECT_EQ(code(Masked(0xc1, "x")), 1002);                                      // a reserved bit
  EXPECT_EQ(code(Masked(0x09, "x")), 1002);                                      // a ping in parts
  EXPECT_EQ(code(std::string("\x89\xfe\x00\x7e\0\0\0\0", 8)), 1002);             // a ping too long
  EXPECT_EQ(code(std::string("\x82\xff\0\0\0\x01\0\0\0\0\0\0\0\0", 14)), 1009);  // 4 GiB
}

}  // namespace
}  // namespace kelp::net
