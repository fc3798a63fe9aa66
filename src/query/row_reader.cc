#include "query/row_reader.h"

#include <xxhash.h>

namespace kelp::query {

using store::ColumnInfo;
using store::ColumnKind;

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
    if (value.missing()) continue;
    const uint64_t seed = XXH3_64bits_withSeed(
        info.name.data(), info.name.size(),
        static_cast<uint64_t>(info.kind) << 8 | static_cast<uint64_t>(value.kind));
    hash += XXH3_64bits_withSeed(value.data, value.size, seed);
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
