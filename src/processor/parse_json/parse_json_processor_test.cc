#include "processor/parse_json/parse_json_processor.h"

#include <gtest/gtest.h>

#include "processor/testing.h"

namespace kelp::processor {
namespace {

using testing::NewBatch;
using testing::Rows;
using Harness = testing::Harness<ParseJsonProcessor>;

TEST(ParseJson, MakesFieldsAndDropsTheText) {
  Harness harness("{}");
  EXPECT_EQ(harness.Run({R"({"level":"info","n":1.50,"ok":true,"ctx":{"a":[1]}})"}),
            R"({"fields":{"level":"info","n":1.50,"ok":true,"ctx":{"a":[1]}}})"
            "\n");
  EXPECT_EQ(harness.Count("processor_parse_errors_total"), 0);
}

TEST(ParseJson, KeepsTheTextWhenAsked) {
  Harness harness("{keep_source: true, prefix: app.}");
  EXPECT_EQ(harness.Run({R"({"a":"x"})"}), R"({"body":"{\"a\":\"x\"}","fields":{"app.a":"x"}})"
                                           "\n");
}

TEST(ParseJson, LetsAKeyBecomeTheBody) {
  EXPECT_EQ(Harness("{}").Run({R"({"body":"hello","a":1})"}),
            "{\"body\":\"hello\",\"fields\":{\"a\":1}}\n");
}

TEST(ParseJson, MarksRowsThatAreNotJson) {
  Harness harness("{}");
  EXPECT_EQ(
      harness.Run({"plain", R"({"a":"x"})", "{\"a\":"}),
      "{\"body\":\"plain\",\"fields\":{\"kelp.parse_error\":\"parse_json: not a JSON object\"}}\n"
      "{\"fields\":{\"a\":\"x\"}}\n"
      "{\"body\":\"{\\\"a\\\":\",\"fields\":{\"kelp.parse_error\":\"parse_json: not a JSON "
      "object\"}}\n");
  EXPECT_EQ(harness.Count("processor_parse_errors_total"), 2);
}

TEST(ParseJson, DropsRowsThatAreNotJsonWhenAsked) {
  Harness harness("{on_error: drop}");
  EXPECT_EQ(harness.Run({"plain", "{\"a\":1}", ""}), "{\"fields\":{\"a\":1}}\n");
  EXPECT_EQ(harness.Count("processor_parse_errors_total"), 2);
  EXPECT_EQ(harness.Count("processor_dropped_rows_total", "parse_error"), 2);
}

TEST(ParseJson, LeavesRowsWithoutTheFieldAlone) {
  Harness harness("{field: payload}");
  const BatchPtr batch = NewBatch({"a", "b"});
  batch->AddColumn("payload").Set(1, Value::Json("{\"x\":1}"));
  harness.processor().Process(*batch);
  EXPECT_EQ(Rows(*batch),
            "{\"body\":\"a\",\"fields\":{}}\n{\"body\":\"b\",\"fields\":{\"x\":1}}\n");
  EXPECT_EQ(harness.Run({"{\"x\":1}"}), "{\"body\":\"{\\\"x\\\":1}\",\"fields\":{}}\n");
}

TEST(ParseJson, LooksAtSelectedRowsOnly) {
  Harness harness("{}");
  const BatchPtr batch = NewBatch({"not JSON", "{\"x\":1}"});
  batch->Select([](uint32_t row) { return row == 1; });
  harness.processor().Process(*batch);
  EXPECT_EQ(harness.Count("processor_parse_errors_total"), 0);
  EXPECT_EQ(batch->body().Get(0).text(), "not JSON");
}

TEST(ParseJson, CountsFieldsThatFindNoColumn) {
  Harness harness("{}");
  std::string text = "{";
  for (int i = 0; i < 300; ++i) text += (i ? ",\"k" : "\"k") + std::to_string(i) + "\":1";
  harness.Run({text + "}"});
  EXPECT_EQ(harness.Count("processor_overflow_fields_total"), 46);
}

}  // namespace
}  // namespace kelp::processor
