#include "framing/charset.h"

#include <gtest/gtest.h>

#include "framing/testing.h"

namespace kelp::framing {
namespace {

using testing::Bodies;
using testing::Decode;
using testing::Decoded;
using testing::ReadAll;

std::unique_ptr<LineDecoder> Make(Charset charset, size_t line_bytes_max = 1000,
                                  std::optional<MultilineOptions> multiline = {}) {
  auto made = MakeDecoder({.format = Format::kLines,
                           .charset = charset,
                           .line_bytes_max = line_bytes_max,
                           .multiline = std::move(multiline)});
  EXPECT_TRUE(made.ok()) << made.status().ToString();
  return std::move(made).value();
}

std::string Utf16(std::u16string_view text, bool big) {
  std::string out;
  for (const char16_t c : text) {
    const char high = static_cast<char>(c >> 8), low = static_cast<char>(c & 0xff);
    out += big ? high : low;
    out += big ? low : high;
  }
  return out;
}

constexpr std::string_view kNihao = "\xe4\xbd\xa0\xe5\xa5\xbd";

TEST(Charset, GbkBecomesUtf8) {
  for (const Charset charset : {Charset::kGbk, Charset::kGb18030}) {
    const Decoded d = Decode(*Make(charset), "plain\n\xc4\xe3\xba\xc3 x\r\n");
    EXPECT_EQ(d.bodies, (Bodies{"plain", std::string(kNihao) + " x"}));
    EXPECT_EQ(d.ends, (std::vector<uint64_t>{6, 14}));
    EXPECT_EQ(d.fields[1], "");
  }
  // Four bytes for one character.
  EXPECT_EQ(Decode(*Make(Charset::kGb18030), "\x94\x39\xda\x33\n").bodies[0], "\xf0\x9f\x92\xa9");
}

TEST(Charset, BytesThatMeanNothingAreReplacedAndTheRowIsMarked) {
  const auto decoder = Make(Charset::kGbk);
  const Decoded d = Decode(*decoder, "a\xff b\nfine\nhalf\xc4\n");
  EXPECT_EQ(d.bodies, (Bodies{"a\xef\xbf\xbd b", "fine", "half\xef\xbf\xbd"}));
  EXPECT_EQ(d.fields,
            (std::vector<std::string>{"kelp.malformed=true;", "", "kelp.malformed=true;"}));
  EXPECT_EQ(decoder->TakeCounts().malformed_lines, 2u);
}

TEST(Charset, ACutSplitsNoCharacter) {
  EXPECT_EQ(Decode(*Make(Charset::kGbk, 3), "\xc4\xe3\xba\xc3\n").bodies[0], kNihao.substr(0, 3));
  EXPECT_EQ(Decode(*Make(Charset::kUtf8, 4), std::string(kNihao) + "\n").bodies[0],
            kNihao.substr(0, 3));
  EXPECT_EQ(Decode(*Make(Charset::kUtf8, 6), std::string(kNihao) + "\n").bodies[0], kNihao);
  const Decoded d = Decode(*Make(Charset::kUtf16Le, 5), Utf16(u"a\U0001F4A9b\nx\n", false));
  EXPECT_EQ(d.bodies, (Bodies{"a", "x"}));
  EXPECT_EQ(d.fields, (std::vector<std::string>{"kelp.truncated=true;", ""}));
}

TEST(Charset, Utf16OfBothByteOrders) {
  for (const bool big : {false, true}) {
    const std::u16string_view text =
        u"\uFEFFone\r\n\u4f60\u597d \U0001F4A9\n\n\u0a0a\u0d0a\u0a00\nhalf";
    const std::string raw = Utf16(text, big);
    for (const Charset charset : {big ? Charset::kUtf16Be : Charset::kUtf16Le, Charset::kUtf16}) {
      for (size_t step = 1; step < raw.size() + 2; ++step) {
        const auto run = ReadAll(*Make(charset, 100), raw, step);
        ASSERT_EQ(run.rows.bodies, (Bodies{"one", std::string(kNihao) + " \xf0\x9f\x92\xa9", "",
                                           "\xe0\xa8\x8a\xe0\xb4\x8a\xe0\xa8\x80", "half"}))
            << step << big;
      }
    }
    // After a restart in the middle the first newline tells the order.
    EXPECT_EQ(
        ReadAll(*Make(Charset::kUtf16), raw, 1000, {12, 12, LinePlace::kStart}).rows.bodies[0],
        std::string(kNihao) + " \xf0\x9f\x92\xa9");
  }
}

TEST(Charset, Utf16ThatIsBrokenIsMarked) {
  const std::string raw = Utf16(
                              u"a\xd83d"
                              u"b\n",
                              false) +
                          "x";
  const auto run = ReadAll(*Make(Charset::kUtf16Le), raw, 100);
  EXPECT_EQ(run.rows.bodies, (Bodies{"a\xef\xbf\xbd"
                                     "b",
                                     "\xef\xbf\xbd"}));
  EXPECT_EQ(run.rows.fields[0], "kelp.malformed=true;");
}

TEST(Charset, AByteOrderMarkIsNoText) {
  EXPECT_EQ(ReadAll(*Make(Charset::kUtf8), "\xef\xbb\xbfone\n\xef\xbb\xbftwo\n", 1).rows.bodies,
            (Bodies{"one", "\xef\xbb\xbftwo"}));
  EXPECT_EQ(ReadAll(*Make(Charset::kUtf8), "\xef\xbb\xbf", 1).rows.bodies, Bodies{});
  EXPECT_EQ(ReadAll(*Make(Charset::kUtf8), "\xef\n", 1).rows.bodies, (Bodies{"\xef"}));
}

TEST(Charset, Utf8ThatIsBrokenStaysAsItIs) {
  EXPECT_EQ(Decode(*Make(Charset::kUtf8), "a\xff\xc3\n").bodies, (Bodies{"a\xff\xc3"}));
  EXPECT_EQ(Decode(*Make(Charset::kUtf8), "a\xff\xc3\n").fields[0], "");
}

TEST(Charset, Latin1) {
  EXPECT_EQ(Decode(*Make(Charset::kLatin1), "gr\xfc\xdf\n").bodies, (Bodies{"gr\xc3\xbc\xc3\x9f"}));
}

TEST(Charset, PatternsOfRecordsSeeUtf8) {
  const auto decoder = Make(Charset::kGbk, 1000, MultilineOptions{.start = std::string(kNihao)});
  EXPECT_EQ(
      Decode(*decoder, "\xc4\xe3\xba\xc3 1\nrest \xba\xc3\n\xc4\xe3\xba\xc3 2\n", 0, true, true)
          .bodies,
      (Bodies{std::string(kNihao) + " 1\nrest " + std::string(kNihao.substr(3)),
              std::string(kNihao) + " 2"}));
}

TEST(Charset, ContainerFormatsAreUtf8) {
  const auto made = MakeDecoder({.format = Format::kCri, .charset = Charset::kGbk});
  EXPECT_NE(made.status().message().find("encoding"), std::string::npos);
}

}  // namespace
}  // namespace kelp::framing
