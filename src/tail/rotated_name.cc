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

bool RotatedBefore(std::string_view a, std::string_view b) {
  const size_t same =
      static_cast<size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
  // The digits around the first difference.
  const auto number = [same](std::string_view name) {
    size_t from = same;
    size_t to = same;
    while (from > 0 && IsDigit(name[from - 1])) --from;
    while (to < name.size() && IsDigit(name[to])) ++to;
    return name.substr(from, to - from);
  };
  const std::string_view left = number(a);
  const std::string_view right = number(b);
  const bool left_date = left.size() > kCountDigitsMax;
  const bool right_date = right.size() > kCountDigitsMax;
  if (left_date != right_date) return false;
  if (left_date) return a < b;
  return left.size() != right.size() ? left.size() > right.size() : left > right;
}

}  // namespace kelp::tail
