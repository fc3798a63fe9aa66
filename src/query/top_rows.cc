#include "query/top_rows.h"

#include <xxhash.h>

#include <algorithm>
#include <iterator>

#include "query/row_reader.h"

namespace kelp::query {
namespace {

bool NewerCheap(const Candidate& a, const Candidate& b) {
  return RowKey::CompareCheap(a.key, b.key) > 0;
}
bool Newer(const Candidate& a, const Candidate& b) { return a.key > b.key; }
bool TiesCheap(const Candidate& a, const Candidate& b) {
  return RowKey::CompareCheap(a.key, b.key) == 0;
}

}  // namespace

Status TopRows::AddBlock(uint32_t block, store::BlockReader& reader, const Bitmap& rows) {
  fresh_.clear();
  RETURN_IF_ERROR(Collect(block, reader, rows));
  CutFresh();
  std::sort(fresh_.begin(), fresh_.end(), NewerCheap);
  RETURN_IF_ERROR(HashTies(reader));
  std::sort(fresh_.begin(), fresh_.end(), Newer);
  ApplyCursor();
  Merge();
  return OkStatus();
}

// Candidates are what the cheap part of the key does not rule out.
Status TopRows::Collect(uint32_t block, store::BlockReader& reader, const Bitmap& rows) {
  ASSIGN_OR_RETURN(const std::span<const UnixNanos> times, reader.Times());
  ASSIGN_OR_RETURN(const store::OriginColumn* origins, reader.Origins());
  rows.ForEach([&](uint32_t row) {
    if (full() && times[row] < oldest()) return;
    if (cursor_ && times[row] > cursor_->last.time) return;
    Candidate candidate;
    candidate.key.time = times[row];
    candidate.key.origin = origins->ids[origins->rows.empty() ? 0 : origins->rows[row]];
    candidate.key.offset = origins->offsets[row];
    candidate.block = block;
    candidate.row = row;
    if (full() && NewerCheap(rows_.back(), candidate)) return;
    if (cursor_ && RowKey::CompareCheap(candidate.key, cursor_->last) > 0) return;
    fresh_.push_back(std::move(candidate));
  });
  return OkStatus();
}

// Leaves the newest count_ rows, and whatever ties with the last of them.
void TopRows::CutFresh() {
  // Rows of exactly the cursor's key may still go; with them in, a cut could leave too few.
  if (fresh_.size() <= count_) return;
  size_t at_cursor = 0;
  if (cursor_) {
    for (const Candidate& candidate : fresh_) {
      at_cursor += RowKey::CompareCheap(candidate.key, cursor_->last) == 0 ? 1 : 0;
    }
  }
  const size_t keep = count_ + at_cursor;
  if (fresh_.size() <= keep) return;
  const auto last = fresh_.begin() + static_cast<ptrdiff_t>(keep) - 1;
  std::nth_element(fresh_.begin(), last, fresh_.end(), NewerCheap);
  const RowKey boundary = last->key;
  const auto end = std::partition(last + 1, fresh_.end(), [&](const Candidate& candidate) {
    return RowKey::CompareCheap(candidate.key, boundary) == 0;
  });
  fresh_.erase(end, fresh_.end());
}

// Completes the keys that only a hash can tell apart. REQUIRES: fresh_ is sorted.
Status TopRows::HashTies(store::BlockReader& reader) {
  for (size_t i = 0; i < fresh_.size(); ++i) {
    Candidate& candidate = fresh_[i];
    bool ties = (i > 0 && TiesCheap(fresh_[i - 1], candidate)) ||
                (i + 1 < fresh_.size() && TiesCheap(fresh_[i + 1], candidate)) ||
                (cursor_ && RowKey::CompareCheap(candidate.key, cursor_->last) == 0);
    const auto kept = std::equal_range(rows_.begin(), rows_.end(), candidate, NewerCheap);
    for (auto it = kept.first; it != kept.second; ++it) {
      ties = true;
      RETURN_IF_ERROR(HashKept(*it));
    }
    if (!ties) continue;
    ASSIGN_OR_RETURN(candidate.key.hash, HashRow(*blocks_[candidate.block], reader, candidate.row));
    candidate.key.hash += SourceHash(candidate.block);
    candidate.hashed = true;
  }
  return OkStatus();
}

uint64_t TopRows::SourceHash(uint32_t block) const {
  const std::string_view source = snapshot_.SourceOf(block);
  return source.empty() ? 0 : XXH3_64bits(source.data(), source.size());
}

Status TopRows::HashKept(Candidate& candidate) {
  if (candidate.hashed) return OkStatus();
  candidate.hashed = true;
  if (candidate.made != nullptr) {
    candidate.key.hash = HashRow(*candidate.made) + SourceHash(candidate.block);
    return OkStatus();
  }
  const store::Block& block = *blocks_[candidate.block];
  side_reader_.Open(block);
  ASSIGN_OR_RETURN(candidate.key.hash, HashRow(block, side_reader_, candidate.row));
  candidate.key.hash += SourceHash(candidate.block);
  return OkStatus();
}

void TopRows::ApplyCursor() {
  if (!cursor_) return;
  std::erase_if(fresh_, [&](const Candidate& candidate) {
    if (candidate.key > cursor_->last) return true;
    if (candidate.key != cursor_->last || skipped_ == cursor_->delivered) return false;
    ++skipped_;
    return true;
  });
}

void TopRows::Merge() {
  const auto middle = static_cast<ptrdiff_t>(rows_.size());
  rows_.insert(rows_.end(), std::make_move_iterator(fresh_.begin()),
               std::make_move_iterator(fresh_.end()));
  std::inplace_merge(rows_.begin(), rows_.begin() + middle, rows_.end(), Newer);
  if (rows_.size() > count_) rows_.resize(count_);
}

Result<Cursor> TopRows::CursorAfter(size_t index) {
  Candidate& last = rows_[index];
  RETURN_IF_ERROR(HashKept(last));
  Cursor cursor{last.key, 0};
  if (cursor_ && cursor_->last == last.key) cursor.delivered = cursor_->delivered;
  for (size_t i = index + 1; i-- > 0 && rows_[i].key == last.key;) ++cursor.delivered;
  return cursor;
}

}  // namespace kelp::query
