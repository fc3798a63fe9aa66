// Names that rotation gives: which name a file may have had before.
#ifndef KELP_TAIL_ROTATED_NAME_H_
#define KELP_TAIL_ROTATED_NAME_H_

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

// Whether a file called `a` was rotated before one called `b`, both from the same name: of numbers
// ("app.log.2", "app.log.1") the higher is older, of dates the lower. A number and a date do not
// tell.
bool RotatedBefore(std::string_view a, std::string_view b);

}  // namespace kelp::tail

#endif  // KELP_TAIL_ROTATED_NAME_H_
