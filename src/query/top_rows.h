// TopRows: the newest matching rows so far, while a search goes through blocks.
//
// Place:   Search makes one a call and adds the matching rows of each block.
// Threads: confined to one thread.
// Limits:  keeps `count` rows; the matching rows of one block on top of that while it is added.
// Tests:   search_test.cc, search_property_test.cc
#ifndef KELP_QUERY_TOP_ROWS_H_
#define KELP_QUERY_TOP_ROWS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/status.h"
#include "query/bitmap.h"
#include "query/query.h"
#include "query/row_key.h"
#include "store/snapshot.h"

namespace kelp::query {

// A row that may be in the answer.
struct Candidate {
  RowKey key;
  bool hashed = false;  // key.hash is set
  uint32_t block = 0;   // index in the snapshot
  uint32_t row = 0;
  std::unique_ptr<Row> made;  // when it was made while its block was at hand
};

class TopRows {
 public:
  TopRows(const store::Snapshot& snapshot, size_t count, std::optional<Cursor> cursor)
      : snapshot_(snapshot), blocks_(snapshot.blocks()), count_(count), cursor_(cursor) {}

  bool full() const { return rows_.size() >= count_; }
  // Older rows than this cannot come in any more. REQUIRES: full().
  UnixNanos oldest() const { return rows_.back().key.time; }

  // Takes in the rows of a block that `reader` is open on. Errors: kDataLoss.
  Status AddBlock(uint32_t block, store::BlockReader& reader, const Bitmap& rows);
  // Newest first.
  std::vector<Candidate>& rows() { return rows_; }
  // The cursor after rows()[index], whose hash this completes.
  Result<Cursor> CursorAfter(size_t index);

 private:
  Status Collect(uint32_t block, store::BlockReader& reader, const Bitmap& rows);
  void CutFresh();
  Status HashTies(store::BlockReader& reader);
  Status HashKept(Candidate& candidate);
  // Of the logstore that the row is in, so that a row stored in two is two rows in a fixed order.
  uint64_t SourceHash(uint32_t block) const;
  void ApplyCursor();
  void Merge();

  const store::Snapshot& snapshot_;
  const std::span<const std::shared_ptr<const store::Block>> blocks_;
  const size_t count_;
  const std::optional<Cursor> cursor_;
  uint64_t skipped_ = 0;  // rows of exactly the cursor's key that were left out
  std::vector<Candidate> rows_;
  std::vector<Candidate> fresh_;    // of the block at hand
  store::BlockReader side_reader_;  // for the rare tie with a row of an earlier block
};

}  // namespace kelp::query

#endif  // KELP_QUERY_TOP_ROWS_H_
