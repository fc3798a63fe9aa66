#include "store/segment.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include "store/bytes.h"
#include "store/segment_format.h"
#include "store/token_filter.h"

namespace kelp::store {

// The bytes of the file: a map of it, or memory where there is no descriptor to map.
class Segment::Mapping {
 public:
  Mapping(void* map, size_t size) : map_(map), bytes_(static_cast<const char*>(map), size) {}
  explicit Mapping(std::string memory) : memory_(std::move(memory)), bytes_(memory_) {}
  ~Mapping() {
    if (map_ != nullptr) ::munmap(map_, bytes_.size());
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  std::string_view bytes() const { return bytes_; }

 private:
  void* map_ = nullptr;
  const std::string memory_;
  const std::string_view bytes_;
};

Segment::Segment(std::unique_ptr<Mapping> mapping, std::string path)
    : mapping_(std::move(mapping)), path_(std::move(path)), bytes_(mapping_->bytes()) {}
Segment::~Segment() = default;

Result<std::shared_ptr<const Segment>> Segment::Open(FileSystem& files, const std::string& path) {
  ASSIGN_OR_RETURN(const std::unique_ptr<File> file, files.OpenForRead(path));
  ASSIGN_OR_RETURN(const FileInfo info, file->Stat());
  if (info.type != FileType::kRegular) return DataLossError(path + " is not a file");
  if (file->descriptor() < 0) {
    std::string memory(info.size, '\0');
    ASSIGN_OR_RETURN(const size_t n, file->ReadAt(0, memory.data(), memory.size()));
    memory.resize(n);
    return Parse(std::move(memory), path);
  }
  if (info.size < kSegmentHeaderBytes + kSegmentFooterBytes) {
    return DataLossError(fmt::format("{} is truncated: it has {} bytes", path, info.size));
  }
  void* map = ::mmap(nullptr, info.size, PROT_READ, MAP_SHARED, file->descriptor(), 0);
  if (map == MAP_FAILED) return ErrnoError("cannot map " + path);
  std::shared_ptr<Segment> segment(new Segment(std::make_unique<Mapping>(map, info.size), path));
  RETURN_IF_ERROR(segment->ParseFooter());
  return std::shared_ptr<const Segment>(std::move(segment));
}

Result<std::shared_ptr<const Segment>> Segment::Parse(std::string bytes, const std::string& path) {
  std::shared_ptr<Segment> segment(new Segment(std::make_unique<Mapping>(std::move(bytes)), path));
  RETURN_IF_ERROR(segment->ParseFooter());
  return std::shared_ptr<const Segment>(std::move(segment));
}

Status Segment::ParseFooter() {
  const uint64_t size = bytes_.size();
  if (size < kSegmentHeaderBytes + kSegmentFooterBytes) {
    return DataLossError(fmt::format("{} is truncated: it has {} bytes", path_, size));
  }
  if (bytes_.substr(0, 8) != kSegmentMagic) {
    return DataLossError(path_ + " is not a segment: it begins with other bytes");
  }
  if (const uint32_t version = GetU32(bytes_.data() + 8); version != kSegmentVersion) {
    return UnimplementedError(
        fmt::format("{} has version {} of the segment format; this program reads version {}", path_,
                    version, kSegmentVersion));
  }
  const uint64_t footer_at = size - kSegmentFooterBytes;
  const std::string_view footer = bytes_.substr(footer_at);
  if (footer.substr(40) != kSegmentEndMagic ||
      GetU64(footer.data() + 32) != Checksum(footer.substr(0, 32))) {
    return DataLossError(fmt::format("{} is truncated or corrupt: there is no footer at offset {}",
                                     path_, footer_at));
  }
  const uint64_t filters_at = GetU64(footer.data());
  const uint64_t index_at = GetU64(footer.data() + 8);
  const uint64_t index_size = GetU64(footer.data() + 16);
  const bool fits = filters_at >= kSegmentHeaderBytes && filters_at <= index_at &&
                    filters_at % kFilterLineBytes == 0 && index_at <= footer_at &&
                    index_size == footer_at - index_at;
  if (!fits) {
    return DataLossError(
        fmt::format("{} is corrupt: the footer at offset {} does not fit", path_, footer_at));
  }
  const std::string_view index = bytes_.substr(index_at, index_size);
  if (GetU64(footer.data() + 24) != Checksum(index)) {
    return DataLossError(
        fmt::format("{} is corrupt: the checksum of the index at offset {} is "
                    "wrong",
                    path_, index_at));
  }
  const Status status = ParseIndex(index, filters_at, index_at);
  if (status.ok()) return status;
  return status.Annotate(fmt::format("{} is corrupt: index at offset {}", path_, index_at));
}

Status Segment::ParseTables(ByteReader& in) {
  logstore_id_ = in.U64();
  id_ = in.Varint();
  const int64_t day = in.Signed();
  if (day < INT32_MIN || day > INT32_MAX) in.Fail();
  day_ = static_cast<int32_t>(day);
  applied_ = in.Varint();
  // Counts cannot pass the bytes that are left: each thing takes at least one.
  const uint64_t replaces = in.Varint(in.left());
  for (uint64_t i = 0; i < replaces && in.ok(); ++i) replaces_.push_back(in.Varint());
  const uint64_t texts = in.Varint(in.left());
  for (uint64_t i = 0; i < texts && in.ok(); ++i) texts_.push_back(in.Text());
  const uint64_t resources = in.Varint(in.left());
  for (uint64_t i = 0; i < resources && in.ok(); ++i) {
    auto& tags = resources_.emplace_back();
    const uint64_t count = in.Varint(in.left());
    for (uint64_t t = 0; t < count && in.ok(); ++t) {
      const auto key = static_cast<uint32_t>(in.Varint(UINT32_MAX));
      const auto value = static_cast<uint32_t>(in.Varint(UINT32_MAX));
      if (key >= texts_.size() || value >= texts_.size()) in.Fail();
      tags.emplace_back(key, value);
    }
  }
  return in.ok() ? OkStatus() : DataLossError("its tables make no sense");
}

Status Segment::ParseIndex(std::string_view index, uint64_t filters_at, uint64_t filters_end) {
  ByteReader in(index);
  RETURN_IF_ERROR(ParseTables(in));
  const uint64_t blocks = in.Varint(in.left());
  uint64_t data_at = kSegmentHeaderBytes;
  uint64_t filter_at = filters_at;
  BlockEntry entry;
  for (uint64_t i = 0; i < blocks; ++i) {
    const std::string_view bytes = in.Text();
    if (!in.ok() || !ParseEntry(bytes, entry)) {
      return DataLossError(fmt::format("the entry of block {} makes no sense", i));
    }
    const uint64_t filter_bytes = uint64_t{entry.filter_lines} * kFilterLineBytes;
    if (entry.data_bytes > filters_at - data_at || filter_bytes > filters_end - filter_at) {
      return DataLossError(fmt::format("block {} lies outside the file", i));
    }
    blocks_.emplace_back(*this, bytes, data_at, filter_at, entry);
    data_at += entry.data_bytes;
    filter_at += filter_bytes;
    time_min_ = rows_ == 0 ? entry.time_min : std::min(time_min_, entry.time_min);
    time_max_ = rows_ == 0 ? entry.time_max : std::max(time_max_, entry.time_max);
    rows_ += entry.rows;
    raw_bytes_ += entry.raw_bytes;
  }
  if (in.left() != 0) return DataLossError("bytes follow the last block's entry");
  return OkStatus();
}

bool Segment::ParseColumn(ByteReader& in, uint64_t& offset, ColumnEntry& column) const {
  const auto text = [&]() -> std::string_view {
    const uint64_t number = in.Varint();
    if (number < texts_.size()) return texts_[number];
    in.Fail();
    return {};
  };
  const auto value = [&] {
    const uint8_t kind = in.U8();
    if (kind == static_cast<uint8_t>(ValueKind::kMissing)) return Value();
    if (kind > static_cast<uint8_t>(ValueKind::kJson)) in.Fail();
    Value v = Value::String(text());
    v.kind = static_cast<ValueKind>(kind);
    return v;
  };
  const auto frame = [&] { return ReadFrameRef(in, offset); };
  column.name = text();
  const uint8_t form = in.U8();
  if (form > static_cast<uint8_t>(ColumnForm::kPlain)) return false;
  column.form = static_cast<ColumnForm>(form);
  if (column.form == ColumnForm::kPlain) {
    column.kind = in.U8();
    column.all_json = in.U8() == 1;
    if (column.kind == 0 || column.kind > ColumnEntry::kMixedKinds) return false;
    column.sizes = frame();
    column.data = frame();
    if (column.kind == ColumnEntry::kMixedKinds) column.kinds = frame();
    return in.ok();
  }
  const bool constant = column.form == ColumnForm::kConstant;
  const uint64_t values = constant ? 1 : in.Varint(256);
  if (values == 0) return false;
  column.all_json = true;
  for (uint64_t i = 0; i < values && in.ok(); ++i) {
    column.dictionary.push_back(value());
    column.all_json &= column.dictionary.back().kind != ValueKind::kString;
  }
  if (!constant) column.ids = frame();
  return in.ok();
}

FrameRef Segment::ReadFrameRef(ByteReader& in, uint64_t& offset) {
  FrameRef frame;
  frame.offset = static_cast<uint32_t>(offset);
  frame.size = static_cast<uint32_t>(in.Varint(UINT32_MAX));
  frame.checksum = in.U64();
  offset += frame.size;
  if (offset > UINT32_MAX) in.Fail();
  return frame;
}

bool Segment::ParseEntry(std::string_view bytes, BlockEntry& entry) const {
  ByteReader in(bytes);
  entry = BlockEntry();
  uint64_t offset = 0;
  entry.rows = static_cast<uint32_t>(in.Varint(64 << 10));
  entry.time_min = in.Signed();
  entry.time_max = static_cast<int64_t>(static_cast<uint64_t>(entry.time_min) + in.Varint());
  entry.raw_bytes = in.Varint(kBlockRawBytesMax);
  entry.filter_lines = static_cast<uint32_t>(in.Varint(UINT32_MAX));
  entry.filter_checksum = in.U64();
  entry.times = ReadFrameRef(in, offset);
  entry.runs = ReadFrameRef(in, offset);
  entry.offsets = ReadFrameRef(in, offset);
  if (entry.rows == 0 || entry.time_max < entry.time_min) return false;
  const uint64_t resources = in.Varint(in.left());
  uint64_t tags_total = 0;
  for (uint64_t i = 0; i < resources && in.ok(); ++i) {
    const uint64_t number = in.Varint();
    if (number >= resources_.size()) return false;
    tags_total += resources_[number].size();
    if (tags_total > kBlockTagsMax && resources > 1) return false;
    TagViews& tags = entry.resources.emplace_back();
    for (const auto& [key, value] : resources_[number])
      tags.emplace_back(texts_[key], texts_[value]);
  }
  const uint64_t columns = in.Varint(in.left());
  for (uint64_t i = 0; i < columns && in.ok(); ++i) {
    if (!ParseColumn(in, offset, entry.columns.emplace_back())) return false;
  }
  entry.data_bytes = offset;
  return in.ok() && in.left() == 0 && !entry.resources.empty() && !entry.columns.empty() &&
         entry.columns[0].form == ColumnForm::kPlain;
}

Status Segment::Verify() const {
  for (const SegmentBlock& block : blocks_) RETURN_IF_ERROR(block.Verify());
  return OkStatus();
}

}  // namespace kelp::store
