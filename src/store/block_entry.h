// BlockEntry: what a segment's index says about one block: counts, times, columns, where the frames
// are.
//
// Place:    BlockBuilder makes one with the block's bytes, SegmentWriter writes it, Segment reads
// it;
//           a merge hands it from the one to the other when a block is copied as it is.
// Owns:     nothing: texts point into memory that outlives the entry (the segment's map, the
//           builder's result).
// Format:   docs/formats/segment.md, "Index"
#ifndef KELP_STORE_BLOCK_ENTRY_H_
#define KELP_STORE_BLOCK_ENTRY_H_

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/units.h"
#include "batch/batch.h"
#include "store/snapshot.h"

namespace kelp::store {

// A frame of the block's data: frames follow each other in the order of the entry.
struct FrameRef {
  uint32_t offset = 0;  // from the block's first byte
  uint32_t size = 0;
  uint64_t checksum = 0;
};

// Rows that stand together and share resource and origin.
struct BlockRun {
  uint32_t resource = 0;  // place in BlockEntry::resources
  uint32_t origin = 0;    // place in BlockRuns::origins
  uint32_t rows = 0;
  uint64_t offset = 0;  // begin of the first row
};

struct BlockRuns {
  std::vector<OriginId> origins;
  std::vector<BlockRun> runs;
};

// A tag set: keys and values, sorted by key.
using TagViews = std::vector<std::pair<std::string_view, std::string_view>>;

// How a field column is kept.
enum class ColumnForm : uint8_t { kConstant = 0, kDictionary = 1, kPlain = 2 };

struct ColumnEntry {
  std::string_view name;
  ColumnForm form = ColumnForm::kConstant;
  std::vector<Value> dictionary;  // kConstant: one
  // kPlain: the kind of all rows, or kMixedKinds and a frame of kinds.
  static constexpr uint8_t kMixedKinds = 3;
  uint8_t kind = 0;
  bool all_json = false;
  FrameRef ids;    // kDictionary
  FrameRef sizes;  // kPlain
  FrameRef data;   // kPlain
  FrameRef kinds;  // kPlain and kMixedKinds
};

struct BlockEntry {
  uint32_t rows = 0;
  UnixNanos time_min = 0;
  UnixNanos time_max = 0;
  uint64_t raw_bytes = 0;
  FrameRef times;
  FrameRef runs;
  FrameRef offsets;
  std::vector<ColumnEntry> columns;  // body first
  std::vector<TagViews> resources;
  uint32_t filter_lines = 0;
  uint64_t filter_checksum = 0;
  uint64_t data_bytes = 0;  // sum of the frames
};

}  // namespace kelp::store

#endif  // KELP_STORE_BLOCK_ENTRY_H_
