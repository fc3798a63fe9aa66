#include "domain/sqlite.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <utility>

namespace kelp::sqlite {
namespace {

constexpr int kBusyMillis = 5000;

}  // namespace

struct Database::Rep {
  ~Rep() { sqlite3_close(db); }
  std::string path;
  sqlite3* db = nullptr;
};

Database::Database(std::unique_ptr<Rep> rep) : rep_(std::move(rep)) {}
Database::~Database() = default;

Status Database::Failure(std::string_view what) const {
  const int code = sqlite3_extended_errcode(rep_->db);
  const std::string message =
      std::string(what) + " the database " + rep_->path + ": " + sqlite3_errmsg(rep_->db);
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return DataLossError(message +
                           "; restore it from a backup, or move it away to begin with a new one");
    case SQLITE_CONSTRAINT:
      return AlreadyExistsError(message);
    case SQLITE_FULL:
      return ResourceExhaustedError(message);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return UnavailableError(message);
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return PermissionDeniedError(message);
    default:
      return IoError(message);
  }
}

Result<std::unique_ptr<Database>> Database::Open(const std::string& path) {
  // Made here and not by SQLite, so that tokens' hashes are never readable by others.
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return ErrnoError("cannot open the database " + path);
  ::close(fd);
  auto rep = std::make_unique<Rep>();
  rep->path = path;
  const int opened = sqlite3_open_v2(path.c_str(), &rep->db,
                                     SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX, nullptr);
  std::unique_ptr<Database> db(new Database(std::move(rep)));
  if (opened != SQLITE_OK) return db->Failure("cannot open");
  sqlite3_busy_timeout(db->rep_->db, kBusyMillis);
  RETURN_IF_ERROR(db->Query("PRAGMA journal_mode = WAL").status());
  RETURN_IF_ERROR(db->Execute("PRAGMA synchronous = FULL"));
  RETURN_IF_ERROR(db->Execute("PRAGMA foreign_keys = ON"));
  // The file is small; finding damage now is better than in the middle of a request.
  ASSIGN_OR_RETURN(const std::vector<Row> check, db->Query("PRAGMA quick_check(1)"));
  if (check.empty() || check[0][0].text() != "ok") {
    return DataLossError("the database " + path +
                         " is damaged: " + (check.empty() ? "no answer" : check[0][0].text()) +
                         "; restore it from a backup, or move it away to begin with a new one");
  }
  return db;
}

Result<std::vector<Row>> Database::Query(std::string_view sql, const std::vector<Cell>& params) {
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v2(rep_->db, sql.data(), static_cast<int>(sql.size()), &raw, nullptr) !=
      SQLITE_OK) {
    return Failure("cannot use");
  }
  const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> statement(raw, sqlite3_finalize);
  for (size_t i = 0; i < params.size(); ++i) {
    const int at = static_cast<int>(i) + 1;
    const Cell& param = params[i];
    if (param.is_null()) {
      sqlite3_bind_null(raw, at);
    } else if (param.is_integer()) {
      sqlite3_bind_int64(raw, at, param.integer());
    } else {
      sqlite3_bind_text(raw, at, param.text().data(), static_cast<int>(param.text().size()),
                        SQLITE_TRANSIENT);
    }
  }
  std::vector<Row> rows;
  int step;
  while ((step = sqlite3_step(raw)) == SQLITE_ROW) {
    Row row;
    for (int i = 0; i < sqlite3_column_count(raw); ++i) {
      switch (sqlite3_column_type(raw, i)) {
        case SQLITE_NULL:
          row.emplace_back();
          break;
        case SQLITE_INTEGER:
          row.emplace_back(sqlite3_column_int64(raw, i));
          break;
        default:
          row.emplace_back(std::string(reinterpret_cast<const char*>(sqlite3_column_text(raw, i)),
                                       static_cast<size_t>(sqlite3_column_bytes(raw, i))));
      }
    }
    rows.push_back(std::move(row));
  }
  if (step != SQLITE_DONE) return Failure("cannot use");
  return rows;
}

Status Database::Execute(std::string_view sql, const std::vector<Cell>& params) {
  return Query(sql, params).status();
}

Status Database::ExecuteAll(const std::string& sql) {
  Transaction transaction(*this);
  RETURN_IF_ERROR(transaction.Begin());
  if (sqlite3_exec(rep_->db, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return Failure("cannot change");
  }
  return transaction.Commit();
}

int64_t Database::changes() const { return sqlite3_changes64(rep_->db); }

Database::Transaction::~Transaction() {
  if (open_) db_.Execute("ROLLBACK").IgnoreError();
}

Status Database::Transaction::Begin() {
  RETURN_IF_ERROR(db_.Execute("BEGIN IMMEDIATE"));
  open_ = true;
  return OkStatus();
}

Status Database::Transaction::Commit() {
  RETURN_IF_ERROR(db_.Execute("COMMIT"));
  open_ = false;
  return OkStatus();
}

}  // namespace kelp::sqlite
