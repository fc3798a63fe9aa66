#include "tail/rotated_name.h"

#include <algorithm>

namespace kelp::tail {
namespace {

// Longer numbers are dates and times.
constexpr size_t kCountDigitsMax = 3;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsSeparator(char c) { return c == '.' || c == '-' || c == '_'; }
// What numbers, dates and times are written with.
bool IsStamp(char c) { return IsDigit(c) || IsSeparator(c) || c == ':' || c == 'T' || c == 'Z'; }

// Of numbers with so many digits: "20261121", "2026-11-21.0", a time in seconds; not "db-2026.1".
bool IsDate(const std::vector<size_t>& digits) {
  if (digits.size() == 1) return digits[0] > kCountDigitsMax;
  for (size_t i = 0; i < digits.size(); ++i) {
    const bool month = i + 1 < digits.size() && digits[i + 1] == 2;
    if (digits[i] >= 6 || (digits[i] == 4 && month)) return true;
  }
  return false;
}

}  // namespace

std::vector<std::string> BasesOfRotated(std::string_view name) {
  std::vector<std::string> bases;
  for (const std::string_view word : {".old", ".bak", ".prev"}) {
    if (name.size() > word.size() && name.substr(name.size() - word.size()) == word) {
      bases.emplace_back(name.substr(0, name.size() - word.size()));
    }
  }
  for (size_t at = 1; at + 1 < name.size(); ++at) {
    if (!IsSeparator(name[at]) || !IsDigit(name[at + 1])) continue;
    size_t end = at + 1;
    while (end < name.size() && IsStamp(name[end])) ++end;
    if (end == name.size()) {
      bases.emplace_back(name.substr(0, at));
      continue;
    }
    // A suffix may follow: ".log" of "app-1.log". Its dot was taken for a part of the stamp.
    if (name[end - 1] != '.' || name.find_first_of(".-_", end) != std::string_view::npos) continue;
    const std::string_view suffix = name.substr(end - 1);
    if (suffix == ".gz" || suffix == ".zst" || suffix == ".bz2" || suffix == ".xz" ||
        suffix == ".lz4" || suffix == ".zip" || suffix == ".tmp") {
      continue;
    }
    bases.push_back(std::string(name.substr(0, at)) + std::string(suffix));
  }
  return bases;
}

std::string_view WithoutPacking(std::string_view name) {
  for (const std::string_view suffix : kPackedSuffixes) {
    if (name.size() > suffix.size() && name.substr(name.size() - suffix.size()) == suffix) {
      name.remove_suffix(suffix.size());
      return name;
    }
  }
  return name;
}

RotationStamp StampOf(std::string_view name) {
  name = WithoutPacking(name);
  RotationStamp stamp;
  size_t end = name.size();
  while (end > 0 && !IsDigit(name[end - 1])) --end;
  size_t from = end;
  while (from > 0 && IsStamp(name[from - 1])) --from;
  std::vector<size_t> digits;
  for (size_t at = from; at < end; ++at) {
    if (!IsDigit(name[at])) continue;
    if (at == from || !IsDigit(name[at - 1])) {
      stamp.numbers.push_back(0);
      digits.push_back(0);
    }
    uint64_t& number = stamp.numbers.back();
    const auto digit = static_cast<uint64_t>(name[at] - '0');
    number = number > (UINT64_MAX - digit) / 10 ? UINT64_MAX : number * 10 + digit;
    ++digits.back();
  }
  stamp.is_date = IsDate(digits);
  return stamp;
}

bool RotationStamp::operator<(const RotationStamp& other) const {
  if (is_date != other.is_date) return is_date;
  return is_date ? numbers < other.numbers : other.numbers < numbers;
}

bool RotatedBefore(std::string_view a, std::string_view b) {
  const RotationStamp left = StampOf(a);
  const RotationStamp right = StampOf(b);
  return left.is_date == right.is_date && left < right;
}

}  // namespace kelp::tail
