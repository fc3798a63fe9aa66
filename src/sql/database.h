// Database: one in-memory DuckDB for one statement.
//
// It is made for the statement and gone after it (about 12 ms of CPU together), so nothing is
// shared between statements: no table, no setting, no memory. Files, extensions and the network are
// switched off before the first word of a user is seen, and the configuration is locked.
//
// Threads:  confined to one thread, except Interrupt.
// Errors:   kUnimplemented without the library.
// Tests:    sql_test.cc, attack_test.cc
#ifndef KELP_SQL_DATABASE_H_
#define KELP_SQL_DATABASE_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "base/units.h"
#include "sql/duckdb_library.h"

namespace kelp::sql {

// What DuckDB said, taken apart.
struct DuckDbError {
  duckdb_error_type type = DUCKDB_ERROR_INVALID;
  std::string kind;     // "Binder", "Parser", "Out of Memory"
  std::string message;  // first line
  std::string subtype;  // "COLUMN_NOT_FOUND"
  std::string name;     // of the column or function in question
  std::optional<size_t> position;

  static DuckDbError Parse(std::string_view text);
};

class Database {
 public:
  struct Options {
    std::string library;
    int threads = 2;
    ByteSize memory = 256_MiB;
    std::string temp_dir;  // empty: nothing is ever written to disk
    std::string file;      // the only one that statements of ours may write; empty: none
  };
  static Result<std::unique_ptr<Database>> Open(const Options& options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  const DuckDbLibrary& library() const { return library_; }
  duckdb_connection connection() const { return connection_; }

  // Runs a statement of ours.
  Status Execute(const std::string& sql);
  // The statement's syntax tree as JSON (json_serialize_sql).
  Result<std::string> SyntaxTree(std::string_view sql);
  // May be called from any thread while something runs.
  void Interrupt() { library_.interrupt(connection_); }

 private:
  explicit Database(const DuckDbLibrary& library) : library_(library) {}

  const DuckDbLibrary& library_;
  duckdb_database database_ = nullptr;
  duckdb_connection connection_ = nullptr;
};

// A prepared statement and its end.
class Prepared {
 public:
  Prepared(Database& database, const std::string& sql);
  ~Prepared();
  Prepared(const Prepared&) = delete;
  Prepared& operator=(const Prepared&) = delete;

  // nullopt: it was prepared.
  const std::optional<DuckDbError>& error() const { return error_; }
  duckdb_prepared_statement get() const { return statement_; }
  size_t column_count() const;
  duckdb_type column_type(size_t column) const;
  std::string column_name(size_t column) const;

 private:
  const DuckDbLibrary& library_;
  duckdb_prepared_statement statement_ = nullptr;
  std::optional<DuckDbError> error_;
};

}  // namespace kelp::sql

#endif  // KELP_SQL_DATABASE_H_
