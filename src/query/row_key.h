// RowKey: where a row stands in the order of answers; Cursor: where the next page begins.
//
// Rows come newest first; equal times by origin, then offset, then a hash of the whole content, all
// descending. Nothing of that depends on blocks, so merging or new data between two pages makes the
// second page neither repeat nor skip a row. Rows whose keys are equal to the last bit are equal to
// the reader too; a cursor says how many of them were delivered.
//
// Format:  cursor text, docs/formats/query.md ("cursor")
// Threads: values.
// Tests:   row_key_test.cc, search_test.cc
#ifndef KELP_QUERY_ROW_KEY_H_
#define KELP_QUERY_ROW_KEY_H_

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/status.h"
#include "base/units.h"

namespace kelp::query {

// Smaller keys come later.
struct RowKey {
  UnixNanos time = 0;
  OriginId origin;
  uint64_t offset = 0;
  uint64_t hash = 0;  // of the content; 0 as long as nothing else ties
  constexpr auto operator<=>(const RowKey&) const = default;

  // The order without the hash.
  static std::strong_ordering CompareCheap(const RowKey& a, const RowKey& b) {
    if (const auto order = a.time <=> b.time; order != 0) return order;
    if (const auto order = a.origin <=> b.origin; order != 0) return order;
    return a.offset <=> b.offset;
  }
};

struct Cursor {
  RowKey last;             // of the last row delivered
  uint64_t delivered = 0;  // how many rows of exactly this key were delivered

  // Before every row of `time` and older.
  static Cursor BeforeTime(UnixNanos time);
  std::string ToString() const;
  // Errors: kInvalidArgument.
  static Result<Cursor> Parse(std::string_view text);
};

}  // namespace kelp::query

#endif  // KELP_QUERY_ROW_KEY_H_
