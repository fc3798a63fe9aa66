#include "spool/spool_format.h"

#include <fmt/core.h>
#include <xxhash.h>

namespace kelp::spool {
namespace {

constexpr std::string_view kSegmentMagic{"KELPSPL\0", 8};
constexpr std::string_view kCursorMagic{"KELPSPC\0", 8};
constexpr std::string_view kSegmentSuffix = ".spool";
constexpr size_t kNameDigits = 16;
constexpr size_t kChecksumBytes = 8;
constexpr size_t kCursorFixedBytes = 32;
constexpr size_t kDroppedBytes = 32;

void PutU32(std::string& out, uint32_t v) {
  for (int i = 0; i < 4; ++i) out += static_cast<char>(v >> (8 * i));
}
void PutU64(std::string& out, uint64_t v) {
  for (int i = 0; i < 8; ++i) out += static_cast<char>(v >> (8 * i));
}
uint32_t GetU32(std::string_view bytes, size_t at) {
  uint32_t v = 0;
  for (size_t i = 4; i-- > 0;) v = v << 8 | static_cast<unsigned char>(bytes[at + i]);
  return v;
}
uint64_t GetU64(std::string_view bytes, size_t at) {
  return GetU32(bytes, at) | static_cast<uint64_t>(GetU32(bytes, at + 4)) << 32;
}
// The seed is the segment's name, so that a record that stands in another one's payload, or was
// copied from another segment, is not taken for one of this segment.
uint64_t Checksum(std::string_view bytes, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}
bool ChecksumAtEndFits(std::string_view bytes, uint64_t seed) {
  const size_t body = bytes.size() - kChecksumBytes;
  return GetU64(bytes, body) == Checksum(bytes.substr(0, body), seed);
}

}  // namespace

std::string SegmentName(uint64_t first_sequence) {
  return fmt::format("{:016x}{}", first_sequence, kSegmentSuffix);
}

bool ParseSegmentName(std::string_view name, uint64_t& first_sequence) {
  if (name.size() != kNameDigits + kSegmentSuffix.size() || !name.ends_with(kSegmentSuffix)) {
    return false;
  }
  first_sequence = 0;
  for (const char c : name.substr(0, kNameDigits)) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit && (c < 'a' || c > 'f')) return false;
    first_sequence = first_sequence << 4 | static_cast<uint64_t>(digit ? c - '0' : c - 'a' + 10);
  }
  return true;
}

std::string SegmentHeader(const Position& first) {
  std::string out(kSegmentMagic);
  PutU32(out, kFormatVersion);
  PutU32(out, 0);
  PutU64(out, first.sequence);
  PutU64(out, first.row);
  PutU64(out, Checksum(out, first.sequence));
  return out;
}

Result<Position> ParseSegmentHeader(std::string_view bytes, uint64_t first_sequence) {
  if (bytes.size() < kSegmentHeaderBytes || !bytes.starts_with(kSegmentMagic)) {
    return DataLossError("its header is not that of a spool file");
  }
  bytes = bytes.substr(0, kSegmentHeaderBytes);
  // The version comes before the checksum, which a newer one may keep elsewhere.
  if (const uint32_t version = GetU32(bytes, 8); version > kFormatVersion && version < 1000) {
    return UnimplementedError(fmt::format("it was written by a newer version (format {}, not {})",
                                          version, kFormatVersion));
  }
  if (!ChecksumAtEndFits(bytes, first_sequence) || GetU64(bytes, 16) != first_sequence) {
    return DataLossError("its header is damaged");
  }
  return Position{.sequence = first_sequence, .row = GetU64(bytes, 24)};
}

std::string EncodeRecordHead(const RecordHead& head, std::string_view payload,
                             uint64_t first_sequence) {
  std::string out;
  out.reserve(kRecordHeadBytes);
  PutU32(out, kRecordMagic);
  PutU32(out, static_cast<uint32_t>(payload.size()));
  PutU64(out, head.sequence);
  PutU64(out, head.first_row);
  PutU64(out, static_cast<uint64_t>(head.time));
  PutU32(out, head.rows);
  PutU32(out, 0);
  PutU64(out, PayloadChecksum(payload, first_sequence));
  PutU64(out, Checksum(out, first_sequence));
  return out;
}

bool ParseRecordHead(std::string_view bytes, uint64_t first_sequence, RecordHead& head) {
  if (bytes.size() < kRecordHeadBytes || GetU32(bytes, 0) != kRecordMagic) return false;
  bytes = bytes.substr(0, kRecordHeadBytes);
  if (!ChecksumAtEndFits(bytes, first_sequence)) return false;
  head.size = GetU32(bytes, 4);
  head.sequence = GetU64(bytes, 8);
  head.first_row = GetU64(bytes, 16);
  head.time = static_cast<UnixNanos>(GetU64(bytes, 24));
  head.rows = GetU32(bytes, 32);
  head.payload_checksum = GetU64(bytes, 40);
  return head.size <= kPayloadMax && head.sequence >= first_sequence;
}

uint64_t PayloadChecksum(std::string_view payload, uint64_t first_sequence) {
  return Checksum(payload, first_sequence);
}

std::string EncodeCursor(const Cursor& cursor) {
  std::string out(kCursorMagic);
  PutU32(out, kFormatVersion);
  PutU32(out, static_cast<uint32_t>(cursor.dropped.size()));
  PutU64(out, cursor.acked.sequence);
  PutU64(out, cursor.acked.row);
  for (const DroppedRange& range : cursor.dropped) {
    PutU64(out, range.from.sequence);
    PutU64(out, range.from.row);
    PutU64(out, range.to.sequence);
    PutU64(out, range.to.row);
  }
  PutU64(out, Checksum(out, 0));
  return out;
}

Result<Cursor> ParseCursor(std::string_view bytes) {
  if (bytes.size() < kCursorFixedBytes + kChecksumBytes || !bytes.starts_with(kCursorMagic)) {
    return DataLossError("it is not a spool's cursor");
  }
  if (!ChecksumAtEndFits(bytes, 0)) return DataLossError("its checksum does not fit");
  if (const uint32_t version = GetU32(bytes, 8); version != kFormatVersion) {
    return UnimplementedError(fmt::format("it was written by another version (format {}, not {})",
                                          version, kFormatVersion));
  }
  const uint32_t count = GetU32(bytes, 12);
  if ((bytes.size() - kCursorFixedBytes - kChecksumBytes) / kDroppedBytes != count) {
    return DataLossError("its size does not fit");
  }
  Cursor cursor;
  cursor.acked = {.sequence = GetU64(bytes, 16), .row = GetU64(bytes, 24)};
  for (uint32_t i = 0; i < count; ++i) {
    const size_t at = kCursorFixedBytes + i * kDroppedBytes;
    cursor.dropped.push_back(
        {.from = {.sequence = GetU64(bytes, at), .row = GetU64(bytes, at + 8)},
         .to = {.sequence = GetU64(bytes, at + 16), .row = GetU64(bytes, at + 24)}});
  }
  return cursor;
}

}  // namespace kelp::spool
