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

#include "batch/batch.h"

namespace kelp::codec {

// What simdjson and most readers accept, an object around it included.
inline constexpr size_t kJsonDepthMax = 1023;

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

// Calls f(key, value) for each member of the object that `text` is; both are the JSON text, the key
// with its quotes. False when the text is not one JSON object, or when f returned false: then
// some members may have been seen.
template <typename F>
bool ForEachMember(std::string_view text, F&& f) {
  const char* end = text.data() + text.size();
  const char* p = SkipJsonSpace(text.data(), end);
  if (p == end || *p != '{') return false;
  p = SkipJsonSpace(p + 1, end);
  if (p < end && *p == '}') return SkipJsonSpace(p + 1, end) == end;
  for (;;) {
    if (p == end || *p != '"') return false;
    const char* key = p;
    bool escaped = false;
    p = SkipJsonString(p + 1, end, escaped);
    if (p == nullptr) return false;
    const std::string_view name(key, static_cast<size_t>(++p - key));
    p = SkipJsonSpace(p, end);
    if (p == end || *p != ':') return false;
    const char* value = SkipJsonSpace(p + 1, end);
    p = SkipJsonValue(value, end);
    if (p == nullptr || !f(name, std::string_view(value, static_cast<size_t>(p - value)))) {
      return false;
    }
    p = SkipJsonSpace(p, end);
    if (p == end) return false;
    if (*p == '}') return SkipJsonSpace(p + 1, end) == end;
    if (*p != ',') return false;
    p = SkipJsonSpace(p + 1, end);
  }
}

// Writes the content of a string that SkipJsonString accepted, with its escapes resolved, to `out`,
// where end - p + kUnescapeSlack bytes are free; the end of what was written. Escapes of lone
// surrogates become U+FFFD.
inline constexpr size_t kUnescapeSlack = 16;
char* UnescapeJson(const char* p, const char* end, char* out);

// Checks and resolves what stands between the quotes of a string whose end is known: `text` becomes
// [p, end) itself, or its resolved form in the arena. False when it is no string's content.
// REQUIRES: kContentAhead bytes behind `end` can be read.
inline constexpr size_t kContentAhead = 32;
bool ReadJsonContent(const char* p, const char* end, Batch& arena, std::string_view& text);

}  // namespace kelp::codec

#endif  // KELP_CODEC_JSON_SCAN_H_
