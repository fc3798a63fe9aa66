#include "base/units.h"

#include <cctype>
#include <cstdio>
#include <limits>

namespace kelp {
namespace {

struct Unit {
  const char* name;
  uint64_t factor;
};

constexpr Unit kSizeUnits[] = {{"TiB", 1ull << 40}, {"GiB", 1ull << 30},      {"MiB", 1ull << 20},
                               {"KiB", 1ull << 10}, {"TB", 1000000000000ull}, {"GB", 1000000000ull},
                               {"MB", 1000000ull},  {"KB", 1000ull},          {"B", 1}};
constexpr Unit kTimeUnits[] = {
    {"ns", 1},          {"us", 1000},         {"ms", 1000000},      {"s", 1000000000},
    {"m", 60000000000}, {"h", 3600000000000}, {"d", 86400000000000}};

std::string_view Trim(std::string_view s) {
  while (!s.empty() && s.front() == ' ') s.remove_prefix(1);
  while (!s.empty() && s.back() == ' ') s.remove_suffix(1);
  return s;
}

// Reads "12.5unit" from the front of `s`; the value in units of the smallest one.
bool TakeQuantity(std::string_view& s, const Unit* units, size_t unit_count, double& out) {
  size_t i = 0;
  double number = 0;
  double scale = 0;
  for (; i < s.size() && (std::isdigit(static_cast<unsigned char>(s[i])) || s[i] == '.'); ++i) {
    if (s[i] == '.') {
      if (scale != 0) return false;
      scale = 1;
      continue;
    }
    if (scale != 0) {
      scale /= 10;
      number += scale * (s[i] - '0');
    } else {
      number = number * 10 + (s[i] - '0');
    }
  }
  if (i == 0 || (i == 1 && s[0] == '.')) return false;
  s.remove_prefix(i);
  s = Trim(s);
  size_t letters = 0;
  while (letters < s.size() && std::isalpha(static_cast<unsigned char>(s[letters]))) ++letters;
  const std::string_view name = s.substr(0, letters);
  for (size_t u = 0; u < unit_count; ++u) {
    if (name == units[u].name) {
      s.remove_prefix(letters);
      out += number * static_cast<double>(units[u].factor);
      return out < 9.2e18;
    }
  }
  return false;
}

}  // namespace

Result<ByteSize> ParseByteSize(std::string_view text) {
  std::string_view s = Trim(text);
  if (s == "0") return ByteSize{0};
  double value = 0;
  if (!TakeQuantity(s, kSizeUnits, std::size(kSizeUnits), value) || !s.empty()) {
    return InvalidArgumentError("\"" + std::string(text) +
                                "\" is not a size: write a number with B, KiB, MiB, GiB, TiB, KB, "
                                "MB, GB or TB, such as 64MiB");
  }
  return ByteSize{static_cast<uint64_t>(value)};
}

std::string FormatByteSize(ByteSize size) {
  if (size.bytes == 0) return "0";
  for (const Unit& unit : kSizeUnits) {
    if (unit.name[1] != 'i') continue;
    if (size.bytes % unit.factor == 0) return std::to_string(size.bytes / unit.factor) + unit.name;
  }
  return std::to_string(size.bytes) + "B";
}

std::string FormatByteSizeShort(ByteSize size) {
  const char* names[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(size.bytes);
  int unit = 0;
  while (value >= 1000 && unit < 4) {
    value /= 1024;
    ++unit;
  }
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, unit == 0 ? "%.0f%s" : "%.3g%s", value, names[unit]);
  return buffer;
}

Result<Duration> ParseDuration(std::string_view text) {
  std::string_view s = Trim(text);
  if (s == "0") return Duration(0);
  double value = 0;
  bool good = !s.empty();
  while (good && !s.empty()) good = TakeQuantity(s, kTimeUnits, std::size(kTimeUnits), value);
  if (!good) {
    return InvalidArgumentError("\"" + std::string(text) +
                                "\" is not a duration: write a number with ns, us, ms, s, m, h or "
                                "d, such as 5s or 1h30m");
  }
  return Duration(static_cast<int64_t>(value));
}

std::string FormatDuration(Duration duration) {
  if (duration.count() == 0) return "0s";
  std::string out = duration.count() < 0 ? "-" : "";
  uint64_t rest = duration.count() < 0 ? 0 - static_cast<uint64_t>(duration.count())
                                       : static_cast<uint64_t>(duration.count());
  for (size_t i = std::size(kTimeUnits); i-- > 0;) {
    const uint64_t n = rest / kTimeUnits[i].factor;
    rest %= kTimeUnits[i].factor;
    if (n != 0) out += std::to_string(n) + kTimeUnits[i].name;
  }
  return out;
}

namespace {

// Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil / civil_from_days.
int64_t DaysFromCivil(int64_t y, unsigned m, unsigned d) {
  y -= m <= 2;
  const int64_t era = (y >= 0 ? y : y - 399) / 400;
  const unsigned yoe = static_cast<unsigned>(y - era * 400);
  const unsigned doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
  const unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
  return era * 146097 + static_cast<int64_t>(doe) - 719468;
}

void CivilFromDays(int64_t z, int64_t& y, unsigned& m, unsigned& d) {
  z += 719468;
  const int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  const unsigned doe = static_cast<unsigned>(z - era * 146097);
  const unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  y = static_cast<int64_t>(yoe) + era * 400;
  const unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const unsigned mp = (5 * doy + 2) / 153;
  d = doy - (153 * mp + 2) / 5 + 1;
  m = mp + (mp < 10 ? 3 : -9);
  y += m <= 2;
}

bool TakeDigits(std::string_view s, size_t at, size_t count, unsigned& out) {
  if (at + count > s.size()) return false;
  out = 0;
  for (size_t i = at; i < at + count; ++i) {
    if (s[i] < '0' || s[i] > '9') return false;
    out = out * 10 + static_cast<unsigned>(s[i] - '0');
  }
  return true;
}

}  // namespace

std::string FormatRfc3339(UnixNanos time) {
  int64_t seconds = time / 1000000000;
  int64_t nanos = time % 1000000000;
  if (nanos < 0) {
    nanos += 1000000000;
    --seconds;
  }
  int64_t days = seconds / 86400;
  int64_t of_day = seconds % 86400;
  if (of_day < 0) {
    of_day += 86400;
    --days;
  }
  int64_t y;
  unsigned m, d;
  CivilFromDays(days, y, m, d);
  char buffer[48];
  const int n = std::snprintf(buffer, sizeof buffer, "%04lld-%02u-%02uT%02d:%02d:%02d.%09lldZ",
                              static_cast<long long>(y), m, d, static_cast<int>(of_day / 3600),
                              static_cast<int>(of_day / 60 % 60), static_cast<int>(of_day % 60),
                              static_cast<long long>(nanos));
  return std::string(buffer, static_cast<size_t>(n));
}

Result<UnixNanos> ParseRfc3339(std::string_view s) {
  unsigned year, month, day, hour, minute, second;
  const auto bad = [&] {
    return InvalidArgumentError("\"" + std::string(s) +
                                "\" is not a time such as 2026-11-20T23:49:26.304Z");
  };
  if (!TakeDigits(s, 0, 4, year) || !TakeDigits(s, 5, 2, month) || !TakeDigits(s, 8, 2, day) ||
      !TakeDigits(s, 11, 2, hour) || !TakeDigits(s, 14, 2, minute) ||
      !TakeDigits(s, 17, 2, second) || s[4] != '-' || s[7] != '-' ||
      (s[10] != 'T' && s[10] != ' ' && s[10] != 't') || s[13] != ':' || s[16] != ':') {
    return bad();
  }
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) {
    return bad();
  }
  size_t at = 19;
  int64_t nanos = 0;
  if (at < s.size() && (s[at] == '.' || s[at] == ',')) {
    int64_t scale = 100000000;
    size_t digits = 0;
    for (++at; at < s.size() && s[at] >= '0' && s[at] <= '9'; ++at, ++digits) {
      nanos += scale * (s[at] - '0');
      scale /= 10;
    }
    if (digits == 0) return bad();
  }
  int64_t offset = 0;
  if (at >= s.size()) return bad();
  if (s[at] == 'Z' || s[at] == 'z') {
    ++at;
  } else if (s[at] == '+' || s[at] == '-') {
    unsigned oh, om;
    const bool colon = at + 3 < s.size() && s[at + 3] == ':';
    if (!TakeDigits(s, at + 1, 2, oh) || !TakeDigits(s, at + (colon ? 4 : 3), 2, om)) return bad();
    offset = (s[at] == '-' ? -1 : 1) * static_cast<int64_t>(oh * 3600 + om * 60);
    at += colon ? 6 : 5;
  }
  if (at != s.size()) return bad();
  const int64_t days = DaysFromCivil(year, month, day);
  const int64_t seconds = days * 86400 + hour * 3600 + minute * 60 + second - offset;
  if (seconds > 9223372035 || seconds < -9223372035) return bad();
  return seconds * 1000000000 + nanos;
}

}  // namespace kelp
