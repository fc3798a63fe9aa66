#include "processor/filter/filter_processor.h"

#include <gtest/gtest.h>

#include "processor/testing.h"

namespace kelp::processor {
namespace {

using testing::NewBatch;
using Harness = testing::Harness<FilterProcessor>;

// Rows with the fields a, b and n as a case needs them; which of them stay, as "0 2".
std::string Kept(const std::string& yaml) {
  Harness harness(yaml);
  EXPECT_TRUE(harness.status().ok()) << harness.status().ToString();
  if (!harness.status().ok()) return "";
  const BatchPtr batch = NewBatch({"zero", "one", "two", "three"});
  batch->set_resource(
      std::make_shared<const Resource>(std::vector<Resource::Tag>{{"k8s.namespace.name", "shop"}}));
  Column& a = batch->AddColumn("a");
  a.Set(0, Value::String("x"));
  a.Set(1, Value::String("y"));
  a.Set(2, Value::String(""));
  Column& n = batch->AddColumn("n");
  n.Set(0, Value::Json("200"));
  n.Set(1, Value::String("404.5"));
  n.Set(2, Value::Json("\"many\""));
  harness.processor().Process(*batch);
  std::string kept;
  batch->ForEach([&](uint32_t row) { kept += (kept.empty() ? "" : " ") + std::to_string(row); });
  const auto dropped = harness.Count("processor_dropped_rows_total", "not_included") +
                       harness.Count("processor_dropped_rows_total", "excluded");
  EXPECT_EQ(batch->selected_count() + static_cast<uint64_t>(dropped), 4u);
  return kept;
}

TEST(Filter, IncludesByText) {
  EXPECT_EQ(Kept("include: {field: a, equals: x}"), "0");
  EXPECT_EQ(Kept("include: {field: a, equals: [x, y]}"), "0 1");
  EXPECT_EQ(Kept("include: {field: a, equals: ''}"), "2");
  EXPECT_EQ(Kept("include: {field: body, regex: o$}"), "0 2");
  EXPECT_EQ(Kept("include: {field: nothing, regex: .}"), "");
}

TEST(Filter, IncludesByPresence) {
  EXPECT_EQ(Kept("include: {field: a, exists: true}"), "0 1 2");
  EXPECT_EQ(Kept("include: {field: a, exists: false}"), "3");
  EXPECT_EQ(Kept("include: {field: nothing, exists: false}"), "0 1 2 3");
}

TEST(Filter, IncludesByRange) {
  EXPECT_EQ(Kept("include: {field: n, min: 200}"), "0 1");
  EXPECT_EQ(Kept("include: {field: n, min: 200.5, max: 404.5}"), "1");
  EXPECT_EQ(Kept("exclude: {field: n, max: 300}"), "1 2 3");
}

TEST(Filter, JoinsConditions) {
  EXPECT_EQ(Kept("include: {and: [{field: a, exists: true}, {field: n, max: 300}]}"), "0");
  EXPECT_EQ(Kept("include: {or: [{field: a, equals: y}, {field: body, equals: three}]}"), "1 3");
  EXPECT_EQ(Kept("include: {not: {field: a, equals: x}}"), "1 2 3");
  EXPECT_EQ(Kept("include: {not: [{field: a, equals: x}, {field: a, equals: y}]}"), "2 3");
  EXPECT_EQ(
      Kept("include: {field: a, exists: true, not: {or: [{field: a, equals: x}, {and: [{field: "
           "body, regex: ^t}, {field: a, equals: ''}]}]}}"),
      "1");
}

TEST(Filter, LetsExcludeWin) {
  EXPECT_EQ(Kept("{include: {field: a, exists: true}, exclude: {field: a, equals: x}}"), "1 2");
}

TEST(Filter, LooksAtTheResourceToo) {
  EXPECT_EQ(Kept("exclude: {field: k8s.namespace.name, equals: shop}"), "");
  EXPECT_EQ(Kept("exclude: {field: k8s.namespace.name, regex: ^kube-}"), "0 1 2 3");
}

TEST(Filter, CountsRowsByReason) {
  Harness harness("{include: {field: body, regex: a}, exclude: {field: body, regex: b}}");
  EXPECT_EQ(harness.Run({"a", "b", "ab", "c"}), "{\"body\":\"a\",\"fields\":{}}\n");
  EXPECT_EQ(harness.Count("processor_dropped_rows_total", "not_included"), 2);
  EXPECT_EQ(harness.Count("processor_dropped_rows_total", "excluded"), 1);
}

TEST(Filter, RefusesConditionsThatSayNothing) {
  const auto message = [](const std::string& yaml) {
    return std::string(Harness(yaml).status().message());
  };
  EXPECT_NE(message("{}").find("give include, exclude or both"), std::string::npos);
  EXPECT_NE(message("include: {}").find("an empty condition"), std::string::npos);
  EXPECT_NE(message("include: {field: a}").find("say what the field must be"), std::string::npos);
  EXPECT_NE(message("include: {regex: a}").find("say which field"), std::string::npos);
  EXPECT_NE(message("include: {field: a, min: 2, max: 1}").find("min is greater"),
            std::string::npos);
  EXPECT_EQ(message("include: {field: a, regex: '('}"),
            "include: bad regular expression at character 1: missing closing parenthesis");
  EXPECT_NE(message("include: {field: a, equal: x}").find("equals"), std::string::npos);
}

}  // namespace
}  // namespace kelp::processor
