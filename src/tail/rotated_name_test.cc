#include "tail/rotated_name.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace kelp::tail {
namespace {

bool IsRotated(std::string_view name, std::string_view base) {
  const std::vector<std::string> bases = BasesOfRotated(name);
  return std::find(bases.begin(), bases.end(), base) != bases.end();
}

TEST(RotatedNameTest, KnowsWhatRotatorsDo) {
  EXPECT_TRUE(IsRotated("app.log.1", "app.log"));
  EXPECT_TRUE(IsRotated("app.log-20261121", "app.log"));
  EXPECT_TRUE(IsRotated("app.log.2026-11-21T00:12:30Z", "app.log"));
  EXPECT_TRUE(IsRotated("0.log.20261121-001230", "0.log"));
  EXPECT_TRUE(IsRotated("app-2026-11-21.0.log", "app.log"));
  EXPECT_TRUE(IsRotated("app.1.log", "app.log"));
  EXPECT_TRUE(IsRotated("web-1.log.2", "web-1.log"));
}

TEST(RotatedNameTest, LeavesOthersAlone) {
  EXPECT_TRUE(BasesOfRotated("app.log").empty());
  EXPECT_TRUE(BasesOfRotated("app.log.err").empty());
  EXPECT_FALSE(IsRotated("app.log.1.gz", "app.log"));
  EXPECT_FALSE(IsRotated("app.log-1x", "app.log"));
  EXPECT_TRUE(BasesOfRotated("").empty());
  EXPECT_TRUE(BasesOfRotated(".1").empty());
}

TEST(RotatedNameTest, KnowsWordsForOldFiles) {
  EXPECT_EQ(BasesOfRotated("app.log.old"), std::vector<std::string>{"app.log"});
  EXPECT_EQ(BasesOfRotated("app.log.bak"), std::vector<std::string>{"app.log"});
  EXPECT_TRUE(BasesOfRotated(".old").empty());
}

TEST(RotatedNameTest, HigherNumbersAndEarlierDatesAreOlder) {
  EXPECT_TRUE(RotatedBefore("app.log.2", "app.log.1"));
  EXPECT_FALSE(RotatedBefore("app.log.1", "app.log.2"));
  EXPECT_TRUE(RotatedBefore("app.log.10", "app.log.9"));
  EXPECT_TRUE(RotatedBefore("app.log.12", "app.log.1"));
  EXPECT_TRUE(RotatedBefore("app.log-20261120", "app.log-20261121"));
  EXPECT_FALSE(RotatedBefore("0.log.20261121-001231", "0.log.20261121-001230"));
  EXPECT_FALSE(RotatedBefore("app.log.1", "app.log.1"));
  EXPECT_FALSE(RotatedBefore("app.log.20261121", "app.log.3")) << "a date and a number";
  EXPECT_FALSE(RotatedBefore("app.log.3", "app.log.20261121"));
}

}  // namespace
}  // namespace kelp::tail
