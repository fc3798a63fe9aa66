#include "framing/line_decoder.h"

#include <gtest/gtest.h>

#include "framing/testing.h"

namespace kelp::framing {
namespace {

using testing::Bodies;
using testing::Decode;
using testing::Decoded;

TEST(PlainDecoderTest, EachLineIsARow) {
  const auto decoder = MakePlainDecoder(100);
  const Decoded d = Decode(*decoder, "one\ntwo\r\n\nhalf", 10);
  EXPECT_EQ(d.bodies, (Bodies{"one", "two", ""}));
  EXPECT_EQ(d.begins, (std::vector<uint64_t>{10, 14, 19}));
  EXPECT_EQ(d.ends, (std::vector<uint64_t>{14, 19, 20}));
  EXPECT_EQ(d.used, 10u);
}

TEST(PlainDecoderTest, ALoneCarriageReturnStays) {
  const auto decoder = MakePlainDecoder(100);
  EXPECT_EQ(Decode(*decoder, "a\rb\r\r\n").bodies, (Bodies{"a\rb\r"}));
}

TEST(PlainDecoderTest, TheLimitIsExact) {
  const auto decoder = MakePlainDecoder(5);
  const Decoded d = Decode(*decoder, "12345\n123456\n12345\r\n");
  EXPECT_EQ(d.bodies, (Bodies{"12345", "12345", "12345"}));
  EXPECT_EQ(d.fields, (std::vector<std::string>{"", "kelp.truncated=true;", ""}));
  EXPECT_EQ(decoder->TakeCounts().cut_lines, 1u);
}

TEST(PlainDecoderTest, ACutLinesEndDoesNotDependOnWhatWasRead) {
  const auto at_once = MakePlainDecoder(4);
  const Decoded whole = Decode(*at_once, "123456789\nx\n");
  const auto in_parts = MakePlainDecoder(4);
  const Decoded first = Decode(*in_parts, "123456");
  EXPECT_EQ(first.used, 6u);
  EXPECT_EQ(in_parts->place(), LinePlace::kInSkipped);
  const Decoded second = Decode(*in_parts, "789\nx\n", 6);
  EXPECT_EQ(whole.ends[0], first.ends[0]);
  EXPECT_EQ(whole.ends[1], second.ends[0]);
  EXPECT_EQ(second.bodies, (Bodies{"x"}));
}

TEST(PlainDecoderTest, NoEmptyRecordAfterAFlushedHalfLine) {
  const auto decoder = MakePlainDecoder(100);
  EXPECT_EQ(Decode(*decoder, "half", 0, /*last=*/true).bodies, (Bodies{"half"}));
  EXPECT_EQ(decoder->place(), LinePlace::kAfterFlushed);
  EXPECT_EQ(Decode(*decoder, "\nnext\n", 4).bodies, (Bodies{"next"}));
  EXPECT_EQ(Decode(*decoder, "half", 10, true).bodies, (Bodies{"half"}));
  EXPECT_EQ(Decode(*decoder, " and rest\n\n", 14).bodies, (Bodies{" and rest", ""}));
}

TEST(PlainDecoderTest, NulsWithinALineStayAndAHoleInFrontOfItGoes) {
  const auto decoder = MakePlainDecoder(100);
  const Decoded d = Decode(*decoder, std::string("a\0b\n\0\0\0c\n\0\0", 11));
  EXPECT_EQ(d.bodies, (Bodies{std::string("a\0b", 3), "c"}));
  EXPECT_EQ(d.begins, (std::vector<uint64_t>{0, 7}));
  EXPECT_EQ(d.used, 11u);
  EXPECT_EQ(decoder->TakeCounts().nul_bytes, 5u);
}

// Feeds `turns` times the same bytes, as a source does, and gives the rows.
Decoded Feed(LineDecoder& decoder, const std::string& turn, int turns, const std::string& end) {
  Decoded rows;
  uint64_t offset = 0;
  for (int i = 0; i < turns; ++i) {
    Batch batch;
    Chunk chunk{batch.AddBuffer(turn.size()), turn.size(), offset, false};
    turn.copy(chunk.data, turn.size());
    offset += decoder.Decode(chunk, batch);
    EXPECT_EQ(offset, (static_cast<uint64_t>(i) + 1) * turn.size());
    decoder.AddFields(batch);
    testing::Collect(batch, rows);
  }
  const Decoded last = Decode(decoder, end, offset);
  rows.bodies.insert(rows.bodies.end(), last.bodies.begin(), last.bodies.end());
  rows.ends.insert(rows.ends.end(), last.ends.begin(), last.ends.end());
  return rows;
}

TEST(PlainDecoderTest, AHoleOfManyMegabytesIsNoRow) {
  const auto decoder = MakePlainDecoder(1000);
  const Decoded d = Feed(*decoder, std::string(1u << 20, '\0'), 64, "x\n");
  EXPECT_EQ(d.bodies, (Bodies{"x"}));
  EXPECT_EQ(decoder->TakeCounts().nul_bytes, 64u << 20);
}

TEST(PlainDecoderTest, AnEndlessLineIsCutOnceAndItsRestIsReadOnce) {
  const auto decoder = MakePlainDecoder(1000);
  const Decoded d = Feed(*decoder, std::string(1u << 20, 'a'), 64, "a\nx\n");
  EXPECT_EQ(d.bodies, (Bodies{std::string(1000, 'a'), "x"}));
  EXPECT_EQ(decoder->TakeCounts().cut_lines, 1u);
}

TEST(PlainDecoderTest, TheLargestLimitHoldsForReal) {
  constexpr size_t kMax = 16u << 20;
  const std::string line(kMax, 'a');
  for (const size_t step : {size_t{256} << 10, 2 * kMax}) {
    const auto decoder = MakePlainDecoder(kMax);
    const auto read = testing::ReadAll(*decoder, line + "\n" + line + "b\n" + "x\n", step);
    ASSERT_EQ(read.rows.bodies.size(), 3u);
    EXPECT_EQ(read.rows.bodies[0].size(), kMax);
    EXPECT_EQ(read.rows.bodies[1].size(), kMax);
    EXPECT_EQ(read.rows.bodies[2], "x");
    EXPECT_EQ(read.rows.fields, (Bodies{"", "kelp.truncated=true;", ""}));
  }
}

TEST(PlainDecoderTest, StopsWhenTheBatchIsFull) {
  const auto decoder = MakePlainDecoder(100);
  const std::string text(2 * Batch::kRowsMax, '\n');
  const Decoded d = Decode(*decoder, text);
  EXPECT_LE(d.bodies.size(), Batch::kRowsMax);
  EXPECT_EQ(d.used, d.bodies.size());
}

TEST(CriDecoderTest, ReadsTimeStreamAndText) {
  const auto decoder = MakeCriDecoder(100);
  const Decoded d = Decode(*decoder,
                           "2026-11-20T23:49:26.3Z stdout F hello\n"
                           "2026-11-20T23:49:27Z stderr F \n");
  EXPECT_EQ(d.bodies, (Bodies{"hello", ""}));
  EXPECT_EQ(d.fields, (std::vector<std::string>{"log.iostream=stdout;", "log.iostream=stderr;"}));
  EXPECT_EQ(FormatRfc3339(d.times[0]), "2026-11-20T23:49:26.300000000Z");
}

TEST(CriDecoderTest, JoinsPiecesPerStream) {
  const auto decoder = MakeCriDecoder(100);
  const Decoded d = Decode(*decoder,
                           "2026-11-20T23:49:26Z stdout P one \n"
                           "2026-11-20T23:49:27Z stderr F other\n"
                           "2026-11-20T23:49:28Z stdout F two\n");
  EXPECT_EQ(d.bodies, (Bodies{"other", "one two"}));
  EXPECT_EQ(d.begins[1], 0u);
  EXPECT_LT(d.ends[0], d.ends[1]);
}

TEST(CriDecoderTest, ResumesAtTheOldestUnfinishedRecord) {
  const auto decoder = MakeCriDecoder(100);
  const std::string piece = "2026-11-20T23:49:26Z stdout P one \n";
  const std::string other = "2026-11-20T23:49:27Z stderr F other\n";
  const std::string end = "2026-11-20T23:49:28Z stdout F two\n";
  EXPECT_EQ(Decode(*decoder, piece + other).bodies, (Bodies{"other"}));
  EXPECT_EQ(decoder->pending_begin(), 0u);
  // A restart reads from there and leaves out what was delivered.
  const auto again = MakeCriDecoder(100);
  again->Start(LinePlace::kStart, decoder->emitted());
  EXPECT_EQ(Decode(*again, piece + other + end).bodies, (Bodies{"one two"}));
  EXPECT_EQ(again->pending_begin(), LineDecoder::kNothingPending);
}

TEST(CriDecoderTest, SendsPiecesThatNeverEndWhenTheFileDoes) {
  const auto decoder = MakeCriDecoder(100);
  const Decoded d = Decode(*decoder,
                           "2026-11-20T23:49:26Z stderr P left\n"
                           "2026-11-20T23:49:26Z stdout P over\n",
                           0, true, true);
  EXPECT_EQ(d.bodies, (Bodies{"left", "over"}));
  EXPECT_LT(d.ends[0], d.ends[1]);
}

TEST(CriDecoderTest, AJoinedRecordOverTheLimitIsCut) {
  const auto decoder = MakeCriDecoder(10);
  const Decoded d = Decode(*decoder,
                           "2026-11-20T23:49:26Z stdout P 12345678\n"
                           "2026-11-20T23:49:26Z stdout P 12345678\n"
                           "2026-11-20T23:49:26Z stdout F 12345678\n"
                           "2026-11-20T23:49:26Z stdout F 1234567890123\n");
  EXPECT_EQ(d.bodies, (Bodies{"1234567812", "1234567890"}));
  EXPECT_NE(d.fields[0].find("kelp.truncated=true"), std::string::npos);
  EXPECT_EQ(decoder->TakeCounts().cut_lines, 2u);
}

TEST(CriDecoderTest, PiecesDoNotKeepTheCheckpointBackForEver) {
  const auto decoder = MakeCriDecoder(100);
  Decode(*decoder, "2026-11-20T23:49:26Z stderr P lost\n");
  const std::string line = "2026-11-20T23:49:26Z stdout F " + std::string(90, 'x') + "\n";
  uint64_t offset = 35;
  bool sent = false;
  for (int i = 0; i < 50 && !sent; ++i) {
    std::string text;
    for (int n = 0; n < 1000; ++n) text += line;
    const Decoded d = Decode(*decoder, text, offset);
    offset += text.size();
    sent = std::find(d.bodies.begin(), d.bodies.end(), "lost") != d.bodies.end();
  }
  EXPECT_TRUE(sent);
  EXPECT_EQ(decoder->pending_begin(), LineDecoder::kNothingPending);
}

TEST(CriDecoderTest, MalformedLinesAreKeptAndMarked) {
  const auto decoder = MakeCriDecoder(100);
  const Decoded d = Decode(*decoder, "garbage\n2026-11-20T23:49:26Z stdout F ok\n");
  EXPECT_EQ(d.bodies, (Bodies{"garbage", "ok"}));
  EXPECT_EQ(d.fields[0], "kelp.malformed=true;");
  EXPECT_EQ(decoder->TakeCounts().malformed_lines, 1u);
}

TEST(DockerDecoderTest, ReadsAndJoins) {
  const auto decoder = MakeDockerJsonDecoder(100);
  const Decoded d =
      Decode(*decoder,
             "{\"log\":\"a \\u003cb\\u003e \\\"c\\\"\\n\",\"stream\":\"stdout\","
             "\"time\":\"2026-11-20T23:59:27.887402093Z\"}\n"
             "{\"log\":\"part \",\"stream\":\"stderr\",\"time\":\"2026-11-20T23:59:27Z\"}\n"
             "{\"log\":\"end\\n\",\"stream\":\"stderr\",\"attrs\":{\"app\":\"web\"},"
             "\"time\":\"2026-11-20T23:59:28Z\"}\n"
             "nonsense\n");
  EXPECT_EQ(d.bodies, (Bodies{"a <b> \"c\"", "part end", "nonsense"}));
  EXPECT_EQ(d.fields[0], "log.iostream=stdout;");
  EXPECT_EQ(d.fields[1], "log.iostream=stderr;attrs={\"app\":\"web\"};");
  EXPECT_EQ(FormatRfc3339(d.times[0]), "2026-11-20T23:59:27.887402093Z");
}

TEST(ContainerDecoderTest, TellsTheFormatsApart) {
  EXPECT_EQ(Decode(*MakeContainerDecoder(100), "2026-11-20T23:49:26Z stdout F cri\n").bodies,
            (Bodies{"cri"}));
  EXPECT_EQ(
      Decode(*MakeContainerDecoder(100),
             "{\"log\":\"docker\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-20T23:59:27Z\"}\n")
          .bodies,
      (Bodies{"docker"}));
}

}  // namespace
}  // namespace kelp::framing
