#include "codec/kelp_batch.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "codec/byte_buffer.h"
#include "codec/overflow.h"
#include "codec/proto_wire.h"
#include "codec/zstd.h"

namespace kelp::codec {
namespace {

// Field numbers of docs/formats/kelp-batch.md.
enum SetField : uint32_t { kVersion = 1, kParts = 2 };
enum PartField : uint32_t {
  kOriginId = 1,
  kResource = 2,
  kRows = 3,
  kTimes = 4,
  kEnds = 5,
  kBegins = 6,
  kBase = 7,
  kColumns = 8,
};
enum TagField : uint32_t { kTagKey = 1, kTagValue = 2 };
enum ColumnField : uint32_t { kName = 1, kSizes = 2, kData = 3 };

constexpr uint64_t kWireVersion = 1;
constexpr size_t kOriginBytes = 16;
constexpr uint64_t kPartRowsMax = 1u << 20;
constexpr size_t kPartColumnsMax = 4096;
// A body full of "missing" compresses to nothing and would unfold into 16 bytes a cell: this many
// cells (256 MiB) are what a batch set may unfold to. A sender's 4 MiB stay far below.
constexpr uint64_t kCellsMax = 16u << 20;
// What a part costs apart from its values (a buffer, the batch itself), in cells.
constexpr uint64_t kPartCells = 512;
// A buffer larger than this is not kept between batch sets; a sender aims at 4 MiB.
constexpr size_t kKeptBytesMax = 8u << 20;

// A value's size as it stands in Column.sizes.
uint64_t SizeCode(const Value& value) {
  if (value.missing()) return 0;
  return 1 + 2 * uint64_t{value.size} + (value.kind == ValueKind::kJson ? 1 : 0);
}

// --- encoding ---

void PutBigEndian(char* p, uint64_t v) {
  for (int i = 7; i >= 0; --i, v >>= 8) p[i] = static_cast<char>(v);
}

uint64_t GetBigEndian(const char* p) {
  uint64_t v = 0;
  for (int i = 0; i < 8; ++i) v = v << 8 | static_cast<unsigned char>(p[i]);
  return v;
}

void WriteOrigin(const OriginId& origin, WireWriter& out) {
  if (origin.empty()) return;
  char bytes[kOriginBytes];
  PutBigEndian(bytes, origin.high);
  PutBigEndian(bytes + 8, origin.low);
  out.Bytes(kOriginId, {bytes, kOriginBytes});
}

void WriteResource(const Resource& resource, WireWriter& out) {
  for (const auto& [key, value] : resource.tags()) {
    const size_t tag = out.Begin(kResource);
    out.Bytes(kTagKey, key);
    out.Bytes(kTagValue, value);
    out.End(tag);
  }
}

// One varint for each selected row, as a packed field.
template <typename F>
void WriteVarints(const Batch& batch, uint32_t number, ByteBuffer& raw, F&& value_of) {
  WireWriter out(raw);
  const size_t begin = out.Begin(number);
  char* p = raw.Reserve(batch.selected_count() * kVarintBytesMax);
  batch.ForEach([&](uint32_t row) { p = PutVarint(p, value_of(row)); });
  raw.set_end(p);
  out.End(begin);
}

void WritePositions(const Batch& batch, UnixNanos arrival, ByteBuffer& raw) {
  uint64_t last_time = 0;
  WriteVarints(batch, kTimes, raw, [&](uint32_t row) {
    const UnixNanos known = batch.time(row) == kNoTime ? arrival : batch.time(row);
    const uint64_t time = static_cast<uint64_t>(known);
    return ZigZag(static_cast<int64_t>(time - std::exchange(last_time, time)));
  });
  uint64_t last_end = batch.begin;
  WriteVarints(batch, kEnds, raw, [&](uint32_t row) {
    const uint64_t end = batch.row_end(row);
    return end - std::exchange(last_end, end);
  });
  WriteVarints(batch, kBegins, raw,
               [&](uint32_t row) { return batch.row_end(row) - batch.row_begin(row); });
  if (batch.begin != 0) WireWriter(raw).Uint(kBase, batch.begin);
}

bool AnyValue(const Batch& batch, const Column& column) {
  bool any = false;
  batch.ForEach([&](uint32_t row) { any |= !column.Get(row).missing(); });
  return any;
}

void WriteColumn(const Batch& batch, const Column& column, ByteBuffer& raw) {
  WireWriter out(raw);
  const size_t begin = out.Begin(kColumns);
  out.Bytes(kName, column.name());
  uint64_t bytes = 0;
  WriteVarints(batch, kSizes, raw, [&](uint32_t row) {
    const Value& value = column.Get(row);
    bytes += value.missing() ? 0 : value.size;
    return SizeCode(value);
  });
  out.BytesHeader(kData, bytes);
  char* p = raw.Reserve(bytes);
  batch.ForEach([&](uint32_t row) {
    const Value& value = column.Get(row);
    if (value.missing()) return;
    CopyShort(p, value.data, value.size);
    p += value.size;
  });
  raw.set_end(p);
  out.End(begin);
}

// --- decoding ---

Status Bad(size_t part, std::string what) {
  return InvalidArgumentError(fmt::format("batch set: part {}: {}", part, what));
}

struct ColumnView {
  std::string_view name;
  std::string_view sizes;
  std::string_view data;
};

struct PartView {
  std::string_view origin;
  std::vector<Resource::Tag> resource;
  uint64_t rows = 0;
  std::string_view times;
  std::string_view ends;
  std::string_view begins;
  uint64_t base = 0;
  std::vector<ColumnView> columns;
};

// Reads the fields of a message into `assign`, which gives false for a field of a wrong type.
template <typename F>
Status ReadFields(std::string_view bytes, size_t part, std::string_view message, F&& assign) {
  WireReader in(bytes);
  WireField field;
  while (in.Next(field)) {
    if (!assign(field)) {
      return Bad(part, fmt::format("field {} of {} has a wrong wire type", field.number, message));
    }
  }
  if (!in.ok()) {
    return Bad(part, fmt::format("{} is malformed at its byte {}", message, in.position()));
  }
  return OkStatus();
}

bool TakeBytes(const WireField& field, std::string_view& out) {
  out = field.bytes;
  return field.is_bytes();
}

bool TakeUint(const WireField& field, uint64_t& out) {
  out = field.value;
  return field.is_uint();
}

Status ReadTag(std::string_view bytes, size_t part, PartView& out) {
  std::string_view key, value;
  RETURN_IF_ERROR(ReadFields(bytes, part, "Tag", [&](const WireField& field) {
    if (field.number == kTagKey) return TakeBytes(field, key);
    if (field.number == kTagValue) return TakeBytes(field, value);
    return true;
  }));
  out.resource.emplace_back(key, value);
  return OkStatus();
}

Status ReadColumn(std::string_view bytes, size_t part, PartView& out) {
  ColumnView column;
  RETURN_IF_ERROR(ReadFields(bytes, part, "Column", [&](const WireField& field) {
    if (field.number == kName) return TakeBytes(field, column.name);
    if (field.number == kSizes) return TakeBytes(field, column.sizes);
    if (field.number == kData) return TakeBytes(field, column.data);
    return true;
  }));
  out.columns.push_back(column);
  return OkStatus();
}

Status CheckPart(const PartView& view, size_t part) {
  if (!view.origin.empty() && view.origin.size() != kOriginBytes) {
    return Bad(part,
               fmt::format("origin_id has {} bytes, not {}", view.origin.size(), kOriginBytes));
  }
  if (view.rows > kPartRowsMax) {
    return Bad(part, fmt::format("rows is {}, at most {}", view.rows, kPartRowsMax));
  }
  if (view.columns.size() > kPartColumnsMax) {
    return Bad(part, fmt::format("{} columns, at most {}", view.columns.size(), kPartColumnsMax));
  }
  if (view.columns.empty() || view.columns[0].name != Batch::kBodyColumn) {
    return Bad(part, "the first column is not \"body\"");
  }
  std::vector<std::string_view> names;
  for (const ColumnView& column : view.columns) names.push_back(column.name);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) return Bad(part, fmt::format("two columns are named \"{}\"", *twice));
  return OkStatus();
}

Result<PartView> ReadPart(std::string_view bytes, size_t part) {
  PartView view;
  Status nested;
  RETURN_IF_ERROR(ReadFields(bytes, part, "Part", [&](const WireField& field) {
    switch (field.number) {
      case kOriginId:
        return TakeBytes(field, view.origin);
      case kRows:
        return TakeUint(field, view.rows);
      case kTimes:
        return TakeBytes(field, view.times);
      case kEnds:
        return TakeBytes(field, view.ends);
      case kBegins:
        return TakeBytes(field, view.begins);
      case kBase:
        return TakeUint(field, view.base);
      case kResource:
        if (field.is_bytes() && nested.ok()) nested = ReadTag(field.bytes, part, view);
        return field.is_bytes();
      case kColumns:
        if (field.is_bytes() && nested.ok()) nested = ReadColumn(field.bytes, part, view);
        return field.is_bytes();
      default:
        return true;
    }
  }));
  RETURN_IF_ERROR(nested);
  RETURN_IF_ERROR(CheckPart(view, part));
  // The overflow column must find a column of its own, however many there are.
  for (size_t i = 2; i < view.columns.size(); ++i) {
    if (view.columns[i].name == Batch::kOverflowColumn) std::swap(view.columns[1], view.columns[i]);
  }
  return view;
}

// Walks a packed field, one varint a row.
class Varints {
 public:
  Varints(std::string_view bytes, std::string name)
      : begin_(bytes.data()), p_(begin_), end_(begin_ + bytes.size()), name_(std::move(name)) {}

