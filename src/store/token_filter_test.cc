#include "store/token_filter.h"

#include <gtest/gtest.h>

#include "store/tokens.h"

namespace kelp::store {
namespace {

TEST(TokenFilter, HoldsEveryTokenAndFewOthers) {
  TokenSet set;
  constexpr int kTokens = 100'000;  // more than the table begins with
  for (int i = 0; i < kTokens; ++i) set.AddText("word" + std::to_string(i) + " Common again");
  EXPECT_EQ(set.size(), kTokens + 2u);
  std::string filter;
  set.BuildFilter(filter);
  EXPECT_EQ(filter.size() % kFilterLineBytes, 0u);
  EXPECT_LE(filter.size(), (kTokens + 64) * kFilterBitsPerToken / 8);
  for (int i = 0; i < kTokens; ++i) {
    const uint64_t hashes[] = {TokenHash("WORD" + std::to_string(i)), TokenHash("common")};
    ASSERT_TRUE(FilterMayContain(filter, hashes)) << i;
  }
  int wrong = 0;
  for (int i = 0; i < kTokens; ++i) {
    const uint64_t hash[] = {TokenHash("absent" + std::to_string(i))};
    wrong += FilterMayContain(filter, hash);
  }
  EXPECT_LT(wrong, kTokens / 200);
}

TEST(TokenFilter, OfNothingHoldsNothing) {
  TokenSet set;
  std::string filter;
  set.BuildFilter(filter);
  EXPECT_EQ(filter.size(), kFilterLineBytes);
  const uint64_t hash[] = {TokenHash("x")};
  EXPECT_FALSE(FilterMayContain(filter, hash));
  EXPECT_TRUE(FilterMayContain(filter, {}));
}

TEST(TokenFilter, StartsAfreshWhenCleared) {
  TokenSet set;
  set.AddText("one two");
  set.Clear();
  set.AddText("three");
  EXPECT_EQ(set.size(), 1u);
}

}  // namespace
}  // namespace kelp::store
