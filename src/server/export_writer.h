// Writers of exports: rows and results as JSON lines or CSV.
//
//   CsvRows writer(ColumnsOf(snapshot, from, to));
//   writer.Begin(text);
//   for (const query::Row& row : page) writer.Add(row, text);
//
// Threads:  confined to one thread.
// Format:   docs/formats/http-api.md ("Export")
// Tests:    export_writer_test.cc
#ifndef KELP_SERVER_EXPORT_WRITER_H_
#define KELP_SERVER_EXPORT_WRITER_H_

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "query/query.h"
#include "sql/sql.h"
#include "store/snapshot.h"

namespace kelp::server {

// A spreadsheet has about sixteen times as many; nobody reads more.
inline constexpr size_t kExportColumnsMax = 1'000;

// Appends a value as CSV (RFC 4180): in quotes where it needs them, quotes doubled. An empty text
// is "", so that it is told apart from none.
void AppendCsv(std::string_view value, std::string& out);

// Rows of a search.
class RowWriter {
 public:
  virtual ~RowWriter() = default;
  // What stands before the first row. Appends.
  virtual void Begin(std::string& out) = 0;
  virtual void Add(const query::Row& row, std::string& out) = 0;
};

// ROW of the API, one a line.
std::unique_ptr<RowWriter> NewJsonRows();
// Objects of these columns, one a line; what a row does not have is left out.
std::unique_ptr<RowWriter> NewJsonRows(std::vector<std::string> columns);
// A line of names, then a line for each row; what a row does not have is empty.
std::unique_ptr<RowWriter> NewCsvRows(std::vector<std::string> columns);

// Columns of the rows in a span of time: time, body, logstore where there are several, tags,
// fields, origin, offset; at most kExportColumnsMax.
std::vector<std::string> ColumnsOf(const store::Snapshot& snapshot, UnixNanos from, UnixNanos to);

// Rows of a statement.
class ResultWriter {
 public:
  virtual ~ResultWriter() = default;
  virtual void Begin(const std::vector<sql::ResultColumn>& columns, std::string& out) = 0;
  virtual void Add(std::span<const sql::Cell> cells, std::string& out) = 0;
};
std::unique_ptr<ResultWriter> NewJsonResult();
std::unique_ptr<ResultWriter> NewCsvResult();

}  // namespace kelp::server

#endif  // KELP_SERVER_EXPORT_WRITER_H_
