// Units that values carry: ByteSize, Duration, UnixNanos, and how people write them.
//
// Sizes: a number and B, KB, MB, GB, TB (powers of 1000) or KiB, MiB, GiB, TiB (powers of 1024).
// Durations: one or more number-unit pairs of ns, us, ms, s, m, h, d ("90s", "1h30m", "7d").
// A bare number has no unit and is refused, except 0.
#ifndef KELP_BASE_UNITS_H_
#define KELP_BASE_UNITS_H_

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/status.h"

namespace kelp {

using std::chrono_literals::operator""ns;
using std::chrono_literals::operator""us;
using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;
using std::chrono_literals::operator""min;
using std::chrono_literals::operator""h;

// A span of time, in nanoseconds.
using Duration = std::chrono::nanoseconds;

// A wall-clock time: nanoseconds since 1970-01-01T00:00:00Z. kNoTime means "not known".
using UnixNanos = int64_t;
inline constexpr UnixNanos kNoTime = INT64_MIN;

// A number of bytes.
struct ByteSize {
  uint64_t bytes = 0;
  constexpr auto operator<=>(const ByteSize&) const = default;
};

constexpr ByteSize operator""_B(unsigned long long n) { return {n}; }
constexpr ByteSize operator""_KiB(unsigned long long n) { return {n << 10}; }
constexpr ByteSize operator""_MiB(unsigned long long n) { return {n << 20}; }
constexpr ByteSize operator""_GiB(unsigned long long n) { return {n << 30}; }

// "64MiB", "10 MB", "0". Errors: kInvalidArgument, naming the text and the accepted units.
Result<ByteSize> ParseByteSize(std::string_view text);
// The shortest exact form in binary units: "64MiB", "1000B".
std::string FormatByteSize(ByteSize size);
// For people: three digits, "1.21MiB".
std::string FormatByteSizeShort(ByteSize size);

// "5s", "1h30m", "250ms", "0". Errors: kInvalidArgument.
Result<Duration> ParseDuration(std::string_view text);
// The exact form with the fewest units: "1h30m", "1.5s" is written "1s500ms".
std::string FormatDuration(Duration duration);

// "2026-11-20T23:49:26.304280852Z": always nine digits of fraction, always UTC.
std::string FormatRfc3339(UnixNanos time);
// Accepts 0 to 9 fraction digits, 'T' or ' ' between date and time, and 'Z' or an offset "+hh:mm".
Result<UnixNanos> ParseRfc3339(std::string_view text);

}  // namespace kelp

#endif  // KELP_BASE_UNITS_H_
