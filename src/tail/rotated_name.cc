#include "tail/rotated_name.h"

namespace kelp::tail {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsSeparator(char c) { return c == '.' || c == '-' || c == '_'; }
// What numbers, dates and times are written with.
bool IsStamp(char c) { return IsDigit(c) || IsSeparator(c) || c == ':' || c == 'T' || c == 'Z'; }

}  // namespace

std::vector<std::string> BasesOfRotated(std::string_view name) {
  std::vector<std::string> bases;
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

}  // namespace kelp::tail
