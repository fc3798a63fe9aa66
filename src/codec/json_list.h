// The elements of a JSON list, without copies.
//
// Threads: a pure function. Tests: alert_test.cc, alert_fuzz.cc, library_api_test.cc
#ifndef KELP_CODEC_JSON_LIST_H_
#define KELP_CODEC_JSON_LIST_H_

#include <string_view>

#include "codec/json_scan.h"

namespace kelp::codec {

// Calls f(text) for each element. False when the text is no list, or when f returned false.
template <typename F>
bool ForEachElement(std::string_view text, F&& f) {
  const char* end = text.data() + text.size();
  const char* p = SkipJsonSpace(text.data(), end);
  if (p == end || *p != '[') return false;
  p = SkipJsonSpace(p + 1, end);
  if (p < end && *p == ']') return SkipJsonSpace(p + 1, end) == end;
  for (;;) {
    const char* value = p;
    p = SkipJsonValue(p, end);
    if (p == nullptr || !f(std::string_view(value, static_cast<size_t>(p - value)))) return false;
    p = SkipJsonSpace(p, end);
    if (p == end) return false;
    if (*p == ']') return SkipJsonSpace(p + 1, end) == end;
    if (*p != ',') return false;
    p = SkipJsonSpace(p + 1, end);
  }
}

}  // namespace kelp::codec

#endif  // KELP_CODEC_JSON_LIST_H_
