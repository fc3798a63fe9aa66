// However a file is cut into reads, and wherever reading begins again after a restart, its rows are
// the same: same text, same ends, same marks.
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "framing/line_decoder.h"

namespace kelp::framing {
namespace {

struct Row {
  std::string body;
  uint64_t begin = 0;
  UnixNanos time = kNoTime;
  std::string fields;
  bool operator==(const Row&) const = default;
};

// By end offset.
using Rows = std::map<uint64_t, Row>;

struct Place {
  uint64_t resume = 0;
  uint64_t emitted = 0;
  LinePlace line = LinePlace::kStart;
};

struct Run {
  Rows rows;
  std::vector<Place> places;  // where a restart could begin
};

std::unique_ptr<LineDecoder> Make(int format, size_t line_bytes_max) {
  switch (format) {
    case 0:
      return MakePlainDecoder(line_bytes_max);
    case 1:
      return MakeCriDecoder(line_bytes_max);
    case 2:
      return MakeDockerJsonDecoder(line_bytes_max);
    default:
      return MakeContainerDecoder(line_bytes_max);
  }
}

void TakeRows(const Batch& batch, Rows& rows, uint64_t& last_end) {
  for (uint32_t r = 0; r < batch.rows(); ++r) {
    Row row{std::string(batch.body().Get(r).text()), batch.row_begin(r), batch.time(r), ""};
    for (size_t c = 1; c < batch.column_count(); ++c) {
      const Value& value = batch.column(c).Get(r);
      if (!value.missing()) row.fields += batch.column(c).name() + "=" + std::string(value.text());
    }
    CHECK(batch.row_end(r) > last_end, "ends must grow strictly");
    CHECK(row.begin < batch.row_end(r), "a row has bytes");
    last_end = batch.row_end(r);
    rows[last_end] = std::move(row);
  }
}

Run Decode(std::string_view text, int format, size_t line_bytes_max, size_t step, Place place) {
  Run run;
  const auto decoder = Make(format, line_bytes_max);
  decoder->Start(place.line, place.emitted);
  uint64_t position = place.resume;
  uint64_t last_end = place.emitted;
  size_t want = step;
  for (bool more = true; more;) {
    Batch batch;
    Chunk chunk;
    chunk.offset = position;
    chunk.size = std::min(want, text.size() - position);
    chunk.data = batch.AddBuffer(chunk.size);
    text.copy(chunk.data, chunk.size, position);
    const bool whole = position + chunk.size == text.size();
    chunk.last = whole && want > text.size();
    const size_t used = decoder->Decode(chunk, batch);
    CHECK(used <= chunk.size, "used more than there is");
    position += used;
    // As the source does it: a line that does not fit is read again with more room; at the end the
    // rest is flushed.
    want = used == 0 ? want * 2 + 1 : step;
    if (whole && position < text.size()) want = text.size() + 1;
    more = position < text.size();
    if (!more) decoder->Flush(position, batch);
    decoder->AddFields(batch);
    TakeRows(batch, run.rows, last_end);
    const uint64_t resume = std::min<uint64_t>(position, decoder->pending_begin());
    run.places.push_back({resume, std::max(resume, decoder->emitted()),
                          resume == position ? decoder->place() : LinePlace::kStart});
  }
  return run;
}

void Test(const uint8_t* data, size_t size) {
  if (size < 4) return;
  const int format = data[0] % 4;
  const size_t line_bytes_max = 16 + data[1];
  const size_t step = 1 + data[2] * 3u;
  const std::string_view text(reinterpret_cast<const char*>(data) + 4, size - 4);
  if (text.empty()) return;
  const Run whole = Decode(text, format, line_bytes_max, text.size() + 1, {});
  const Run cut = Decode(text, format, line_bytes_max, step, {});
  CHECK(whole.rows == cut.rows, "the rows depend on how the file was read");
  const Place place = cut.places[data[3] % cut.places.size()];
  // A restart in an unknown format finds out anew; only from a line's start it may.
  const Run again = Decode(text, format, line_bytes_max, step + 7, place);
  for (const auto& [end, row] : cut.rows) {
    const auto it = again.rows.find(end);
    if (end <= place.emitted) {
      CHECK(it == again.rows.end(), "a row came twice");
    } else if (format != 3) {
      CHECK(it != again.rows.end() && it->second == row, "a row was lost or changed");
    }
  }
}

}  // namespace
}  // namespace kelp::framing

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  kelp::framing::Test(data, size);
  return 0;
}
