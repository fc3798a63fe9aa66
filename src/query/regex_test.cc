#include "query/regex.h"

#include <gtest/gtest.h>

#include "query/regex_literal.h"
#include "store/tokens.h"

namespace kelp::query {
namespace {

std::shared_ptr<const Regex> Compile(std::string_view pattern) {
  std::string error;
  size_t position = 0;
  auto regex = Regex::Compile(pattern, error, position);
  EXPECT_NE(regex, nullptr) << pattern << ": " << error;
  return regex;
}

bool Matches(std::string_view pattern, std::string_view text) {
  RegexRun run;
  return run.Matches(*Compile(pattern), text);
}

TEST(RegexTest, MatchesAnywhereInTheValue) {
  EXPECT_TRUE(Matches("b+c", "aabbcc"));
  EXPECT_FALSE(Matches("^b", "ab"));
  EXPECT_TRUE(Matches("(a)\\1", "xaa"));
  EXPECT_TRUE(Matches("^$", ""));
  EXPECT_FALSE(Matches("ERROR", "error"));
  EXPECT_TRUE(Matches("(?i)ERROR", "error"));
}

TEST(RegexTest, SeesCharactersNotBytes) {
  EXPECT_TRUE(Matches("^.$", "中"));
  EXPECT_TRUE(Matches("^[^a]$", "é"));
  EXPECT_TRUE(Matches("(?i)É", "é"));
  EXPECT_TRUE(Matches("(?i)k", "\xe2\x84\xaa"));  // the Kelvin sign
}

TEST(RegexTest, BytesThatAreNotUtf8MatchNothingAndBreakNothing) {
  EXPECT_TRUE(Matches("code=5", "\xff\xfe code=5 \xff"));
  EXPECT_FALSE(Matches("a.b",
                       "a\xff"
                       "b"));
}

TEST(RegexTest, GivesUpOnHostilePatternsAndCountsThem) {
  const auto regex = Compile("^(a+)+$");
  RegexRun run;
  EXPECT_FALSE(run.Matches(*regex, std::string(60, 'a') + "b"));
  EXPECT_EQ(run.gave_up(), 1u);
  EXPECT_TRUE(run.Matches(*regex, "aaa"));
  EXPECT_EQ(run.gave_up(), 1u);
}

TEST(RegexTest, RefusesSingleBytes) {
  std::string error;
  size_t position = 0;
  EXPECT_EQ(Regex::Compile("a\\Cb", error, position), nullptr);
  EXPECT_FALSE(error.empty());
}

TEST(RegexLiteralTest, FindsWhatEveryMatchContains) {
  const std::pair<const char*, const char*> cases[] = {
      {"timeout", "timeout"},
      {"code=E[0-9]{3}$", "code=E"},
      {"trace_id=[0-9a-f]{4}beef", "trace_id="},
      {"^GET /api", "GET /api"},
      {"abc?defg", "defg"},
      {"ab+c", "ab"},
      {"ab{2}cd", "cd"},
      {"a{x}bc", "a{x}bc"},
      {"(foobar)+x", "foobar"},
      {"(?:one|two) three", " three"},
      {"(foobar)?ab", "ab"},
      {"(foobar){0}ab", "ab"},
      {"\\.log\\/x", ".log/x"},
      {"a\\tb", "a\tb"},
      {"[abc]\\d+ms", "ms"},
      {"[]x]yz", "yz"},
      {"x中yz", "yz"},
      {"\\bword\\b", "word"},
      // Nothing sure, or not understood.
      {"foo|bar", ""},
      {".*", ""},
      {"(?x)a b c", ""},
      {"a(?i)bc", ""},
      {"(*ACCEPT)abc", ""},
      {"abc(*ACCEPT)d", ""},
      {"\\Qabc\\E", ""},
      {"\\x41bc", ""},
      {"abc{1}{0}", ""},
      {"(?=abc)", ""},
      {"(?#abc)", ""},
      {"[[:alpha:]]abc", ""},
      {"(abc)(?(1)d|e)", ""},
  };
  for (const auto& [pattern, literal] : cases) {
    EXPECT_EQ(FindRequiredText(pattern).literal, literal) << pattern;
  }
}

TEST(RegexLiteralTest, WithoutCaseLeavesOutLettersThatFoldOutsideAscii) {
  const RequiredText required = FindRequiredText("(?i)connection lost");
  EXPECT_TRUE(required.ignore_case);
  EXPECT_EQ(required.literal, "connection lo");
}

TEST(RegexLiteralTest, TokensAreSureOnlyWithBothEndsInTheLiteral) {
  const RequiredText required = FindRequiredText("lost connection to db-[0-9]+");
  EXPECT_EQ(required.hashes,
            (std::vector<uint64_t>{store::TokenHash("connection"), store::TokenHash("to"),
                                   store::TokenHash("db")}));
  EXPECT_TRUE(FindRequiredText("trace_id=").hashes.empty());
}

}  // namespace
}  // namespace kelp::query
