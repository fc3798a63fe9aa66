// The checkpoint database: the one file that knows SQLite here.
#include <sqlite3.h>

#include <utility>

#include "base/log.h"
#include "base/sync.h"
#include "tail/checkpoint.h"

namespace kelp::tail {
namespace {

constexpr int kApplicationId = 0x4b656c70;
constexpr int kSchemaVersion = 1;
// Another process that only looks (kelp, sqlite3) is soon done.
constexpr int kBusyMillis = 2000;
// A pipeline that was away for longer is taken for removed.
constexpr Duration kSpaceKept = 30 * 24h;
// So many databases moved aside are plenty for a post-mortem.
constexpr int kCorruptMax = 1000;

constexpr char kSchema[] = R"(
CREATE TABLE spaces (name TEXT PRIMARY KEY, first_started INTEGER NOT NULL,
  last_started INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE origins (origin BLOB PRIMARY KEY, space TEXT NOT NULL, path TEXT NOT NULL,
  device INTEGER NOT NULL, inode INTEGER NOT NULL, born INTEGER, print_bytes INTEGER NOT NULL,
  print_hash INTEGER NOT NULL, resume INTEGER NOT NULL, emitted INTEGER NOT NULL,
  line INTEGER NOT NULL, ordinal INTEGER NOT NULL, vanished INTEGER) WITHOUT ROWID;
)";

// What SQLite says when the file is damaged or something else. Our statements never change, so one
// that does not fit the tables tells that the tables are not ours.
bool IsCorrupt(int code) {
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
    case SQLITE_ERROR:
    case SQLITE_SCHEMA:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
      return code > 0;
    default:
      return false;
  }
}

// A prepared statement, finalized at its end.
class Statement {
 public:
  Statement(sqlite3* db, const char* sql) {
    code_ = sqlite3_prepare_v2(db, sql, -1, &statement_, nullptr);
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  int code() const { return code_; }
  void Int(int i, uint64_t v) { sqlite3_bind_int64(statement_, i, static_cast<int64_t>(v)); }
  void Time(int i, UnixNanos v) {
    if (v == kNoTime) {
      sqlite3_bind_null(statement_, i);
    } else {
      sqlite3_bind_int64(statement_, i, v);
    }
  }
  void Text(int i, const std::string& v) {
    sqlite3_bind_text(statement_, i, v.data(), static_cast<int>(v.size()), SQLITE_STATIC);
  }
  void Id(int i, const OriginId& id) {
    unsigned char bytes[16];
    for (int b = 0; b < 8; ++b) {
      bytes[b] = static_cast<unsigned char>(id.high >> (56 - 8 * b));
      bytes[8 + b] = static_cast<unsigned char>(id.low >> (56 - 8 * b));
    }
    sqlite3_bind_blob(statement_, i, bytes, sizeof bytes, SQLITE_TRANSIENT);
  }
  // True while there are rows; code() tells why there are none left.
  bool Row() {
    if (statement_ == nullptr) return false;
    code_ = sqlite3_step(statement_);
    return code_ == SQLITE_ROW;
  }
  bool Run() {
    Row();
    if (statement_ != nullptr) sqlite3_reset(statement_);
    return code_ == SQLITE_DONE || code_ == SQLITE_ROW;
  }
  uint64_t GetInt(int i) { return static_cast<uint64_t>(sqlite3_column_int64(statement_, i)); }
  UnixNanos GetTime(int i) {
    if (sqlite3_column_type(statement_, i) == SQLITE_NULL) return kNoTime;
    return sqlite3_column_int64(statement_, i);
  }
  std::string GetText(int i) {
    const auto* text = static_cast<const char*>(sqlite3_column_blob(statement_, i));
    const int size = sqlite3_column_bytes(statement_, i);
    return text == nullptr ? std::string() : std::string(text, static_cast<size_t>(size));
  }
  // False when the blob has another size.
  bool GetId(int i, OriginId& id) {
    const auto* bytes = static_cast<const unsigned char*>(sqlite3_column_blob(statement_, i));
    if (bytes == nullptr || sqlite3_column_bytes(statement_, i) != 16) return false;
    id = {};
    for (int b = 0; b < 8; ++b) {
      id.high = id.high << 8 | bytes[b];
      id.low = id.low << 8 | bytes[8 + b];
    }
    return !id.empty();
  }

 private:
  sqlite3_stmt* statement_ = nullptr;
  int code_ = SQLITE_OK;
};

// Place:    made by OpenCheckpointDatabase.
// Owns:     the connection. Borrows the Env.
// Threads:  thread-safe: one mutex around the connection.
class CheckpointDatabase final : public CheckpointStore {
 public:
  CheckpointDatabase(Env& env, std::string path) : env_(env), path_(std::move(path)) {}
  ~CheckpointDatabase() override { sqlite3_close(db_); }

