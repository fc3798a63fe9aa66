#include "sql/cells.h"

#include <fmt/format.h>

#include <cmath>

namespace kelp::sql {
namespace {

constexpr int64_t kNanosPerMicro = 1000;

template <typename T>
T At(void* data, uint64_t row) {
  return static_cast<T*>(data)[row];
}

}  // namespace

CellColumn DescribeColumn(const std::string& name, duckdb_type type) {
  using Kind = Cell::Kind;
  const char* as_text = "CAST(% AS VARCHAR)";
  switch (type) {
    case DUCKDB_TYPE_BOOLEAN:
      return {{name, "boolean"}, "", Kind::kBoolean};
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_UTINYINT:
    case DUCKDB_TYPE_USMALLINT:
    case DUCKDB_TYPE_UINTEGER:
      return {{name, "integer"}, "CAST(% AS BIGINT)", Kind::kNumber};
    case DUCKDB_TYPE_BIGINT:
      return {{name, "integer"}, "", Kind::kNumber};
    case DUCKDB_TYPE_UBIGINT:
    case DUCKDB_TYPE_HUGEINT:
    case DUCKDB_TYPE_UHUGEINT:
    case DUCKDB_TYPE_BIGNUM:
      return {{name, "integer"}, as_text, Kind::kNumber};
    case DUCKDB_TYPE_DOUBLE:
      return {{name, "number"}, "", Kind::kNumber};
    case DUCKDB_TYPE_FLOAT:
      return {{name, "number"}, "CAST(% AS DOUBLE)", Kind::kNumber};
    case DUCKDB_TYPE_DECIMAL:
      return {{name, "number"}, as_text, Kind::kNumber};
    case DUCKDB_TYPE_TIMESTAMP:
      return {{name, "time"}, "", Kind::kTime};
    case DUCKDB_TYPE_TIMESTAMP_S:
    case DUCKDB_TYPE_TIMESTAMP_MS:
    case DUCKDB_TYPE_TIMESTAMP_NS:
    case DUCKDB_TYPE_TIMESTAMP_TZ:
      return {{name, "time"}, "CAST(% AS TIMESTAMP)", Kind::kTime};
    case DUCKDB_TYPE_VARCHAR:
      return {{name, "text"}, "", Kind::kText};
    case DUCKDB_TYPE_LIST:
    case DUCKDB_TYPE_STRUCT:
    case DUCKDB_TYPE_MAP:
    case DUCKDB_TYPE_ARRAY:
    case DUCKDB_TYPE_UNION:
      return {{name, "json"}, "CAST(to_json(%) AS VARCHAR)", Kind::kJson};
    default:  // dates, intervals, UUIDs, bytes
      return {{name, "text"}, as_text, Kind::kText};
  }
}

std::string WithCasts(const std::string& sql, const std::vector<CellColumn>& columns) {
  std::string list, names;
  bool any = false;
  for (size_t i = 0; i < columns.size(); ++i) {
    const std::string name = fmt::format("c{}", i);
    std::string value = columns[i].cast.empty() ? name : columns[i].cast;
    if (const size_t at = value.find('%'); at != value.npos) value.replace(at, 1, name);
    any = any || !columns[i].cast.empty();
    list += (i == 0 ? "" : ", ") + value;
    names += (i == 0 ? "" : ", ") + name;
  }
  if (!any) return sql;
  // On lines of its own: the statement may end in a comment.
  return "SELECT " + list + " FROM (\n" + sql + "\n) AS t(" + names + ")";
}

CellPrinter::CellPrinter(const DuckDbLibrary& library, const std::vector<CellColumn>& columns,
                         std::vector<duckdb_type> types)
    : library_(library),
      columns_(columns),
      types_(std::move(types)),
      data_(columns.size()),
      validity_(columns.size()),
      cells_(columns.size()),
      texts_(columns.size()) {}

void CellPrinter::Open(duckdb_data_chunk chunk) {
  rows_ = library_.data_chunk_get_size(chunk);
  for (size_t i = 0; i < columns_.size(); ++i) {
    duckdb_vector vector = library_.data_chunk_get_vector(chunk, i);
    data_[i] = library_.vector_get_data(vector);
    validity_[i] = library_.vector_get_validity(vector);
  }
}

std::span<const Cell> CellPrinter::Row(uint64_t row) {
  for (size_t i = 0; i < columns_.size(); ++i) {
    const bool valid = validity_[i] == nullptr || (validity_[i][row / 64] >> (row % 64) & 1) != 0;
    cells_[i] = {};
    if (valid) Print(i, row);
  }
  return cells_;
}

void CellPrinter::Print(size_t i, uint64_t row) {
  std::string& text = texts_[i];
  Cell& cell = cells_[i];
  cell.kind = columns_[i].kind;
  switch (types_[i]) {
    case DUCKDB_TYPE_BOOLEAN:
      cell.text = At<bool>(data_[i], row) ? "true" : "false";
      return;
    case DUCKDB_TYPE_BIGINT:
      text = fmt::format("{}", At<int64_t>(data_[i], row));
      break;
    case DUCKDB_TYPE_DOUBLE: {
      const double number = At<double>(data_[i], row);
      // JSON has no infinity.
      if (!std::isfinite(number)) cell.kind = Cell::Kind::kNull;
      text = fmt::format("{}", number);
      break;
    }
    case DUCKDB_TYPE_TIMESTAMP: {
      const int64_t micros = At<int64_t>(data_[i], row);
      if (micros > INT64_MAX / kNanosPerMicro || micros < INT64_MIN / kNanosPerMicro) {
        cell.kind = Cell::Kind::kNull;  // a year that no log has
      } else {
        text = FormatRfc3339(micros * kNanosPerMicro);
      }
      break;
    }
    default: {
      const auto* string = static_cast<const duckdb_string_t*>(data_[i]) + row;
      const uint32_t size = string->value.inlined.length;
      cell.text = {size <= 12 ? string->value.inlined.inlined : string->value.pointer.ptr, size};
      return;
    }
  }
  cell.text = text;
}

}  // namespace kelp::sql
