// FindPatterns: groups the bodies of matching rows by what they have in common.
//
//   PatternsRequest request{.from = a, .to = b, .compare_from = c, .compare_to = d};
//   ASSIGN_OR_RETURN(PatternsResult found, FindPatterns(*snapshot, *query, request));
//   PrintPatternsJson(found, json);
//
// Lines are masked (line_mask.h) and counted by what is left. Then templates of one length that
// begin with the same word and differ in few tokens become one, with <*> where they differ.
//
// Place:    the "patterns" view of the search page: what is there, what is new, what is gone.
// Threads:  as Search: on the caller's thread and those of Limits::pool; the answer does not depend
//           on how many.
// Limits:   Limits; kMasksMax templates per shard before joining, what comes new after that is in
//           `others`; kPatternsMax patterns of an answer.
// Errors:   as CountOverTime.
// Format:   docs/formats/query.md, "Patterns"
// Tests:    statistics_test.cc, patterns_fuzz.cc
#ifndef KELP_QUERY_PATTERNS_H_
#define KELP_QUERY_PATTERNS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "query/query.h"

namespace kelp::query {

// Each is a line of memory and joins cost their number times that of the patterns of one length.
inline constexpr size_t kMasksMax = 8192;
inline constexpr uint32_t kPatternsMax = 1000;
// Rows shown of each pattern.
inline constexpr size_t kPatternSamples = 3;

struct PatternsRequest {
  UnixNanos from = INT64_MIN + 1;
  UnixNanos to = INT64_MAX;
  // The span to compare with; from == to: none.
  UnixNanos compare_from = 0;
  UnixNanos compare_to = 0;
  uint64_t rows = 200'000;  // the newest so many of each span, rounded up to groups of blocks
  uint32_t limit = 100;
  Limits limits;
  bool explain = false;
};

struct Pattern {
  std::string text;
  uint64_t count = 0;     // in the span
  uint64_t compared = 0;  // in the span to compare with
  // Share of its span's rows over that of the other; 1: as ever. 0 and infinity are said by the
  // counts.
  double change = 1;
  std::vector<std::string> samples;  // bodies
};

struct PatternsResult {
  uint64_t rows = 0;              // that were looked at in the span
  uint64_t compared = 0;          // in the span to compare with
  bool compares = false;          // there is a span to compare with
  uint64_t others = 0;            // of `rows`, in no pattern of the answer
  bool complete = false;          // no older row matches
  std::vector<Pattern> patterns;  // most frequent first; those that are gone at the end
  std::string partial;
  Stats stats;
  Explain explain;  // of the first span
};

Result<PatternsResult> FindPatterns(const store::Snapshot& snapshot, const Query& query,
                                    const PatternsRequest& request);

// {"rows","compared":N|null,"others","sampled","patterns":[{"template","rows","share","before":N|null,
// "change":X|null,"query":"…"|null,"example":"…"|null}]}. Appends.
void PrintPatternsJson(const PatternsResult& result, std::string& out);

}  // namespace kelp::query

#endif  // KELP_QUERY_PATTERNS_H_
