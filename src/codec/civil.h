// Dates of the Gregorian calendar and days since 1970-01-01, for the parsers and printers of times.
//
// Threads: pure functions.
// Tests:   time_format_test.cc
#ifndef KELP_CODEC_CIVIL_H_
#define KELP_CODEC_CIVIL_H_

#include <cstdint>

namespace kelp::codec {

inline constexpr int64_t kNanosPerSecond = 1'000'000'000;
inline constexpr int64_t kSecondsPerDay = 86'400;
// Nanoseconds since 1970 reach from 1677 to 2262.
inline constexpr int64_t kSecondsMax = INT64_MAX / kNanosPerSecond - 1;

struct Civil {
  int32_t year;
  uint32_t month;  // 1 to 12
  uint32_t day;    // 1 to 31
};

// Both count from 0000-03-01, so that a leap day ends its year; an era is 400 years.
inline int64_t DaysFromCivil(int64_t year, uint32_t month, uint32_t day) {
  year -= month <= 2 ? 1 : 0;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const auto of_era = static_cast<uint32_t>(year - era * 400);
  const uint32_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  return era * 146'097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719'468;
}

inline Civil CivilFromDays(int64_t days) {
  days += 719'468;
  const int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const auto of_era = static_cast<uint32_t>(days - era * 146'097);
  const uint32_t year = (of_era - of_era / 1460 + of_era / 36'524 - of_era / 146'096) / 365;
  const uint32_t of_year = of_era - (365 * year + year / 4 - year / 100);
  const uint32_t month = (5 * of_year + 2) / 153;
  Civil civil{};
  civil.day = of_year - (153 * month + 2) / 5 + 1;
  civil.month = month < 10 ? month + 3 : month - 9;
  civil.year = static_cast<int32_t>(year + era * 400) + (civil.month <= 2 ? 1 : 0);
  return civil;
}

inline bool IsLeapYear(int64_t year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

inline uint32_t DaysInMonth(int64_t year, uint32_t month) {
  if (month == 2) return IsLeapYear(year) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

}  // namespace kelp::codec

#endif  // KELP_CODEC_CIVIL_H_
