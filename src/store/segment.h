// Segment: an immutable, checksummed columnar file of one logstore and day.
//
// Place:    the flush and the merge write them (SegmentWriter), snapshots share them.
// Owns:     the mapping of its file; blocks point into it. A file that was unlinked stays readable.
// Threads:  immutable; thread-safe.
// Blocking: page faults.
// Errors:   Open: kDataLoss naming file and place when it is truncated or a checksum of footer or
//           index is wrong, kUnimplemented for a newer version. Reading a block: kDataLoss. A token
//           filter whose checksum is wrong is counted, and its block is not skipped.
// Format:   docs/formats/segment.md
// Tests:    segment_test.cc, segment_fuzz.cc, store_model_test.cc
#ifndef KELP_STORE_SEGMENT_H_
#define KELP_STORE_SEGMENT_H_

#include <atomic>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/env.h"
#include "store/block_entry.h"
#include "store/snapshot.h"

namespace kelp::store {

class ByteReader;
class Segment;

// A block's values can be larger than 1 MiB when one row is; no request is larger than this.
inline constexpr uint64_t kBlockRawBytesMax = 1u << 30;
// Tags of all resources of a block, unless it has only one: a search looks through them.
inline constexpr uint64_t kBlockTagsMax = 1u << 20;

class SegmentBlock final : public Block {
 public:
  SegmentBlock(const Segment& segment, std::string_view entry, uint64_t data_at, uint64_t filter_at,
               const BlockEntry& summary);
  ~SegmentBlock() override;

  uint32_t rows() const override { return rows_; }
  UnixNanos time_min() const override { return time_min_; }
  UnixNanos time_max() const override { return time_max_; }
  uint64_t raw_bytes() const override { return raw_bytes_; }
  std::span<const ColumnInfo> columns() const override;
  bool MayContainTokens(int column, std::span<const uint64_t> hashes) const override;
  bool MayEqual(int column, std::string_view value) const override;
  bool MayHold(int column, const std::function<bool(const Value&)>& matches) const override;
  uint64_t segment() const override;

  const BlockEntry& entry() const;
  // All frames, one after the other; the token filter. As they are in the file.
  std::string_view data() const;
  std::string_view filter() const;
  Status DecodeRuns(BlockRuns& runs) const;
  // Verifies the checksums of frames and filter.
  Status VerifyChecksums() const;
  // Decodes everything as well.
  Status Verify() const;

 private:
  struct Details;

  Status DecodeTimes(std::vector<UnixNanos>& times) const override;
  Status DecodeColumn(int column, DecodedColumn& out) const override;
  Status DecodeOrigins(DecodedOrigins& out) const override;
  const Details& details() const;
  Result<std::string_view> Frame(const FrameRef& frame, std::string_view what) const;
  Status Corrupt(const FrameRef& frame, std::string_view what) const;
  Status DecodeResource(size_t tag, DecodedColumn& out) const;
  Status DecodePlain(const ColumnEntry& column, DecodedColumn& out) const;
  Status DecodeDictionary(const ColumnEntry& column, DecodedColumn& out) const;
  Status DecodeKinds(const ColumnEntry& column, DecodedColumn& out) const;
  bool FilterIsGood() const;

  const Segment& segment_;
  const std::string_view entry_;  // in the index; parsed when first needed
  const uint64_t data_at_;
  const uint64_t filter_at_;
  const uint64_t data_bytes_;
  const uint64_t raw_bytes_;
  const UnixNanos time_min_;
  const UnixNanos time_max_;
  const uint32_t rows_;
  const uint32_t filter_lines_;
  mutable std::atomic<const Details*> details_{nullptr};
  enum FilterState : uint8_t { kUnknown, kGood, kBad };
  mutable std::atomic<uint8_t> filter_state_{kUnknown};
};

class Segment {
 public:
  static Result<std::shared_ptr<const Segment>> Open(FileSystem& files, const std::string& path);
  // Over bytes in memory, for tests and fuzzing.
  static Result<std::shared_ptr<const Segment>> Parse(std::string bytes, const std::string& path);
  ~Segment();

  uint64_t id() const { return id_; }
  uint64_t logstore_id() const { return logstore_id_; }
  int32_t day() const { return day_; }
  uint64_t applied() const { return applied_; }
  // Segments that this one was merged from.
  const std::vector<uint64_t>& replaces() const { return replaces_; }
  uint64_t bytes() const { return bytes_.size(); }
  uint64_t rows() const { return rows_; }
  uint64_t raw_bytes() const { return raw_bytes_; }  // of its values
  UnixNanos time_min() const { return time_min_; }
  UnixNanos time_max() const { return time_max_; }
  const std::string& path() const { return path_; }
  const std::deque<SegmentBlock>& blocks() const { return blocks_; }
  // As SegmentBlock::Verify, for all blocks.
  Status Verify() const;

 private:
  friend class SegmentBlock;
  class Mapping;

  Segment(std::unique_ptr<Mapping> mapping, std::string path);
  Status ParseFooter();
  Status ParseIndex(std::string_view index, uint64_t filters_at, uint64_t filters_end);
  Status ParseTables(ByteReader& in);
  // Fills `entry` from its bytes; false when they make no sense.
  bool ParseEntry(std::string_view bytes, BlockEntry& entry) const;
  bool ParseColumn(ByteReader& in, uint64_t& offset, ColumnEntry& column) const;
  static FrameRef ReadFrameRef(ByteReader& in, uint64_t& offset);

  std::unique_ptr<Mapping> mapping_;
  const std::string path_;
  std::string_view bytes_;
  uint64_t id_ = 0;
  uint64_t logstore_id_ = 0;
  int32_t day_ = 0;
  uint64_t applied_ = 0;
  std::vector<uint64_t> replaces_;
  uint64_t rows_ = 0;
  uint64_t raw_bytes_ = 0;
  UnixNanos time_min_ = 0;
  UnixNanos time_max_ = 0;
  std::vector<std::string_view> texts_;                                // of the index
  std::vector<std::vector<std::pair<uint32_t, uint32_t>>> resources_;  // pairs of texts
  std::deque<SegmentBlock> blocks_;  // a deque: blocks do not move
};

}  // namespace kelp::store

#endif  // KELP_STORE_SEGMENT_H_