  bool Next(uint64_t& value) {
    const char* p = GetVarint(p_, end_, value);
    if (p == nullptr) [[unlikely]]
      return false;
    p_ = p;
    return true;
  }
  bool at_end() const { return p_ == end_; }
  Status Cut(size_t part, uint64_t row) const {
    return Bad(part, fmt::format("{} has no valid number for row {} at its byte {}", name_, row,
                                 p_ - begin_));
  }
  Status Wrong(size_t part, uint64_t row, std::string_view why) const {
    return Bad(part,
               fmt::format("{} of row {} (before byte {}): {}", name_, row, p_ - begin_, why));
  }
  Status Surplus(size_t part, uint64_t rows) const {
    return Bad(part,
               fmt::format("{} goes on for {} bytes behind its {} rows", name_, end_ - p_, rows));
  }

 private:
  const char* begin_;
  const char* p_;
  const char* end_;
  std::string name_;
};

// Where one column's reading stands: its sizes and its data, moved forward row by row.
struct ColumnCursor {
  ColumnCursor(const ColumnView& view, const std::string& name)
      : sizes(view.sizes, name), data(view.data.data()), left(view.data.size()) {}

  Status Next(size_t part, uint64_t row, Value& value) {
    uint64_t code = 0;
    if (!sizes.Next(code)) [[unlikely]]
      return sizes.Cut(part, row);
    if (code == 0) {
      value = Value();
      return OkStatus();
    }
    const uint64_t size = (code - 1) / 2;
    if (size > left || size > UINT32_MAX) [[unlikely]]
      return sizes.Wrong(part, row, fmt::format("{} bytes, but data has {} left", size, left));
    value = {data, static_cast<uint32_t>(size),
             (code & 1) != 0 ? ValueKind::kString : ValueKind::kJson};
    data += size;
    left -= size;
    return OkStatus();
  }
  Status Finish(size_t part, uint64_t rows) const {
    if (!sizes.at_end()) return sizes.Surplus(part, rows);
    if (left != 0) return sizes.Wrong(part, rows, fmt::format("data has {} bytes more", left));
    return OkStatus();
  }

