#include "query/row_reader.h"

#include <xxhash.h>

namespace kelp::query {

using store::ColumnInfo;
using store::ColumnKind;

namespace {

// Summed over a row's values, which makes their order not matter.
uint64_t HashValue(ColumnKind column, std::string_view name, const Value& value) {
  const bool body = column == ColumnKind::kBody;
  if (value.missing() || (body && value.size == 0)) return 0;
  if (body) return XXH3_64bits(value.data, value.size);
  const uint64_t kinds = static_cast<uint64_t>(column) << 8 | static_cast<uint64_t>(value.kind);
  const uint64_t seed = XXH3_64bits_withSeed(name.data(), name.size(), kinds);
  return XXH3_64bits_withSeed(value.data, value.size, seed);
}

}  // namespace

Result<Row> ReadRow(const store::Block& block, store::BlockReader& reader, uint32_t row) {
  Row out;
  ASSIGN_OR_RETURN(const std::span<const UnixNanos> times, reader.Times());
  out.time = times[row];
  ASSIGN_OR_RETURN(const store::OriginColumn* origins, reader.Origins());
  out.origin = origins->ids[origins->rows.empty() ? 0 : origins->rows[row]];
  out.offset = origins->offsets[row];
  const std::span<const ColumnInfo> columns = block.columns();
  for (size_t i = 0; i < columns.size(); ++i) {
    const ColumnInfo& info = columns[i];
    Value value = info.value;
    if (!info.constant) {
      ASSIGN_OR_RETURN(const store::TextColumn* column, reader.Column(static_cast<int>(i)));
      value = column->Get(row);
    }
    if (value.missing()) continue;
    if (info.kind == ColumnKind::kBody) {
      out.body = value.text();
    } else {
      auto& list = info.kind == ColumnKind::kField ? out.fields : out.resource;
      list.push_back({std::string(info.name), std::string(value.text()), value.kind});
    }
  }
  return out;
}

Result<uint64_t> HashRow(const store::Block& block, store::BlockReader& reader, uint32_t row) {
  uint64_t hash = 0;
  const std::span<const ColumnInfo> columns = block.columns();
  for (size_t i = 0; i < columns.size(); ++i) {
    const ColumnInfo& info = columns[i];
    Value value = info.value;
    if (!info.constant) {
      ASSIGN_OR_RETURN(const store::TextColumn* column, reader.Column(static_cast<int>(i)));
      value = column->Get(row);
    }
    hash += HashValue(info.kind, info.name, value);
  }
  return hash;
}

uint64_t HashRow(const Row& row) {
  const auto view = [](const std::string& text, ValueKind kind) {
    return Value{text.data(), static_cast<uint32_t>(text.size()), kind};
  };
  uint64_t hash = HashValue(ColumnKind::kBody, {}, view(row.body, ValueKind::kString));
  for (const Field& field : row.fields) {
    hash += HashValue(ColumnKind::kField, field.name, view(field.value, field.kind));
  }
  for (const Field& tag : row.resource) {
    hash += HashValue(ColumnKind::kResource, tag.name, view(tag.value, tag.kind));
  }
  return hash;
}

uint64_t RowBytes(const Row& row) {
  uint64_t bytes = sizeof(Row) + row.body.size();
  for (const auto* list : {&row.fields, &row.resource}) {
    for (const Field& field : *list) {
      bytes += sizeof(Field) + field.name.size() + field.value.size();
    }
  }
  return bytes;
}

}  // namespace kelp::query
