// LogTable and its scans: the table `log` as DuckDB reads it.
//
// A scan hands blocks to DuckDB's threads one by one. Each thread asks the search what matches in
// its block (query::BlockScan), decodes only the columns that the statement names, and fills chunks
// of 2048 rows. Texts are not copied: a chunk points into the decoded block, which stays until the
// same thread asks for its next chunk, as DuckDB allows.
//
// Place:    Database registers one for each statement.
// Owns:     the counters. Borrows snapshot, query and schema, which outlive the statement.
// Threads:  thread-safe; what belongs to one of DuckDB's threads is in LocalScan.
// Errors:   a corrupt block is left out and noted in `outcome`. A value that does not fit its
//           column's type ends the statement, and `misfits` says which column it was.
// Tests:    sql_test.cc
#ifndef KELP_SQL_LOG_SCAN_H_
#define KELP_SQL_LOG_SCAN_H_

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/sync.h"
#include "query/outcome.h"
#include "query/query.h"
#include "sql/duckdb_library.h"
#include "sql/log_schema.h"

namespace kelp::sql {

// A block, and the logstore that it is of where the snapshot is of several.
struct LogBlock {
  std::shared_ptr<const store::Block> block;
  std::string_view logstore;
};

struct LogTable {
  LogTable(const DuckDbLibrary& l, const store::Snapshot& snapshot, const query::Query& q,
           const LogSchema& s);

  const DuckDbLibrary& library;
  const query::Query& query;
  const LogSchema& schema;
  std::vector<LogBlock> blocks;  // that reach into [from, to)
  uint64_t blocks_total = 0;
  UnixNanos from = 0;
  UnixNanos to = 0;
  query::Limits limits;
  uint64_t threads = 1;

  std::atomic<uint64_t> blocks_read{0};
  std::atomic<uint64_t> rows_read{0};
  std::atomic<uint64_t> rows_given{0};
  std::atomic<uint64_t> bytes_read{0};
  std::atomic<uint64_t> regexes_gave_up{0};
  // By column: values that are not what the column's type says.
  std::vector<std::atomic<uint64_t>> misfits;
  Mutex mu;
  query::Outcome outcome GUARDED_BY(mu);

  // Makes the table function `name` of this table. Kept until the connection closes.
  Status Register(duckdb_connection connection, const char* name);
};

}  // namespace kelp::sql

#endif  // KELP_SQL_LOG_SCAN_H_