  Status Open() {
    MutexLock lock(mu_);
    int code = Connect();
    if (IsCorrupt(code)) {
      RETURN_IF_ERROR(MoveAside());
      code = Connect();
    }
    if (code == SQLITE_BUSY) {
      return AlreadyExistsError("cannot open " + path_ + ": another process uses it");
    }
    if (code == kNewer) {
      return UnimplementedError("cannot use " + path_ +
                                ": a newer version of Kelp wrote it; run that version, or give "
                                "this agent another data_dir");
    }
    return code == SQLITE_OK ? OkStatus() : Error("cannot open", code);
  }

  Result<CheckpointSpace> Start(const std::string& space) override {
    MutexLock lock(mu_);
    CheckpointSpace result;
    int code = Load(space, result);
    if (IsCorrupt(code)) {
      RETURN_IF_ERROR(MoveAside());
      code = Connect();
      if (code == SQLITE_OK) code = Load(space, result);
    }
    if (code != SQLITE_OK) return Error("cannot read", code);
    result.lost = lost_;
    return result;
  }

  Status Write(const CheckpointChanges& changes) override {
    MutexLock lock(mu_);
    // A connection that could not be made again after a corruption.
    if (db_ == nullptr) {
      const int code = Connect();
      return code == SQLITE_OK ? DataLossError(path_ + " was made anew")
                               : Error("cannot open", code);
    }
    const int code = WriteGroup(changes);
    if (code == SQLITE_OK) return OkStatus();
    const Status error = Error("cannot write", code);
    sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
    if (!IsCorrupt(code)) return error;
    RETURN_IF_ERROR(MoveAside());
    const int again = Connect();
    if (again != SQLITE_OK) return Error("cannot open", again);
    return DataLossError(path_ + " was corrupt and was made anew");
  }

 private:
  static constexpr int kNewer = -1;  // beside SQLite's codes, which are positive

  int Connect() REQUIRES(mu_) {
    sqlite3_close(std::exchange(db_, nullptr));
    int code = sqlite3_open_v2(
        path_.c_str(), &db_,
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
        nullptr);
    if (code == SQLITE_OK) code = Prepare();
    if ((code & 0xff) == SQLITE_READONLY && !HeaderIsOurs()) code = SQLITE_CORRUPT;
    if (code != SQLITE_OK) {
      system_error_ = db_ == nullptr ? 0 : sqlite3_system_errno(db_);
      sqlite3_close(std::exchange(db_, nullptr));
    }
    return code;
  }

  // SQLite takes a damaged version number in the header (bytes 18 and 19, 1 or 2 for all there is)
  // for that of a future format, and such a database for a read-only one.
  bool HeaderIsOurs() {
    char versions[2] = {};
    const auto file = env_.files().OpenForRead(path_);
    if (!file.ok()) return true;
    const auto n = (*file)->ReadAt(18, versions, sizeof versions);
    return !n.ok() || *n != sizeof versions || ((versions[0] | versions[1]) & ~3) == 0;
  }

  int Exec(const char* sql) REQUIRES(mu_) {
    return sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
  }

  int Prepare() REQUIRES(mu_) {
    sqlite3_busy_timeout(db_, kBusyMillis);
    // Exclusive: no other agent gets in, and no shared-memory file is needed.
    int code = Exec("PRAGMA locking_mode = EXCLUSIVE");
    if (code == SQLITE_OK) code = Exec("PRAGMA journal_mode = WAL");
    if (code == SQLITE_OK) code = Exec("PRAGMA synchronous = FULL");
    if (code == SQLITE_OK) code = Exec("BEGIN IMMEDIATE");
    if (code == SQLITE_OK) code = CheckVersion();
    if (code == SQLITE_OK) code = QuickCheck();
    if (code == SQLITE_OK) code = RemoveOldSpaces();
    const int end = Exec(code == SQLITE_OK ? "COMMIT" : "ROLLBACK");
    return code != SQLITE_OK ? code : end;
  }

