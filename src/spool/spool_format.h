// Pieces of the spool's files that its writer, its readers and its tests share.
//
// Threads: values.
// Format:  docs/formats/spool.md
#ifndef KELP_SPOOL_SPOOL_FORMAT_H_
#define KELP_SPOOL_SPOOL_FORMAT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/units.h"

namespace kelp::spool {

inline constexpr uint32_t kFormatVersion = 1;
inline constexpr uint64_t kSegmentHeaderBytes = 40;
inline constexpr uint64_t kRecordHeadBytes = 56;
// A record is one encoded batch: codec::kBatchSetEncodedMax is a quarter of this.
inline constexpr uint64_t kPayloadMax = 64u << 20;
inline constexpr std::string_view kCursorName = "cursor";
inline constexpr std::string_view kLockName = "lock";
inline constexpr uint32_t kRecordMagic = 0x3152534B;  // "KSR1"

// A place between two records: the sequence and the row that come next.
struct Position {
  uint64_t sequence = 1;
  uint64_t row = 0;
  bool operator==(const Position&) const = default;
};

struct RecordHead {
  uint64_t offset = 0;  // of the head, in its segment
  uint32_t size = 0;    // of the payload
  uint32_t rows = 0;
  uint64_t sequence = 0;
  uint64_t first_row = 0;
  UnixNanos time = 0;
  uint64_t payload_checksum = 0;
  uint64_t end() const { return offset + kRecordHeadBytes + size; }
};

// Records that were given up to make room: reading goes on at `to` without looking for them.
struct DroppedRange {
  Position from;
  Position to;
};

struct Cursor {
  Position acked;
  std::vector<DroppedRange> dropped;
};

// "0000000000000001.spool"
std::string SegmentName(uint64_t first_sequence);
bool ParseSegmentName(std::string_view name, uint64_t& first_sequence);

std::string SegmentHeader(const Position& first);
// What the segment begins with. Errors: kDataLoss; kUnimplemented for a newer version.
Result<Position> ParseSegmentHeader(std::string_view bytes, uint64_t first_sequence);

// The head of a record of the segment that begins with `first_sequence`; sets the checksums.
std::string EncodeRecordHead(const RecordHead& head, std::string_view payload,
                             uint64_t first_sequence);
// False when the bytes are no head of that segment. Leaves `offset` alone.
bool ParseRecordHead(std::string_view bytes, uint64_t first_sequence, RecordHead& head);
// What the head's payload_checksum must be.
uint64_t PayloadChecksum(std::string_view payload, uint64_t first_sequence);

std::string EncodeCursor(const Cursor& cursor);
// Errors: kDataLoss; kUnimplemented for a newer version.
Result<Cursor> ParseCursor(std::string_view bytes);

}  // namespace kelp::spool

#endif  // KELP_SPOOL_SPOOL_FORMAT_H_
