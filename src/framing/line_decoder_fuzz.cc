// However a file is cut into reads, and wherever reading begins again after a restart, its rows are
// the same: same text, same ends, same marks. For all formats, charsets and kinds of records.
#include <cstdint>
#include <map>
#include <string_view>
#include <tuple>

#include "base/check.h"
#include "framing/testing.h"

namespace kelp::framing {
namespace {

using testing::Decoded;
using testing::Place;
using testing::ReadAll;
using testing::Reading;

// Five bytes choose what is tried; the rest is the file.
constexpr size_t kHeadBytes = 5;

using Row = std::tuple<std::string, uint64_t, UnixNanos, std::string>;

std::map<uint64_t, Row> ByEnd(const Decoded& rows) {
  std::map<uint64_t, Row> map;
  for (size_t i = 0; i < rows.ends.size(); ++i) {
    map[rows.ends[i]] = {rows.bodies[i], rows.begins[i], rows.times[i], rows.fields[i]};
  }
  return map;
}

FramingOptions OptionsOf(const uint8_t* head) {
  static constexpr std::pair<Format, Charset> kKinds[] = {
      {Format::kLines, Charset::kUtf8},      {Format::kCri, Charset::kUtf8},
      {Format::kDockerJson, Charset::kUtf8}, {Format::kContainer, Charset::kUtf8},
      {Format::kLines, Charset::kUtf16Le},   {Format::kLines, Charset::kUtf16Be},
      {Format::kLines, Charset::kUtf16},     {Format::kLines, Charset::kGbk},
      {Format::kLines, Charset::kGb18030},   {Format::kLines, Charset::kLatin1}};
  static const char kStart[] = R"(\d\d)";
  static const char kContinue[] = R"(\s)";
  static const char kEnd[] = ".*;$";
  static const MultilineOptions kRecords[] = {{.start = kStart},
                                              {.start = kStart, .go_on = kContinue},
                                              {.start = kStart, .end = kEnd},
                                              {.go_on = kContinue, .end = kEnd},
                                              {.end = kEnd}};
  FramingOptions options;
  std::tie(options.format, options.charset) = kKinds[head[0] % std::size(kKinds)];
  options.line_bytes_max = size_t{16} + head[1];
  const uint8_t records = head[4] & 7;
  if (records >= 1 && records <= std::size(kRecords)) {
    options.multiline = kRecords[records - 1];
    options.multiline->unmatched = (head[4] & 8) != 0 ? Unmatched::kDrop : Unmatched::kKeep;
    options.multiline->bytes_max = options.line_bytes_max;
    if (head[4] >> 4 != 0) options.multiline->lines_max = head[4] >> 4;
  }
  return options;
}

// What a restart can find out for certain: see "Restarts" in multiline.h; an unknown format or byte
// order is found out anew, from where reading begins.
bool SameAfterRestart(const FramingOptions& options) {
  if (options.format == Format::kContainer || options.charset == Charset::kUtf16) return false;
  return options.format == Format::kLines || !options.multiline;
}

void Test(const uint8_t* data, size_t size) {
  if (size <= kHeadBytes) return;
  const FramingOptions options = OptionsOf(data);
  const size_t step = 1 + data[2] * 3u;
  const std::string_view text(reinterpret_cast<const char*>(data) + kHeadBytes, size - kHeadBytes);
  const auto factory = MakeDecoderFactory(options);
  CHECK(factory.ok(), factory.status().message());
  const auto make = [&] { return (*factory)(options.line_bytes_max); };
  const auto whole = ByEnd(ReadAll(*make(), text, text.size() + 1).rows);
  const Reading parts = ReadAll(*make(), text, step);
  CHECK(whole == ByEnd(parts.rows), "the rows depend on how the file was read");
  const Place place = parts.places[data[3] % parts.places.size()];
  // That no row comes twice is checked by ReadAll.
  const auto again = ByEnd(ReadAll(*make(), text, step + 7, place).rows);
  if (!SameAfterRestart(options)) return;
  const decltype(again) expected(whole.upper_bound(place.emitted), whole.end());
  CHECK(again == expected, "a row was lost or changed");
}

}  // namespace
}  // namespace kelp::framing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  kelp::framing::Test(data, size);
  return 0;
}
