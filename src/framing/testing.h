// For tests: decoders fed with text, and what came out.
#ifndef KELP_FRAMING_TESTING_H_
#define KELP_FRAMING_TESTING_H_

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "framing/framing.h"

namespace kelp::framing::testing {

using Bodies = std::vector<std::string>;

// Rows with what they say besides their bodies.
struct Decoded {
  Bodies bodies;
  std::vector<uint64_t> begins;
  std::vector<uint64_t> ends;
  std::vector<std::string> fields;
  std::vector<UnixNanos> times;
  size_t used = 0;
};

inline void Collect(const Batch& batch, Decoded& decoded) {
  for (uint32_t r = 0; r < batch.rows(); ++r) {
    decoded.bodies.emplace_back(batch.body().Get(r).text());
    decoded.begins.push_back(batch.row_begin(r));
    decoded.ends.push_back(batch.row_end(r));
    decoded.times.push_back(batch.time(r));
    std::string fields;
    for (size_t c = 1; c < batch.column_count(); ++c) {
      const Value& value = batch.column(c).Get(r);
      if (!value.missing()) {
        fields += batch.column(c).name() + "=" + std::string(value.text()) + ";";
      }
    }
    decoded.fields.push_back(fields);
  }
}

// One call of Decode.
inline Decoded Decode(LineDecoder& decoder, std::string_view text, uint64_t offset = 0,
                      bool last = false, bool flush = false) {
  Batch batch;
  Chunk chunk{batch.AddBuffer(text.size()), text.size(), offset, last};
  text.copy(chunk.data, text.size());
  Decoded decoded;
  decoded.used = decoder.Decode(chunk, batch);
  if (flush) decoder.Flush(offset + decoded.used, batch);
  decoder.AddFields(batch);
  Collect(batch, decoded);
  return decoded;
}

// Where a restart can begin.
struct Place {
  uint64_t resume = 0;
  uint64_t emitted = 0;
  LinePlace line = LinePlace::kStart;
};

struct Reading {
  Decoded rows;
  std::vector<Place> places;  // one for each turn
};

// Reads a whole file, as the source does it: `step` bytes a turn; a line that does not fit is read
// again with more room; at the end the rest is flushed. Checks what holds for all rows.
inline Reading ReadAll(LineDecoder& decoder, std::string_view text, size_t step, Place from = {}) {
  Reading run;
  decoder.Start(from.line, from.emitted);
  uint64_t position = from.resume;
  uint64_t last_end = from.emitted;
  size_t want = step;
  bool flushed = false;
  while (!flushed) {
    Batch batch;
    const size_t size = std::min<size_t>(want, text.size() - position);
    Chunk chunk{batch.AddBuffer(size), size, position, false};
    text.copy(chunk.data, size, position);
    const bool whole = position + size == text.size();
    chunk.last = whole && want > text.size();
    const size_t used = decoder.Decode(chunk, batch);
    CHECK(used <= size, "used more than there is");
    position += used;
    want = used == 0 ? want * 2 + 1 : step;
    if (whole) want = text.size() + 1;
    if (position == text.size() && batch.rows() == 0) {
      decoder.Flush(position, batch);
      flushed = true;
    }
    decoder.AddFields(batch);
    const size_t before = run.rows.ends.size();
    Collect(batch, run.rows);
    for (size_t i = before; i < run.rows.ends.size(); ++i) {
      CHECK(run.rows.ends[i] > last_end, "ends must grow strictly");
      CHECK(run.rows.begins[i] < run.rows.ends[i], "a row has bytes");
      last_end = run.rows.ends[i];
    }
    const uint64_t resume = std::min<uint64_t>(position, decoder.pending_begin());
    run.places.push_back({resume, std::max(resume, decoder.emitted()),
                          resume == position ? decoder.place() : LinePlace::kStart});
  }
  CHECK(decoder.pending_begin() == LineDecoder::kNothingPending, "pending behind the end");
  return run;
}

}  // namespace kelp::framing::testing

#endif  // KELP_FRAMING_TESTING_H_
