// Limits of the query engine, each with its reason.
#ifndef KELP_QUERY_LIMITS_H_
#define KELP_QUERY_LIMITS_H_

#include <cstddef>
#include <cstdint>

namespace kelp::query {

// A query is typed by people or built by dashboards; longer text is a mistake or an attack.
inline constexpr size_t kQueryBytesMax = 16 << 10;
// Parentheses and NOTs inside one another; parsing and evaluation recurse this deep.
inline constexpr size_t kNestingMax = 64;
// Words, phrases, comparisons, ... in one query: each is looked up in each block.
inline constexpr size_t kTermsMax = 256;
// Regular expressions in one query: each compiles to machine code.
inline constexpr size_t kRegexesMax = 32;
// Backtracking steps of one regular expression on one value; enough for what people mean, and a
// hostile pattern gives up after about a millisecond. Rows given up on are counted and reported.
inline constexpr uint32_t kRegexStepsMax = 200'000;
// Machine stack of a compiled regular expression, for the same reason.
inline constexpr size_t kRegexStackBytesMax = 256 << 10;
// Rows of one answer.
inline constexpr uint32_t kRowsPerSearchMax = 10'000;
// Buckets of one histogram.
inline constexpr uint32_t kBucketsMax = 10'000;
// Expensive loops look at clock and cancellation after so many rows.
inline constexpr uint32_t kRowsPerCheck = 64;

}  // namespace kelp::query

#endif  // KELP_QUERY_LIMITS_H_
