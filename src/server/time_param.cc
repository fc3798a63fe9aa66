#include "server/time_param.h"

#include <charconv>
#include <string>

namespace kelp::server {
namespace {

bool IsNumber(std::string_view text) {
  if (!text.empty() && text.front() == '-') text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

}  // namespace

Result<UnixNanos> ParseTimeParam(std::string_view text, UnixNanos now) {
  const auto bad = [&] {
    return InvalidArgumentError("\"" + std::string(text) +
                                "\" is no time: use RFC 3339 (2026-11-20T23:49:26Z), Unix "
                                "nanoseconds, or a span before now (-1h)");
  };
  if (text == "now") return now;
  if (IsNumber(text)) {
    UnixNanos nanos = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), nanos);
    if (error != std::errc() || nanos == kNoTime) return bad();
    return nanos;
  }
  if (text.size() > 1 && (text[0] == '-' || text[0] == '+')) {
    const Result<Duration> span = ParseDuration(text.substr(1));
    if (!span.ok()) return bad();
    UnixNanos result;
    const bool overflow = text[0] == '-' ? __builtin_sub_overflow(now, span->count(), &result)
                                         : __builtin_add_overflow(now, span->count(), &result);
    return overflow ? Result<UnixNanos>(bad()) : Result<UnixNanos>(result);
  }
  // A '+' of the zone that was not percent-encoded has arrived as a space.
  std::string fixed(text);
  const size_t space = fixed.rfind(' ');
  if (space != std::string::npos && space > 10) fixed[space] = '+';
  const Result<UnixNanos> time = ParseRfc3339(fixed);
  return time.ok() ? time : Result<UnixNanos>(bad());
}

}  // namespace kelp::server
