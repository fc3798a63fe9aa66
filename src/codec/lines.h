// Finds line ends with vector code.
//
//   const size_t done = ForEachLine(text, [&](std::string_view line) { ... });
//   // text.substr(done) is the line that has no end yet
//
// Threads: pure functions.
// Tests:   lines_test.cc
#ifndef KELP_CODEC_LINES_H_
#define KELP_CODEC_LINES_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace kelp::codec {

// Writes the offsets of the first `max` newlines in `text` to `offsets`; how many there were.
// Reads nothing outside of `text`, which is shorter than 4 GiB.
size_t FindNewlines(std::string_view text, uint32_t* offsets, size_t max);

// Calls f(line) for each complete line, without its newline, in order; the bytes they took,
// newlines included.
template <typename F>
size_t ForEachLine(std::string_view text, F&& f) {
  constexpr size_t kAtOnce = 256;
  uint32_t offsets[kAtOnce];
  size_t done = 0;
  for (;;) {
    const std::string_view rest = text.substr(done);
    const size_t count = FindNewlines(rest, offsets, kAtOnce);
    size_t begin = 0;
    for (size_t i = 0; i < count; ++i) {
      f(rest.substr(begin, offsets[i] - begin));
      begin = offsets[i] + 1;
    }
    done += begin;
    if (count < kAtOnce) return done;
  }
}

}  // namespace kelp::codec

#endif  // KELP_CODEC_LINES_H_
