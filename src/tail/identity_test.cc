#include "tail/identity.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "tail/testing.h"

namespace kelp::tail {
namespace {

using testing::TempDir;

// No two places of it look the same.
std::string Text(size_t size) {
  std::string text;
  for (int i = 0; text.size() < size; ++i) text += "line " + std::to_string(i) + "\n";
  text.resize(size);
  return text;
}

class IdentityTest : public ::testing::Test {
 protected:
  std::shared_ptr<File> Open(const std::string& text) {
    dir_.Write("file", text);
    return std::move(env_.files().OpenForRead(dir_ / "file")).value();
  }
  TempDir dir_;
  Env& env_ = RealEnv();
};

TEST_F(IdentityTest, PlacesGrowWithTheFile) {
  uint64_t before = 0;
  for (size_t i = 0; i < Marks::kMax; ++i) {
    const uint64_t place = Marks::PlaceOf(i);
    ASSERT_GT(place, before) << i;
    ASSERT_LE(place - before, std::max<uint64_t>(64, before / 8)) << i;
    EXPECT_EQ(Marks::PlaceBefore(place), place);
    EXPECT_EQ(Marks::PlaceBefore(place - 1), before);
    before = place;
  }
  EXPECT_EQ(Marks::PlaceOf(7), 64u);
  EXPECT_EQ(Marks::PlaceOf(22), 1024u);
  EXPECT_EQ(before, uint64_t{1} << 40);
}

TEST_F(IdentityTest, MarksAreTheSameHoweverTheFileWasRead) {
  const std::string text = Text(100'000);
  Marks at_once;
  at_once.See(0, text);
  Marks in_turns;
  for (size_t at = 0; at < text.size(); at += 777) {
    const size_t before = std::min<size_t>(at, Guard::kBytesMax);
    in_turns.See(at - before, std::string_view(text).substr(at - before, before + 777));
  }
  EXPECT_EQ(at_once.hashes(), in_turns.hashes());
  EXPECT_EQ(Marks::PlaceOf(at_once.hashes().size() - 1), Marks::PlaceBefore(text.size()));
}

TEST_F(IdentityTest, MarksTellWhatIsLeftOfAFile) {
  const std::string text = Text(100'000);
  Marks marks;
  marks.See(0, text);
  for (const size_t left : {size_t{8}, size_t{100}, size_t{1024}, size_t{70'000}}) {
    EXPECT_EQ(*marks.HeldTo(*Open(text.substr(0, left)), left), Marks::PlaceBefore(left)) << left;
  }
  std::string other = text.substr(0, 70'000);
  other[Marks::PlaceBefore(70'000) - 1] = '?';
  EXPECT_EQ(*marks.HeldTo(*Open(other), other.size()), 0u);
  EXPECT_EQ(*marks.HeldTo(*Open(text.substr(0, 7)), 7), 0u) << "too little to tell";
  EXPECT_EQ(*marks.HeldTo(*Open(text + Text(100'000)), 200'000), 0u) << "more than was seen";
}

TEST_F(IdentityTest, ACopyThatEndsEarlyMayBeginAsItsOriginal) {
  const std::string text = Text(600);
  Marks marks;
  marks.See(0, text);
  const Fingerprint print = Fingerprint::Of(text);
  EXPECT_TRUE(MayBeginAs(print, marks, {text, 0}));
  EXPECT_TRUE(MayBeginAs(print, marks, {text + "more", 0}));
  EXPECT_TRUE(MayBeginAs(print, marks, {text.substr(0, 99), 0}));
  EXPECT_FALSE(MayBeginAs(print, marks, {Text(99).replace(20, 1, "?"), 0}));
  EXPECT_FALSE(MayBeginAs(print, marks, {text.substr(0, 7), 0})) << "too little to tell";
}

TEST_F(IdentityTest, NulsAtTheBeginningAreNoPartOfTheHead) {
  const std::string text = Text(3000);
  for (const uint64_t nuls : {uint64_t{0}, uint64_t{1}, uint64_t{1023}, uint64_t{300'000}}) {
    const Result<Head> head = ReadHead(*Open(std::string(nuls, '\0') + text));
    ASSERT_TRUE(head.ok());
    EXPECT_EQ(head->bytes, text.substr(0, Fingerprint::kBytesMax)) << nuls;
    EXPECT_EQ(head->at, nuls);
  }
  EXPECT_TRUE(ReadHead(*Open(std::string(5000, '\0')))->empty());
}

TEST_F(IdentityTest, AHoleOfAnySizeIsSkipped) {
  const std::shared_ptr<File> file = Open("");
  constexpr uint64_t kHole = uint64_t{3} << 30;
  ASSERT_EQ(::truncate((dir_ / "file").c_str(), kHole), 0);
  dir_.Append("file", "behind the hole\n");
  const Result<Head> head = ReadHead(*file);
  ASSERT_TRUE(head.ok());
  EXPECT_EQ(head->bytes, "behind the hole\n");
  EXPECT_EQ(head->at, kHole);
}

}  // namespace
}  // namespace kelp::tail
