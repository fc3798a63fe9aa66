#include "tail/glob.h"

#include <gtest/gtest.h>

namespace kelp::tail {
namespace {

bool Matches(std::string_view pattern, std::string_view path) {
  const Result<Glob> glob = Glob::Parse(pattern);
  EXPECT_TRUE(glob.ok()) << glob.status().message();
  GlobSet set;
  set.Add(*glob);
  return set.Matches(path);
}

TEST(GlobTest, MatchesNames) {
  EXPECT_TRUE(MatchName("*.log", "a.log"));
  EXPECT_TRUE(MatchName("*", ""));
  EXPECT_TRUE(MatchName("a?c", "abc"));
  EXPECT_FALSE(MatchName("a?c", "ac"));
  EXPECT_TRUE(MatchName("[a-c]x", "bx"));
  EXPECT_FALSE(MatchName("[!a-c]x", "bx"));
  EXPECT_TRUE(MatchName("[]x]", "]"));
  EXPECT_TRUE(MatchName("[a-]", "-"));
  EXPECT_TRUE(MatchName("[", "["));
  EXPECT_TRUE(MatchName("\\*", "*"));
  EXPECT_FALSE(MatchName("\\*", "x"));
  EXPECT_TRUE(MatchName("*a*b*c*", "xxaxxbxxcxx"));
  EXPECT_FALSE(MatchName("*a*b*c", "xxaxxbxxcx"));
}

TEST(GlobTest, LongNamesWithManyStarsTakeBoundedTime) {
  const std::string name(250, 'a');
  EXPECT_FALSE(MatchName("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", name));
}

TEST(GlobTest, MatchesPaths) {
  EXPECT_TRUE(Matches("/var/log/*.log", "/var/log/a.log"));
  EXPECT_FALSE(Matches("/var/log/*.log", "/var/log/x/a.log"));
  EXPECT_FALSE(Matches("/var/log/*.log", "/var/log"));
  EXPECT_TRUE(Matches("/var/{log,lib}/{a,b}.txt", "/var/lib/b.txt"));
  EXPECT_TRUE(Matches("/{a/b,c}/d", "/a/b/d"));
  EXPECT_TRUE(Matches("/{x,{y,z}1}", "/z1"));
}

TEST(GlobTest, AnyDepth) {
  EXPECT_TRUE(Matches("/a/**/x.log", "/a/x.log"));
  EXPECT_TRUE(Matches("/a/**/x.log", "/a/b/c/x.log"));
  EXPECT_FALSE(Matches("/a/**/x.log", "/b/x.log"));
  EXPECT_TRUE(Matches("/a/**", "/a/b"));
  EXPECT_TRUE(Matches("/a/**", "/a/b/c"));
  EXPECT_FALSE(Matches("/a/**", "/a"));
  EXPECT_TRUE(Matches("/**/b/**/c", "/x/b/y/z/c"));
  EXPECT_TRUE(Matches("/a/**/**/b", "/a/b"));
  EXPECT_TRUE(Matches("/a/x**y", "/a/x-y"));
}

TEST(GlobTest, SaysWhatIsWrong) {
  const auto message = [](std::string_view pattern) {
    const Result<Glob> glob = Glob::Parse(pattern);
    return glob.ok() ? std::string() : std::string(glob.status().message());
  };
  EXPECT_NE(message("a/b").find("absolute"), std::string::npos);
  EXPECT_NE(message("").find("absolute"), std::string::npos);
  EXPECT_NE(message("/a//b").find("empty name"), std::string::npos);
  EXPECT_NE(message("/a/").find("empty name"), std::string::npos);
  EXPECT_NE(message("/a/../b").find("\"..\""), std::string::npos);
  EXPECT_NE(message("/{a").find("'{'"), std::string::npos);
  EXPECT_NE(message("/{0,1}{0,1}{0,1}{0,1}{0,1}{0,1}{0,1}{0,1}{0,1}").find("256"),
            std::string::npos);
  EXPECT_NE(message("/" + std::string(5000, 'x')).find("4096"), std::string::npos);
}

TEST(GlobTest, WalksTheFixedPrefixWithoutListing) {
  GlobSet set;
  set.Add(*Glob::Parse("/var/log/*.log"));
  set.Add(*Glob::Parse("/var/lib/x.log"));
  std::vector<std::string> names;
  GlobSet::States states = set.Start();
  ASSERT_TRUE(set.OnlyLiterals(states, names));
  EXPECT_EQ(names, std::vector<std::string>{"var"});
  states = set.Step(states, "var");
  ASSERT_TRUE(set.OnlyLiterals(states, names));
  EXPECT_EQ(names, (std::vector<std::string>{"log", "lib"}));
  EXPECT_TRUE(set.Step(states, "tmp").empty());
  states = set.Step(states, "log");
  EXPECT_FALSE(set.OnlyLiterals(states, names));
  EXPECT_TRUE(set.Accepts(set.Step(states, "a.log")));
  EXPECT_FALSE(set.Continues(set.Step(states, "a.log")));
}

}  // namespace
}  // namespace kelp::tail
