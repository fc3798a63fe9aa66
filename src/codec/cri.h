// Lines that container runtimes write through CRI:
//   2026-11-20T23:49:26.304280852Z stdout F hello
//
// Place:    the file and pod_logs inputs, one parser for each origin or worker.
// Threads:  thread-compatible.
// Format:   time (RFC 3339, 0 to 9 digits of fraction), stream, tags separated by ':' of which the
//           first is F (the line is whole) or P (it goes on in the next line of the stream),
//           content.
// Tests:    cri_test.cc, cri_fuzz.cc
#ifndef KELP_CODEC_CRI_H_
#define KELP_CODEC_CRI_H_

#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/units.h"
#include "codec/rfc3339.h"

namespace kelp::codec {

enum class Stream : uint8_t { kStdout, kStderr };

inline std::string_view StreamName(Stream stream) {
  return stream == Stream::kStdout ? "stdout" : "stderr";
}

struct CriLine {
  UnixNanos time = kNoTime;
  Stream stream = Stream::kStdout;
  bool partial = false;
  std::string_view content;  // of the line given
};

class CriParser {
 public:
  // False when the line (without its newline) is not one of CRI's; `out` is then arbitrary.
  bool Parse(std::string_view line, CriLine& out) {
    const char* end = line.data() + line.size();
    const char* p = time_.Read(line.data(), end, out.time);
    if (p == nullptr) [[unlikely]]
      return false;
    if (end - p < kHeadBytes) return ParseShort(p, end, out);
    uint64_t stream;
    std::memcpy(&stream, p, sizeof stream);
    if (stream == Word(" stdout ")) {
      out.stream = Stream::kStdout;
    } else if (stream == Word(" stderr ")) {
      out.stream = Stream::kStderr;
    } else {
      return false;
    }
    p += sizeof stream;
    if (p[0] != 'F' && p[0] != 'P') return false;
    out.partial = p[0] == 'P';
    if (p[1] != ' ') return ParseTags(p + 1, end, out);
    out.content = {p + 2, static_cast<size_t>(end - p - 2)};
    return true;
  }

 private:
  static constexpr ptrdiff_t kHeadBytes = 10;  // " stdout F "
  static uint64_t Word(const char* text) {
    uint64_t word;
    std::memcpy(&word, text, sizeof word);
    return word;
  }
  static bool ParseShort(const char* p, const char* end, CriLine& out);
  static bool ParseTags(const char* p, const char* end, CriLine& out);

  Rfc3339Reader time_;
};

}  // namespace kelp::codec

#endif  // KELP_CODEC_CRI_H_
