#include "store/manifest.h"

#include <fmt/format.h>

#include "store/bytes.h"

namespace kelp::store {
namespace {

constexpr std::string_view kMagic{"KELPMAN\0", 8};
constexpr uint32_t kVersion = 1;
constexpr size_t kFrameBytes = 8 + 4 + 8;  // magic, version, checksum at the end

// 0 stands for "none", so that values are kept one higher.
void PutOptional(std::string& out, bool present, uint64_t value) {
  PutVarint(out, present ? value + 1 : 0);
}

}  // namespace

std::string EncodeManifest(const Manifest& m) {
  std::string out(kMagic);
  out.reserve(256 + m.segments.size() * 24 + m.marks.size() * 28);
  PutU32(out, kVersion);
  PutU64(out, m.logstore_id);
  PutOptional(out, m.settings.retention.has_value(),
              static_cast<uint64_t>(m.settings.retention.value_or(Duration(0)).count()));
  PutOptional(out, m.settings.retention_size.has_value(),
              m.settings.retention_size.value_or(ByteSize{0}).bytes);
  PutVarint(out, m.applied);
  PutVarint(out, m.next_segment);
  PutVarint(out, m.segments.size());
  for (const SegmentEntry& segment : m.segments) {
    PutVarint(out, segment.id);
    PutSigned(out, segment.day);
    PutVarint(out, segment.bytes);
    PutVarint(out, segment.rows);
  }
  PutVarint(out, m.marks.size());
  for (const auto& [origin, mark] : m.marks) {
    PutU64(out, origin.high);
    PutU64(out, origin.low);
    PutVarint(out, mark.end);
    PutSigned(out, mark.touched);
  }
  PutU64(out, Checksum(out));
  return out;
}

Result<Manifest> DecodeManifest(std::string_view bytes, const std::string& path) {
  const Status corrupt = DataLossError("the manifest " + path + " is corrupt");
  if (bytes.size() < kFrameBytes || bytes.substr(0, 8) != kMagic) return corrupt;
  if (const uint32_t version = GetU32(bytes.data() + 8); version != kVersion) {
    return UnimplementedError(
        fmt::format("{} has version {} of the manifest's format; this program reads version {}",
                    path, version, kVersion));
  }
  const std::string_view body = bytes.substr(0, bytes.size() - 8);
  if (GetU64(bytes.data() + body.size()) != Checksum(body)) return corrupt;
  ByteReader in(body.substr(12));
  Manifest m;
  m.logstore_id = in.U64();
  if (const uint64_t v = in.Varint(); v != 0) {
    m.settings.retention = Duration(static_cast<int64_t>(v - 1));
  }
  if (const uint64_t v = in.Varint(); v != 0) m.settings.retention_size = ByteSize{v - 1};
  m.applied = in.Varint();
  m.next_segment = in.Varint();
  // A count cannot be larger than the bytes that are left for it.
  const uint64_t segments = in.Varint(in.left());
  m.segments.reserve(segments);
  for (uint64_t i = 0; i < segments && in.ok(); ++i) {
    SegmentEntry entry;
    entry.id = in.Varint();
    const int64_t day = in.Signed();
    if (day < INT32_MIN || day > INT32_MAX) in.Fail();
    entry.day = static_cast<int32_t>(day);
    entry.bytes = in.Varint();
    entry.rows = in.Varint();
    m.segments.push_back(entry);
  }
  const uint64_t marks = in.Varint(in.left());
  m.marks.reserve(marks);
  for (uint64_t i = 0; i < marks && in.ok(); ++i) {
    OriginId origin;
    origin.high = in.U64();
    origin.low = in.U64();
    Mark mark;
    mark.end = in.Varint();
    mark.touched = in.Signed();
    m.marks[origin] = mark;
  }
  if (!in.ok() || in.left() != 0) return corrupt;
  return m;
}

}  // namespace kelp::store
