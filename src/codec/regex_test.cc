#include "codec/regex.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "codec/span_program.h"

namespace kelp::codec {
namespace {

// What a matcher finds: "[whole][group 1](unset)", or the outcome.
std::string Groups(RegexMatcher& matcher, const Regex& regex, std::string_view text) {
  switch (matcher.Match(text)) {
    case RegexOutcome::kNoMatch:
      return "no match";
    case RegexOutcome::kLimit:
      return "limit";
    case RegexOutcome::kMatch:
      break;
  }
  std::string out;
  for (size_t i = 0; i < regex.groups(); ++i) {
    out += matcher.has_group(i) ? "[" + std::string(matcher.group(i)) + "]" : "(unset)";
  }
  return out;
}

// Both ways must agree; `spans` says whether the pattern is one for a span program.
std::string Match(std::string_view pattern, std::string_view text, bool spans = true) {
  auto quick = Regex::Compile(pattern);
  auto plain = Regex::Compile(pattern, {.span_program = false});
  EXPECT_TRUE(quick.ok() && plain.ok()) << pattern;
  EXPECT_EQ(quick->has_span_program(), spans) << pattern;
  RegexMatcher a(*quick), b(*plain);
  const std::string found = Groups(a, *quick, text);
  EXPECT_EQ(found, Groups(b, *plain, text)) << pattern << " on " << text;
  return found;
}

constexpr std::string_view kNginx =
    R"re(^(\S+) (\S+) (\S+) \[([^\]]+)\] "(\S+) (\S+) ([^"]*)" (\d+) (\d+|-) "([^"]*)" "([^"]*)")re";

TEST(Regex, MatchesAccessLogs) {
  EXPECT_EQ(Match(kNginx,
                  "10.0.0.1 - bob [21/Nov/2026:00:49:26 +0000] \"GET /a?b HTTP/1.1\" 200 "
                  "512 \"http://x/\" \"curl/7.88 (x)\" rest"),
            "[10.0.0.1 - bob [21/Nov/2026:00:49:26 +0000] \"GET /a?b HTTP/1.1\" 200 512 "
            "\"http://x/\" \"curl/7.88 (x)\"][10.0.0.1][-][bob][21/Nov/2026:00:49:26 +0000][GET]"
            "[/a?b][HTTP/1.1][200][512][http://x/][curl/7.88 (x)]");
  EXPECT_EQ(Match(kNginx, "10.0.0.1 - bob [x] \"GET / H\" 200 - \"\" \"\""),
            "[10.0.0.1 - bob [x] \"GET / H\" 200 - \"\" \"\"][10.0.0.1][-][bob][x][GET][/][H][200]"
            "[-][][]");
  EXPECT_EQ(Match(kNginx, "10.0.0.1 - bob [x] \"GET / H\" 2x0 - \"\" \"\""), "no match");
  EXPECT_EQ(Match(kNginx, ""), "no match");
}

TEST(Regex, AnAnchoredPatternMatchesAtTheBeginOnly) {
  const auto matches = [](std::string_view pattern, std::string_view text) {
    auto regex = Regex::Compile(pattern, {.anchored = true});
    EXPECT_TRUE(regex.ok()) << pattern;
    return RegexMatcher(*regex).Match(text) == RegexOutcome::kMatch;
  };
  for (const char* pattern : {"at|by", "^at|by", "(?:at|by)", "(?i)AT|by", "(?x) at | by # )"}) {
    EXPECT_TRUE(matches(pattern, "at x")) << pattern;
    EXPECT_EQ(matches(pattern, "x by"), false) << pattern;
  }
  EXPECT_TRUE(matches("a|.*b$", "xb"));
  EXPECT_FALSE(matches("x?b", "ab"));
}

TEST(Regex, KnowsWhatAMatchCanBeginWith) {
  const auto first = [](std::string_view pattern) {
    const Regex::First f = Regex::Compile(pattern, {.anchored = true})->first();
    std::string out = f.nothing ? "(nothing)" : "";
    for (int c = ' '; c < 127; ++c) {
      if (f.bytes[static_cast<size_t>(c)]) out += static_cast<char>(c);
    }
    return out;
  };
  EXPECT_EQ(first(R"(\d{4}-\d)"), "0123456789");
  EXPECT_EQ(first("^Caused|at"), "Ca");
  EXPECT_EQ(first("(?i)x"), "Xx");
  EXPECT_EQ(first("x*").size(), 9u + 95u);
  EXPECT_EQ(first("(*UTF)x").size(), 9u + 95u);
}

TEST(Regex, KnowsHowRunsEnd) {
  EXPECT_EQ(Match("^(a*)(b*)$", "aabbb"), "[aabbb][aa][bbb]");
  EXPECT_EQ(Match("^(a*)(b*)$", "aabbba"), "no match");
  EXPECT_EQ(Match(R"(^(\d{1,3})-(\d{4})(\d{2})$)", "12-202611"), "[12-202611][12][2026][11]");
  EXPECT_EQ(Match(R"(^(\d{1,3})-)", "1234-"), "no match");
  EXPECT_EQ(Match("^(.*?): (.*)$", "a: b: c"), "[a: b: c][a][b: c]");
  EXPECT_EQ(Match("^(.*): (.*)$", "a: b: c"), "[a: b: c][a: b][c]");
  EXPECT_EQ(Match("^(.*?): (x)$", "a: b: x"), "[a: b: x][a: b][x]") << "PCRE2 goes on";
  EXPECT_EQ(Match("^(.+?):", ":::"), "[::][:]");
  EXPECT_EQ(Match(R"(^(\S+)(.*)$)", "ab cd"), "[ab cd][ab][ cd]");
  EXPECT_EQ(Match("^x?y", "y"), "[y]");
  EXPECT_EQ(Match("^(.*)x", "a\nx"), "no match") << "a dot is no newline";
  EXPECT_EQ(Match("^([\\s\\S]*)x", "a\nx"), "[a\nx][a\n]");
  EXPECT_EQ(Match("^(a+?)", "aaa"), "[a][a]");
  EXPECT_EQ(Match("^ab$", "ab\n"), "no match") << "the end is the end";
}

TEST(Regex, ChoosesBetweenAlternatives) {
  EXPECT_EQ(Match(R"(^(?:(\d+)|(-)) (x|yz|)!)", "12 yz!"), "[12 yz!][12](unset)[yz]");
  EXPECT_EQ(Match(R"(^(?:(\d+)|(-)) (x|yz|)!)", "- !"), "[- !](unset)[-][]");
  EXPECT_EQ(Match(R"(^(?:(\d+)|(-)) (x|yz|)!)", "- z!"), "no match");
}

TEST(Regex, ReadsClasses) {
  EXPECT_EQ(Match(R"(^([\w.-]+)@([^@\s]+)$)", "a.b-c@d.e"), "[a.b-c@d.e][a.b-c][d.e]");
  EXPECT_EQ(Match(R"(^([]a-c\]]+)x)", "]abcx"), "[]abcx][]abc]");
  EXPECT_EQ(Match(R"(^([^]]+)])", "abc]"), "[abc]][abc]");
  EXPECT_EQ(Match(R"(^([ \S]+)$)", "a b"), "[a b][a b]") << "a complement beside a byte";
  EXPECT_EQ(Match(R"(^([\x41-Z]+)$)", "AZ", false), "[AZ][AZ]");
  EXPECT_EQ(Match(R"(^\{\.\*(\W+)\t\/$)", "{.*!!\t/"), "[{.*!!\t/][!!]");
}

TEST(Regex, SearchesWhenThereIsNoAnchor) {
  EXPECT_EQ(Match(R"((\d+) ms)", "took 12 ms"), "[12 ms][12]");
  EXPECT_EQ(Match(R"((\d+) ms)", "12 ms"), "[12 ms][12]");
}

TEST(Regex, LeavesTheRestToPcre) {
  for (const std::string_view pattern :
       {"(a|ab)c", "(?i)abc", "a(?=b)", R"((\w)\1)", "(ab)+", "^a|b", "[[:alpha:]]+", R"(\bx)",
        "a$b", "(?<=x)y", "x.*?[0-9]", "a{,3}x"}) {
    EXPECT_FALSE(SpanProgram::Compile(pattern).has_value()) << pattern;
    EXPECT_TRUE(Regex::Compile(pattern).ok()) << pattern;
  }
}

TEST(Regex, NamesItsGroups) {
  auto regex = Regex::Compile("(?<ip>a)(b)(?P<rest>c)");
  ASSERT_TRUE(regex.ok());
  EXPECT_EQ(regex->names(), (std::vector<std::string>{"", "ip", "", "rest"}));
  EXPECT_TRUE(regex->has_span_program());
}

TEST(Regex, SaysWhereAPatternIsWrong) {
  auto regex = Regex::Compile("abc(");
  ASSERT_FALSE(regex.ok());
  EXPECT_EQ(regex.status().message(),
            "bad regular expression at character 4: missing closing parenthesis");
}

TEST(Regex, BoundsWhatAHostileTextCosts) {
  EXPECT_EQ(Match("(a+)+(b+)+$", std::string(40, 'a') + std::string(40, 'b') + "!", false),
            "limit");
}

TEST(Regex, WorksOnInvalidUtf8) {
  EXPECT_EQ(Match("^(.*) x", "\xff\xc3 x"), "[\xff\xc3 x][\xff\xc3]");
  EXPECT_EQ(Match("(*UTF)^(.) x", "\xc3\xa9 x", false), "[\xc3\xa9 x][\xc3\xa9]");
  EXPECT_EQ(Match("(*UTF)^(.) x", "\xff x", false), "no match");
}

TEST(Regex, MatchesTextsOfAnyLength) {
  for (size_t size = 0; size < 5000; size = size < 200 ? size + 1 : size * 2) {
    const std::string word(size, 'a');
    EXPECT_EQ(Match("^(a*) ([^;]*);$", word + " " + word + ";"),
              "[" + word + " " + word + ";][" + word + "][" + word + "]");
  }
}

// Random patterns of the kind that span programs know, on random texts of few letters.
TEST(Regex, AgreesWithPcreOnRandomPatterns) {
  std::mt19937 random(7);
  const auto pick = [&](const std::vector<std::string>& choices) {
    return choices[random() % choices.size()];
  };
  const std::vector<std::string> atoms = {"a",    "b",   " ",      "ab",     "[ab]", "[^ ]",
                                          "\\S",  "\\d", ".",      "[^a]",   "\\w",  "1",
                                          "[a1]", "\\s", "[a\\D]", "[^\\s1]"};
  const std::vector<std::string> quantifiers = {"",   "",    "",      "*",    "+",  "?", "*?",
                                                "+?", "{2}", "{1,2}", "{2,}", "++", "??"};
  int spans = 0, matches = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string pattern = random() % 4 != 0 ? "^" : "";
    const size_t items = 1 + random() % 6;
    for (size_t i = 0; i < items; ++i) {
      std::string item = pick(atoms) + pick(quantifiers);
      if (random() % 8 == 0) item += "|" + pick(atoms) + pick(quantifiers);
      const bool group = item.find('|') != std::string::npos || random() % 2 == 0;
      pattern += group ? (random() % 4 == 0 ? "(?:" : "(") + item + ")" : item;
    }
    if (random() % 3 == 0) pattern += "$";
    auto quick = Regex::Compile(pattern);
    auto plain = Regex::Compile(pattern, {.span_program = false});
    ASSERT_TRUE(quick.ok()) << pattern;
    if (!quick->has_span_program()) continue;
    ++spans;
    RegexMatcher a(*quick), b(*plain);
    auto anchored = Regex::Compile(pattern, {.anchored = true});
    RegexMatcher at_begin(*anchored);
    const Regex::First first = anchored->first();
    for (int i = 0; i < 20; ++i) {
      std::string text;
      for (size_t n = random() % 9; n > 0; --n) text += "aab 1 \n"[random() % 7];
      const std::string expected = Groups(b, *plain, text);
      ASSERT_EQ(Groups(a, *quick, text), expected) << pattern << " on \"" << text << "\"";
      matches += expected != "no match";
      const bool begins = b.Match(text) == RegexOutcome::kMatch && b.group(0).data() == text.data();
      if (begins) {
        ASSERT_EQ(Groups(at_begin, *anchored, text), expected) << pattern << " on " << text;
        ASSERT_TRUE(text.empty() ? first.nothing : first.bytes[static_cast<unsigned char>(text[0])])
            << pattern << " on " << text;
      }
    }
  }
  EXPECT_GT(spans, 5'000);
  EXPECT_GT(matches, 10'000);
}

}  // namespace
}  // namespace kelp::codec
