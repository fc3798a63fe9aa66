#include "store/tokens.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace kelp::store {
namespace {

std::vector<std::string> Texts(std::string_view text) {
  std::vector<Token> tokens;
  Tokenize(text, tokens);
  std::vector<std::string> out;
  for (const Token& t : tokens) out.emplace_back(text.substr(t.begin, t.end - t.begin));
  return out;
}

// The slow way to the same hashes.
std::vector<uint64_t> PlainHashes(std::string_view text) {
  std::vector<uint64_t> hashes;
  for (const std::string& token : Texts(text)) hashes.push_back(TokenHash(token));
  return hashes;
}

using Strings = std::vector<std::string>;

TEST(Tokens, AreRunsOfLettersDigitsAndUnderscore) {
  EXPECT_EQ(Texts("GET /api/v1/users?id=42 HTTP_1.1"),
            (Strings{"GET", "api", "v1", "users", "id", "42", "HTTP_1", "1"}));
  EXPECT_EQ(Texts(""), Strings{});
  EXPECT_EQ(Texts(" .-/@[]{} "), Strings{});
}

TEST(Tokens, TakeEachCjkCodePointAlone) {
  EXPECT_EQ(Texts("连接失败 retry重试"), (Strings{"连", "接", "失", "败", "retry", "重", "试"}));
  EXPECT_EQ(Texts("\U00020000\U00020001"), (Strings{"\U00020000", "\U00020001"}));
}

TEST(Tokens, KeepOtherScriptsAsRunsOfBytes) {
  EXPECT_EQ(Texts("größe café"), (Strings{"gr", "öß", "e", "caf", "é"}));
  EXPECT_EQ(Texts("\xff\xfe ok"), (Strings{"\xff\xfe", "ok"}));
  EXPECT_EQ(Texts("é错"), (Strings{"é", "错"}));
}

TEST(Tokens, HashIgnoresAsciiCaseOnly) {
  EXPECT_EQ(TokenHash("Timeout"), TokenHash("TIMEOUT"));
  EXPECT_NE(TokenHash("timeout"), TokenHash("timeouts"));
  EXPECT_NE(TokenHash("É"), TokenHash("é"));
}

TEST(Tokens, FastPathEqualsPlainPath) {
  std::mt19937 random(20261121);
  const std::string alphabet = "aZ09_ .-@[`{/\x7f";
  const std::string wide = "a_ 9Z\xe9\x94\x99\xc3\xa9\xf0\xa0\x80\xff";
  for (int round = 0; round < 3000; ++round) {
    const std::string& letters = round % 4 == 0 ? wide : alphabet;
    std::string text(random() % 200, ' ');
    for (char& c : text) c = letters[random() % letters.size()];
    std::vector<uint64_t> fast;
    HashTokens(text, fast);
    ASSERT_EQ(fast, PlainHashes(text)) << "text: " << text;
  }
}

TEST(Tokens, FindsTokensThatTouchStepBorders) {
  for (size_t size : {1, 63, 64, 65, 127, 128, 129, 1000}) {
    for (size_t gap : {size_t{0}, size / 2, size - 1}) {
      std::string text(size, 'x');
      text[gap] = ' ';
      std::vector<uint64_t> fast;
      HashTokens(text, fast);
      EXPECT_EQ(fast, PlainHashes(text)) << size << " " << gap;
    }
  }
}

}  // namespace
}  // namespace kelp::store
