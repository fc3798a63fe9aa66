// MaskLine: a log line with what varies from line to line replaced by marks.
//
//   "GET /api/users/42 took 15ms from 10.0.0.7"  →  "GET /api/users/<num> took <num>ms from <ip>"
//
// Marks: <time> dates and times of day, <ip> addresses with or without port, <id> UUIDs, long
// hexadecimal numbers and mixtures of letters and digits that no person chose, <num> numbers, <str>
// quoted text.
//
// Threads: a pure function.
// Limits:  the first kMaskedBytesMax bytes and kMaskedTokensMax tokens of a line count.
// Tests:   statistics_test.cc, patterns_fuzz.cc
#ifndef KELP_QUERY_LINE_MASK_H_
#define KELP_QUERY_LINE_MASK_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace kelp::query {

// Templates differ at their beginnings; stack traces and dumps need not be read to their ends.
inline constexpr size_t kMaskedBytesMax = 512;
inline constexpr size_t kMaskedTokensMax = 64;

// Appends the masked line. Tokens are divided by single spaces.
void MaskLine(std::string_view line, std::string& out);

}  // namespace kelp::query

#endif  // KELP_QUERY_LINE_MASK_H_
