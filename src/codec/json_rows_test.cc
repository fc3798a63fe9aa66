#include "codec/json_rows.h"

#include <gtest/gtest.h>

#include <string>

namespace kelp::codec {
namespace {

constexpr UnixNanos kArrival = 1'800'000'000'000'000'000;

std::string Message(std::string_view body) {
  auto result = ParseJsonRows(body, kArrival);
  return result.ok() ? "ok" : std::string(result.status().message());
}

TEST(JsonRows, ReadsTimeBodyResourceAndFields) {
  auto result = ParseJsonRows(
      "{\"time\":\"2026-11-20T23:49:26.5Z\",\"body\":\"a\\tb\",\"resource\":{\"service\":\"shop\","
      "\"n\":1},\"level\":\"info\",\"size\":7}\n\n  \n{\"resource\":{\"service\":\"shop\",\"n\":1},"
      "\"time\":1795218566}\n{\"x\":[1]}",
      kArrival);
  ASSERT_TRUE(result.ok()) << result.status().ToString();
  ASSERT_EQ(result->size(), 2u);
  const Batch& shop = *(*result)[0];
  EXPECT_EQ(shop.resource()->Get("service"), "shop");
  EXPECT_EQ(shop.resource()->Get("n"), "1");
  ASSERT_EQ(shop.rows(), 2u);
  EXPECT_TRUE(shop.origin.empty());
  EXPECT_EQ(shop.time(0), ParseRfc3339("2026-11-20T23:49:26.5Z").value());
  EXPECT_EQ(shop.body().Get(0).text(), "a\tb");
  EXPECT_EQ(shop.FindColumn("level")->Get(0).text(), "info");
  EXPECT_EQ(shop.FindColumn("size")->Get(0).kind, ValueKind::kJson);
  EXPECT_EQ(shop.FindColumn("time"), nullptr);
  EXPECT_EQ(shop.FindColumn("resource"), nullptr);
  EXPECT_EQ(shop.time(1), 1795218566'000000000);
  EXPECT_EQ(shop.body().Get(1).text(), "");
  EXPECT_TRUE(shop.FindColumn("level")->Get(1).missing());
  const Batch& other = *(*result)[1];
  EXPECT_TRUE(other.resource()->tags().empty());
  EXPECT_EQ(other.time(0), kArrival);
  EXPECT_EQ(other.FindColumn("x")->Get(0).text(), "[1]");
}

TEST(JsonRows, AcceptsAnEmptyBody) {
  EXPECT_EQ(Message(""), "ok");
  EXPECT_EQ(Message("\n\r\n"), "ok");
}

TEST(JsonRows, NamesTheLineThatIsWrong) {
  EXPECT_EQ(Message("{}\n{\"a\":}\n"), "line 2: not a JSON object");
  EXPECT_EQ(Message("{}\n\n[]"), "line 3: not a JSON object");
  EXPECT_EQ(Message("{\"body\":1}"), "line 1: \"body\" is not a string");
  EXPECT_EQ(Message("{\"resource\":\"x\"}"), "line 1: \"resource\" is not an object");
  EXPECT_EQ(
      Message("{\"time\":true}"),
      "line 1: \"time\" is true, which is neither RFC 3339 nor a number of seconds, ms, us or "
      "ns since 1970");
}

TEST(JsonRows, StartsANewBatchWhenOneIsFull) {
  std::string body;
  for (uint32_t i = 0; i <= Batch::kRowsMax; ++i) body += "{\"n\":" + std::to_string(i) + "}\n";
  auto result = ParseJsonRows(body, kArrival);
  ASSERT_TRUE(result.ok());
  ASSERT_EQ(result->size(), 2u);
  EXPECT_EQ((*result)[0]->rows(), Batch::kRowsMax);
  EXPECT_EQ((*result)[1]->FindColumn("n")->Get(0).text(), std::to_string(Batch::kRowsMax));
}

TEST(JsonRows, BoundsWhatABodyUnfoldsTo) {
  std::string body;
  for (size_t i = 0; i < 65'000; ++i) body += "{}\n";
  for (size_t i = 0; i < 300; ++i) body += "{\"k" + std::to_string(i) + "\":1}\n";
  EXPECT_EQ(Message(body), "ok");
  std::string many;
  for (size_t i = 0; i <= kJsonRowsBatchesMax; ++i) {
    many += "{\"resource\":{\"r\":" + std::to_string(i) + "}}\n";
  }
  EXPECT_EQ(Message(many), "line 4097: more than 4096 different resources in one body");
}

}  // namespace
}  // namespace kelp::codec
