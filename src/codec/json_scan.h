// Walks over JSON text without building anything: finds where a value ends and whether it is JSON.
//
// Strict RFC 8259 grammar. Bytes from 0x80 on pass inside strings, valid UTF-8 or not: a log line
// with one bad byte is still worth its fields, and printers repair it.
//
// Threads: pure functions.
// Limits:  kJsonDepthMax nested objects and arrays; deeper text is "not JSON".
// Tests:   json_scan_test.cc, json_fuzz.cc (against simdjson)
#ifndef KELP_CODEC_JSON_SCAN_H_
#define KELP_CODEC_JSON_SCAN_H_

#include <cstddef>
#include <string_view>

namespace kelp::codec {

// What simdjson and most readers accept.
inline constexpr size_t kJsonDepthMax = 1024;

inline const char* SkipJsonSpace(const char* p, const char* end) {
  while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r')) ++p;
  return p;
}

// `p` is behind the opening quote: the closing quote, or nullptr when the string is malformed.
// Sets `escaped` when there is a backslash in it.
const char* SkipJsonString(const char* p, const char* end, bool& escaped);

// The end of the number at `p`, or nullptr.
const char* SkipJsonNumber(const char* p, const char* end);

// The end of the value (of any kind) that begins at `p`, or nullptr.
const char* SkipJsonValue(const char* p, const char* end);

// True when the text is exactly one JSON value, white space around it allowed.
bool IsJson(std::string_view text);

// Writes the content of a string that SkipJsonString accepted, with its escapes resolved, to `out`,
// where end - p + kUnescapeSlack bytes are free; the end of what was written. Escapes of lone
// surrogates become U+FFFD.
inline constexpr size_t kUnescapeSlack = 16;
char* UnescapeJson(const char* p, const char* end, char* out);

}  // namespace kelp::codec

#endif  // KELP_CODEC_JSON_SCAN_H_
