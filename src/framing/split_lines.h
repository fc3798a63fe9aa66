// The one loop over the lines of a chunk, for decoders; see LineDecoder::Split.
//
// NUL bytes at the beginning of a line are no text: a file that was truncated under its writer, or
// that was never written there, has a hole of them. They are skipped as they come, however many
// there are; elsewhere in a line they stay.
#ifndef KELP_FRAMING_SPLIT_LINES_H_
#define KELP_FRAMING_SPLIT_LINES_H_

#include <cstring>

#include "codec/lines.h"
#include "framing/line_decoder.h"

namespace kelp::framing {

// Texts in which a newline is the byte '\n': ASCII, UTF-8, GBK and all their kin.
struct ByteUnits {
  static constexpr size_t kSize = 1;
  static size_t FindNewlines(const Chunk& chunk, size_t from, uint32_t* offsets, size_t max) {
    return codec::FindNewlines({chunk.data + from, chunk.size - from}, offsets, max);
  }
  static bool IsReturn(const char* unit) { return *unit == '\r'; }
};

// UTF-16. Units lie at even offsets of the file.
template <bool kBigEndian>
struct Utf16Units {
  static constexpr size_t kSize = 2;
  static size_t FindNewlines(const Chunk& chunk, size_t from, uint32_t* offsets, size_t max) {
    size_t count = 0;
    size_t at = from;
    while (count < max && at < chunk.size) {
      uint32_t found = 0;
      if (codec::FindNewlines({chunk.data + at, chunk.size - at}, &found, 1) == 0) break;
      at += found;
      const bool odd = ((chunk.offset + at) & 1) != 0;
      if (odd == kBigEndian) {
        const size_t begin = kBigEndian ? at - 1 : at;
        if (begin + 1 < chunk.size && IsUnit(chunk.data + begin, '\n')) {
          offsets[count++] = static_cast<uint32_t>(begin - from);
        }
      }
      ++at;
    }
    return count;
  }
  static bool IsReturn(const char* unit) { return IsUnit(unit, '\r'); }

 private:
  static bool IsUnit(const char* unit, char c) {
    return unit[kBigEndian ? 1 : 0] == c && unit[kBigEndian ? 0 : 1] == '\0';
  }
};

// The first byte in [p, end) that is not 0.
inline const char* SkipZeros(const char* p, const char* end) {
  for (uint64_t word = 0; end - p >= 8; p += 8) {
    std::memcpy(&word, p, sizeof word);
    if (word != 0) break;
  }
  while (p < end && *p == '\0') ++p;
  return p;
}

// Where the text of a line that begins at `at` really begins.
template <typename Units>
size_t LineDecoder::SkipNuls(const Chunk& chunk, size_t at, size_t end) {
  if (at >= end || chunk.data[at] != '\0') [[likely]]
    return at;
  if (place_ == LinePlace::kInSkipped) return at;
  const char* text = SkipZeros(chunk.data + at, chunk.data + end);
  const size_t zeros = (static_cast<size_t>(text - chunk.data) - at) / Units::kSize * Units::kSize;
  Notes().counts.nul_bytes += zeros;
  return at + zeros;
}

// Deals with a line that is over the limit, or whose rest is being skipped: moves `at`. `line_end`
// is where the line's text ends in the chunk, `ended` whether it really does there.
template <typename Units, typename OnCut>
LineDecoder::Step LineDecoder::CutOrSkip(const Chunk& chunk, size_t& at, size_t line_end,
                                         bool ended, OnCut& on_cut) {
  constexpr size_t kUnit = Units::kSize;
  if (place_ == LinePlace::kInSkipped) {
    at = line_end;
    if (ended && at < chunk.size) {
      at += kUnit;  // the newline
      place_ = LinePlace::kStart;
    }
    return Step::kTaken;
  }
  const size_t max = line_bytes_max_ / kUnit * kUnit;
  size_t length = line_end - at;
  // Where the line's end is not known, its last byte so far may be the '\r' of its line end.
  if (length > max && (!ended || Units::IsReturn(chunk.data + line_end - kUnit))) length -= kUnit;
  if (length <= max) return Step::kNotCut;
  const uint64_t begin = chunk.offset + at;
  // The end is that of the part that is kept, wherever the line may end: see "Rows".
  if (!on_cut(std::string_view(chunk.data + at, max), begin, begin + max)) return Step::kRefused;
  at += max;
  place_ = LinePlace::kInSkipped;
  return Step::kTaken;
}

template <typename Units, typename OnLine, typename OnCut>
size_t LineDecoder::Split(const Chunk& chunk, Batch& batch, OnLine&& on_line, OnCut&& on_cut) {
  constexpr size_t kUnit = Units::kSize;
  constexpr size_t kAtOnce = 256;
  uint32_t newlines[kAtOnce];
  size_t at = 0;
  for (;;) {
    const size_t base = at;
    const size_t count = Units::FindNewlines(chunk, base, newlines, kAtOnce);
    for (size_t i = 0; i < count;) {
      if (!HasRoom(batch)) [[unlikely]]
        return at;
      const size_t line_end = base + newlines[i];
      at = SkipNuls<Units>(chunk, at, line_end);
      if (line_end - at > line_bytes_max_ || place_ != LinePlace::kStart) [[unlikely]] {
        const Step step = CutOrSkip<Units>(chunk, at, line_end, true, on_cut);
        if (step == Step::kRefused) return at;
        if (step == Step::kTaken) {
          if (at > line_end) ++i;
          continue;
        }
        // Nothing is left of a flushed half line but its newline: that is no record.
        if (place_ == LinePlace::kAfterFlushed) {
          const size_t rest = line_end - at;
          if (rest == 0 || (rest == kUnit && Units::IsReturn(chunk.data + at))) {
            place_ = LinePlace::kStart;
            at = line_end + kUnit;
            ++i;
            continue;
          }
        }
      }
      size_t text_end = line_end;
      if (text_end > at && Units::IsReturn(chunk.data + text_end - kUnit)) text_end -= kUnit;
      if (!on_line(std::string_view(chunk.data + at, text_end - at), chunk.offset + at,
                   chunk.offset + line_end + kUnit)) [[unlikely]] {
        return at;
      }
      place_ = LinePlace::kStart;
      at = line_end + kUnit;
      ++i;
    }
    if (count < kAtOnce) break;
  }
  // What is left has no newline yet; of a unit of two bytes there may be only one.
  const size_t size = chunk.last ? chunk.size : at + (chunk.size - at) / kUnit * kUnit;
  while (at < size && HasRoom(batch)) {
    at = SkipNuls<Units>(chunk, at, size);
    if (at == size) break;
    const Step step = CutOrSkip<Units>(chunk, at, size, chunk.last, on_cut);
    if (step == Step::kTaken) continue;
    if (step == Step::kRefused || !chunk.last) break;
    if (!on_line(std::string_view(chunk.data + at, size - at), chunk.offset + at,
                 chunk.offset + size)) {
      break;
    }
    place_ = LinePlace::kAfterFlushed;
    at = size;
  }
  return at;
}

}  // namespace kelp::framing

#endif  // KELP_FRAMING_SPLIT_LINES_H_
