// A thin wrapper over SQLite: the one place of domain/ that includes it is sqlite.cc.
//
//   ASSIGN_OR_RETURN(auto db, sqlite::Database::Open(path));
//   ASSIGN_OR_RETURN(auto rows, db->Query("SELECT name FROM projects WHERE name = ?", {name}));
#ifndef KELP_DOMAIN_SQLITE_H_
#define KELP_DOMAIN_SQLITE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace kelp::sqlite {

// NULL, an integer or text.
class Cell {
 public:
  Cell() = default;
  Cell(int64_t n) : kind_(Kind::kInteger), integer_(n) {}                 // NOLINT
  Cell(std::string text) : kind_(Kind::kText), text_(std::move(text)) {}  // NOLINT
  Cell(std::string_view text) : kind_(Kind::kText), text_(text) {}        // NOLINT
  Cell(const char* text) : kind_(Kind::kText), text_(text) {}             // NOLINT
  Cell(std::optional<int64_t> n) : Cell(n ? Cell(*n) : Cell()) {}         // NOLINT

  bool is_null() const { return kind_ == Kind::kNull; }
  bool is_integer() const { return kind_ == Kind::kInteger; }
  int64_t integer() const { return integer_; }
  const std::string& text() const { return text_; }
  std::optional<int64_t> optional_integer() const {
    return is_null() ? std::nullopt : std::optional<int64_t>(integer_);
  }

 private:
  enum class Kind : uint8_t { kNull, kInteger, kText };
  Kind kind_ = Kind::kNull;
  int64_t integer_ = 0;
  std::string text_;
};
using Row = std::vector<Cell>;

// One database file, opened in WAL mode with full sync: a committed change survives power loss.
//
// Threads:  thread-compatible.
// Blocking: every call; up to five seconds while another process writes.
// Errors:   kDataLoss when the file is no database or is damaged, with what to do; kAlreadyExists
//           for a violated uniqueness; kResourceExhausted for a full disk; else kIo. Messages name
//           the file.
// Tests:    sqlite_test.cc
class Database {
 public:
  // Creates the file (0600) when it is not there; checks its pages.
  static Result<std::unique_ptr<Database>> Open(const std::string& path);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // One statement with its parameters.
  Result<std::vector<Row>> Query(std::string_view sql, const std::vector<Cell>& params = {});
  Status Execute(std::string_view sql, const std::vector<Cell>& params = {});
  // Several statements without parameters, in one transaction.
  Status ExecuteAll(const std::string& sql);
  // Rows changed by the last statement.
  int64_t changes() const;

  // BEGIN IMMEDIATE ... COMMIT; rolls back unless Commit() was called and succeeded.
  class Transaction {
   public:
    explicit Transaction(Database& db) : db_(db) {}
    ~Transaction();
    Status Begin();
    Status Commit();

   private:
    Database& db_;
    bool open_ = false;
  };

 private:
  struct Rep;
  explicit Database(std::unique_ptr<Rep> rep);
  Status Failure(std::string_view what) const;
  std::unique_ptr<Rep> rep_;
};

}  // namespace kelp::sqlite

#endif  // KELP_DOMAIN_SQLITE_H_
