#include "codec/lines.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace kelp::codec {
namespace {

TEST(Lines, FindsEveryNewlineAtEveryPlace) {
  std::mt19937 random(1);
  for (size_t size = 0; size < 300; ++size) {
    std::string text(size, 'x');
    std::vector<uint32_t> expected;
    for (uint32_t i = 0; i < size; ++i) {
      if (random() % 7 != 0) continue;
      text[i] = '\n';
      expected.push_back(i);
    }
    std::vector<uint32_t> got(size + 1);
    got.resize(FindNewlines(text, got.data(), got.size()));
    EXPECT_EQ(got, expected);
  }
}

TEST(Lines, StopsAtTheCallersLimit) {
  const std::string text(200, '\n');
  uint32_t offsets[70];
  EXPECT_EQ(FindNewlines(text, offsets, 70), 70u);
  EXPECT_EQ(offsets[69], 69u);
  EXPECT_EQ(FindNewlines(text, offsets, 0), 0u);
}

TEST(Lines, GivesEachCompleteLine) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += std::string(static_cast<size_t>(i % 40), 'a') + "\n";
  size_t lines = 0;
  const size_t done = ForEachLine(text + "rest", [&](std::string_view line) {
    EXPECT_EQ(line, std::string(lines % 40, 'a'));
    ++lines;
  });
  EXPECT_EQ(lines, 1000u);
  EXPECT_EQ(done, text.size());
}

}  // namespace
}  // namespace kelp::codec
