// Cells of a result: from DuckDB's chunks to printed values.
//
// Threads: confined to one thread.
// Tests:   sql_test.cc
#ifndef KELP_SQL_CELLS_H_
#define KELP_SQL_CELLS_H_

#include <span>
#include <string>
#include <vector>

#include "sql/database.h"
#include "sql/sql.h"

namespace kelp::sql {

// How a column of a result is fetched and printed.
struct CellColumn {
  ResultColumn column;
  std::string cast;  // "CAST(% AS VARCHAR)", % for the column; empty: as it is
  Cell::Kind kind = Cell::Kind::kText;
};

CellColumn DescribeColumn(const std::string& name, duckdb_type type);
// `sql` with the casts around it; `sql` itself when there are none.
std::string WithCasts(const std::string& sql, const std::vector<CellColumn>& columns);

// Prints the rows of a chunk one after another.
class CellPrinter {
 public:
  CellPrinter(const DuckDbLibrary& library, const std::vector<CellColumn>& columns,
              std::vector<duckdb_type> types);
  void Open(duckdb_data_chunk chunk);
  uint64_t rows() const { return rows_; }
  // Valid until the next call.
  std::span<const Cell> Row(uint64_t row);

 private:
  void Print(size_t column, uint64_t row);

  const DuckDbLibrary& library_;
  const std::vector<CellColumn>& columns_;
  const std::vector<duckdb_type> types_;  // as fetched
  std::vector<void*> data_;
  std::vector<uint64_t*> validity_;
  std::vector<Cell> cells_;
  std::vector<std::string> texts_;  // of printed numbers and times
  uint64_t rows_ = 0;
};

}  // namespace kelp::sql

#endif  // KELP_SQL_CELLS_H_
