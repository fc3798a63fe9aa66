#include "framing/multiline.h"

#include <gtest/gtest.h>

#include <random>

#include "framing/testing.h"

namespace kelp::framing {
namespace {

using testing::Bodies;
using testing::Decode;
using testing::Decoded;
using testing::Place;
using testing::ReadAll;
using testing::Reading;

constexpr char kDate[] = R"(\d{4}-\d{2}-\d{2} )";

std::unique_ptr<LineDecoder> Make(MultilineOptions multiline, Format format = Format::kLines,
                                  size_t line_bytes_max = 1000) {
  FramingOptions options;
  options.format = format;
  options.line_bytes_max = line_bytes_max;
  options.multiline = std::move(multiline);
  auto made = MakeDecoder(options);
  EXPECT_TRUE(made.ok()) << made.status().ToString();
  return std::move(made).value();
}

Bodies Join(const MultilineOptions& options, std::string_view text) {
  return ReadAll(*Make(options), text, text.size() + 1).rows.bodies;
}

MultilineOptions Drop(MultilineOptions options) {
  options.unmatched = Unmatched::kDrop;
  return options;
}

// --- the five combinations ---

TEST(Multiline, AStartGoesOnToTheNextStart) {
  const MultilineOptions options{.start = kDate};
  EXPECT_EQ(Join(options, "2026-11-20 a\n\tat b\n\n\tat c\n2026-11-21 d\n2026-11-22 e\nf\n"),
            (Bodies{"2026-11-20 a\n\tat b\n\n\tat c", "2026-11-21 d", "2026-11-22 e\nf"}));
  EXPECT_EQ(Join(options, "x\ny\n2026-11-20 a\n"), (Bodies{"x", "y", "2026-11-20 a"}));
  EXPECT_EQ(Join(Drop(options), "x\ny\n2026-11-20 a\n"), (Bodies{"2026-11-20 a"}));
}

TEST(Multiline, AStartGoesOnWithContinueLines) {
  const MultilineOptions options{.start = "S", .go_on = R"(\s)"};
  EXPECT_EQ(Join(options, "S1\n a\n b\nS2\nx\n c\nS3\n"),
            (Bodies{"S1\n a\n b", "S2", "x", " c", "S3"}));
  EXPECT_EQ(Join(Drop(options), "S1\n a\nx\n c\nS3\n"), (Bodies{"S1\n a", "S3"}));
}

TEST(Multiline, AStartGoesOnToItsEnd) {
  const MultilineOptions options{.start = "S", .end = "E"};
  EXPECT_EQ(Join(options, "x\nS1\na\nS2\nE1\ny\nS3\nb\n"),
            (Bodies{"x", "S1\na\nS2\nE1", "y", "S3", "b"}));
  EXPECT_EQ(Join(Drop(options), "x\nS1\na\nE1\ny\nS3\nb\n"), (Bodies{"S1\na\nE1"}));
  // One line may be both.
  EXPECT_EQ(Join({.start = "S", .end = ".*E$"}, "S E\nS\nE\n"), (Bodies{"S E", "S\nE"}));
}

TEST(Multiline, ContinueLinesGoOnToTheirEnd) {
  const MultilineOptions options{.go_on = "C", .end = "E"};
  EXPECT_EQ(Join(options, "C1\nC2\nE1\nE2\nC3\nx\nC4\n"),
            (Bodies{"C1\nC2\nE1", "E2", "C3", "x", "C4"}));
  EXPECT_EQ(Join(Drop(options), "C1\nE1\nC3\nx\nC4\n"), (Bodies{"C1\nE1"}));
  // Lines that a backslash continues: continue goes before end.
  EXPECT_EQ(Join({.go_on = R"(.*\\$)", .end = ".*"}, "a\\\nb\\\nc\nd\n"),
            (Bodies{"a\\\nb\\\nc", "d"}));
}

TEST(Multiline, EverythingUpToAnEnd) {
  const MultilineOptions options{.end = ".*;$"};
  EXPECT_EQ(Join(options, "a\nb;\nc;\nd\ne\n"), (Bodies{"a\nb;", "c;", "d", "e"}));
  EXPECT_EQ(Join(Drop(options), "a\nb;\nd\ne\n"), (Bodies{"a\nb;"}));
}

TEST(Multiline, OtherCombinationsAreRefused) {
  const auto message = [](const MultilineOptions& options) {
    return std::string(MultilineRules::Compile(options).status().message());
  };
  EXPECT_NE(message({.go_on = "x"}).find("continue needs start or end"), std::string::npos);
  EXPECT_NE(message({}).find("start or end"), std::string::npos);
  EXPECT_NE(message({.start = "a", .go_on = "b", .end = "c"}).find("cannot go together"),
            std::string::npos);
  EXPECT_NE(message({.start = "(a"}).find("start: bad regular expression"), std::string::npos);
  EXPECT_NE(message({.start = "a", .go_on = "[b"}).find("continue: "), std::string::npos);
}

// --- limits ---

TEST(Multiline, ARecordOverItsLinesIsCutInFrontOfTheLineThatIsTooMuch) {
  const auto decoder = Make({.start = "S", .lines_max = 3});
  const Decoded d = Decode(*decoder, "S1\na\nb\nc\nd\nS2\nx\ny\nS3\n", 0, true, true);
  EXPECT_EQ(d.bodies, (Bodies{"S1\na\nb", "c", "d", "S2\nx\ny", "S3"}));
  EXPECT_EQ(d.fields[0], "kelp.truncated=true;");
  EXPECT_EQ(d.fields[3], "");
  EXPECT_EQ(d.ends, (std::vector<uint64_t>{7, 9, 11, 18, 21}));
  EXPECT_EQ(decoder->TakeCounts().cut_lines, 1u);
}

TEST(Multiline, TheLimitOfBytesIsExact) {
  const Decoded at = Decode(*Make({.start = "S", .bytes_max = 8}), "S123\nabc\nS\n", 0, true, true);
  EXPECT_EQ(at.bodies, (Bodies{"S123\nabc", "S"}));
  EXPECT_EQ(at.fields[0], "");
  const Decoded over =
      Decode(*Make({.start = "S", .bytes_max = 7}), "S123\nabc\nS\n", 0, true, true);
  EXPECT_EQ(over.bodies, (Bodies{"S123", "abc", "S"}));
  EXPECT_EQ(over.fields[0], "kelp.truncated=true;");
}

TEST(Multiline, AnOverlongLineIsCutWithinItsRecord) {
  const auto decoder = Make({.start = "S"}, Format::kLines, 5);
  const Decoded d = Decode(*decoder, "S1\n1234567\nx\nS2\n", 0, true, true);
  EXPECT_EQ(d.bodies, (Bodies{"S1\n12345\nx", "S2"}));
  EXPECT_EQ(d.fields[0], "kelp.truncated=true;");
}

TEST(Multiline, DroppedLinesAreCounted) {
  const auto decoder = Make(Drop({.go_on = "C", .end = "E"}));
  Decode(*decoder, "x\nC\nC\ny\nC\n", 0, true, true);
  EXPECT_EQ(decoder->TakeCounts().unmatched_lines, 5u);
}

// --- memory and place ---

TEST(Multiline, ARecordInTheBufferIsNotCopied) {
  const auto decoder = Make({.start = "S"});
  Batch batch;
  const std::string text = "S1\na\nb\nS2\n";
  Chunk chunk{batch.AddBuffer(text.size()), text.size(), 0, false};
  text.copy(chunk.data, text.size());
  EXPECT_EQ(decoder->Decode(chunk, batch), text.size());
  ASSERT_EQ(batch.rows(), 1u);
  EXPECT_EQ(batch.body().Get(0).data, chunk.data);
  EXPECT_EQ(batch.row_begin(0), 0u);
  EXPECT_EQ(batch.row_end(0), 7u);
  EXPECT_EQ(decoder->pending_begin(), 7u);
}

TEST(Multiline, LineEndsOfWindowsAreNotPartOfRecords) {
  EXPECT_EQ(Join({.start = "S"}, "S1\r\na\r\n\r\nS2\r\n"), (Bodies{"S1\na\n", "S2"}));
}

TEST(Multiline, ARecordIsReadAgainFromItsStartAfterARestart) {
  const std::string text = "S1\na\nb\nS2\n";
  const auto decoder = Make({.start = "S"});
  EXPECT_EQ(Decode(*decoder, text.substr(0, 5)).bodies, Bodies{});
  EXPECT_EQ(decoder->pending_begin(), 0u);
  EXPECT_EQ(Decode(*decoder, text.substr(5), 5).bodies, (Bodies{"S1\na\nb"}));
  const auto again = Make({.start = "S"});
  again->Start(LinePlace::kStart, decoder->emitted());
  EXPECT_EQ(Decode(*again, text.substr(7), 7, true, true).bodies, (Bodies{"S2"}));
}

TEST(Multiline, AHugeRecordThatTricklesInIsReadOnce) {
  const auto decoder = Make({.start = "S", .lines_max = 100'000, .bytes_max = 1u << 20});
  uint64_t offset = Decode(*decoder, "S\n").used;
  for (int i = 0; i < 50'000; ++i) {
    const Decoded d = Decode(*decoder, "\tat x\n", offset);
    ASSERT_EQ(d.used, 6u);
    offset += d.used;
  }
  const Decoded d = Decode(*decoder, "S\n", offset);
  ASSERT_EQ(d.bodies.size(), 1u);
  EXPECT_EQ(d.bodies[0].size(), 1u + 50'000 * 6);
  EXPECT_EQ(d.begins[0], 0u);
  EXPECT_EQ(d.ends[0], offset);
}

TEST(Multiline, LeftLinesOfALongRunWaitForRoom) {
  std::string text;
  for (uint32_t i = 0; i + 10 < Batch::kRowsMax; ++i) text += "x\n";
  for (int i = 0; i < 900; ++i) text += "C" + std::to_string(i) + "\n";
  text += "y\nC\nE\n";
  const Reading whole = ReadAll(*Make({.go_on = "C", .end = "E"}), text, text.size() + 1);
  EXPECT_EQ(whole.rows.bodies.size(), Batch::kRowsMax - 10 + 900 + 2);
  EXPECT_EQ(whole.rows.bodies.back(), "C\nE");
}

// --- rotation ---

TEST(Multiline, ARecordGoesOnInTheNextFile) {
  const auto first = Make({.start = "S"});
  EXPECT_EQ(Decode(*first, "S1\na\nS2\nb\n").bodies, (Bodies{"S1\na"}));
  auto carry = first->TakePending();
  ASSERT_NE(carry, nullptr);
  EXPECT_EQ(first->pending_begin(), LineDecoder::kNothingPending);
  const auto next = Make({.start = "S"});
  next->Start(LinePlace::kStart, 0);
  next->Adopt(std::move(carry));
  EXPECT_EQ(next->pending_begin(), 0u);
  const Decoded d = Decode(*next, "c\nd\nS3\n");
  EXPECT_EQ(d.bodies, (Bodies{"S2\nb\nc\nd"}));
  EXPECT_EQ(d.begins[0], 0u);
  EXPECT_EQ(d.ends[0], 4u);
  EXPECT_EQ(first->TakePending(), nullptr);
}

TEST(Multiline, ARecordThatEndedWithItsFileIsARowOfTheNext) {
  const auto first = Make({.start = "S"});
  Decode(*first, "S1\na\n");
  const auto next = Make({.start = "S"});
  next->Adopt(first->TakePending());
  const Decoded d = Decode(*next, "S2\nS3\n");
  EXPECT_EQ(d.bodies, (Bodies{"S1\na", "S2"}));
  EXPECT_EQ(d.ends, (std::vector<uint64_t>{1, 3}));
}

TEST(Multiline, PiecesAndRecordsOfBothStreamsGoOnInTheNextFile) {
  const MultilineOptions options{.start = "S"};
  const auto first = Make(options, Format::kCri);
  EXPECT_EQ(Decode(*first,
                   "2026-11-20T23:49:26Z stdout F S1\n"
                   "2026-11-20T23:49:27Z stderr F S2\n"
                   "2026-11-20T23:49:28Z stdout P a\n")
                .bodies,
            Bodies{});
  const auto next = Make(options, Format::kCri);
  next->Adopt(first->TakePending());
  const Decoded d = Decode(*next,
                           "2026-11-20T23:49:29Z stdout F b\n"
                           "2026-11-20T23:49:30Z stderr F S3\n"
                           "2026-11-20T23:49:31Z stdout F S4\n");
  EXPECT_EQ(d.bodies, (Bodies{"S2", "S1\nab"}));
  EXPECT_EQ(FormatRfc3339(d.times[1]), "2026-11-20T23:49:26.000000000Z");
  EXPECT_EQ(d.begins, (std::vector<uint64_t>{0, 0}));
}

// --- container files ---

TEST(Multiline, RecordsOfTheTwoStreamsDoNotMix) {
  const auto decoder = Make({.start = kDate}, Format::kCri);
  const Decoded d = Decode(*decoder,
                           "2026-11-20T23:49:26Z stdout F 2026-11-20 one\n"
                           "2026-11-20T23:49:27Z stderr F 2026-11-20 two\n"
                           "2026-11-20T23:49:28Z stdout P \tat \n"
                           "2026-11-20T23:49:28Z stderr F \tat b\n"
                           "2026-11-20T23:49:28Z stdout F a\n"
                           "2026-11-20T23:49:29Z stdout F 2026-11-20 three\n",
                           0, true, true);
  EXPECT_EQ(d.bodies,
            (Bodies{"2026-11-20 one\n\tat a", "2026-11-20 two\n\tat b", "2026-11-20 three"}));
  EXPECT_EQ(d.fields[1], "log.iostream=stderr;");
  EXPECT_EQ(FormatRfc3339(d.times[0]), "2026-11-20T23:49:26.000000000Z");
}

TEST(Multiline, DockerRecordsAreJoined) {
  const auto decoder = Make({.start = "S"}, Format::kDockerJson);
  const Decoded d =
      Decode(*decoder,
             "{\"log\":\"S1\\n\",\"stream\":\"stdout\",\"attrs\":{\"a\":\"b\"},"
             "\"time\":\"2026-11-20T23:59:27Z\"}\n"
             "{\"log\":\"\\tat x\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-20T23:59:28Z\"}\n"
             "{\"log\":\"S2\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-20T23:59:29Z\"}\n",
             0, true, true);
  EXPECT_EQ(d.bodies, (Bodies{"S1\n\tat x", "S2"}));
  EXPECT_EQ(d.fields[0], "log.iostream=stdout;attrs={\"a\":\"b\"};");
}

TEST(Multiline, AQuietStreamDoesNotKeepTheCheckpointBackForEver) {
  const auto decoder = Make({.start = "S"}, Format::kCri);
  Decode(*decoder, "2026-11-20T23:49:26Z stderr F Slost\n");
  std::string text;
  for (int n = 0; n < 1000; ++n) {
    text += "2026-11-20T23:49:26Z stdout F S" + std::string(90, 'x') + "\n";
  }
  uint64_t offset = 36;
  bool sent = false;
  for (int i = 0; i < 50 && !sent; ++i) {
    const Decoded d = Decode(*decoder, text, offset);
    offset += text.size();
    sent = std::find(d.bodies.begin(), d.bodies.end(), "Slost") != d.bodies.end();
  }
  EXPECT_TRUE(sent);
}

// --- the key property ---

std::string RandomText(std::mt19937& random, Format format, bool pieces) {
  static const char* const kLines[] = {
      "S", "S1 a", "C", "C 2", "E", "SE", "CE", "x", "", "\tat y", "xxxxxxxxxxxxxxxxxxxxxxxx"};
  std::string text;
  for (size_t n = 2 + random() % 40; n > 0; --n) {
    const char* line = kLines[random() % std::size(kLines)];
    if (format == Format::kCri) {
      if (random() % 12 != 0) {
        text += "2026-11-20T23:49:26Z ";
        text += !pieces && random() % 3 == 0 ? "stderr " : "stdout ";
        text += pieces && random() % 4 == 0 ? "P " : "F ";
      }
    } else if (random() % 20 == 0) {
      text += std::string(random() % 9, '\0');
    }
    text += line;
    text += random() % 10 == 0 ? "\r\n" : "\n";
  }
  if (random() % 4 == 0) text.pop_back();
  return text;
}

MultilineOptions RandomOptions(std::mt19937& random) {
  static const MultilineOptions kOptions[] = {{.start = "S"},
                                              {.start = "S", .go_on = "C"},
                                              {.start = "S", .end = "E"},
                                              {.go_on = "C", .end = "E"},
                                              {.end = "E"}};
  MultilineOptions options = kOptions[random() % std::size(kOptions)];
  if (random() % 3 == 0) options.unmatched = Unmatched::kDrop;
  return options;
}

using Key = std::tuple<std::string, uint64_t, std::string>;

std::map<uint64_t, Key> ByEnd(const Decoded& rows) {
  std::map<uint64_t, Key> map;
  for (size_t i = 0; i < rows.ends.size(); ++i) {
    map[rows.ends[i]] = {rows.bodies[i], rows.begins[i], rows.fields[i]};
  }
  return map;
}

TEST(Multiline, RowsDoNotDependOnHowTheFileWasReadNorOnRestarts) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    const Format format = random() % 2 == 0 ? Format::kLines : Format::kCri;
    const MultilineOptions options = [&] {
      MultilineOptions o = RandomOptions(random);
      // Behind a cut the two streams of a file need not come back into step.
      if (format == Format::kLines && random() % 3 == 0) o.lines_max = 1 + random() % 4;
      if (format == Format::kLines && random() % 3 == 0) o.bytes_max = 16 + random() % 20;
      return o;
    }();
    const size_t line_bytes_max = 16;
    // A restart that must go back to the begin of one stream's record may fall between the pieces
    // of the other's line, and sees only the end of that: see "Restarts" in multiline.h.
    const bool pieces = random() % 2 == 0;
    const std::string text = RandomText(random, format, pieces);
    const Reading whole = ReadAll(*Make(options, format, line_bytes_max), text, text.size() + 1);
    const size_t step = 1 + random() % 60;
    const Reading parts = ReadAll(*Make(options, format, line_bytes_max), text, step);
    const auto rows = ByEnd(whole.rows);
    ASSERT_EQ(rows, ByEnd(parts.rows)) << round << ": " << text;
    for (const Place& place : parts.places) {
      const Reading again = ReadAll(*Make(options, format, line_bytes_max), text, step + 3, place);
      std::map<uint64_t, Key> expected(rows.upper_bound(place.emitted), rows.end());
      ASSERT_EQ(expected, ByEnd(again.rows))
          << round << " from " << place.resume << ", " << place.emitted << ": " << text;
    }
  }
}

}  // namespace
}  // namespace kelp::framing