  Varints sizes;
  const char* data;
  uint64_t left;
};

// Turns one part into batches of at most Batch::kRowsMax rows.
class PartDecoder {
 public:
  PartDecoder(const PartView& view, size_t part)
      : view_(view),
        part_(part),
        times_(view.times, "times"),
        ends_(view.ends, "ends"),
        begins_(view.begins, "begins"),
        end_(view.base) {
    for (const ColumnView& column : view.columns) {
      columns_.emplace_back(column, fmt::format("column \"{}\": sizes", column.name));
    }
    if (!view.origin.empty()) {
      origin_ = {GetBigEndian(view.origin.data()), GetBigEndian(view.origin.data() + 8)};
    }
    resource_ =
        view.resource.empty() ? Resource::Empty() : std::make_shared<const Resource>(view.resource);
  }

  bool done() const { return row_ == view_.rows; }

  // The next rows into `batch`, which is empty.
  Status Next(Batch& batch) {
    batch.origin = origin_;
    batch.set_resource(resource_);
    batch.begin = end_;
    const uint64_t rows = std::min<uint64_t>(view_.rows - row_, Batch::kRowsMax);
    RETURN_IF_ERROR(AddRows(batch, rows));
    RETURN_IF_ERROR(AddColumns(batch, rows));
    batch.end = batch.resume = end_;
    row_ += rows;
    return OkStatus();
  }

