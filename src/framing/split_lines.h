// The one loop over the lines of a chunk, for decoders; see LineDecoder::Split.
#ifndef KELP_FRAMING_SPLIT_LINES_H_
#define KELP_FRAMING_SPLIT_LINES_H_

#include "codec/lines.h"
#include "framing/line_decoder.h"

namespace kelp::framing {

// Deals with a line that is over the limit, or whose rest is being skipped: moves `at` and gives
// true. `line_end` is where the line's text ends in the chunk, `ended` whether it really does
// there.
template <typename OnCut>
bool LineDecoder::CutOrSkip(const Chunk& chunk, size_t& at, size_t line_end, bool ended,
                            OnCut& on_cut) {
  if (place_ == LinePlace::kInSkipped) {
    at = line_end;
    if (ended && at < chunk.size) {
      ++at;  // the newline
      place_ = LinePlace::kStart;
    }
    return true;
  }
  size_t length = line_end - at;
  // Where the line's end is not known, its last byte so far may be the '\r' of its line end.
  if (length > line_bytes_max_ && (!ended || chunk.data[line_end - 1] == '\r')) --length;
  if (length <= line_bytes_max_) return false;
  const uint64_t begin = chunk.offset + at;
  // The end is that of the part that is kept, wherever the line may end: see "Rows".
  on_cut(std::string_view(chunk.data + at, line_bytes_max_), begin, begin + line_bytes_max_);
  at += line_bytes_max_;
  place_ = LinePlace::kInSkipped;
  return true;
}

template <typename OnLine, typename OnCut>
size_t LineDecoder::Split(const Chunk& chunk, Batch& batch, OnLine&& on_line, OnCut&& on_cut) {
  constexpr size_t kAtOnce = 256;
  uint32_t newlines[kAtOnce];
  size_t at = 0;
  for (;;) {
    const size_t base = at;
    const size_t count =
        codec::FindNewlines({chunk.data + base, chunk.size - base}, newlines, kAtOnce);
    for (size_t i = 0; i < count;) {
      if (!HasRoom(batch)) [[unlikely]]
        return at;
      const size_t line_end = base + newlines[i];
      if (line_end - at > line_bytes_max_ || place_ != LinePlace::kStart) [[unlikely]] {
        if (CutOrSkip(chunk, at, line_end, true, on_cut)) {
          if (at > line_end) ++i;
          continue;
        }
        // Nothing is left of a flushed half line but its newline: that is no record.
        const bool rest_of_flushed = place_ == LinePlace::kAfterFlushed;
        place_ = LinePlace::kStart;
        if (rest_of_flushed && (line_end == at || (line_end == at + 1 && chunk.data[at] == '\r'))) {
          at = line_end + 1;
          ++i;
          continue;
        }
      }
      size_t text_end = line_end;
      if (text_end > at && chunk.data[text_end - 1] == '\r') --text_end;
      on_line(std::string_view(chunk.data + at, text_end - at), chunk.offset + at,
              chunk.offset + line_end + 1);
      at = line_end + 1;
      ++i;
    }
    if (count < kAtOnce) break;
  }
  // What is left has no newline yet.
  while (at < chunk.size && HasRoom(batch)) {
    if (CutOrSkip(chunk, at, chunk.size, chunk.last, on_cut)) continue;
    if (!chunk.last) break;
    place_ = LinePlace::kAfterFlushed;
    on_line(std::string_view(chunk.data + at, chunk.size - at), chunk.offset + at,
            chunk.offset + chunk.size);
    at = chunk.size;
  }
  return at;
}

}  // namespace kelp::framing

#endif  // KELP_FRAMING_SPLIT_LINES_H_
