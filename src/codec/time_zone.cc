#include "codec/time_zone.h"

#include <algorithm>
#include <cstddef>
#include <string>

namespace kelp::codec {
namespace {

constexpr size_t kHeaderBytes = 44;
constexpr size_t kTypeBytes = 6;
constexpr uint64_t kTransitionsMax = 100'000;
constexpr int32_t kOffsetMax = 26 * 3600;  // RFC 8536, section 3.2

int64_t BigEndian(const char* p, size_t bytes) {
  uint64_t value = 0;
  for (size_t i = 0; i < bytes; ++i) value = value << 8 | static_cast<unsigned char>(p[i]);
  if (bytes == 4) return static_cast<int32_t>(static_cast<uint32_t>(value));
  return static_cast<int64_t>(value);
}

// The six counts of a TZif header, and the sizes that follow from them.
struct Header {
  uint64_t utc_indicators, wall_indicators, leaps, transitions, types, letters;

  explicit Header(const char* p)
      : utc_indicators(Count(p, 0)),
        wall_indicators(Count(p, 1)),
        leaps(Count(p, 2)),
        transitions(Count(p, 3)),
        types(Count(p, 4)),
        letters(Count(p, 5)) {}
  uint64_t DataBytes(uint64_t time_bytes) const {
    return transitions * (time_bytes + 1) + types * kTypeBytes + letters +
           leaps * (time_bytes + 4) + wall_indicators + utc_indicators;
  }
  static uint64_t Count(const char* p, size_t i) {
    return static_cast<uint32_t>(BigEndian(p + 20 + 4 * i, 4));
  }
};

bool Digits(std::string_view text, size_t at, int32_t& value) {
  if (text.size() < at + 2) return false;
  const char a = text[at], b = text[at + 1];
  if (a < '0' || a > '9' || b < '0' || b > '9') return false;
  value = (a - '0') * 10 + (b - '0');
  return true;
}

}  // namespace

std::optional<TimeZone> TimeZone::FromName(std::string_view name) {
  if (name == "UTC" || name == "Z" || name == "GMT") return TimeZone();
  if (name.size() < 3 || (name[0] != '+' && name[0] != '-')) return std::nullopt;
  int32_t hours = 0, minutes = 0;
  if (!Digits(name, 1, hours)) return std::nullopt;
  const size_t colon = name.size() > 3 && name[3] == ':' ? 1 : 0;
  if (name.size() > 3) {
    if (!Digits(name, 3 + colon, minutes) || name.size() != 5 + colon) return std::nullopt;
  }
  if (hours > 23 || minutes > 59) return std::nullopt;
  return TimeZone((hours * 3600 + minutes * 60) * (name[0] == '-' ? -1 : 1));
}

Result<TimeZone> TimeZone::FromTzif(std::string_view bytes) {
  const auto bad = [] { return InvalidArgumentError("not a valid TZif file"); };
  if (bytes.size() < kHeaderBytes || !bytes.starts_with("TZif")) return bad();
  size_t time_bytes = 4;
  if (bytes[4] >= '2') {  // the same again with 64-bit times
    const uint64_t first = kHeaderBytes + Header(bytes.data()).DataBytes(4);
    if (first + kHeaderBytes > bytes.size()) return bad();
    bytes.remove_prefix(first);
    time_bytes = 8;
    if (!bytes.starts_with("TZif")) return bad();
  }
  const Header header(bytes.data());
  if (header.types == 0 || header.transitions > kTransitionsMax ||
      kHeaderBytes + header.DataBytes(time_bytes) > bytes.size()) {
    return bad();
  }
  const char* times = bytes.data() + kHeaderBytes;
  const char* indices = times + header.transitions * time_bytes;
  const char* types = indices + header.transitions;
  TimeZone zone(static_cast<int32_t>(BigEndian(types, 4)));
  for (uint64_t i = 0; i < header.transitions; ++i) {
    const auto type = static_cast<unsigned char>(indices[i]);
    if (type >= header.types) return bad();
    const auto offset = static_cast<int32_t>(BigEndian(types + type * kTypeBytes, 4));
    const int64_t at = BigEndian(times + i * time_bytes, time_bytes);
    if (!zone.transitions_.empty() && at <= zone.transitions_.back().at) return bad();
    zone.transitions_.push_back({at, offset});
  }
  for (const Transition& t : zone.transitions_) {
    if (t.offset > kOffsetMax || t.offset < -kOffsetMax) return bad();
  }
  return zone;
}

int32_t TimeZone::OffsetAt(int64_t utc) const {
  const auto after = std::upper_bound(transitions_.begin(), transitions_.end(), utc,
                                      [](int64_t at, const Transition& t) { return at < t.at; });
  return after == transitions_.begin() ? first_offset_ : std::prev(after)->offset;
}

int64_t TimeZone::ToUtc(int64_t local) const {
  if (transitions_.empty()) return local - first_offset_;
  // The offset in force a day before is right unless a change came since; then try the new one.
  constexpr int64_t kDay = 86'400;
  const int32_t before = OffsetAt(local - kDay);
  const int64_t first = local - before;
  if (OffsetAt(first) == before) return first;
  const int32_t after = OffsetAt(local + kDay);
  const int64_t second = local - after;
  return OffsetAt(second) == after ? second : first;
}

}  // namespace kelp::codec
