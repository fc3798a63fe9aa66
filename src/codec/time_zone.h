// A time zone: what local time is ahead of UTC, and since when.
//
// Threads: immutable.
// Format:  TZif (RFC 8536), versions 1 to 4, as in /usr/share/zoneinfo; the rule behind the last
//          transition is not read, the last offset stays (the distribution's files reach to 2037).
// Tests:   time_format_test.cc
#ifndef KELP_CODEC_TIME_ZONE_H_
#define KELP_CODEC_TIME_ZONE_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace kelp::codec {

class TimeZone {
 public:
  TimeZone() = default;  // UTC
  explicit TimeZone(int32_t offset_seconds) : first_offset_(offset_seconds) {}

  // "UTC", "Z" or an offset such as "+08:00" or "-0530"; nothing for any other name.
  static std::optional<TimeZone> FromName(std::string_view name);
  // Errors: kInvalidArgument when the bytes are no TZif file.
  static Result<TimeZone> FromTzif(std::string_view bytes);

  // Seconds that local time is ahead of UTC at a time in seconds since 1970.
  int32_t OffsetAt(int64_t utc) const;
  // The UTC second of a local second. A local time that comes twice means the first of the two; one
  // that never comes means what the clock would have shown without the change.
  int64_t ToUtc(int64_t local) const;

 private:
  struct Transition {
    int64_t at;
    int32_t offset;
  };
  int32_t first_offset_ = 0;
  std::vector<Transition> transitions_;  // in the order of time
};

}  // namespace kelp::codec

#endif  // KELP_CODEC_TIME_ZONE_H_