  int CheckVersion() REQUIRES(mu_) {
    Statement version(db_,
                      "SELECT user_version, application_id FROM pragma_user_version, "
                      "pragma_application_id");
    if (!version.Row()) return version.code() == SQLITE_DONE ? SQLITE_CORRUPT : version.code();
    const auto found = static_cast<int64_t>(version.GetInt(0));
    const auto application = static_cast<int64_t>(version.GetInt(1));
    if (found == kSchemaVersion && application == kApplicationId) return SQLITE_OK;
    if (found > kSchemaVersion && application == kApplicationId) return kNewer;
    Statement tables(db_, "SELECT count(*) FROM sqlite_master");
    if (!tables.Row()) return tables.code();
    // Somebody else's database is as useless to us as a corrupt one, and is kept as one.
    if (tables.GetInt(0) != 0) return SQLITE_NOTADB;
    int code = Exec(kSchema);
    if (code == SQLITE_OK) code = Exec("PRAGMA application_id = 1264938096");
    if (code == SQLITE_OK) code = Exec("PRAGMA user_version = 1");
    return code;
  }
  static_assert(kApplicationId == 1264938096 && kSchemaVersion == 1, "as in the PRAGMAs above");

  int QuickCheck() REQUIRES(mu_) {
    Statement check(db_, "PRAGMA quick_check(1)");
    if (!check.Row()) return check.code() == SQLITE_DONE ? SQLITE_CORRUPT : check.code();
    return check.GetText(0) == "ok" ? SQLITE_OK : SQLITE_CORRUPT;
  }

  int RemoveOldSpaces() REQUIRES(mu_) {
    const auto before = static_cast<uint64_t>(env_.clock().Now() - kSpaceKept.count());
    Statement origins(db_,
                      "DELETE FROM origins WHERE space IN "
                      "(SELECT name FROM spaces WHERE last_started < ?1)");
    origins.Int(1, before);
    if (!origins.Run()) return origins.code();
    Statement spaces(db_, "DELETE FROM spaces WHERE last_started < ?1");
    spaces.Int(1, before);
    return spaces.Run() ? SQLITE_OK : spaces.code();
  }

  int Load(const std::string& space, CheckpointSpace& result) REQUIRES(mu_) {
    result = {};
    if (db_ == nullptr) {
      const int code = Connect();
      if (code != SQLITE_OK) return code;
    }
    const auto now = static_cast<uint64_t>(env_.clock().Now());
    Statement known(db_, "SELECT 1 FROM spaces WHERE name = ?1");
    known.Text(1, space);
    result.first_start = !known.Row();
    if (known.code() != SQLITE_ROW && known.code() != SQLITE_DONE) return known.code();
    int code = LoadOrigins(space, result.checkpoints);
    if (code != SQLITE_OK) return code;
    Statement start(db_,
                    "INSERT INTO spaces VALUES (?1, ?2, ?2) "
                    "ON CONFLICT (name) DO UPDATE SET last_started = ?2");
    start.Text(1, space);
    start.Int(2, now);
    // Not being able to note the start (disk full) must not keep an input from reading.
    if (!start.Run() && IsCorrupt(start.code())) return start.code();
    return SQLITE_OK;
  }

  int LoadOrigins(const std::string& space, std::vector<Checkpoint>& out) REQUIRES(mu_) {
    Statement rows(db_,
                   "SELECT origin, path, device, inode, born, print_bytes, print_hash, "
                   "resume, emitted, line, ordinal, vanished FROM origins WHERE space = ?1");
    rows.Text(1, space);
    while (rows.Row()) {
      Checkpoint c;
      if (!rows.GetId(0, c.origin)) return SQLITE_CORRUPT;
      c.space = space;
      c.path = rows.GetText(1);
      c.identity.key = {rows.GetInt(2), rows.GetInt(3)};
      c.identity.born = rows.GetTime(4);
      const uint64_t print_bytes = rows.GetInt(5);
      c.identity.print = {static_cast<uint32_t>(print_bytes), rows.GetInt(6)};
      c.resume = rows.GetInt(7);
      c.emitted = rows.GetInt(8);
      const uint64_t line = rows.GetInt(9);
      c.ordinal = rows.GetInt(10);
      c.vanished = rows.GetTime(11);
      if (print_bytes > Fingerprint::kBytesMax || line > 2 || c.emitted < c.resume) {
        return SQLITE_CORRUPT;
      }
      c.line = static_cast<framing::LinePlace>(line);
      out.push_back(std::move(c));
    }
    return rows.code() == SQLITE_DONE ? SQLITE_OK : rows.code();
  }

