#include <gtest/gtest.h>

#include "query/literal_finder.h"
#include "query/number.h"
#include "query/query_testing.h"
#include "query/token_pattern.h"
#include "query/value_match.h"

namespace kelp::query {
namespace {

TEST(LiteralFinderTest, FindsAtEveryPositionOfEveryLength) {
  for (size_t size = 1; size < 150; ++size) {
    for (const std::string literal : {"x", "Xy", "xyz-1", "aaaaaxaaaaaaaaaaaaaay"}) {
      if (literal.size() > size) continue;
      const LiteralFinder exact(literal, false), any_case(literal, true);
      EXPECT_EQ(exact.Find(std::string(size, 'b')), LiteralFinder::npos);
      for (size_t at = 0; at + literal.size() <= size; ++at) {
        std::string text(size, 'b');
        text.replace(at, literal.size(), literal);
        ASSERT_EQ(exact.Find(text), at);
        ASSERT_EQ(any_case.Find(text), at);
        ASSERT_EQ(any_case.Find(text, at + 1), LiteralFinder::npos);
        for (char& c : text) c = c == 'x' ? 'X' : FoldAscii(c);
        ASSERT_EQ(any_case.Find(text), at);
      }
    }
  }
}

TEST(LiteralFinderTest, FoldsLettersOnly) {
  // '@' and '`', '[' and '{' differ in the bit that folds letters.
  EXPECT_EQ(LiteralFinder("@a", true).Find("`a@A"), 2u);
  EXPECT_EQ(LiteralFinder("[x]", true).Find("{x}"), LiteralFinder::npos);
  EXPECT_EQ(LiteralFinder("É", true).Find("é"), LiteralFinder::npos);
}

bool Has(std::string_view text, std::string_view word, bool prefix = false) {
  std::vector<store::Token> scratch;
  return TokenPattern::Make(std::string(word) + (prefix ? "*" : ""), true)->Matches(text, scratch);
}

TEST(TokenPatternTest, MatchesWholeTokensWithoutCase) {
  EXPECT_TRUE(Has("a Timeout!", "timeout"));
  EXPECT_FALSE(Has("timeouts", "timeout"));
  EXPECT_FALSE(Has("x_timeout", "timeout"));
  EXPECT_TRUE(Has("xtimeout timeout", "TIMEOUT"));
  EXPECT_FALSE(Has("", "a"));
}

TEST(TokenPatternTest, TokensStandNextToEachOther) {
  EXPECT_TRUE(Has("Read only file", "read-only"));
  EXPECT_TRUE(Has("a.b:c", "a b c"));
  EXPECT_FALSE(Has("a x b", "a-b"));
  EXPECT_FALSE(Has("ab", "a-b"));
  EXPECT_FALSE(Has("a中b", "a-b"));
  EXPECT_TRUE(Has("b longest b longest c", "b longest c"));
}

TEST(TokenPatternTest, PrefixIsForTheLastToken) {
  EXPECT_TRUE(Has("timeouts", "time", true));
  EXPECT_TRUE(Has("time", "time", true));
  EXPECT_FALSE(Has("xtime", "time", true));
  EXPECT_TRUE(Has("read onlyish", "read-on", true));
  EXPECT_FALSE(Has("reads only", "read-on", true));
  EXPECT_FALSE(Has("foobar", "foo-", true));
  EXPECT_TRUE(Has("foo-bar", "foo-", true));
  EXPECT_TRUE(Has("überall", "über", true));
}

TEST(TokenPatternTest, ChineseNeedsNoSpaces) {
  EXPECT_TRUE(Has("无法连接数据库", "数据库"));
  EXPECT_FALSE(Has("数据的库", "数据库"));
  EXPECT_TRUE(Has("错误abc", "abc"));
  EXPECT_TRUE(Has("错误abc", "误 abc"));
}

TEST(TokenPatternTest, KnowsWhatFiltersKnow) {
  EXPECT_EQ(TokenPattern::Make("Read-only", false)->hashes().size(), 2u);
  EXPECT_EQ(TokenPattern::Make("Read-only*", true)->hashes().size(), 1u);
  EXPECT_EQ(TokenPattern::Make("read", false)->hashes()[0], store::TokenHash("READ"));
  EXPECT_FALSE(TokenPattern::Make("=>", false).has_value());
}

TEST(NumberTest, ReadsWholeDecimalNumbersOnly) {
  for (const char* text : {"0", "-1", "+5", "3.25", "1e3", "-1.5E-3", "007"}) {
    EXPECT_TRUE(Number::Parse(text).has_value()) << text;
  }
  for (const char* text : {"", "-", "+", "abc", "1a", "inf", "nan", "-inf", "0x10", "1 ", " 1",
                           "1e", "+-1", "1e999", "1,000", "10ms"}) {
    EXPECT_FALSE(Number::Parse(text).has_value()) << text;
  }
}

TEST(NumberTest, ComparesWholeNumbersExactly) {
  const auto less = [](const char* a, const char* b) {
    return Compare(*Number::Parse(a), *Number::Parse(b)) < 0;
  };
  EXPECT_TRUE(less("9007199254740992", "9007199254740993"));
  EXPECT_TRUE(less("9", "10"));
  EXPECT_TRUE(less("-10", "-9.5"));
  EXPECT_FALSE(less("1.0", "1"));
  EXPECT_FALSE(less("1", "1.0"));
}

TEST(NameTest, MatchesFullOrByLastDottedParts) {
  EXPECT_EQ(MatchName("k8s.pod.name", "k8s.pod.name"), NameMatch::kFull);
  EXPECT_EQ(MatchName("k8s.pod.name", "pod.name"), NameMatch::kSuffix);
  EXPECT_EQ(MatchName("k8s.pod.name", "d.name"), NameMatch::kNone);
  EXPECT_EQ(MatchName("name", "pod.name"), NameMatch::kNone);
}

}  // namespace
}  // namespace kelp::query