  Status Finish() const {
    for (const Varints* numbers : {&times_, &ends_, &begins_}) {
      if (!numbers->at_end()) return numbers->Surplus(part_, view_.rows);
    }
    for (const ColumnCursor& column : columns_) {
      RETURN_IF_ERROR(column.Finish(part_, view_.rows));
    }
    return OkStatus();
  }

 private:
  Status AddRows(Batch& batch, uint64_t rows) {
    for (uint64_t row = row_; row < row_ + rows; ++row) {
      uint64_t time = 0, end = 0, length = 0;
      if (!times_.Next(time)) return times_.Cut(part_, row);
      if (!ends_.Next(end)) return ends_.Cut(part_, row);
      if (!begins_.Next(length)) return begins_.Cut(part_, row);
      time_ += static_cast<uint64_t>(UnZigZag(time));
      if (static_cast<UnixNanos>(time_) == kNoTime) return times_.Wrong(part_, row, "no time");
      if (end > UINT64_MAX - end_) return ends_.Wrong(part_, row, "past the last offset");
      if (end == 0 && row != 0 && !origin_.empty()) {
        return ends_.Wrong(part_, row, "not above the row before");
      }
      end_ += end;
      if (length > end_) return begins_.Wrong(part_, row, "before the begin of the origin");
      Value body;
      RETURN_IF_ERROR(columns_[0].Next(part_, row, body));
      batch.AddRow(body.text(), end_ - length, end_, static_cast<UnixNanos>(time_));
      batch.body().Set(batch.rows() - 1, body);
    }
    return OkStatus();
  }

  Status AddColumns(Batch& batch, uint64_t rows) {
    const size_t wanted = columns_.size();
    // The last column of a batch is kept for what finds no column.
    const size_t direct = wanted <= Batch::kColumnsMax ? wanted : Batch::kColumnsMax - 1;
    for (size_t i = 1; i < direct; ++i) {
      Value* values = batch.AddColumn(view_.columns[i].name).values();
      for (uint64_t row = 0; row < rows; ++row) {
        RETURN_IF_ERROR(columns_[i].Next(part_, row_ + row, values[row]));
      }
    }
    return direct == wanted ? OkStatus() : AddOverflow(batch, rows, direct);
  }

  Status AddOverflow(Batch& batch, uint64_t rows, size_t first) {
    Column& overflow = batch.AddColumn(Batch::kOverflowColumn);
    OverflowRow fields;
    for (uint32_t row = 0; row < rows; ++row) {
      fields.Start(overflow.Get(row));
      for (size_t i = first; i < columns_.size(); ++i) {
        Value value;
        RETURN_IF_ERROR(columns_[i].Next(part_, row_ + row, value));
        fields.Add(view_.columns[i].name, value);
      }
      overflow.Set(row, fields.Finish(batch));
    }
    return OkStatus();
  }

  const PartView& view_;
  const size_t part_;
  Varints times_;
  Varints ends_;
  Varints begins_;
  std::vector<ColumnCursor> columns_;
  OriginId origin_;
  ResourcePtr resource_;
  uint64_t row_ = 0;
  uint64_t time_ = 0;
  uint64_t end_;
};

// The parts of a batch set, after its version was checked.
Result<std::vector<std::string_view>> ReadSet(std::string_view bytes) {
  std::vector<std::string_view> parts;
  uint64_t version = 0;
  bool types_ok = true;
  WireReader in(bytes);
  WireField field;
  while (types_ok && in.Next(field)) {
    if (field.number == kVersion) {
      types_ok = TakeUint(field, version);
    } else if (field.number == kParts) {
      types_ok = field.is_bytes();
      parts.push_back(field.bytes);
    }
  }
  if (!types_ok) {
    return InvalidArgumentError(
        fmt::format("batch set: field {} has a wrong wire type", field.number));
  }
  if (!in.ok()) {
    return InvalidArgumentError(fmt::format("batch set: malformed at byte {}", in.position()));
  }
  if (version != kWireVersion) {
    return InvalidArgumentError(
        fmt::format("batch set: version is {}, this reader knows {}", version, kWireVersion));
  }
  return parts;
}

// Gives a batch bytes of its own for every value.
void Detach(Batch& batch) {
  for (size_t i = 0; i < batch.column_count(); ++i) {
    Value* values = batch.column(i).values();
    for (uint32_t row = 0; row < batch.rows(); ++row) {
      if (values[row].size != 0) values[row].data = batch.Copy(values[row].text()).data();
    }
  }
}

// Appends the batches of one part; the first of them takes over `memory`, in which `bytes` stand.
Status DecodePart(Buffer memory, std::string_view bytes, size_t part, uint64_t& cells,
                  std::vector<BatchPtr>& out) {
  ASSIGN_OR_RETURN(const PartView view, ReadPart(bytes, part));
  cells += kPartCells + view.rows * view.columns.size();
  if (cells > kCellsMax) {
    return Bad(part, fmt::format("unfolds to more than {} values", kCellsMax));
  }
  PartDecoder decoder(view, part);
  BatchPtr first;
  while (!decoder.done()) {
    BatchPtr batch = BatchPool::Shared().Get();
    RETURN_IF_ERROR(decoder.Next(*batch));
    if (first == nullptr) {
      first = std::move(batch);
    } else {
      Detach(*batch);
      out.push_back(std::move(batch));
    }
  }
  RETURN_IF_ERROR(decoder.Finish());
  if (first == nullptr) return OkStatus();
  first->AddBuffer(std::move(memory));
  const size_t later = (view.rows - 1) / Batch::kRowsMax;
  out.insert(out.end() - static_cast<ptrdiff_t>(later), std::move(first));
  return OkStatus();
}

}  // namespace

