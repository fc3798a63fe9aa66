// Snapshot and Block: how the query engine reads the store.
//
// A snapshot is the list of blocks of one logstore at one moment: of segments and of the hot tail
// alike. A block is the unit of reading and skipping: at most 64 Ki rows. A search looks at a
// block's time range and token filters first, then decodes only the columns it needs:
//
//   for (const std::shared_ptr<const Block>& block : snapshot->blocks()) {     // newest first
//     if (block->time_max() < from || block->time_min() >= to) continue;
//     if (!block->MayContainTokens(hashes)) continue;
//     BlockReader reader(*block);
//     ASSIGN_OR_RETURN(const TimeColumn* times, reader.Times());
//     ASSIGN_OR_RETURN(const TextColumn* body, reader.Column(i));
//   }
//
// Threads:  Snapshot and Block are immutable and thread-safe; a BlockReader is confined to one
//           thread.
// Errors:   kDataLoss with file and offset when a checksum does not match.
#ifndef KELP_STORE_SNAPSHOT_H_
#define KELP_STORE_SNAPSHOT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/status.h"
#include "base/units.h"
#include "batch/batch.h"

namespace kelp::store {

enum class ColumnKind : uint8_t {
  kBody,      // the event's text; exactly one
  kField,     // made by processors
  kResource,  // a tag of the row's resource
};

struct ColumnInfo {
  std::string_view name;
  ColumnKind kind;
  bool all_json = false;  // every present value is kJson
  bool constant = false;  // every row has the same value (then `value` is it)
  Value value;
};

// Values of one column, decoded.
struct TextColumn {
  enum class Form : uint8_t { kConstant, kDictionary, kPlain };
  Form form = Form::kConstant;
  // kConstant: dictionary has one value. kDictionary: row → dictionary[ids[row]] (an entry may be a
  // missing Value). kPlain: row → data[offsets[row] .. offsets[row+1]), kinds[row] when given.
  std::vector<Value> dictionary;
  std::span<const uint16_t> ids;
  std::string_view data;              // all values one after the other, without separators
  std::span<const uint32_t> offsets;  // rows + 1
  std::span<const uint8_t> kinds;     // ValueKind a row; empty: all kString and present

  Value Get(uint32_t row) const {
    switch (form) {
      case Form::kConstant:
        return dictionary[0];
      case Form::kDictionary:
        return dictionary[ids[row]];
      case Form::kPlain:
        break;
    }
    const ValueKind kind = kinds.empty() ? ValueKind::kString : static_cast<ValueKind>(kinds[row]);
    return {data.data() + offsets[row], offsets[row + 1] - offsets[row], kind};
  }
};

struct OriginColumn {
  std::span<const OriginId> ids;      // distinct origins of the block
  std::span<const uint16_t> rows;     // row → index in ids; empty: all rows have ids[0]
  std::span<const uint64_t> offsets;  // row → begin offset in its origin
};

// A decoded column and the memory it points into, reused from block to block: the vectors grow and
// keep their size, the spans of `column` say how much of them is in use.
struct DecodedColumn {
  TextColumn column;
  std::vector<char> data;
  std::vector<char> dictionary;
  std::vector<uint32_t> offsets;
  std::vector<uint16_t> ids;
  std::vector<uint8_t> kinds;
  uint64_t bytes = 0;  // decompressed for it
};

struct DecodedOrigins {
  OriginColumn column;
  std::vector<OriginId> ids;
  std::vector<uint16_t> rows;
  std::vector<uint64_t> offsets;
  uint64_t bytes = 0;
};

class Block {
 public:
  virtual ~Block() = default;
  virtual uint32_t rows() const = 0;
  virtual UnixNanos time_min() const = 0;
  virtual UnixNanos time_max() const = 0;
  // Bytes of all values; what a full scan would look at.
  virtual uint64_t raw_bytes() const = 0;
  virtual std::span<const ColumnInfo> columns() const = 0;
  // False only when no value of that column holds all these tokens (TokenHash, store/tokens.h).
  // column < 0: any body or field column, each token anywhere in the block.
  virtual bool MayContainTokens(int column, std::span<const uint64_t> hashes) const = 0;
  // False only when no row has this exact value in the column; for dictionary and resource columns.
  virtual bool MayEqual(int column, std::string_view value) const = 0;
  // False only when `matches` is false for each value that the column has here; asks only where the
  // values are few and known without decoding (dictionaries, tags), and says true elsewhere.
  virtual bool MayHold(int /*column*/, const std::function<bool(const Value&)>& /*matches*/) const {
    return true;
  }
  // The segment that the block is in; 0: the hot tail.
  virtual uint64_t segment() const { return 0; }

 private:
  friend class BlockReader;
  virtual Status DecodeTimes(std::vector<UnixNanos>& times) const = 0;
  virtual Status DecodeColumn(int column, DecodedColumn& out) const = 0;
  virtual Status DecodeOrigins(DecodedOrigins& out) const = 0;
};

// Decodes the columns of one block on demand and keeps them until it is pointed at another block;
// reuses its memory. Make one per scanning thread.
class BlockReader {
 public:
  BlockReader();
  ~BlockReader();
  BlockReader(const BlockReader&) = delete;
  BlockReader& operator=(const BlockReader&) = delete;
  // Starts on another block; what the last one gave ends. The block must outlive the reading.
  void Open(const Block& block);
  Result<std::span<const UnixNanos>> Times();
  Result<const TextColumn*> Column(int column);
  Result<const OriginColumn*> Origins();
  // Bytes decompressed since construction.
  uint64_t bytes_decoded() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class Snapshot {
 public:
  virtual ~Snapshot() = default;
  // By time_max, newest first.
  virtual std::span<const std::shared_ptr<const Block>> blocks() const = 0;
  // Grows with each commit; equal versions have equal rows.
  virtual uint64_t version() const = 0;
  // The logstore that blocks()[block] is of; empty when all are of one that the caller knows.
  virtual std::string_view SourceOf(size_t /*block*/) const { return {}; }
};

}  // namespace kelp::store

#endif  // KELP_STORE_SNAPSHOT_H_
