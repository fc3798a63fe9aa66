#include "alert/alert.h"

#include <gtest/gtest.h>

#include "alert/message.h"
#include "codec/json_scan.h"

namespace kelp::alert {
namespace {

constexpr const char* kGood =
    R"({"logstores":["a","b"],"q":"level:error","every":"30s","window":"5m","for":"2m","repeat":"1h",
        "condition":{"column":"n","op":">=","value":2.5},"group_by":["pod"],"enabled":false,
        "webhook":{"url":"https://hook.example/x","headers":{"X-Key":"s\"cret"},"body":"{{alert}}"}})";

TEST(Alert, IsReadAndPrintedAsItWas) {
  const auto alert = ParseAlert("shop", "errors", kGood);
  ASSERT_TRUE(alert.ok()) << alert.status().ToString();
  EXPECT_EQ(alert->every, 30s);
  EXPECT_EQ(alert->hold, 2min);
  EXPECT_EQ(alert->condition.column, "n");
  EXPECT_FALSE(alert->enabled);
  const std::string printed = "{" + PrintAlert(*alert, Show::kAll) + "}";
  EXPECT_TRUE(codec::IsJson(printed)) << printed;
  const auto again = ParseAlert("shop", "errors", printed);
  ASSERT_TRUE(again.ok()) << again.status().ToString();
  EXPECT_EQ("{" + PrintAlert(*again, Show::kAll) + "}", printed);
}

TEST(Alert, SecretsAreHidden) {
  auto alert = ParseAlert("shop", "errors", kGood);
  EXPECT_EQ(PrintAlert(*alert, Show::kEditor).find("cret"), std::string::npos);
  EXPECT_NE(PrintAlert(*alert, Show::kEditor).find("\"X-Key\":\"********\""), std::string::npos);
  EXPECT_NE(PrintAlert(*alert, Show::kEditor).find("https://hook.example/x"), std::string::npos);
  EXPECT_NE(PrintAlert(*alert, Show::kViewer).find("\"https://hook.example/…\""),
            std::string::npos);
  alert->webhook->body = "{\"routing_key\":\"R1\"}";
  EXPECT_NE(PrintAlert(*alert, Show::kEditor).find("R1"), std::string::npos);
  EXPECT_EQ(PrintAlert(*alert, Show::kViewer).find("R1"), std::string::npos);
}

TEST(Alert, MistakesNameTheKey) {
  const auto fails = [](const std::string& members, const std::string& key) {
    const auto alert = ParseAlert("shop", "errors", "{" + members + "}");
    ASSERT_FALSE(alert.ok()) << members;
    EXPECT_EQ(alert.status().code(), Code::kInvalidArgument);
    EXPECT_NE(alert.status().message().find(key), std::string::npos) << alert.status().message();
  };
  const std::string rest = ",\"condition\":{\"op\":\">\",\"value\":1}";
  fails("\"q\":\"*\"" + rest, "logstores");
  fails("\"logstores\":[\"a\"]", "condition");
  fails("\"logstores\":\"a\"" + rest, "logstores");
  fails("\"logstores\":[7]" + rest, "logstores");
  fails("\"logstores\":[\"a\"],\"every\":\"1s\"" + rest, "every");
  fails("\"logstores\":[\"a\"],\"every\":60" + rest, "every");
  fails("\"logstores\":[\"a\"],\"window\":\"400d\"" + rest, "window");
  fails("\"logstores\":[\"a\"],\"surprise\":1" + rest, "surprise");
  fails("\"logstores\":[\"a\"],\"condition\":{\"op\":\"=\",\"value\":1}", "op");
  fails("\"logstores\":[\"a\"],\"condition\":{\"op\":\">\",\"value\":\"1\"}", "value");
  fails("\"logstores\":[\"a\"],\"condition\":{\"op\":\">\"}", "condition");
  fails("\"logstores\":[\"a\"],\"webhook\":{\"url\":\"ftp://x\"}" + rest, "url");
  fails("\"logstores\":[\"a\"],\"webhook\":{\"url\":\"http://x\",\"body\":\"{{nope}}\"}" + rest,
        "{{nope}}");
  fails("\"logstores\":[\"a\"],\"webhook\":{\"url\":\"http://x\",\"body\":\"{{alert\"}" + rest,
        "}}");
  fails("\"logstores\":[\"a\"],\"webhook\":{\"url\":\"http://x\",\"headers\":{\"Host\":\"y\"}}" +
            rest,
        "Host");
  fails(
      "\"logstores\":[\"a\"],\"webhook\":{\"url\":\"http://"
      "x\",\"headers\":{\"A\":\"a\\r\\nB:c\"}}" +
          rest,
      "headers");
  EXPECT_FALSE(ParseAlert("shop", "errors", "[1]").ok());
}

class MessageTest : public testing::Test {
 protected:
  MessageTest() {
    alert_ = *ParseAlert("shop", "errors", kGood);
    message_.key = "k/1";
    message_.state = "firing";
    message_.labels = {{"pod", "a\"b\\\n"}};
    message_.value = 3;
    message_.since = 0;
    message_.time = 1'000'000'000;
  }
  Alert alert_;
  Message message_;
};

TEST_F(MessageTest, TemplatesAreFilledInAndNothingBreaksOut) {
  alert_.webhook->body =
      R"x({"text":"{{alert}} of {{ project }} is {{state}}: {{value}} ({{condition}})","pod":"{{labels.pod}}","none":"{{labels.x}}","all":{{labels}},"at":"{{time}}","key":"{{key}}"})x";
  const std::string body = WebhookBody(alert_, message_);
  EXPECT_EQ(
      body,
      R"x({"text":"errors of shop is firing: 3 (n >= 2.5)","pod":"a\"b\\\n","none":"","all":{"pod":"a\"b\\\n"},"at":"1970-01-01T00:00:01.000000000Z","key":"k/1"})x");
  EXPECT_TRUE(codec::IsJson(body));
}

TEST_F(MessageTest, WithoutATemplateTheWholeIsSent) {
  alert_.webhook->body.clear();
  EXPECT_TRUE(codec::IsJson(WebhookBody(alert_, message_))) << WebhookBody(alert_, message_);
}

TEST_F(MessageTest, IsARowWithItsLabelsAsFields) {
  const std::string row = RowJson(alert_, message_);
  EXPECT_TRUE(codec::IsJson(row)) << row;
  EXPECT_NE(row.find("\"body\":\"alert errors firing: 3 (n >= 2.5)\""), std::string::npos) << row;
  EXPECT_NE(row.find("\"label.pod\":\"a\\\"b"), std::string::npos) << row;
}

}  // namespace
}  // namespace kelp::alert
