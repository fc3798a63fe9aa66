#include "codec/time_format.h"

#include <fmt/core.h>

#include <array>
#include <cstdlib>
#include <utility>

#include "codec/civil.h"

namespace kelp::codec {
namespace {

constexpr std::string_view kConversions = "YymdebBhjaAHkIlpMSfzZsnt%";
constexpr std::array<std::string_view, 12> kMonths = {
    "january", "february", "march",     "april",   "may",      "june",
    "july",    "august",   "september", "october", "november", "december"};
constexpr std::array<std::string_view, 7> kDays = {"sunday",   "monday", "tuesday", "wednesday",
                                                   "thursday", "friday", "saturday"};
// Below 10^11 seconds is the year 5138; the same bound again for each finer unit.
constexpr int64_t kAutoBound = 100'000'000'000;

// Conversions that stand for several others.
std::string_view Expansion(char c) {
  switch (c) {
    case 'F':
      return "%Y-%m-%d";
    case 'T':
      return "%H:%M:%S";
    case 'R':
      return "%H:%M";
    case 'D':
      return "%m/%d/%y";
    default:
      return {};
  }
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// A text being read from the front.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool at_end() const { return at_ == text_.size(); }
  size_t at() const { return at_; }
  char peek() const { return at_end() ? '\0' : text_[at_]; }
  void SkipSpace() {
    while (!at_end() && IsSpace(text_[at_])) ++at_;
  }
  bool Take(char c) {
    if (peek() != c || at_end()) return false;
    ++at_;
    return true;
  }
  bool Take(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  // One to `digits_max` digits, the number within its bounds.
  bool Number(int digits_max, int64_t low, int64_t high, int64_t& value) {
    int64_t n = 0;
    int digits = 0;
    while (digits < digits_max && IsDigit(peek())) {
      n = n * 10 + (text_[at_++] - '0');
      ++digits;
    }
    if (digits == 0 || n < low || n > high) return false;
    value = n;
    return true;
  }
  // Digits behind a decimal point; those past the ninth are dropped.
  bool Fraction(int64_t& nanos) {
    if (!IsDigit(peek())) return false;
    nanos = 0;
    int64_t scale = kNanosPerSecond;
    for (; IsDigit(peek()); ++at_) nanos += (text_[at_] - '0') * (scale /= 10);
    return true;
  }
  // The index of the name that stands here, whole or by its first three letters, case ignored.
  template <size_t N>
  bool Name(const std::array<std::string_view, N>& names, int64_t& index) {
    for (size_t i = 0; i < N; ++i) {
      if (!StartsWithName(names[i].substr(0, 3))) continue;
      at_ += StartsWithName(names[i]) ? names[i].size() : 3;
      index = static_cast<int64_t>(i);
      return true;
    }
    return false;
  }

 private:
  bool StartsWithName(std::string_view name) const {
    if (text_.size() - at_ < name.size()) return false;
    for (size_t i = 0; i < name.size(); ++i) {
      if (Lower(text_[at_ + i]) != name[i]) return false;
    }
    return true;
  }
  std::string_view text_;
  size_t at_ = 0;
};

bool ReadZone(Scanner& in, int64_t& offset) {
  offset = 0;
  if (in.Take('Z') || in.Take('z')) return true;
  const bool negative = in.peek() == '-';
  if (!in.Take('+') && !in.Take('-')) return false;
  int64_t hours = 0, minutes = 0;
  if (!in.Number(2, 0, 23, hours)) return false;
  const bool colon = in.Take(':');
  if ((colon || IsDigit(in.peek())) && !in.Number(2, 0, 59, minutes)) return false;
  offset = (hours * 3600 + minutes * 60) * (negative ? -1 : 1);
  return true;
}

bool ReadZoneName(Scanner& in) { return in.Take("UTC") || in.Take("GMT") || in.Take('Z'); }

}  // namespace

// What the steps of a pattern have found; -1: nothing.
struct TimeFormat::Parts {
  int64_t year = -1, month = -1, day = -1, day_of_year = -1;
  int64_t hour = 0, minute = 0, second = 0, nanos = 0;
  int64_t half = -1;  // 0: a.m., 1: p.m.
  int64_t epoch = INT64_MIN;
  int64_t offset = INT64_MIN;  // seconds
  size_t fraction_begin = 0, fraction_end = 0;

  bool has_date() const { return month > 0 || day > 0 || day_of_year > 0; }
  int64_t SecondOfDay() const {
    const int64_t h = half < 0 ? hour : hour % 12 + 12 * half;
    return h * 3600 + minute * 60 + second;
  }
  // Days since 1970; false when the year has no such day.
  bool DayIn(int64_t y, int64_t& days) const {
    if (day_of_year > 0) {
      days = DaysFromCivil(y, 1, 1) + day_of_year - 1;
      return day_of_year <= (IsLeapYear(y) ? 366 : 365);
    }
    const auto m = static_cast<uint32_t>(month < 0 ? 1 : month);
    const auto d = static_cast<uint32_t>(day < 0 ? 1 : day);
    days = DaysFromCivil(y, m, d);
    return d <= DaysInMonth(y, m);
  }

