#include "tail/packed_file.h"

#include <gtest/gtest.h>

#include "tail/packing.h"
#include "tail/testing.h"

namespace kelp::tail {
namespace {

using testing::Gzip;
using testing::TempDir;
using testing::Zstd;

class PackedFileTest : public ::testing::TestWithParam<Packing> {
 protected:
  std::string Pack(const std::string& text) {
    return GetParam() == Packing::kGzip ? Gzip(text) : Zstd(text);
  }
  std::unique_ptr<PackedFile> Open(const std::string& packed) {
    dir_.Write("x", packed);
    auto file = RealEnv().files().OpenForRead(dir_ / "x");
    EXPECT_TRUE(file.ok());
    return std::make_unique<PackedFile>(std::move(file).value(), GetParam(), dir_ / "x");
  }
  static std::string Read(PackedFile& file, uint64_t offset, size_t size) {
    std::string text(size, '\0');
    const Result<size_t> n = file.ReadAt(offset, text.data(), size);
    EXPECT_TRUE(n.ok()) << n.status().message();
    text.resize(n.ok() ? *n : 0);
    return text;
  }
  static std::string Text(size_t size) {
    std::string text;
    for (uint64_t i = 0; text.size() < size; ++i) text += "line " + std::to_string(i * i) + "\n";
    text.resize(size);
    return text;
  }

  TempDir dir_;
};

TEST_P(PackedFileTest, ReadsTheTextInAnyOrder) {
  const std::string text = Text(700'000);
  const auto file = Open(Pack(text));
  EXPECT_EQ(Read(*file, 0, 100), text.substr(0, 100));
  EXPECT_EQ(Read(*file, 300'000, 200'000), text.substr(300'000, 200'000));
  EXPECT_EQ(Read(*file, 499'936, 64), text.substr(499'936, 64));
  EXPECT_EQ(Read(*file, 10, 5), text.substr(10, 5));
  EXPECT_EQ(Read(*file, 699'990, 100), text.substr(699'990));
  EXPECT_FALSE(file->incomplete());
  EXPECT_EQ(file->Stat()->size, text.size());
  EXPECT_EQ(Read(*file, 700'000, 10), "");
}

TEST_P(PackedFileTest, TellsTheSizeOfItsText) {
  EXPECT_EQ(Open(Pack(Text(500'000)))->TextSize(0), 500'000u);
  EXPECT_EQ(Open(Pack(Text(500'000)))->TextSize(600'000), 500'000u);
}

TEST(PackedFileSizeTest, TellsGzipSizesThatWereWrapped) {
  TempDir dir;
  // Only its last four bytes are looked at; 5 MB can hold a little more than 4 GiB.
  dir.Write("x", std::string(5'000'000, 'x') + std::string("\x10\x00\x00\x00", 4));
  const PackedFile file(std::move(RealEnv().files().OpenForRead(dir / "x")).value(), Packing::kGzip,
                        dir / "x");
  constexpr uint64_t kWrap = uint64_t{1} << 32;
  EXPECT_EQ(file.TextSize(0), 16u);
  EXPECT_EQ(file.TextSize(16), 16u);
  EXPECT_EQ(file.TextSize(17), kWrap + 16);
  EXPECT_EQ(file.TextSize(kWrap + 16), kWrap + 16);
  EXPECT_EQ(file.TextSize(kWrap + 17), 16u) << "more than it can hold";
}

TEST_P(PackedFileTest, SizeIsMoreThanWhatWasReadUntilTheEndIsKnown) {
  const std::string text = Text(500'000);
  const auto file = Open(Pack(text));
  uint64_t at = 0;
  while (at < text.size()) {
    EXPECT_GT(file->Stat()->size, at);
    const std::string part = Read(*file, at, 64u << 10);
    ASSERT_FALSE(part.empty());
    EXPECT_EQ(part, text.substr(at, part.size()));
    at += part.size();
  }
  EXPECT_EQ(Read(*file, at, 1), "");
  EXPECT_EQ(file->Stat()->size, text.size());
}

TEST_P(PackedFileTest, SeveralPartsAreOneText) {
  const std::string text = Text(100'000);
  const auto file = Open(Pack(text) + Pack("middle\n") + Pack("") + Pack(text));
  EXPECT_EQ(Read(*file, 0, 300'000), text + "middle\n" + text);
  EXPECT_FALSE(file->incomplete());
}

TEST_P(PackedFileTest, WhatFollowsTheLastPartIsNoText) {
  const auto file = Open(Pack("one\n") + std::string(512, '\0'));
  EXPECT_EQ(Read(*file, 0, 100), "one\n");
  EXPECT_FALSE(file->incomplete());
}

TEST_P(PackedFileTest, WhatIsNotWrittenYetIsReadLater) {
  const std::string text = Text(400'000);
  const std::string packed = Pack(text);
  const auto file = Open(packed.substr(0, packed.size() / 2));
  const std::string first = Read(*file, 0, 500'000);
  EXPECT_LT(first.size(), text.size());
  EXPECT_EQ(first, text.substr(0, first.size()));
  EXPECT_TRUE(file->incomplete());
  EXPECT_EQ(file->Stat()->size, first.size());
  dir_.Append("x", packed.substr(packed.size() / 2));
  EXPECT_GT(file->Stat()->size, first.size());
  EXPECT_EQ(Read(*file, first.size(), 500'000), text.substr(first.size()));
  EXPECT_FALSE(file->incomplete());
}

TEST_P(PackedFileTest, SkipsInSteps) {
  const std::string text(PackedFile::kSkipBytes * 2 + 1000, 'x');
  const auto file = Open(Pack(text));
  int steps = 1;
  for (Result<bool> there = file->SkipTo(text.size() - 10); !*there; ++steps) {
    there = file->SkipTo(text.size() - 10);
    ASSERT_TRUE(there.ok());
  }
  EXPECT_GE(steps, 2);
  EXPECT_LE(steps, 3);
  EXPECT_EQ(Read(*file, text.size() - 10, 100), text.substr(text.size() - 10));
  EXPECT_TRUE(*file->SkipTo(text.size() + 5)) << "the end is as far as it goes";
}

TEST_P(PackedFileTest, DamageIsSaidAfterWhatIsWhole) {
  const std::string text = Text(400'000);
  std::string packed = Pack(text);
  for (size_t i = packed.size() / 2; i < packed.size() / 2 + 64; ++i) packed[i] = '\x55';
  const auto file = Open(packed);
  std::string buffer(text.size(), '\0');
  uint64_t at = 0;
  Result<size_t> n = file->ReadAt(0, buffer.data(), 4096);
  while (n.ok() && *n > 0 && at < text.size()) {
    at += *n;
    n = file->ReadAt(at, buffer.data(), 4096);
  }
  // The check sum at the end tells at the latest.
  ASSERT_FALSE(n.ok());
  EXPECT_EQ(n.status().code(), Code::kDataLoss);
  EXPECT_NE(n.status().message().find("damaged"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Packings, PackedFileTest,
                         ::testing::Values(Packing::kGzip, Packing::kZstd));

}  // namespace
}  // namespace kelp::tail
