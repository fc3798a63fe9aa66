#include "codec/proto_wire.h"

#include <gtest/gtest.h>

#include <string>

namespace kelp::codec {
namespace {

std::string Varint(uint64_t value) {
  char bytes[kVarintBytesMax];
  return {bytes, static_cast<size_t>(PutVarint(bytes, value) - bytes)};
}

bool Reads(const std::string& bytes) {
  WireReader in(bytes);
  WireField field;
  while (in.Next(field)) {
  }
  return in.ok();
}

TEST(ProtoWire, WritesTheBytesOfTheSpecification) {
  EXPECT_EQ(Varint(1), "\x01");
  EXPECT_EQ(Varint(150), "\x96\x01");
  EXPECT_EQ(Varint(UINT64_MAX), "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01");
  ByteBuffer out;
  WireWriter(out).Uint(1, 150);
  WireWriter(out).Bytes(2, "testing");
  EXPECT_EQ(out.view(), "\x08\x96\x01\x12\x07testing");
}

TEST(ProtoWire, ReadsBackEveryNumber) {
  for (int bit = 0; bit < 64; ++bit) {
    for (const uint64_t value : {uint64_t{1} << bit, (uint64_t{1} << bit) - 1}) {
      const std::string bytes = Varint(value);
      uint64_t got = ~value;
      EXPECT_EQ(GetVarint(bytes.data(), bytes.data() + bytes.size(), got),
                bytes.data() + bytes.size());
      EXPECT_EQ(got, value);
      EXPECT_EQ(GetVarint(bytes.data(), bytes.data() + bytes.size() - 1, got), nullptr);
      EXPECT_EQ(ZigZag(UnZigZag(value)), value);
    }
  }
  EXPECT_EQ(ZigZag(-1), 1u);
  EXPECT_EQ(ZigZag(INT64_MIN), UINT64_MAX);
}

TEST(ProtoWire, NestsMessagesOfLaterKnownLength) {
  ByteBuffer out;
  WireWriter writer(out);
  const size_t outer = writer.Begin(3);
  const size_t inner = writer.Begin(4);
  writer.Uint(5, 6);
  writer.End(inner);
  writer.End(outer);
  WireReader in(out.view());
  WireField field;
  ASSERT_TRUE(in.Next(field));
  EXPECT_EQ(field.number, 3u);
  WireReader middle(field.bytes);
  ASSERT_TRUE(middle.Next(field));
  EXPECT_EQ(field.number, 4u);
  WireReader innermost(field.bytes);
  ASSERT_TRUE(innermost.Next(field));
  EXPECT_EQ(field.number, 5u);
  EXPECT_EQ(field.value, 6u);
  EXPECT_FALSE(in.Next(field));
  EXPECT_TRUE(in.ok());
}

TEST(ProtoWire, ReadsFixedNumbers) {
  const std::string bytes("\x0d\x01\x02\x03\x04\x11\x01\x00\x00\x00\x00\x00\x00\x80", 14);
  WireReader in(bytes);
  WireField field;
  ASSERT_TRUE(in.Next(field));
  EXPECT_EQ(field.value, 0x04030201u);
  ASSERT_TRUE(in.Next(field));
  EXPECT_EQ(field.value, 0x8000000000000001u);
}

TEST(ProtoWire, RefusesWhatIsMalformed) {
  EXPECT_TRUE(Reads(""));
  EXPECT_FALSE(Reads("\x08")) << "no value";
  EXPECT_FALSE(Reads("\x12\x07test")) << "cut off";
  EXPECT_FALSE(Reads("\x0b")) << "a group";
  EXPECT_FALSE(Reads(std::string("\x00\x01", 2))) << "field 0";
  EXPECT_FALSE(Reads("\x0d\x01")) << "half a fixed number";
  EXPECT_FALSE(Reads(std::string(11, '\xff'))) << "a number of too many bytes";
  EXPECT_FALSE(Reads("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02")) << "65 bits";
}

}  // namespace
}  // namespace kelp::codec
