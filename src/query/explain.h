// Explain: what a query did, block by block and stage by stage.
//
// Place:    every SearchResult and HistogramResult has one, filled when the request asks for it;
//           the server embeds PrintExplainJson in its answer.
// Threads:  values.
// Format:   docs/formats/query.md, "Explain"
// Tests:    explain_test.cc
#ifndef KELP_QUERY_EXPLAIN_H_
#define KELP_QUERY_EXPLAIN_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/units.h"

namespace kelp::query {

// What became of a block.
enum class BlockFate : uint8_t {
  kNotReached,  // the query had enough rows, or was stopped, before its turn
  kTime,        // outside the span of time
  kWords,       // the token filter: a word is not in it
  kValues,      // tags, constant columns and dictionaries: no value fits
  kNoField,     // no column of the name that was asked for
  kWhole,       // all rows match, by what is known without decoding
  kScanned,     // columns were decoded and looked at
};
inline constexpr size_t kBlockFates = 7;

// Where the processor time went.
enum class Stage : uint8_t {
  kFilter,  // asking filters, tags and dictionaries
  kTimes,   // times: span and buckets
  kDecode,  // decompressing columns
  kMatch,   // comparing values
  kRows,    // making rows of the answer, or counts of the statistics
};
inline constexpr size_t kStages = 5;

struct Explain {
  bool filled = false;
  std::string plan;  // the query as it was understood
  uint64_t blocks = 0;
  uint64_t hot_blocks = 0;  // of the hot tail, among `blocks`
  uint64_t segments = 0;
  uint64_t segments_decoded = 0;  // of which at least one block was decoded
  struct Part {
    uint64_t blocks = 0;
    uint64_t rows = 0;
  };
  std::array<Part, kBlockFates> fates{};  // by BlockFate
  uint64_t rows_matched = 0;              // in the blocks looked at
  uint64_t bytes_decoded = 0;
  std::array<Duration, kStages> cpu{};  // by Stage, all threads together
  size_t threads = 1;
  struct TermPart {
    std::string term;
    uint64_t ruled_out = 0;  // blocks in which nothing can answer it
    uint64_t settled = 0;    // blocks in which every row answers it
  };
  std::vector<TermPart> terms;

  const Part& fate(BlockFate f) const { return fates[static_cast<size_t>(f)]; }
};

// An object with one key for each member above. Appends.
void PrintExplainJson(const Explain& explain, std::string& out);

}  // namespace kelp::query

#endif  // KELP_QUERY_EXPLAIN_H_
