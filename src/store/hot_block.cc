#include "store/hot_block.h"

#include <algorithm>
#include <unordered_map>

#include "store/token_filter.h"

namespace kelp::store {
namespace {

// The objects around a batch of few rows: Batch, HotPart, their share of a HotBlock.
constexpr size_t kPartOverhead = 1024;

bool Same(const Value& a, const Value& b) { return a.kind == b.kind && a.text() == b.text(); }

}  // namespace

HotPart::HotPart(BatchPtr b, uint64_t sequence_of_commit)
    : batch(std::move(b)),
      sequence(sequence_of_commit),
      rows(batch->selected_count()),
      value_bytes(0),
      time_min(INT64_MAX),
      time_max(INT64_MIN) {
  batch->ForEach([&](uint32_t row) {
    time_min = std::min(time_min, batch->time(row));
    time_max = std::max(time_max, batch->time(row));
  });
  for (size_t i = 0; i < batch->column_count(); ++i) {
    const Value* values = batch->column(i).values();
    batch->ForEach([&](uint32_t row) { value_bytes += values[row].size; });
  }
  const size_t per_row = 3 * sizeof(uint64_t) + batch->column_count() * sizeof(Value);
  // A decoder may share one buffer among the batches of a request: then the values say more.
  memory = kPartOverhead +
           std::max<size_t>(value_bytes + batch->rows() * per_row, batch->memory_bytes());
}

HotBlock::HotBlock(std::vector<HotPartPtr> parts)
    : parts_(std::move(parts)), time_min_(INT64_MAX), time_max_(INT64_MIN) {
  CHECK(!parts_.empty() && parts_.size() <= kPartsMax, "a hot block of too many parts or none");
  for (const HotPartPtr& part : parts_) {
    rows_ += part->rows;
    raw_bytes_ += part->value_bytes + part->rows * sizeof(UnixNanos);
    time_min_ = std::min(time_min_, part->time_min);
    time_max_ = std::max(time_max_, part->time_max);
  }
  AddColumns();
  for (size_t i = 0; i < columns_.size(); ++i) DescribeColumn(i);
}

bool HotBlock::CanJoin(const HotBlock& a, const HotBlock& b, uint32_t rows_max) {
  return a.rows_ + b.rows_ <= rows_max && a.parts_.size() + b.parts_.size() <= kPartsMax;
}

std::shared_ptr<const HotBlock> HotBlock::Join(const HotBlock& a, const HotBlock& b) {
  std::vector<HotPartPtr> parts;
  parts.reserve(a.parts_.size() + b.parts_.size());
  parts.insert(parts.end(), a.parts_.begin(), a.parts_.end());
  parts.insert(parts.end(), b.parts_.begin(), b.parts_.end());
  return std::make_shared<const HotBlock>(std::move(parts));
}

void HotBlock::AddColumns() {
  std::unordered_map<std::string_view, size_t> fields;
  std::unordered_map<std::string_view, size_t> tags;
  const auto find = [this](auto& map, std::string_view name, ColumnKind kind) {
    const auto [it, fresh] = map.try_emplace(name, columns_.size());
    if (fresh) {
      columns_.push_back({name, kind});
      sources_.emplace_back();
    }
    return it->second;
  };
  for (uint32_t p = 0; p < parts_.size(); ++p) {
    const Batch& batch = *parts_[p]->batch;
    for (uint32_t c = 0; c < batch.column_count(); ++c) {
      const ColumnKind kind = c == 0 ? ColumnKind::kBody : ColumnKind::kField;
      sources_[find(fields, batch.column(c).name(), kind)].sources.push_back({p, c});
    }
    const auto& resource = batch.resource()->tags();
    for (uint32_t t = 0; t < resource.size(); ++t) {
      sources_[find(tags, resource[t].first, ColumnKind::kResource)].sources.push_back({p, t});
    }
  }
}

Value HotBlock::TagOf(const Source& source) const {
  return Value::String(parts_[source.part]->batch->resource()->tags()[source.index].second);
}

void HotBlock::DescribeColumn(size_t column) {
  ColumnInfo& info = columns_[column];
  const std::vector<Source>& sources = sources_[column].sources;
  if (info.kind == ColumnKind::kResource) {
    info.value = TagOf(sources[0]);
    info.constant = sources.size() == parts_.size() &&
                    std::all_of(sources.begin(), sources.end(),
                                [&](const Source& s) { return Same(TagOf(s), info.value); });
    if (!info.constant) info.value = Value();
    return;
  }
  bool any = false;
  bool all_json = true;
  for (const Source& source : sources) {
    const Batch& batch = *parts_[source.part]->batch;
    const Value* values = batch.column(source.index).values();
    batch.ForEach([&](uint32_t row) {
      any |= values[row].kind != ValueKind::kMissing;
      all_json &= values[row].kind != ValueKind::kString;
    });
  }
  info.all_json = any && all_json;
}

bool HotBlock::MayEqual(int column, std::string_view value) const {
  const size_t at = static_cast<size_t>(column);
  if (columns_[at].kind != ColumnKind::kResource) return true;
  const std::vector<Source>& sources = sources_[at].sources;
  return std::any_of(sources.begin(), sources.end(),
                     [&](const Source& s) { return TagOf(s).text() == value; });
}

bool HotBlock::MayHold(int column, const std::function<bool(const Value&)>& matches) const {
  const size_t at = static_cast<size_t>(column);
  if (columns_[at].kind != ColumnKind::kResource) return true;
  const std::vector<Source>& sources = sources_[at].sources;
  return std::any_of(sources.begin(), sources.end(),
                     [&](const Source& s) { return matches(TagOf(s)); });
}

void HotBlock::BuildFilter() const {
  TokenSet tokens;
  for (const HotPartPtr& part : parts_) {
    const Batch& batch = *part->batch;
    for (size_t c = 0; c < batch.column_count(); ++c) {
      const Value* values = batch.column(c).values();
      batch.ForEach([&](uint32_t row) { tokens.AddText(values[row].text()); });
    }
  }
  tokens.BuildFilter(filter_);
}

// A search that finds nothing here then costs a look instead of a copy and a scan of all values.
bool HotBlock::MayContainTokens(int column, std::span<const uint64_t> hashes) const {
  if (hashes.empty()) return true;
  if (column >= 0 && columns_[static_cast<size_t>(column)].kind == ColumnKind::kResource) {
    return true;  // tags are not in the filter; MayHold knows them
  }
  std::call_once(filter_once_, [this] { BuildFilter(); });
  return FilterMayContain(filter_, hashes);
}

Status HotBlock::DecodeTimes(std::vector<UnixNanos>& times) const {
  times.clear();
  times.reserve(rows_);
  for (const HotPartPtr& part : parts_) {
    part->batch->ForEach([&](uint32_t row) { times.push_back(part->batch->time(row)); });
  }
  return OkStatus();
}

Status HotBlock::DecodeColumn(int column, DecodedColumn& out) const {
  const size_t at = static_cast<size_t>(column);
  if (columns_[at].kind == ColumnKind::kResource) {
    DecodeTags(at, out);
  } else {
    DecodeValues(at, out);
  }
  return OkStatus();
}

void HotBlock::DecodeTags(size_t column, DecodedColumn& out) const {
  const ColumnInfo& info = columns_[column];
  if (info.constant) {
    out.column.form = TextColumn::Form::kConstant;
    out.column.dictionary.assign(1, info.value);
    return;
  }
  // One entry a value, so that a search looks at each once; entry 0 is "missing".
  out.column.form = TextColumn::Form::kDictionary;
  out.column.dictionary.assign(1, Value());
  std::unordered_map<std::string_view, uint16_t> entries;
  std::vector<uint16_t> entry_of_part(parts_.size(), 0);
  for (const Source& source : sources_[column].sources) {
    const Value value = TagOf(source);
    const auto [it, fresh] =
        entries.try_emplace(value.text(), static_cast<uint16_t>(out.column.dictionary.size()));
    if (fresh) out.column.dictionary.push_back(value);
    entry_of_part[source.part] = it->second;
  }
  out.ids.resize(std::max<size_t>(out.ids.size(), rows_));
  uint16_t* next = out.ids.data();
  for (size_t p = 0; p < parts_.size(); ++p) {
    next = std::fill_n(next, parts_[p]->rows, entry_of_part[p]);
  }
  out.column.ids = std::span(out.ids).first(rows_);
}

void HotBlock::DecodeValues(size_t column, DecodedColumn& out) const {
  out.column.form = TextColumn::Form::kPlain;
  out.offsets.resize(std::max<size_t>(out.offsets.size(), rows_ + 1));
  out.kinds.resize(std::max<size_t>(out.kinds.size(), rows_));
  uint32_t row_out = 0;
  uint32_t size = 0;
  const std::vector<Source>& sources = sources_[column].sources;
  auto source = sources.begin();
  out.offsets[0] = 0;
  const auto put = [&](const Value& value) {
    if (out.data.size() < size_t{size} + value.size + kBufferPadding) {
      out.data.resize(std::max<size_t>(2 * out.data.size(), size + value.size + 64 * 1024));
    }
    if (value.size != 0) std::memcpy(out.data.data() + size, value.data, value.size);
    size += value.size;
    out.kinds[row_out] = static_cast<uint8_t>(value.kind);
    out.offsets[++row_out] = size;
  };
  for (uint32_t p = 0; p < parts_.size(); ++p) {
    const Batch& batch = *parts_[p]->batch;
    if (source == sources.end() || source->part != p) {
      for (uint32_t i = 0; i < parts_[p]->rows; ++i) put(Value());
      continue;
    }
    const Value* values = batch.column(source->index).values();
    batch.ForEach([&](uint32_t row) { put(values[row]); });
    ++source;
  }
  out.column.data = {out.data.data(), size};
  out.column.offsets = std::span(out.offsets).first(rows_ + 1);
  out.column.kinds = std::span(out.kinds).first(rows_);
}

Status HotBlock::DecodeOrigins(DecodedOrigins& out) const {
  out.ids.clear();
  out.rows.clear();
  out.offsets.clear();
  std::unordered_map<OriginId, uint16_t> known;
  for (const HotPartPtr& part : parts_) {
    const Batch& batch = *part->batch;
    const auto [it, fresh] = known.try_emplace(batch.origin, static_cast<uint16_t>(out.ids.size()));
    if (fresh) out.ids.push_back(batch.origin);
    out.rows.insert(out.rows.end(), part->rows, it->second);
    batch.ForEach([&](uint32_t row) { out.offsets.push_back(batch.row_begin(row)); });
  }
  if (out.ids.size() == 1) out.rows.clear();
  out.column = {out.ids, out.rows, out.offsets};
  return OkStatus();
}

}  // namespace kelp::store
