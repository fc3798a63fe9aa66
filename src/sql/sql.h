// Sql: `search | SELECT ...` over a store snapshot (docs/guides/sql.md), run by DuckDB.
//
//   sql::Engine engine(options);
//   sql::Problem problem;
//   if (!engine.Run(*snapshot, *query, {.statement = "SELECT count(*)"}, sink, result, problem))
//     ...problem.status, problem.position...
//
// Place:    the server calls it on a query thread.
// Threads:  thread-safe.
// Blocking: for as long as the statement runs; a second thread watches time, memory and
//           cancellation.
// Limits:   time, memory, rows and bytes of the result, each of the request.
// Errors:   kInvalidArgument and kPermissionDenied point into the statement; kDeadlineExceeded,
//           kResourceExhausted, kCancelled; kUnimplemented when DuckDB's library is missing.
// Tests:    sql_test.cc, attack_test.cc
#ifndef KELP_SQL_SQL_H_
#define KELP_SQL_SQL_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/units.h"
#include "query/query.h"
#include "sql/problem.h"
#include "store/snapshot.h"

namespace kelp::sql {

struct ResultColumn {
  std::string name;
  std::string type;  // boolean, integer, number, time, text, json
};

// One value, printed: numbers as JSON has them, times as RFC 3339, json as it is.
struct Cell {
  enum class Kind : uint8_t { kNull, kBoolean, kNumber, kTime, kText, kJson };
  Kind kind = Kind::kNull;
  std::string_view text;
};

// Takes the result, row by row.
class RowSink {
 public:
  virtual ~RowSink() = default;
  virtual void Start(const std::vector<ResultColumn>& columns) = 0;
  // False ends the statement: enough, or nobody reads.
  virtual bool Row(std::span<const Cell> cells) = 0;
};

// How to draw the result: groups by time have a line for each series.
struct Chart {
  std::string kind;                 // "time", "category" or "value"
  std::string x;                    // column; empty for "value"
  std::vector<std::string> series;  // columns whose values tell series apart
  std::vector<std::string> values;  // columns of numbers
};

struct Request {
  std::string_view statement;  // after the '|': SELECT or pipes
  UnixNanos from = INT64_MIN + 1;
  UnixNanos to = INT64_MAX;
  uint64_t rows_max = UINT64_MAX;
  query::Limits limits;
  // Not empty: the rows go into this Parquet file, which is made, and none to the sink.
  std::string parquet_file;
};

struct Outcome {
  uint64_t rows = 0;
  bool more = false;    // rows_max was reached and there were more
  std::string partial;  // why the answer may not be whole
  std::string sql;      // what ran
  std::optional<Chart> chart;
  query::Stats stats;
};

struct Options {
  std::string library;  // empty: looked for beside the program
  int threads = 2;
};

class Engine {
 public:
  explicit Engine(Options options) : options_(std::move(options)) {}
  // OkStatus when SQL can run here.
  Status Available() const;
  // False with `problem` when it failed; the sink may have got rows by then.
  bool Run(const store::Snapshot& snapshot, const query::Query& query, const Request& request,
           RowSink& sink, Outcome& outcome, Problem& problem) const;

 private:
  const Options options_;
};

}  // namespace kelp::sql

#endif  // KELP_SQL_SQL_H_