struct BatchSetEncoder::Impl {
  explicit Impl(int level) : zstd(level) {}

  ZstdCompressor zstd;
  ByteBuffer raw;
  uint64_t rows = 0;
};

BatchSetEncoder::BatchSetEncoder(int zstd_level) : impl_(std::make_unique<Impl>(zstd_level)) {}

BatchSetEncoder::~BatchSetEncoder() = default;

void BatchSetEncoder::Add(const Batch& batch, UnixNanos arrival) {
  if (batch.selected_count() == 0) return;
  ByteBuffer& raw = impl_->raw;
  WireWriter out(raw);
  if (raw.empty()) out.Uint(kVersion, kWireVersion);
  const size_t begin = out.Begin(kParts);
  WriteOrigin(batch.origin, out);
  WriteResource(*batch.resource(), out);
  out.Uint(kRows, batch.selected_count());
  WritePositions(batch, arrival, raw);
  WriteColumn(batch, batch.body(), raw);
  for (size_t i = 1; i < batch.column_count(); ++i) {
    if (AnyValue(batch, batch.column(i))) WriteColumn(batch, batch.column(i), raw);
  }
  out.End(begin);
  impl_->rows += batch.selected_count();
}

size_t BatchSetEncoder::raw_bytes() const { return impl_->raw.size(); }

uint64_t BatchSetEncoder::rows() const { return impl_->rows; }

std::string BatchSetEncoder::Finish() {
  if (impl_->raw.empty()) WireWriter(impl_->raw).Uint(kVersion, kWireVersion);
  std::string body = impl_->zstd.Compress(impl_->raw.view());
  impl_->raw.Clear();
  impl_->raw.Shrink(kKeptBytesMax);
  impl_->rows = 0;
  return body;
}

Result<std::vector<BatchPtr>> DecodeBatchSet(std::string_view body) {
  if (body.size() > kBatchSetEncodedMax.bytes) {
    return InvalidArgumentError(fmt::format("batch set: {} bytes, at most {}", body.size(),
                                            FormatByteSize(kBatchSetEncodedMax)));
  }
  thread_local ZstdDecompressor zstd;
  Result<Decompressed> raw = zstd.Decompress(body, kBatchSetRawMax);
  if (!raw.ok()) {
    return InvalidArgumentError(fmt::format("batch set: {}", raw.status().message()));
  }
  ASSIGN_OR_RETURN(const std::vector<std::string_view> parts, ReadSet(raw->view()));
  std::vector<BatchPtr> batches;
  batches.reserve(std::min<size_t>(parts.size(), kCellsMax / kPartCells));
  uint64_t cells = 0;
  for (size_t i = 0; i < parts.size(); ++i) {
    Buffer memory;
    std::string_view bytes = parts[i];
    if (parts.size() == 1) {
      memory = std::move(raw->buffer);
    } else {
      // Each batch owns its bytes: those of one set part ways in the store.
      memory = BufferPool::Shared().Get(bytes.size());
      std::memcpy(memory.data(), bytes.data(), bytes.size());
      bytes = {memory.data(), bytes.size()};
    }
    RETURN_IF_ERROR(DecodePart(std::move(memory), bytes, i, cells, batches));
  }
  return batches;
}

}  // namespace kelp::codec