  bool Take(char conversion, Scanner& in) {
    int64_t ignored = 0;
    switch (conversion) {
      case 'Y':
        return in.Number(4, 0, 9999, year);
      case 'y':
        if (!in.Number(2, 0, 99, year)) return false;
        year += year < 69 ? 2000 : 1900;  // POSIX
        return true;
      case 'm':
        return in.Number(2, 1, 12, month);
      case 'd':
      case 'e':
        in.SkipSpace();
        return in.Number(2, 1, 31, day);
      case 'b':
      case 'B':
      case 'h':
        if (!in.Name(kMonths, month)) return false;
        ++month;
        return true;
      case 'j':
        return in.Number(3, 1, 366, day_of_year);
      case 'a':
      case 'A':
        return in.Name(kDays, ignored);
      default:
        return TakeTime(conversion, in);
    }
  }

  bool TakeTime(char conversion, Scanner& in) {
    switch (conversion) {
      case 'H':
      case 'k':
        in.SkipSpace();
        return in.Number(2, 0, 23, hour);
      case 'I':
      case 'l':
        in.SkipSpace();
        return in.Number(2, 1, 12, hour);
      case 'p':
        half = Lower(in.peek()) == 'p' ? 1 : 0;
        if (!in.Take('a') && !in.Take('A') && !in.Take('p') && !in.Take('P')) return false;
        return in.Take('m') || in.Take('M');
      case 'M':
        return in.Number(2, 0, 59, minute);
      case 'S':
        return in.Number(2, 0, 60, second);
      case '.':
        if (!in.Take('.') && !in.Take(',')) {
          fraction_begin = fraction_end = in.at();
          return true;
        }
        return TakeFraction(in);
      case 'f':
        return TakeFraction(in);
      default:
        return TakeOther(conversion, in);
    }
  }

  bool TakeOther(char conversion, Scanner& in) {
    switch (conversion) {
      case 'z':
        return ReadZone(in, offset);
      case 'Z':
        offset = 0;
        return ReadZoneName(in);
      case 's':
        return in.Number(11, 0, kSecondsMax, epoch);
      case 'n':
      case 't':
        in.SkipSpace();
        return true;
      default:
        return in.Take('%');
    }
  }

