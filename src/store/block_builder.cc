#include "store/block_builder.h"

#include <algorithm>
#include <array>

#include "store/bytes.h"
#include "store/frame_codec.h"

namespace kelp::store {
namespace {

// Columns with few short values become dictionaries: one byte a row, and the values in the index,
// where a search finds them without decoding.
constexpr size_t kDictionaryValuesMax = 256;
constexpr size_t kDictionaryBytesMax = 4 << 10;
constexpr size_t kDictionarySlots = 1024;

FrameRef CloseFrame(const std::string& data, size_t begin) {
  const std::string_view bytes = std::string_view(data).substr(begin);
  return {static_cast<uint32_t>(begin), static_cast<uint32_t>(bytes.size()), Checksum(bytes)};
}

uint64_t HashOf(const Value& value) {
  return Checksum(value.text()) + static_cast<uint64_t>(value.kind);
}

bool Same(const Value& a, const Value& b) { return a.kind == b.kind && a.text() == b.text(); }

}  // namespace

BlockBuilder::StagedColumn* BlockBuilder::FindColumn(std::string_view name) {
  // Batches of one kind bring their columns in one order.
  const size_t next = last_column_ + 1 < columns_used_ ? last_column_ + 1 : 0;
  if (next < columns_used_ && columns_[next].name == name) {
    last_column_ = next;
    return &columns_[next];
  }
  const auto [it, fresh] = column_numbers_.try_emplace(name, columns_used_);
  if (fresh) {
    if (columns_used_ == columns_.size()) columns_.emplace_back();
    columns_[columns_used_].name = name;
    columns_[columns_used_].values.clear();
    ++columns_used_;
  }
  last_column_ = it->second;
  return &columns_[last_column_];
}

bool BlockBuilder::HasRoomFor(size_t columns, size_t resources, size_t tags) const {
  return columns_used_ + columns <= kColumnsMax && resources_.size() + resources <= kResourcesMax &&
         runs_.origins.size() + resources <= kResourcesMax && tags_ + tags <= kBlockTagsMax;
}

uint32_t BlockBuilder::RowsThatFit(const Batch& batch, std::span<const uint32_t> batch_rows) {
  const size_t room = std::min<size_t>(batch_rows.size(), kRowsMax - rows());
  uint64_t bytes = raw_bytes_;
  for (size_t i = 0; i < room; ++i) {
    uint64_t row_bytes = sizeof(UnixNanos);
    for (size_t c = 0; c < batch.column_count(); ++c) {
      row_bytes += batch.column(c).Get(batch_rows[i]).size;
    }
    if (bytes + row_bytes > kRawBytesMax && bytes != 0) return static_cast<uint32_t>(i);
    bytes += row_bytes;
  }
  return static_cast<uint32_t>(room);
}

uint32_t BlockBuilder::Add(const Batch& batch, std::span<const uint32_t> batch_rows) {
  if (!empty() && !HasRoomFor(batch.column_count(), 1, batch.resource()->tags().size())) return 0;
  const uint32_t count = RowsThatFit(batch, batch_rows);
  if (count == 0) return 0;
  const uint32_t before = rows();
  TagViews tags(batch.resource()->tags().begin(), batch.resource()->tags().end());
  AddRun(ResourceNumber(tags), OriginNumber(batch.origin), count, batch.row_begin(batch_rows[0]));
  for (uint32_t i = 0; i < count; ++i) {
    times_.push_back(batch.time(batch_rows[i]));
    begins_.push_back(batch.row_begin(batch_rows[i]));
  }
  raw_bytes_ += count * sizeof(UnixNanos);
  for (size_t c = 0; c < batch.column_count(); ++c) {
    std::vector<Value>& values = FindColumn(batch.column(c).name())->values;
    values.resize(before);
    const Value* source = batch.column(c).values();
    for (uint32_t i = 0; i < count; ++i) {
      const Value& value = source[batch_rows[i]];
      values.push_back(value);
      raw_bytes_ += value.size;
    }
  }
  return count;
}

Result<bool> BlockBuilder::Add(const SegmentBlock& block) {
  const BlockEntry& entry = block.entry();
  size_t tags = 0;
  for (const TagViews& resource : entry.resources) tags += resource.size();
  if (!empty() && (rows() + entry.rows > kRowsMax || raw_bytes_ + entry.raw_bytes > kRawBytesMax ||
                   !HasRoomFor(entry.columns.size(), entry.resources.size(), tags))) {
    return false;
  }
  readers_.push_back(std::make_unique<BlockReader>());
  BlockReader& reader = *readers_.back();
  reader.Open(block);
  ASSIGN_OR_RETURN(const std::span<const UnixNanos> times, reader.Times());
  ASSIGN_OR_RETURN(const OriginColumn* const origins, reader.Origins());
  BlockRuns runs;
  RETURN_IF_ERROR(block.DecodeRuns(runs));
  std::vector<const TextColumn*> columns;
  for (size_t c = 0; c < entry.columns.size(); ++c) {
    ASSIGN_OR_RETURN(const TextColumn* const column, reader.Column(static_cast<int>(c)));
    columns.push_back(column);
  }
  const uint32_t before = rows();
  for (const BlockRun& run : runs.runs) {
    AddRun(ResourceNumber(entry.resources[run.resource]), OriginNumber(runs.origins[run.origin]),
           run.rows, run.offset);
  }
  times_.insert(times_.end(), times.begin(), times.end());
  begins_.insert(begins_.end(), origins->offsets.begin(), origins->offsets.end());
  for (size_t c = 0; c < columns.size(); ++c) {
    std::vector<Value>& values = FindColumn(entry.columns[c].name)->values;
    values.resize(before);
    for (uint32_t r = 0; r < entry.rows; ++r) values.push_back(columns[c]->Get(r));
  }
  raw_bytes_ += entry.raw_bytes;
  return true;
}

uint32_t BlockBuilder::ResourceNumber(const TagViews& tags) {
  if (!resources_.empty() && resources_.back() == tags) {
    return static_cast<uint32_t>(resources_.size() - 1);
  }
  std::string key;
  for (const auto& [name, value] : tags) {
    PutText(key, name);
    PutText(key, value);
  }
  const auto [it, fresh] = resource_numbers_.try_emplace(std::move(key), resources_.size());
  if (fresh) {
    resources_.push_back(tags);
    tags_ += tags.size();
  }
  return it->second;
}

uint32_t BlockBuilder::OriginNumber(const OriginId& origin) {
  const auto [it, fresh] = origin_numbers_.try_emplace(origin, runs_.origins.size());
  if (fresh) runs_.origins.push_back(origin);
  return it->second;
}

void BlockBuilder::AddRun(uint32_t resource, uint32_t origin, uint32_t count, uint64_t offset) {
  if (!runs_.runs.empty() && runs_.runs.back().resource == resource &&
      runs_.runs.back().origin == origin) {
    runs_.runs.back().rows += count;
    return;
  }
  runs_.runs.push_back({resource, origin, count, offset});
}

void BlockBuilder::Finish(EncodedBlock& out) {
  CHECK(!empty(), "a block needs rows");
  out.entry = BlockEntry();
  out.data.clear();
  out.filter.clear();
  out.entry.rows = rows();
  const auto [min, max] = std::minmax_element(times_.begin(), times_.end());
  out.entry.time_min = *min;
  out.entry.time_max = *max;
  out.entry.raw_bytes = raw_bytes_;
  out.entry.resources = resources_;
  EncodePositions(out);
  for (size_t c = 0; c < columns_used_; ++c) EncodeColumn(columns_[c], out);
  tokens_.BuildFilter(out.filter);
  out.entry.filter_lines = static_cast<uint32_t>(out.filter.size() / kFilterLineBytes);
  out.entry.filter_checksum = Checksum(out.filter);
  out.entry.data_bytes = out.data.size();
  out.sources = std::move(readers_);
  Clear();
}

void BlockBuilder::EncodePositions(EncodedBlock& out) {
  size_t begin = 0;
  EncodeTimes(times_, out.data);
  out.entry.times = CloseFrame(out.data, begin);
  begin = out.data.size();
  EncodeRuns(out.data);
  out.entry.runs = CloseFrame(out.data, begin);
  begin = out.data.size();
  EncodeOffsets(out.data);
  out.entry.offsets = CloseFrame(out.data, begin);
}

void BlockBuilder::EncodeRuns(std::string& out) {
  text_.clear();
  PutVarint(text_, runs_.origins.size());
  for (const OriginId& origin : runs_.origins) {
    PutU64(text_, origin.high);
    PutU64(text_, origin.low);
  }
  PutVarint(text_, runs_.runs.size());
  for (const BlockRun& run : runs_.runs) {
    PutVarint(text_, run.resource);
    PutVarint(text_, run.origin);
    PutVarint(text_, run.rows);
    PutVarint(text_, run.offset);
  }
  Pack(text_, out);
}

// Lines of a file follow each other at a distance of their own length and something that is often
// the same for all: then the distance without the length of the body before costs next to nothing.
void BlockBuilder::EncodeOffsets(std::string& out) {
  const std::vector<Value>& bodies = columns_[0].values;
  std::string best;
  for (const bool less_body : {false, true}) {
    numbers_.assign(rows(), 0);
    size_t row = 0;
    for (const BlockRun& run : runs_.runs) {
      for (size_t r = row + 1; r < row + run.rows; ++r) {
        const uint64_t body = less_body && r - 1 < bodies.size() ? bodies[r - 1].size : 0;
        numbers_[r] = Zigzag(static_cast<int64_t>(begins_[r] - begins_[r - 1] - body));
      }
      row += run.rows;
    }
    text_.assign(1, static_cast<char>(less_body));
    EncodeStream(numbers_, text_);
    if (best.empty() || text_.size() < best.size()) best = text_;
  }
  out += best;
}

void BlockBuilder::EncodeColumn(StagedColumn& column, EncodedBlock& out) {
  column.values.resize(rows());
  ColumnEntry entry;
  entry.name = column.name;
  const bool body = out.entry.columns.empty();
  if (body || !EncodeDictionary(column, entry, out.data)) EncodePlain(column, entry, out.data);
  const bool absent = entry.form == ColumnForm::kConstant && entry.dictionary[0].missing();
  if (!absent) out.entry.columns.push_back(std::move(entry));
}

// False, and nothing written, when there are too many values.
bool BlockBuilder::EncodeDictionary(const StagedColumn& column, ColumnEntry& entry,
                                    std::string& data) {
  std::array<uint16_t, kDictionarySlots> slots{};  // 0: free, else number + 1
  numbers_.resize(rows());
  size_t bytes = 0;
  uint64_t last = 0;
  for (uint32_t row = 0; row < rows(); ++row) {
    const Value& value = column.values[row];
    // Values often repeat from row to row.
    if (row != 0 && Same(value, entry.dictionary[last])) {
      numbers_[row] = last;
      continue;
    }
    size_t slot = HashOf(value) % kDictionarySlots;
    while (slots[slot] != 0 && !Same(entry.dictionary[slots[slot] - 1u], value)) {
      slot = (slot + 1) % kDictionarySlots;
    }
    if (slots[slot] == 0) {
      bytes += value.size;
      if (entry.dictionary.size() == kDictionaryValuesMax || bytes > kDictionaryBytesMax) {
        entry.dictionary.clear();
        return false;
      }
      entry.dictionary.push_back(value);
      slots[slot] = static_cast<uint16_t>(entry.dictionary.size());
    }
    last = slots[slot] - 1u;
    numbers_[row] = last;
  }
  entry.all_json = true;
  for (const Value& value : entry.dictionary) {
    entry.all_json &= value.kind != ValueKind::kString;
    tokens_.AddText(value.text());
  }
  entry.form = ColumnForm::kConstant;
  if (entry.dictionary.size() == 1) return true;
  entry.form = ColumnForm::kDictionary;
  const size_t begin = data.size();
  EncodeStream(numbers_, data);
  entry.ids = CloseFrame(data, begin);
  return true;
}

void BlockBuilder::EncodePlain(const StagedColumn& column, ColumnEntry& entry, std::string& data) {
  entry.form = ColumnForm::kPlain;
  numbers_.resize(rows());
  text_.clear();
  uint32_t kinds_seen = 0;
  for (uint32_t row = 0; row < rows(); ++row) {
    const Value& value = column.values[row];
    numbers_[row] = value.size;
    kinds_seen |= 1u << static_cast<uint32_t>(value.kind);
    text_.append(value.data, value.size);
    tokens_.AddText(value.text());
  }
  constexpr uint32_t kString = 1u << static_cast<uint32_t>(ValueKind::kString);
  constexpr uint32_t kJson = 1u << static_cast<uint32_t>(ValueKind::kJson);
  entry.all_json = (kinds_seen & kString) == 0;
  entry.kind = kinds_seen == kString ? static_cast<uint8_t>(ValueKind::kString)
               : kinds_seen == kJson ? static_cast<uint8_t>(ValueKind::kJson)
                                     : ColumnEntry::kMixedKinds;
  size_t begin = data.size();
  EncodeStream(numbers_, data);
  entry.sizes = CloseFrame(data, begin);
  begin = data.size();
  Pack(text_, data);
  entry.data = CloseFrame(data, begin);
  if (entry.kind != ColumnEntry::kMixedKinds) return;
  for (uint32_t row = 0; row < rows(); ++row) {
    numbers_[row] = static_cast<uint64_t>(column.values[row].kind);
  }
  begin = data.size();
  EncodeStream(numbers_, data);
  entry.kinds = CloseFrame(data, begin);
}

void BlockBuilder::Clear() {
  times_.clear();
  begins_.clear();
  columns_used_ = 0;
  last_column_ = 0;
  column_numbers_.clear();
  resources_.clear();
  resource_numbers_.clear();
  origin_numbers_.clear();
  runs_.origins.clear();
  runs_.runs.clear();
  raw_bytes_ = 0;
  tags_ = 0;
  readers_.clear();
  tokens_.Clear();
}

}  // namespace kelp::store
