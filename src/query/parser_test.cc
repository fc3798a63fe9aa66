#include "query/parser.h"

#include <gtest/gtest.h>

#include "query/limits.h"

namespace kelp::query {
namespace {

std::string Parsed(std::string_view text) {
  ParseError error;
  const std::optional<Tree> tree = ParseTree(text, error);
  if (!tree) return std::to_string(error.position) + " " + error.message;
  return Describe(*tree);
}

std::string Normal(std::string_view text) {
  ParseError error;
  const auto query = Parse(text, error);
  return query == nullptr ? error.message : Describe(*query);
}

TEST(ParserTest, ReadsValues) {
  EXPECT_EQ(Parsed(""), "everything");
  EXPECT_EQ(Parsed("  \t\n"), "everything");
  EXPECT_EQ(Parsed("*"), "everything");
  EXPECT_EQ(Parsed("timeout"), "\"timeout\"");
  EXPECT_EQ(Parsed("time*"), "\"time*\"");
  EXPECT_EQ(Parsed("a/b-c.d@e_f"), "\"a/b-c.d@e_f\"");
  EXPECT_EQ(Parsed("数据库"), "\"数据库\"");
  EXPECT_EQ(Parsed(R"("he said \"no\" \\ \n")"), R"("he said "no" \ \n")");
  EXPECT_EQ(Parsed(R"(/a\/b[/]x/)").substr(0, 2), "6 ");  // the '/' in the class ends it
  EXPECT_EQ(Parsed(R"(/a\/b[\/]x/)"), R"(/a\/b[\/]x/)");
}

TEST(ParserTest, ReadsFields) {
  EXPECT_EQ(Parsed("level:error"), "level:\"error\"");
  EXPECT_EQ(Parsed("k8s.pod.name:web*"), "k8s.pod.name:\"web*\"");
  EXPECT_EQ(Parsed("\"my field\":x"), "my field:\"x\"");
  EXPECT_EQ(Parsed("level:*"), "level:*");
  EXPECT_EQ(Parsed("level:=\"\""), "level:=\"\"");
  EXPECT_EQ(Parsed("level:=-"), "level:=\"-\"");
  EXPECT_EQ(Parsed("code:>=500"), "code:[500 TO *]");
  EXPECT_EQ(Parsed("code:<-5"), "code:[* TO -5}");
  EXPECT_EQ(Parsed("code:[400 TO 500}"), "code:[400 TO 500}");
  EXPECT_EQ(Parsed("code:{ 400  TO * ]"), "code:{400 TO *]");
  EXPECT_EQ(Parsed("code:[* TO *]"), "code:*");
  EXPECT_EQ(Parsed("path:/var.log/"), "path:/var.log/");
  EXPECT_EQ(Parsed("op:AND"), "op:\"AND\"");
  EXPECT_EQ(Parsed("AND:x"), "AND:\"x\"");
  EXPECT_EQ(Parsed("t:-5"), "t:\"-5\"");
}

TEST(ParserTest, JoinsByPrecedence) {
  EXPECT_EQ(Parsed("a b OR c"), "(or (and \"a\" \"b\") \"c\")");
  EXPECT_EQ(Parsed("a AND b OR c AND d"), "(or (and \"a\" \"b\") (and \"c\" \"d\"))");
  EXPECT_EQ(Parsed("a (b OR c)"), "(and \"a\" (or \"b\" \"c\"))");
  EXPECT_EQ(Parsed("(a)(b)"), "(and \"a\" \"b\")");
  EXPECT_EQ(Parsed("NOT a b"), "(and (not \"a\") \"b\")");
  EXPECT_EQ(Parsed("a -b"), "(and \"a\" (not \"b\"))");
  EXPECT_EQ(Parsed("-(a b)"), "(not (and \"a\" \"b\"))");
  EXPECT_EQ(Parsed("NOT -a"), "(not (not \"a\"))");
  EXPECT_EQ(Parsed("and or not"), "(and \"and\" \"or\" \"not\")");
}

TEST(ParserTest, NormalisesByDeMorganAndFoldsConstants) {
  EXPECT_EQ(Normal("-(a b)"), "(or not \"a\" not \"b\")");
  EXPECT_EQ(Normal("-(a OR -(b c))"), "(and not \"a\" \"b\" \"c\")");
  EXPECT_EQ(Normal("NOT NOT a"), "\"a\"");
  EXPECT_EQ(Normal("a (b (c d))"), "(and \"a\" \"b\" \"c\" \"d\")");
  EXPECT_EQ(Normal("a OR (b OR c)"), "(or \"a\" \"b\" \"c\")");
  EXPECT_EQ(Normal("a *"), "\"a\"");
  EXPECT_EQ(Normal("a OR *"), "everything");
  EXPECT_EQ(Normal("a -*"), "nothing");
  EXPECT_EQ(Normal("a OR -*"), "\"a\"");
  EXPECT_EQ(Normal("NOT (* OR a)"), "nothing");
}

TEST(ParserTest, PointsAtTheCharacter) {
  const std::pair<const char*, const char*> cases[] = {
      {"a AND", "5 expected a word, a phrase, a field or '(', found the end"},
      {"OR a",
       "0 expected a word, a phrase, a field or '(', found OR; write \"OR\" to look for it"},
      {"a AND OR b",
       "6 expected a word, a phrase, a field or '(', found OR; write \"OR\" to look for it"},
      {"(a", "0 this '(' is never closed; expected ')'"},
      {"a)", "1 there is no '(' for this ')'"},
      {")", "0 there is no '(' for this ')'"},
      {"()", "1 expected a query between '(' and ')'"},
      {"(a AND )",
       "7 expected a word, a phrase, a field or '(', found ')'; put text with punctuation in "
       "quotes"},
      {"a = b",
       "2 expected a word, a phrase, a field or '(', found '='; put text with punctuation in "
       "quotes"},
      {"level:", "6 expected a value right after ':'"},
      {"level: x", "6 expected a value right after ':'"},
      {":x",
       "0 expected a word, a phrase, a field or '(', found ':'; put text with punctuation in "
       "quotes"},
      {"\"\":x", "0 expected the name of a field before ':'"},
      {"12:30:45",
       "5 expected a space, ')' or the end after a word, found ':'; put text with ':' in quotes"},
      {"\"abc", "0 the phrase that begins here has no closing '\"'"},
      {"x \"a\\\"", "2 the phrase that begins here has no closing '\"'"},
      {"\"=>\"", "0 a phrase needs a letter or a digit; use /regex/ to look for punctuation"},
      {"...", "0 a word needs a letter or a digit; use /regex/ to look for punctuation"},
      {"a - b", "2 '-' needs what it excludes right after it; quote it to look for it"},
      {"NOT", "3 expected a word, a phrase or '(' after NOT"},
      {"foo*(", "4 expected a space, ')' or the end after a word, found '('"},
      {"*(", "1 expected a space, ')' or the end after '*', found '('"},
      {"code:>", "6 expected a word or a phrase right after the comparison"},
      {"code:> 5", "6 expected a word or a phrase right after the comparison"},
      {"code:[1 2]", "8 expected TO between the two ends of the range"},
      {"code:[1 TO 2", "5 this range is never closed; expected ']' or '}'"},
      {"code:[1 TO 2)", "12 expected ']' or '}' after the range"},
      {"code:[TO 2]", "9 expected TO between the two ends of the range"},
      {"/var/log",
       "5 expected a space, ')' or the end after the regular expression (quote a path to look for "
       "it), found 'log'"},
      {"/abc",
       "0 the regular expression that begins here has no closing '/'; quote a path to look for it"},
      {"x /a(b/", "6 regular expression: missing closing parenthesis"},
      {"x /a[z-a]/", "7 regular expression: range out of order in character class"},
      {"/a\\",
       "0 the regular expression that begins here has no closing '/'; quote a path to look "
       "for it"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(Parsed(text), expected) << text;
}

TEST(ParserTest, RefusesWhatIsTooMuch) {
  EXPECT_EQ(Parsed(std::string(kQueryBytesMax + 1, 'a')),
            "16384 the query is longer than 16384 bytes");
  EXPECT_EQ(Parsed(std::string(65, '(') + "a" + std::string(65, ')')),
            "64 more than 64 levels of '(' and NOT");
  EXPECT_EQ(Parsed(std::string(64, '(') + "a" + std::string(64, ')')), "\"a\"");
  EXPECT_EQ(Parsed(std::string(65, '-') + "a"), "64 more than 64 levels of '(' and NOT");
  std::string words, patterns;
  for (size_t i = 0; i <= kTermsMax; ++i) words += "a ";
  for (size_t i = 0; i <= kRegexesMax; ++i) patterns += "/a/ ";
  EXPECT_EQ(Parsed(words), "513 more than 256 words and conditions");
  EXPECT_EQ(Parsed(patterns), "128 more than 32 regular expressions");
}

}  // namespace
}  // namespace kelp::query
