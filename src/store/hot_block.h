// HotBlock: committed batches, searchable before they are in a segment.
//
// The rows stay where the request's decoder put them. A block is a list of parts; making one block
// of two joins the lists and copies no row, which keeps the number of blocks small under many tiny
// appends.
//
// Place:    the commit thread makes them; snapshots share them; the flush turns them into segments.
// Owns:     its parts, shared with the blocks it was joined from.
// Threads:  immutable but for the token filter, which the first search makes for all.
// Limits:   kRowsMax rows, kPartsMax parts.
// Tests:    hot_block_test.cc
#ifndef KELP_STORE_HOT_BLOCK_H_
#define KELP_STORE_HOT_BLOCK_H_

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "store/snapshot.h"

namespace kelp::store {

// One batch of the hot tail, its duplicates deselected. Immutable.
struct HotPart {
  explicit HotPart(BatchPtr b, uint64_t sequence_of_commit);

  BatchPtr batch;
  uint64_t sequence;     // of its frame in the write-ahead log
  uint32_t rows;         // selected
  uint64_t value_bytes;  // of body and fields
  UnixNanos time_min;
  UnixNanos time_max;
  size_t memory;  // what it costs to hold, about
};

using HotPartPtr = std::shared_ptr<const HotPart>;

class HotBlock final : public Block {
 public:
  static constexpr uint32_t kRowsMax = 64 << 10;
  // Parts are told apart by 16-bit ids.
  static constexpr size_t kPartsMax = 60000;

  // REQUIRES: parts is not empty, each has rows, within the limits.
  explicit HotBlock(std::vector<HotPartPtr> parts);
  // The rows of `a`, then those of `b`.
  static std::shared_ptr<const HotBlock> Join(const HotBlock& a, const HotBlock& b);
  static bool CanJoin(const HotBlock& a, const HotBlock& b, uint32_t rows_max);

  std::span<const HotPartPtr> parts() const { return parts_; }

  uint32_t rows() const override { return rows_; }
  UnixNanos time_min() const override { return time_min_; }
  UnixNanos time_max() const override { return time_max_; }
  uint64_t raw_bytes() const override { return raw_bytes_; }
  std::span<const ColumnInfo> columns() const override { return columns_; }
  bool MayContainTokens(int column, std::span<const uint64_t> hashes) const override;
  bool MayEqual(int column, std::string_view value) const override;
  bool MayHold(int column, const std::function<bool(const Value&)>& matches) const override;

 private:
  // Where the values of one block column come from in one part.
  struct Source {
    uint32_t part;
    uint32_t index;  // batch column, or position of the tag in the resource
  };
  struct ColumnSources {
    std::vector<Source> sources;  // by part; parts without the column are left out
  };

  Status DecodeTimes(std::vector<UnixNanos>& times) const override;
  Status DecodeColumn(int column, DecodedColumn& out) const override;
  Status DecodeOrigins(DecodedOrigins& out) const override;
  void AddColumns();
  void DescribeColumn(size_t column);
  Value TagOf(const Source& source) const;
  void DecodeTags(size_t column, DecodedColumn& out) const;
  void DecodeValues(size_t column, DecodedColumn& out) const;
  void BuildFilter() const;

  std::vector<HotPartPtr> parts_;
  uint32_t rows_ = 0;
  UnixNanos time_min_;
  UnixNanos time_max_;
  uint64_t raw_bytes_ = 0;
  std::vector<ColumnInfo> columns_;
  std::vector<ColumnSources> sources_;  // as columns_
  // Made by the first search for words, not by the commit: most blocks are joined into another one
  // before anybody looks.
  mutable std::once_flag filter_once_;
  mutable std::string filter_;
};

}  // namespace kelp::store

#endif  // KELP_STORE_HOT_BLOCK_H_
