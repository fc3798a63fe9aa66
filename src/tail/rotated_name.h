// Names that rotation gives: which name a file may have had before.
#ifndef KELP_TAIL_ROTATED_NAME_H_
#define KELP_TAIL_ROTATED_NAME_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kelp::tail {

// For "app.log.1", "app.log-20261121", "0.log.20261121-001230": "app.log", "app.log", "0.log". For
// "app-2026-11-21.0.log", where the number stands before the suffix: "app.log". All that are
// possible; none for names that rotation does not give, compressed ones among them.
//
// Tests: rotated_name_test.cc
std::vector<std::string> BasesOfRotated(std::string_view name);

// What is appended to the names of compressed files that can be read.
inline constexpr std::string_view kPackedSuffixes[] = {".gz", ".zst"};

// The name without one of them.
std::string_view WithoutPacking(std::string_view name);

// The number or date that rotation gave: the last digits of a name, with what separates them. Of
// numbers ("app.log.2", "app.log.1") the higher is older, of dates ("app-2026-11-21.0.log") the
// lower, and then the lower number.
struct RotationStamp {
  bool is_date = false;
  std::vector<uint64_t> numbers;
  // For names that came from the same one. Dates go before numbers, which says nothing.
  bool operator<(const RotationStamp& other) const;
};
RotationStamp StampOf(std::string_view name);

// Whether a file called `a` was rotated before one called `b`, both from the same name. A number
// and a date do not tell.
bool RotatedBefore(std::string_view a, std::string_view b);

}  // namespace kelp::tail

#endif  // KELP_TAIL_ROTATED_NAME_H_
