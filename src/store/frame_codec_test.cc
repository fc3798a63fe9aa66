#include "store/frame_codec.h"

#include <gtest/gtest.h>

#include <random>

#include "store/bytes.h"

namespace kelp::store {
namespace {

std::vector<uint64_t> RoundTrip(const std::vector<uint64_t>& numbers) {
  std::string bytes;
  EncodeStream(numbers, bytes);
  std::vector<uint64_t> out(numbers.size());
  EXPECT_TRUE(DecodeStream(bytes, out.size(), out.data()));
  return out;
}

std::vector<UnixNanos> TimesRoundTrip(const std::vector<UnixNanos>& times, size_t* size = nullptr) {
  std::string bytes;
  EncodeTimes(times, bytes);
  if (size != nullptr) *size = bytes.size();
  std::vector<UnixNanos> out(times.size());
  EXPECT_TRUE(DecodeTimes(bytes, out.size(), out.data()));
  return out;
}

TEST(Streams, GiveBackWhatWasPutIn) {
  std::mt19937_64 random(3);
  for (const int bits : {0, 1, 7, 8, 9, 31, 63, 64}) {
    for (const size_t count : {1, 2, 31, 32, 33, 5000}) {
      std::vector<uint64_t> numbers(count);
      for (uint64_t& n : numbers) n = bits == 0 ? 0 : random() >> (64 - bits);
      EXPECT_EQ(RoundTrip(numbers), numbers);
    }
  }
}

TEST(Streams, HaveTheBytesOfTheFormatPage) {
  std::string bytes;
  EncodeStream(std::vector<uint64_t>{1, 2, 258}, bytes);
  EXPECT_EQ(bytes, std::string("\x02\x00\x03\x01\x02\x02\x00\x03\x00\x00\x01", 11));
}

TEST(Streams, RefuseOtherCountsAndSizes) {
  std::string bytes;
  EncodeStream(std::vector<uint64_t>{1, 2, 258}, bytes);
  uint64_t out[4];
  uint8_t small[4];
  EXPECT_FALSE(DecodeStream(bytes, 4, out));
  EXPECT_FALSE(DecodeStream(bytes, 2, out));
  EXPECT_FALSE(DecodeStream(bytes + "x", 3, out));
  EXPECT_FALSE(DecodeStream(bytes, 3, small));
  for (size_t cut = 0; cut < bytes.size(); ++cut) {
    EXPECT_FALSE(DecodeStream(std::string_view(bytes).substr(0, cut), 3, out));
  }
}

TEST(Times, KeepAnyTimes) {
  EXPECT_EQ(TimesRoundTrip({INT64_MIN, INT64_MAX, 0, -1, INT64_MIN}),
            (std::vector<UnixNanos>{INT64_MIN, INT64_MAX, 0, -1, INT64_MIN}));
  EXPECT_EQ(TimesRoundTrip({5}), (std::vector<UnixNanos>{5}));
  std::mt19937_64 random(4);
  for (const int64_t unit : {1, 1000, 1'000'000, 1'000'000'000}) {
    std::vector<UnixNanos> times;
    int64_t time = 1'763'700'000'123'456'789;
    for (int i = 0; i < 3000; ++i) {
      times.push_back(time += unit * static_cast<int64_t>(random() % 900) - unit * 100);
    }
    EXPECT_EQ(TimesRoundTrip(times), times);
  }
}

TEST(Times, CostLessWhenTheyAreCoarse) {
  std::vector<UnixNanos> fine;
  std::vector<UnixNanos> coarse;
  for (int64_t i = 0; i < 4000; ++i) {
    fine.push_back(i * i % 977 + i * 1000);
    coarse.push_back((i * i % 977 + i * 1000) * 1'000'000);
  }
  size_t fine_size = 0;
  size_t coarse_size = 0;
  TimesRoundTrip(fine, &fine_size);
  TimesRoundTrip(coarse, &coarse_size);
  EXPECT_LE(coarse_size, fine_size + 8);
}

TEST(Packing, GivesBackWhatWasPutInAndChecksSizes) {
  for (const std::string& raw : {std::string(), std::string("short"), std::string(100'000, 'x')}) {
    std::string packed;
    Pack(raw, packed);
    size_t size = 0;
    ASSERT_TRUE(UnpackedSize(packed, 1 << 20, size));
    std::string out(size, '\0');
    ASSERT_TRUE(Unpack(packed, out.data()));
    EXPECT_EQ(out, raw);
    if (!raw.empty()) {
      EXPECT_FALSE(UnpackedSize(packed, raw.size() - 1, size));
    }
  }
}

TEST(Numbers, ReadNothingPastTheEnd) {
  ByteReader reader(std::string_view("\x80", 1));
  EXPECT_EQ(reader.Varint(), 0u);
  EXPECT_FALSE(reader.ok());
  ByteReader texts(std::string_view("\x05hi", 3));
  EXPECT_EQ(texts.Text(), "");
  EXPECT_FALSE(texts.ok());
  EXPECT_EQ(texts.U64(), 0u);
}

}  // namespace
}  // namespace kelp::store
