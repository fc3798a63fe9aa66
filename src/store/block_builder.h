// BlockBuilder: turns rows into one encoded block.
//
// Adding a row only notes where its values are; Finish looks at each column as a whole, decides its
// form, and writes the frames and the token filter.
//
// Place:    the flush feeds it hot batches, the merge small blocks; SegmentWriter takes the result.
// Owns:     nothing of the rows: what was added must live until Finish returned.
// Threads:  confined to one.
// Limits:   kRowsMax rows; kRawBytesMax of values unless one row is larger; kColumnsMax columns,
//           kResourcesMax resources and origins. Add() takes what fits.
// Format:   docs/formats/segment.md, "Blocks"
// Tests:    segment_test.cc
#ifndef KELP_STORE_BLOCK_BUILDER_H_
#define KELP_STORE_BLOCK_BUILDER_H_

#include <deque>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "batch/batch.h"
#include "store/block_entry.h"
#include "store/segment.h"
#include "store/token_filter.h"

namespace kelp::store {

// A finished block. Texts of `entry` point into the rows it was made of; of those, decoded ones are
// kept in `sources`.
struct EncodedBlock {
  BlockEntry entry;
  std::string data;
  std::string filter;
  std::vector<std::unique_ptr<BlockReader>> sources;
};

class BlockBuilder {
 public:
  static constexpr uint32_t kRowsMax = 64 << 10;
  static constexpr uint64_t kRawBytesMax = 1 << 20;
  // Each column costs frames and index; a block with more is cut.
  static constexpr size_t kColumnsMax = 1024;
  // Rows know origins by 16-bit numbers.
  static constexpr size_t kResourcesMax = 16'000;

  bool empty() const { return rows() == 0; }
  uint32_t rows() const { return static_cast<uint32_t>(times_.size()); }
  uint64_t raw_bytes() const { return raw_bytes_; }

  // Adds the first of these rows of a batch, as many as fit; gives how many. None only when the
  // block is not empty: finish it and try again.
  uint32_t Add(const Batch& batch, std::span<const uint32_t> batch_rows);
  // Adds a whole block or nothing (false: finish first). Errors: kDataLoss from decoding it.
  Result<bool> Add(const SegmentBlock& block);

  // The block of all rows added; the builder is empty again. REQUIRES: !empty().
  void Finish(EncodedBlock& out);

 private:
  struct StagedColumn {
    std::string_view name;
    std::vector<Value> values;  // short of rows() when the last rows have none
  };

  StagedColumn* FindColumn(std::string_view name);
  bool HasRoomFor(size_t columns, size_t resources, size_t tags) const;
  uint32_t RowsThatFit(const Batch& batch, std::span<const uint32_t> batch_rows);
  uint32_t ResourceNumber(const TagViews& tags);
  uint32_t OriginNumber(const OriginId& origin);
  void AddRun(uint32_t resource, uint32_t origin, uint32_t rows, uint64_t offset);
  void EncodePositions(EncodedBlock& out);
  void EncodeRuns(std::string& out);
  void EncodeOffsets(std::string& out);
  void EncodeColumn(StagedColumn& column, EncodedBlock& out);
  bool EncodeDictionary(const StagedColumn& column, ColumnEntry& entry, std::string& data);
  void EncodePlain(const StagedColumn& column, ColumnEntry& entry, std::string& data);
  void Clear();

  std::vector<UnixNanos> times_;
  std::vector<uint64_t> begins_;
  std::deque<StagedColumn> columns_;  // body first
  size_t columns_used_ = 0;
  std::unordered_map<std::string_view, size_t> column_numbers_;
  size_t last_column_ = 0;
  std::vector<TagViews> resources_;
  std::unordered_map<std::string, uint32_t> resource_numbers_;  // by their texts
  std::unordered_map<OriginId, uint32_t> origin_numbers_;
  BlockRuns runs_;
  size_t tags_ = 0;  // of all resources
  uint64_t raw_bytes_ = 0;
  std::vector<std::unique_ptr<BlockReader>> readers_;  // hold what was decoded until Finish
  TokenSet tokens_;
  std::vector<uint64_t> numbers_;  // scratch
  std::string text_;               // scratch
};

}  // namespace kelp::store

#endif  // KELP_STORE_BLOCK_BUILDER_H_