  bool TakeFraction(Scanner& in) {
    fraction_begin = in.at();
    const bool ok = in.Fraction(nanos);
    fraction_end = in.at();
    return ok;
  }
};

const std::vector<std::string_view>& TimeFormat::Names() {
  static const std::vector<std::string_view> names = {"rfc3339",  "epoch",    "epoch_ms",
                                                      "epoch_us", "epoch_ns", "epoch_auto"};
  return names;
}

Result<TimeFormat> TimeFormat::Parse(std::string_view format, TimeZone zone) {
  TimeFormat result;
  result.zone_ = std::move(zone);
  if (format == "rfc3339") {
    result.kind_ = Kind::kRfc3339;
    return result;
  }
  constexpr std::pair<std::string_view, int64_t> kEpochs[] = {{"epoch", 1'000'000'000},
                                                              {"epoch_ms", 1'000'000},
                                                              {"epoch_us", 1'000},
                                                              {"epoch_ns", 1},
                                                              {"epoch_auto", 0}};
  for (const auto& [name, unit] : kEpochs) {
    if (format != name) continue;
    result.kind_ = Kind::kEpoch;
    result.epoch_unit_ = unit;
    return result;
  }
  RETURN_IF_ERROR(result.Compile(format));
  RETURN_IF_ERROR(result.CheckFields(format));
  return result;
}

Status TimeFormat::Compile(std::string_view format) {
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      if (steps_.empty() || steps_.back().conversion != 0) steps_.push_back({0, ""});
      steps_.back().literal += format[i];
      continue;
    }
    ++i;
    if (format.substr(i).starts_with(".f")) {
      steps_.push_back({'.', ""});
      ++i;
      continue;
    }
    const char c = i < format.size() ? format[i] : '\0';
    if (const std::string_view expansion = Expansion(c); !expansion.empty()) {
      RETURN_IF_ERROR(Compile(expansion));
    } else if (c != '\0' && kConversions.find(c) != std::string_view::npos) {
      steps_.push_back({c, ""});
    } else {
      return InvalidArgumentError(
          fmt::format("time format \"{}\": unknown conversion \"%{}\" at {}", format,
                      c == '\0' ? "" : std::string(1, c), i - 1));
    }
  }
  return OkStatus();
}

Status TimeFormat::CheckFields(std::string_view format) {
  std::string seen;
  for (const Step& step : steps_) seen += step.conversion;
  const auto has = [&](std::string_view any) { return seen.find_first_of(any) != seen.npos; };
  has_year_ = has("Yys");
  if (!has("sHkIl")) {
    return InvalidArgumentError(fmt::format(
        "time format \"{}\" has neither an hour (%H) nor seconds since 1970 (%s)", format));
  }
  return OkStatus();
}

bool TimeFormat::Read(std::string_view text, UnixNanos reference, UnixNanos& time) {
  switch (kind_) {
    case Kind::kRfc3339: {
      const char* end = text.data() + text.size();
      return rfc3339_.Read(text.data(), end, time) == end;
    }
    case Kind::kEpoch:
      return ReadEpoch(text, epoch_unit_, time);
    case Kind::kPattern:
      break;
  }
  return ReadCached(text, time) || ReadPattern(text, reference, time);
}

bool TimeFormat::ReadCached(std::string_view text, UnixNanos& time) const {
  if (!cached_ || !text.starts_with(before_)) return false;
  std::string_view rest = text.substr(before_.size());
  int64_t nanos = 0;
  if (has_fraction_) {
    Scanner in(rest);
    if (!in.Fraction(nanos)) return false;
    rest.remove_prefix(in.at());
  }
  if (rest != behind_) return false;
  time = second_ + nanos;
  return true;
}

bool TimeFormat::ReadPattern(std::string_view text, UnixNanos reference, UnixNanos& time) {
  Parts parts;
  Scanner in(text);
  for (const Step& step : steps_) {
    if (step.conversion != 0) {
      if (!parts.Take(step.conversion, in)) return false;
      continue;
    }
    for (const char c : step.literal) {
      if (IsSpace(c)) {
        in.SkipSpace();
      } else if (!in.Take(c)) {
        return false;
      }
    }
  }
  if (!in.at_end() || !Resolve(parts, reference, time)) return false;
  cached_ = has_year_;  // else the answer depends on the reference
  has_fraction_ = parts.fraction_end > parts.fraction_begin;
  before_.assign(text.substr(0, has_fraction_ ? parts.fraction_begin : text.size()));
  behind_.assign(has_fraction_ ? text.substr(parts.fraction_end) : std::string_view());
  second_ = time - parts.nanos;
  return true;
}

bool TimeFormat::Resolve(const Parts& parts, UnixNanos reference, UnixNanos& time) const {
  if (parts.epoch != INT64_MIN) {
    time = parts.epoch * kNanosPerSecond + parts.nanos;
    return true;
  }
  int64_t seconds = 0;
  if (has_year_) {
    int64_t day = 0;
    if (!parts.DayIn(parts.year, day)) return false;
    seconds = ToUtc(parts, day);
  } else if (!ResolveNear(parts, reference / kNanosPerSecond, seconds)) {
    return false;
  }
  if (seconds > kSecondsMax || seconds < -kSecondsMax) return false;
  time = seconds * kNanosPerSecond + parts.nanos;
  return true;
}

int64_t TimeFormat::ToUtc(const Parts& parts, int64_t day) const {
  const int64_t local = day * kSecondsPerDay + parts.SecondOfDay();
  return parts.offset == INT64_MIN ? zone_.ToUtc(local) : local - parts.offset;
}

// The candidate nearest to `now`: of three years, or of three days when there is no date at all.
bool TimeFormat::ResolveNear(const Parts& parts, int64_t now, int64_t& seconds) const {
  const int64_t local_now = now + zone_.OffsetAt(now);
  const int64_t today = (local_now - (local_now < 0 ? kSecondsPerDay - 1 : 0)) / kSecondsPerDay;
  const int64_t year = CivilFromDays(today).year;
  bool found = false;
  for (int64_t step = -1; step <= 1; ++step) {
    int64_t day = today + step;
    if (parts.has_date() && !parts.DayIn(year + step, day)) continue;
    const int64_t candidate = ToUtc(parts, day);
    if (!found || std::llabs(candidate - now) < std::llabs(seconds - now)) seconds = candidate;
    found = true;
  }
  return found;
}

bool ReadEpoch(std::string_view text, int64_t unit, UnixNanos& time) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  constexpr size_t kDigitsMax = 19;
  int64_t whole = 0;
  size_t i = 0;
  for (; i < text.size() && IsDigit(text[i]); ++i) {
    if (i >= kDigitsMax - 1 && (i >= kDigitsMax || whole > (INT64_MAX - 9) / 10)) return false;
    whole = whole * 10 + (text[i] - '0');
  }
  if (i == 0) return false;
  if (unit == 0) {
    unit = kNanosPerSecond;
    for (int64_t bound = kAutoBound; unit > 1 && whole >= bound;) {
      unit /= 1000;
      if (unit > 1) bound *= 1000;
    }
  }
  if (whole > INT64_MAX / unit - 1) return false;
  int64_t nanos = whole * unit;
  if (i < text.size()) {
    if (text[i] != '.' || i + 1 == text.size()) return false;
    int64_t scale = unit;
    for (++i; i < text.size(); ++i) {
      if (!IsDigit(text[i])) return false;
      nanos += (text[i] - '0') * (scale /= 10);
    }
  }
  time = negative ? -nanos : nanos;
  return true;
}

}  // namespace kelp::codec
