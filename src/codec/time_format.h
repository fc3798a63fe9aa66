// Reads times written in a format that a user names, as strptime does.
//
//   ASSIGN_OR_RETURN(TimeFormat format, TimeFormat::Parse("%d/%b/%Y:%H:%M:%S %z"));
//   UnixNanos time;
//   if (format.Read("21/Nov/2026:00:49:26 +0100", reference, time)) ...
//
// Formats by name: rfc3339; epoch, epoch_ms, epoch_us, epoch_ns (a number with or without a
// fraction), epoch_auto (the unit follows from the size).
// Conversions: %Y %y %m %d %e %b %B %h %j %a %A %H %k %I %l %p %M %S %f (digits of a fraction) %.f
// (a fraction with its point, or nothing) %z (Z, +hhmm, +hh:mm, +hh) %Z (UTC, GMT or Z) %s %F %T %R
// %D %n %t %%. White space in the format stands for any white space, or none. A comma is accepted
// for the point of %.f.
//
// Threads:  thread-compatible: it remembers the last text, so that a text that differs in its
//           fraction only costs a compare.
// Tests:    time_format_test.cc, time_format_fuzz.cc
#ifndef KELP_CODEC_TIME_FORMAT_H_
#define KELP_CODEC_TIME_FORMAT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/units.h"
#include "codec/rfc3339.h"
#include "codec/time_zone.h"

namespace kelp::codec {

class TimeFormat {
 public:
  // `zone` is for texts that name none. Errors: kInvalidArgument, naming what is wrong where.
  static Result<TimeFormat> Parse(std::string_view format, TimeZone zone = TimeZone());

  // False when the text, all of it, is no such time. A format without a year takes the one that
  // brings the time nearest to `reference`; without a date, the day likewise.
  bool Read(std::string_view text, UnixNanos reference, UnixNanos& time);

  // Names of the formats that are no patterns.
  static const std::vector<std::string_view>& Names();

 private:
  enum class Kind : uint8_t { kPattern, kRfc3339, kEpoch };
  struct Step {
    char conversion;  // 0: `literal`; 'F' and the like are taken apart already; '.' for %.f
    std::string literal;
  };
  struct Parts;

  Status Compile(std::string_view format);
  Status CheckFields(std::string_view format);
  bool ReadCached(std::string_view text, UnixNanos& time) const;
  bool ReadPattern(std::string_view text, UnixNanos reference, UnixNanos& time);
  bool Resolve(const Parts& parts, UnixNanos reference, UnixNanos& time) const;
  bool ResolveNear(const Parts& parts, int64_t now, int64_t& seconds) const;
  int64_t ToUtc(const Parts& parts, int64_t day) const;

  Kind kind_ = Kind::kPattern;
  int64_t epoch_unit_ = 0;  // ns; 0: by size
  std::vector<Step> steps_;
  bool has_year_ = false;
  TimeZone zone_;
  Rfc3339Reader rfc3339_;
  // The last text: what stood before and behind its fraction, and its whole second.
  std::string before_;
  std::string behind_;
  bool has_fraction_ = false;
  bool cached_ = false;
  UnixNanos second_ = 0;
};

// Reads a number of `unit` nanoseconds, exactly; 0: seconds, ms, us or ns as its size suggests.
bool ReadEpoch(std::string_view text, int64_t unit, UnixNanos& time);

}  // namespace kelp::codec

#endif  // KELP_CODEC_TIME_FORMAT_H_
