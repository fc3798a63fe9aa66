// JoinMasks: makes few patterns of many masked lines.
//
// Each mask joins the first pattern of its number of tokens and first word with which it shares
// most tokens; where they differ the pattern gets <*>. The most frequent masks come first, so that
// patterns grow around what is common, and the result depends on the counts alone.
//
// Threads: a pure function. Tests: statistics_test.cc
#ifndef KELP_QUERY_PATTERN_JOIN_H_
#define KELP_QUERY_PATTERN_JOIN_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace kelp::query {

struct MaskCount {
  std::string mask;
  std::array<uint64_t, 2> counts{};  // of the span, of the one to compare with
  std::vector<std::string> samples;
};

// Most frequent first.
std::vector<MaskCount> JoinMasks(std::vector<MaskCount> masks);

}  // namespace kelp::query

#endif  // KELP_QUERY_PATTERN_JOIN_H_
