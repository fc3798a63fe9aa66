#include "codec/rfc3339.h"

#include "codec/civil.h"

namespace kelp::codec {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// The `count` digits at `p` as a number, or -1.
int32_t Number(const char* p, int count) {
  int32_t value = 0;
  for (int i = 0; i < count; ++i) {
    if (!IsDigit(p[i])) return -1;
    value = value * 10 + (p[i] - '0');
  }
  return value;
}

// The 19 bytes of date and time as seconds, false when they are none.
bool ReadSecond(const char* p, int64_t& seconds) {
  if (p[4] != '-' || p[7] != '-' || p[13] != ':' || p[16] != ':') return false;
  if (p[10] != 'T' && p[10] != ' ' && p[10] != 't') return false;
  const int32_t year = Number(p, 4), month = Number(p + 5, 2), day = Number(p + 8, 2);
  const int32_t hour = Number(p + 11, 2), minute = Number(p + 14, 2), second = Number(p + 17, 2);
  if (year < 0 || month < 1 || month > 12 || day < 1 || hour < 0 || hour > 23 || minute < 0 ||
      minute > 59 || second < 0 || second > 60) {
    return false;
  }
  const auto m = static_cast<uint32_t>(month), d = static_cast<uint32_t>(day);
  if (d > DaysInMonth(year, m)) return false;
  seconds = DaysFromCivil(year, m, d) * kSecondsPerDay + hour * 3600 + minute * 60 + second;
  // A day less, so that no offset leads out of the range.
  return seconds < kSecondsMax - kSecondsPerDay && seconds > kSecondsPerDay - kSecondsMax;
}

// Up to nine digits behind a '.', or nullptr.
const char* ReadFraction(const char* p, const char* end, int64_t& nanos) {
  int64_t scale = kNanosPerSecond;
  const char* begin = p;
  while (p < end && IsDigit(*p) && scale > 1) {
    scale /= 10;
    nanos += (*p++ - '0') * scale;
  }
  return p == begin || (p < end && IsDigit(*p)) ? nullptr : p;
}

// 'Z' or +hh:mm, the colon optional, or nullptr.
const char* ReadZone(const char* p, const char* end, int64_t& offset) {
  if (p < end && (*p == 'Z' || *p == 'z')) return p + 1;
  if (end - p < 5 || (*p != '+' && *p != '-')) return nullptr;
  const bool colon = p[3] == ':';
  if (colon && end - p < 6) return nullptr;
  const int32_t hours = Number(p + 1, 2), minutes = Number(p + (colon ? 4 : 3), 2);
  if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59) return nullptr;
  offset = (hours * 3600 + minutes * 60) * kNanosPerSecond * (*p == '-' ? -1 : 1);
  return p + (colon ? 6 : 5);
}

}  // namespace

const char* Rfc3339Reader::ReadSlowly(const char* p, const char* end, UnixNanos& time) {
  int64_t seconds = 0, nanos = 0, offset = 0;
  if (end - p < kSecondBytes || !ReadSecond(p, seconds)) return nullptr;
  const char* q = p + kSecondBytes;
  if (q < end && *q == '.') {
    q = ReadFraction(q + 1, end, nanos);
    if (q == nullptr) return nullptr;
  }
  const char* zone = q;
  q = ReadZone(q, end, offset);
  if (q == nullptr) return nullptr;
  std::memcpy(prefix_, p, kSecondBytes);
  second_ = seconds * kNanosPerSecond;
  if (q - zone == kZoneBytes) {
    std::memcpy(zone_, zone, kZoneBytes);
    zone_offset_ = offset;
  }
  time = second_ + nanos - offset;
  return q;
}

}  // namespace kelp::codec
