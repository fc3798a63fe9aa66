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

}  // namespace kelp::tail

#endif  // KELP_TAIL_ROTATED_NAME_H_
