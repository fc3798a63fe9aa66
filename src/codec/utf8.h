// UTF-8: validation and repair of text that is meant to be it.
//
// Threads: pure functions.
// Tests:   json_print_test.cc, json_print_fuzz.cc
#ifndef KELP_CODEC_UTF8_H_
#define KELP_CODEC_UTF8_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace kelp::codec {

inline constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

// True for valid UTF-8, of course also for plain ASCII.
bool IsUtf8(std::string_view text);

// One step through text: how many bytes the sequence at the begin takes, and whether it is valid.
// Of an invalid sequence these are the bytes that one U+FFFD stands for (Unicode, "maximal
// subpart").
struct Utf8Step {
  uint32_t size;
  bool valid;
};
// REQUIRES: p < end.
Utf8Step NextUtf8(const char* p, const char* end);

// Writes a code point, a surrogate as U+FFFD; the end of it. Needs 4 bytes.
inline char* PutUtf8(char* out, uint32_t code) {
  if (code >= 0xd800 && code < 0xe000) code = 0xfffd;
  if (code < 0x80) {
    *out++ = static_cast<char>(code);
  } else if (code < 0x800) {
    *out++ = static_cast<char>(0xc0 | code >> 6);
    *out++ = static_cast<char>(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    *out++ = static_cast<char>(0xe0 | code >> 12);
    *out++ = static_cast<char>(0x80 | (code >> 6 & 0x3f));
    *out++ = static_cast<char>(0x80 | (code & 0x3f));
  } else {
    *out++ = static_cast<char>(0xf0 | code >> 18);
    *out++ = static_cast<char>(0x80 | (code >> 12 & 0x3f));
    *out++ = static_cast<char>(0x80 | (code >> 6 & 0x3f));
    *out++ = static_cast<char>(0x80 | (code & 0x3f));
  }
  return out;
}

}  // namespace kelp::codec

#endif  // KELP_CODEC_UTF8_H_
