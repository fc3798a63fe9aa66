#include "processor/parse_regex/parse_regex_processor.h"

#include <gtest/gtest.h>

#include "processor/testing.h"

namespace kelp::processor {
namespace {

using Harness = testing::Harness<ParseRegexProcessor>;

TEST(ParseRegex, MakesAFieldOfEachNamedGroup) {
  Harness harness(R"re(pattern: '^(?<ip>\S+) (\S+) "(?<request>[^"]*)"(?: (?<extra>\d+)|)$')re");
  EXPECT_EQ(harness.Run({R"(10.0.0.1 - "GET /" 7)", R"(10.0.0.2 - "")"}),
            "{\"fields\":{\"ip\":\"10.0.0.1\",\"request\":\"GET /\",\"extra\":\"7\"}}\n"
            "{\"fields\":{\"ip\":\"10.0.0.2\",\"request\":\"\"}}\n");
}

TEST(ParseRegex, NamesGroupsByTheirOrder) {
  Harness harness(R"({pattern: '^(\w+) (\w+) (\w+)', fields: [a, "", c], keep_source: true})");
  EXPECT_EQ(harness.Run({"x y z"}), "{\"body\":\"x y z\",\"fields\":{\"a\":\"x\",\"c\":\"z\"}}\n");
}

TEST(ParseRegex, MarksRowsThatDoNotMatch) {
  Harness harness(R"(pattern: '(?<n>\d+) ms')");
  EXPECT_EQ(
      harness.Run({"no number", "took 12 ms"}),
      "{\"body\":\"no number\",\"fields\":{\"kelp.parse_error\":\"parse_regex: the pattern does "
      "not match\"}}\n{\"fields\":{\"n\":\"12\"}}\n");
  EXPECT_EQ(harness.Count("processor_parse_errors_total"), 1);
}

TEST(ParseRegex, DropsRowsThatDoNotMatchWhenAsked) {
  Harness harness(R"({pattern: '(?<n>\d+)', on_error: drop})");
  EXPECT_EQ(harness.Run({"x", "1"}), "{\"fields\":{\"n\":\"1\"}}\n");
  EXPECT_EQ(harness.Count("processor_dropped_rows_total", "parse_error"), 1);
}

TEST(ParseRegex, LetsAGroupBecomeTheBody) {
  Harness harness(R"(pattern: '^(?<level>\w+): (?<body>.*)$')");
  EXPECT_EQ(harness.Run({"warn: disk full"}),
            "{\"body\":\"disk full\",\"fields\":{\"level\":\"warn\"}}\n");
}

TEST(ParseRegex, GivesUpOnTextsThatCostTooMuch) {
  Harness harness(R"(pattern: '(?<x>(a+)+(b+)+)$')");
  const std::string rows = harness.Run({std::string(40, 'a') + std::string(40, 'b') + "!"});
  EXPECT_NE(rows.find("parse_regex: given up"), std::string::npos);
  EXPECT_EQ(harness.Count("processor_regex_limit_total"), 1);
}

TEST(ParseRegex, RefusesPatternsThatAreOfNoUse) {
  EXPECT_EQ(Harness("pattern: '(unclosed'").status().message(),
            "bad regular expression at character 9: missing closing parenthesis");
  EXPECT_EQ(Harness("pattern: '(a)'").status().message(),
            "the pattern captures nothing: name its groups, as in (?<level>\\w+), or give fields");
  EXPECT_EQ(Harness("{pattern: '(a)', fields: [x, y]}").status().message(),
            "fields has 2 names, but the pattern has 1 groups");
  EXPECT_FALSE(Harness("{}").status().ok());
}

}  // namespace
}  // namespace kelp::processor
