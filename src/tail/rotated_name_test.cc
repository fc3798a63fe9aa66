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
  EXPECT_TRUE(RotatedBefore("app.log.2.gz", "app.log.1"));
  EXPECT_TRUE(RotatedBefore("app-2026-11-21.log", "app-2026-11-22.log"));
  EXPECT_TRUE(RotatedBefore("app-2026-11-30.log", "app-2026-12-01.log"));
  EXPECT_TRUE(RotatedBefore("app-2026-11-21.9.log", "app-2026-11-21.10.log"));
  EXPECT_TRUE(RotatedBefore("a.log.2026-11-21T00:12:30Z", "a.log.2026-11-21T00:12:31Z"));
  EXPECT_TRUE(RotatedBefore("web-1.log.12", "web-1.log.2"));
  EXPECT_FALSE(RotatedBefore("app.log", "app.log.1"));
  EXPECT_TRUE(RotatedBefore("db-2026.2", "db-2026.1")) << "a number behind a year";
  EXPECT_TRUE(RotatedBefore("app.log.1732240000", "app.log.1732240001"));
  EXPECT_FALSE(RotatedBefore("app.log.99999999999999999999999", "app.log.99999999999999999999999"));
  EXPECT_FALSE(RotatedBefore("app.log.20261121", "app.log.3")) << "a date and a number";
  EXPECT_FALSE(RotatedBefore("app.log.3", "app.log.20261121"));
}

}  // namespace
}  // namespace kelp::tail
