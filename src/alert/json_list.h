// Numbers as JSON has them, and the elements of lists.
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

#include "codec/json_list.h"

namespace kelp::alert {

using codec::ForEachElement;

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
