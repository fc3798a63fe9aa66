// Elements of a JSON list, and numbers.
//
// Threads: pure functions. Tests: alert_test.cc, alert_fuzz.cc
#ifndef KELP_ALERT_JSON_LIST_H_
#define KELP_ALERT_JSON_LIST_H_

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>

#include "codec/json_scan.h"

namespace kelp::alert {

// Calls f(text) for each element. False when the text is no list, or when f returned false.
template <typename F>
bool ForEachElement(std::string_view text, F&& f) {
  const char* end = text.data() + text.size();
  const char* p = codec::SkipJsonSpace(text.data(), end);
  if (p == end || *p != '[') return false;
  p = codec::SkipJsonSpace(p + 1, end);
  if (p < end && *p == ']') return codec::SkipJsonSpace(p + 1, end) == end;
  for (;;) {
    const char* value = p;
    p = codec::SkipJsonValue(p, end);
    if (p == nullptr || !f(std::string_view(value, static_cast<size_t>(p - value)))) return false;
    p = codec::SkipJsonSpace(p, end);
    if (p == end) return false;
    if (*p == ']') return codec::SkipJsonSpace(p + 1, end) == end;
    if (*p != ',') return false;
    p = codec::SkipJsonSpace(p + 1, end);
  }
}

// The whole text as a finite number.
inline std::optional<double> ReadNumber(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) {
    return std::nullopt;
  }
  return number;
}

// The shortest text that is the same number.
inline std::string NumberText(double number) {
  if (!std::isfinite(number)) return "null";
  if (std::floor(number) == number && std::abs(number) < 1e15) return fmt::format("{:.0f}", number);
  return fmt::format("{}", number);
}

}  // namespace kelp::alert

#endif  // KELP_ALERT_JSON_LIST_H_
