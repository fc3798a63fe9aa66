#include "codec/time_format.h"

#include <gtest/gtest.h>

#include <string>

#include "codec/civil.h"

namespace kelp::codec {
namespace {

UnixNanos Time(std::string_view text) { return ParseRfc3339(text).value(); }

// Reads a text and prints the time; "no" when it is none.
std::string Read(std::string_view format, std::string_view text, std::string_view zone = "UTC",
                 std::string_view reference = "2026-11-21T12:00:00Z") {
  auto parsed = TimeFormat::Parse(format, *TimeZone::FromName(zone));
  EXPECT_TRUE(parsed.ok()) << parsed.status().ToString();
  UnixNanos first = 0, second = 0;
  const bool ok = parsed->Read(text, Time(reference), first);
  EXPECT_EQ(parsed->Read(text, Time(reference), second), ok) << "the cache answers otherwise";
  EXPECT_EQ(first, second);
  return ok ? FormatRfc3339(first) : "no";
}

TEST(TimeFormat, ReadsIsoTimes) {
  constexpr std::string_view kIso = "%Y-%m-%dT%H:%M:%S%.f%z";
  EXPECT_EQ(Read(kIso, "2026-11-20T23:49:26.304280852Z"), "2026-11-20T23:49:26.304280852Z");
  EXPECT_EQ(Read(kIso, "2026-11-20T23:49:26+08:00"), "2026-11-20T15:49:26.000000000Z");
  EXPECT_EQ(Read(kIso, "2026-11-20T23:49:26,5-0530"), "2026-11-21T05:19:26.500000000Z");
  EXPECT_EQ(Read(kIso, "2026-11-20T23:49:26."), "no");
  EXPECT_EQ(Read(kIso, "2026-11-20T23:49:26Zx"), "no");
  EXPECT_EQ(Read(kIso, "2026-02-29T23:49:26Z"), "no");
  EXPECT_EQ(Read("%F %T", "2024-02-29 01:02:03", "+08:00"), "2024-02-28T17:02:03.000000000Z");
}

TEST(TimeFormat, ReadsWhatServersWrite) {
  EXPECT_EQ(Read("%d/%b/%Y:%H:%M:%S %z", "21/Nov/2026:00:49:26 +0100"),
            "2026-11-20T23:49:26.000000000Z");
  EXPECT_EQ(Read("%a, %d %B %Y %I:%M:%S %p", "Fri, 20 November 2026 11:49:26 PM"),
            "2026-11-20T23:49:26.000000000Z");
  EXPECT_EQ(Read("%a %b %e %H:%M:%S %Y", "Tue Nov  3 07:08:09 2026"),
            "2026-11-03T07:08:09.000000000Z");
  EXPECT_EQ(Read("%D %R %Z", "11/20/26 23:49 GMT"), "2026-11-20T23:49:00.000000000Z");
  EXPECT_EQ(Read("%Y/%j %H:%M:%S.%f", "2026/324 23:49:26.25"), "2026-11-20T23:49:26.250000000Z");
  EXPECT_EQ(Read("[%s.%f]", "[1795219166.5]"), "2026-11-20T23:59:26.500000000Z");
  EXPECT_EQ(Read("100%% %H", "100% 12"), "2026-11-21T12:00:00.000000000Z");
}

TEST(TimeFormat, FindsTheYearNearestToTheReference) {
  constexpr std::string_view kSyslog = "%b %d %H:%M:%S";
  EXPECT_EQ(Read(kSyslog, "Nov 21 11:59:00"), "2026-11-21T11:59:00.000000000Z");
  EXPECT_EQ(Read(kSyslog, "Dec 31 23:59:59", "UTC", "2027-01-01T00:00:01Z"),
            "2026-12-31T23:59:59.000000000Z");
  EXPECT_EQ(Read(kSyslog, "Jan  1 00:00:01", "UTC", "2026-12-31T23:59:59Z"),
            "2027-01-01T00:00:01.000000000Z");
  EXPECT_EQ(Read(kSyslog, "Feb 29 00:00:01", "UTC", "2027-03-01T00:00:00Z"),
            "2028-02-29T00:00:01.000000000Z");
  EXPECT_EQ(Read("%H:%M", "23:50", "UTC", "2026-11-21T00:10:00Z"),
            "2026-11-20T23:50:00.000000000Z");
}

TEST(TimeFormat, ReadsEpochs) {
  EXPECT_EQ(Read("epoch", "1795218566"), "2026-11-20T23:49:26.000000000Z");
  EXPECT_EQ(Read("epoch", "1795218566.304280852"), "2026-11-20T23:49:26.304280852Z");
  EXPECT_EQ(Read("epoch_ms", "1795218566304"), "2026-11-20T23:49:26.304000000Z");
  EXPECT_EQ(Read("epoch_ms", "1795218566304.5"), "2026-11-20T23:49:26.304500000Z");
  EXPECT_EQ(Read("epoch_us", "1795218566304280"), "2026-11-20T23:49:26.304280000Z");
  EXPECT_EQ(Read("epoch_ns", "1795218566304280852"), "2026-11-20T23:49:26.304280852Z");
  EXPECT_EQ(Read("epoch", "-1.5"), "1969-12-31T23:59:58.500000000Z");
  for (const std::string_view same :
       {"1795218566", "1795218566000", "1795218566000000", "1795218566000000000"}) {
    EXPECT_EQ(Read("epoch_auto", same), "2026-11-20T23:49:26.000000000Z");
  }
  for (const std::string_view bad : {"", "-", "x", "1.", "1.x", "1e9", "99999999999999999999"}) {
    EXPECT_EQ(Read("epoch", bad), "no") << bad;
    EXPECT_EQ(Read("epoch_auto", bad), "no") << bad;
  }
  EXPECT_EQ(Read("epoch", "9223372036854775807"), "no");
}

TEST(TimeFormat, ReadsRfc3339ByName) {
  EXPECT_EQ(Read("rfc3339", "2026-11-20T23:49:26.5+01:00"), "2026-11-20T22:49:26.500000000Z");
  EXPECT_EQ(Read("rfc3339", "2026-11-20T23:49:26.5"), "no");
}

TEST(TimeFormat, SaysWhatIsWrongWithAFormat) {
  const auto message = [](std::string_view format) {
    return std::string(TimeFormat::Parse(format).status().message());
  };
  EXPECT_EQ(message("%Y-%Q"), "time format \"%Y-%Q\": unknown conversion \"%Q\" at 3");
  EXPECT_EQ(message("%H%"), "time format \"%H%\": unknown conversion \"%\" at 2");
  EXPECT_EQ(message("%Y-%m-%d"),
            "time format \"%Y-%m-%d\" has neither an hour (%H) nor seconds since 1970 (%s)");
}

// A zone file with the offsets 0, then 3600 from 1000000 on, then 0 again from 2000000 on.
std::string ZoneFile() {
  const auto big = [](uint64_t value, int bytes) {
    std::string out;
    for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i));
    return out;
  };
  std::string header = "TZif2" + std::string(15, '\0') + big(0, 4) + big(0, 4) + big(0, 4);
  const std::string types = big(0, 4) + std::string(2, '\0') + big(3600, 4) + std::string(2, '\0');
  const std::string empty = header + big(0, 4) + big(1, 4) + big(0, 4) + types.substr(0, 6);
  return empty + header + big(2, 4) + big(2, 4) + big(0, 4) + big(1'000'000, 8) +
         big(2'000'000, 8) + std::string("\x01\x00", 2) + types + "\n<>0\n";
}