  int WriteGroup(const CheckpointChanges& changes) REQUIRES(mu_) {
    int code = Exec("BEGIN IMMEDIATE");
    if (code != SQLITE_OK) return code;
    Statement remove(db_, "DELETE FROM origins WHERE origin = ?1");
    for (const OriginId& origin : changes.remove) {
      remove.Id(1, origin);
      if (!remove.Run()) return remove.code();
    }
    Statement put(db_,
                  "INSERT OR REPLACE INTO origins VALUES "
                  "(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)");
    for (const Checkpoint& c : changes.put) {
      put.Id(1, c.origin);
      put.Text(2, c.space);
      put.Text(3, c.path);
      put.Int(4, c.identity.key.device);
      put.Int(5, c.identity.key.inode);
      put.Time(6, c.identity.born);
      put.Int(7, c.identity.print.bytes);
      put.Int(8, c.identity.print.hash);
      put.Int(9, c.resume);
      put.Int(10, c.emitted);
      put.Int(11, static_cast<uint64_t>(c.line));
      put.Int(12, c.ordinal);
      put.Time(13, c.vanished);
      if (!put.Run()) return put.code();
    }
    return Exec("COMMIT");
  }

  // Renames the database and what belongs to it, so that somebody can look at it later.
  Status MoveAside() REQUIRES(mu_) {
    sqlite3_close(std::exchange(db_, nullptr));
    FileSystem& files = env_.files();
    std::string aside;
    for (int n = 1; n <= kCorruptMax && aside.empty(); ++n) {
      std::string name = path_ + ".corrupt-" + std::to_string(n);
      if (!files.Stat(name).ok()) aside = std::move(name);
    }
    if (aside.empty()) {
      return DataLossError(path_ + " is corrupt, and there are too many " + path_ +
                           ".corrupt-N already; remove them");
    }
    RETURN_IF_ERROR(files.Rename(path_, aside).Annotate(path_ + " is corrupt"));
    files.Rename(path_ + "-wal", aside + "-wal").IgnoreError();  // there may be none
    lost_ = true;
    LOG(kError,
        "the checkpoints in {} are corrupt; they were moved to {} and a new database was made. "
        "Inputs that start now treat the files they find as on_lost_checkpoints says.",
        path_, aside);
    return OkStatus();
  }

  Status Error(const char* what, int code) REQUIRES(mu_) {
    std::string message = std::string(what) + " the checkpoints in " + path_ + ": ";
    const bool told = db_ != nullptr && sqlite3_extended_errcode(db_) == code;
    message += told ? sqlite3_errmsg(db_) : sqlite3_errstr(code);
    const int system = db_ != nullptr ? sqlite3_system_errno(db_) : system_error_;
    if (system != 0) return ErrnoError(message, system);
    if ((code & 0xff) == SQLITE_FULL) return ResourceExhaustedError(message);
    if ((code & 0xff) == SQLITE_BUSY) return UnavailableError(message);
    if (IsCorrupt(code)) return DataLossError(message);
    return IoError(message);
  }

  Env& env_;
  const std::string path_;
  Mutex mu_;
  sqlite3* db_ GUARDED_BY(mu_) = nullptr;
  int system_error_ GUARDED_BY(mu_) = 0;
  bool lost_ GUARDED_BY(mu_) = false;
};

}  // namespace

Result<std::unique_ptr<CheckpointStore>> OpenCheckpointDatabase(Env& env, const std::string& path) {
  auto database = std::make_unique<CheckpointDatabase>(env, path);
  RETURN_IF_ERROR(database->Open());
  return std::unique_ptr<CheckpointStore>(std::move(database));
}

}  // namespace kelp::tail