TEST(TimeZone, FollowsTransitions) {
  auto zone = TimeZone::FromTzif(ZoneFile());
  ASSERT_TRUE(zone.ok()) << zone.status().ToString();
  EXPECT_EQ(zone->OffsetAt(999'999), 0);
  EXPECT_EQ(zone->OffsetAt(1'000'000), 3600);
  EXPECT_EQ(zone->OffsetAt(2'000'000), 0);
  EXPECT_EQ(zone->ToUtc(999'999), 999'999);
  EXPECT_EQ(zone->ToUtc(1'001'000), 1'001'000) << "an hour that never comes";
  EXPECT_EQ(zone->ToUtc(1'003'600), 1'000'000);
  EXPECT_EQ(zone->ToUtc(2'003'599), 1'999'999) << "an hour that comes twice: the first of them";
  EXPECT_EQ(zone->ToUtc(2'003'600), 2'003'600);
  for (size_t size = 0; size < ZoneFile().size() - 5; ++size) {
    EXPECT_FALSE(TimeZone::FromTzif(ZoneFile().substr(0, size)).ok()) << size;
  }
}

TEST(TimeZone, KnowsOffsets) {
  EXPECT_EQ(TimeZone::FromName("+08:00")->OffsetAt(0), 8 * 3600);
  EXPECT_EQ(TimeZone::FromName("-0530")->OffsetAt(0), -(5 * 3600 + 30 * 60));
  EXPECT_EQ(TimeZone::FromName("+08")->OffsetAt(0), 8 * 3600);
  for (const std::string_view bad : {"", "+", "+8", "+08:0", "+08:00x", "24:00", "+24:00", "CET"}) {
    EXPECT_FALSE(TimeZone::FromName(bad).has_value()) << bad;
  }
}

TEST(Civil, DaysAndDatesAgree) {
  for (int64_t day = -800'000; day < 800'000; day += 37) {
    const Civil civil = CivilFromDays(day);
    EXPECT_EQ(DaysFromCivil(civil.year, civil.month, civil.day), day);
    EXPECT_LE(civil.day, DaysInMonth(civil.year, civil.month));
  }
}

}  // namespace
}  // namespace kelp::codec
