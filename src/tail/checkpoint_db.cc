// The checkpoint database: the one file that knows SQLite here.
#include "tail/checkpoint_db.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/log.h"
#include "tail/sqlite_statement.h"

namespace kelp::tail {
namespace {

constexpr int kApplicationId = 0x4b656c70;
constexpr int kSchemaVersion = 4;
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
  line INTEGER NOT NULL, ordinal INTEGER NOT NULL, vanished INTEGER, guards BLOB, begun INTEGER,
  cuts BLOB, packing INTEGER NOT NULL DEFAULT 0, heir BLOB, marks BLOB,
  seen INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE machine (id TEXT PRIMARY KEY) WITHOUT ROWID;
PRAGMA application_id = 1264938096;
PRAGMA user_version = 4;
)";
// To the tables of version 2.
constexpr char kUpgradeTo2[] = R"(
ALTER TABLE origins ADD COLUMN guards BLOB;
ALTER TABLE origins ADD COLUMN begun INTEGER;
ALTER TABLE origins ADD COLUMN cuts BLOB;
ALTER TABLE origins ADD COLUMN packing INTEGER NOT NULL DEFAULT 0;
ALTER TABLE origins ADD COLUMN heir BLOB;
PRAGMA user_version = 2;
)";
constexpr char kUpgradeTo3[] = R"(
ALTER TABLE origins ADD COLUMN marks BLOB;
PRAGMA user_version = 3;
)";
constexpr char kUpgradeTo4[] = R"(
ALTER TABLE origins ADD COLUMN seen INTEGER NOT NULL DEFAULT 0;
CREATE TABLE machine (id TEXT PRIMARY KEY) WITHOUT ROWID;
PRAGMA user_version = 4;
)";
// From the version of their place, counted from 1, to the next one.
constexpr const char* kUpgrades[] = {kUpgradeTo2, kUpgradeTo3, kUpgradeTo4};
static_assert(kApplicationId == 1264938096 && kSchemaVersion == 4 &&
                  std::size(kUpgrades) == kSchemaVersion - 1,
              "as in the PRAGMAs above");

}  // namespace

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

Status CheckpointDatabase::Opened(int code) {
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

Status CheckpointDatabase::Open() {
  MutexLock lock(mu_);
  int code = ConnectAsAgent();
  if (IsCorrupt(code)) {
    RETURN_IF_ERROR(MoveAside());
    code = ConnectAsAgent();
  }
  if (code == SQLITE_OK) NoteMade();
  return Opened(code);
}

int CheckpointDatabase::ConnectAsAgent() {
  const int code = Connect();
  return code == SQLITE_OK ? NoteMachine() : code;
}

Status CheckpointDatabase::OpenExisting() {
  MutexLock lock(mu_);
  const Result<FileInfo> info = env_.files().Stat(path_);
  if (!info.ok()) return info.status();
  return Opened(Connect(/*flags=*/0));
}

Result<std::vector<Checkpoint>> CheckpointDatabase::All() {
  MutexLock lock(mu_);
  std::vector<Checkpoint> all;
  const int code = LoadOrigins(nullptr, all);
  if (code != SQLITE_OK) return Error("cannot read", code);
  return all;
}

Result<CheckpointSpace> CheckpointDatabase::Start(const std::string& space) {
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

Status CheckpointDatabase::Write(const CheckpointChanges& changes) {
  MutexLock lock(mu_);
  if (db_ != nullptr && Removed()) {
    sqlite3_close(std::exchange(db_, nullptr));
    RETURN_IF_ERROR(env_.files().MakeDirs(DirName(path_)));
  }
  // A connection that could not be made again after a corruption, or that is of no use any more.
  if (db_ == nullptr) {
    const int code = Connect();
    if (code == SQLITE_OK) NoteMade();
    return code == SQLITE_OK ? DataLossError(path_ + " was made anew") : Error("cannot open", code);
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

int CheckpointDatabase::Connect(int flags) {
  sqlite3_close(std::exchange(db_, nullptr));
  int code = sqlite3_open_v2(
      path_.c_str(), &db_,
      SQLITE_OPEN_READWRITE | flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
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
bool CheckpointDatabase::HeaderIsOurs() {
  char versions[2] = {};
  const auto file = env_.files().OpenForRead(path_);
  if (!file.ok()) return true;
  const auto n = (*file)->ReadAt(18, versions, sizeof versions);
  return !n.ok() || *n != sizeof versions || ((versions[0] | versions[1]) & ~3) == 0;
}

int CheckpointDatabase::Prepare() {
  sqlite3_busy_timeout(db_, kBusyMillis);
  // Exclusive: no other agent gets in, and no shared-memory file is needed.
  int code = Exec("PRAGMA locking_mode = EXCLUSIVE");
  if (code == SQLITE_OK) code = Exec("PRAGMA journal_mode = WAL");
  if (code == SQLITE_OK) code = Exec("PRAGMA synchronous = FULL");
  // 512 KiB, not 2 MiB: all of it is read once, and then only written.
  if (code == SQLITE_OK) code = Exec("PRAGMA cache_size = -512");
  if (code == SQLITE_OK) code = Exec("BEGIN IMMEDIATE");
  if (code == SQLITE_OK) code = CheckVersion();
  if (code == SQLITE_OK) code = QuickCheck();
  if (code == SQLITE_OK) code = RemoveOldSpaces();
  const int end = Exec(code == SQLITE_OK ? "COMMIT" : "ROLLBACK");
  return code != SQLITE_OK ? code : end;
}

int CheckpointDatabase::CheckVersion() {
  Statement version(db_,
                    "SELECT user_version, application_id FROM pragma_user_version, "
                    "pragma_application_id");
  if (!version.Row()) return version.code() == SQLITE_DONE ? SQLITE_CORRUPT : version.code();
  const auto found = static_cast<int64_t>(version.GetInt(0));
  const auto application = static_cast<int64_t>(version.GetInt(1));
  if (found == kSchemaVersion && application == kApplicationId) return SQLITE_OK;
  if (found >= 1 && found < kSchemaVersion && application == kApplicationId) {
    int code = SQLITE_OK;
    for (int64_t v = found; v < kSchemaVersion && code == SQLITE_OK; ++v) {
      code = Exec(kUpgrades[v - 1]);
    }
    return code;
  }
  if (found > kSchemaVersion && application == kApplicationId) return kNewer;
  Statement tables(db_, "SELECT count(*) FROM sqlite_master");
  if (!tables.Row()) return tables.code();
  // Somebody else's database is as useless to us as a corrupt one, and is kept as one.
  if (tables.GetInt(0) != 0) return SQLITE_NOTADB;
  made_ = true;
  return Exec(kSchema);
}

int CheckpointDatabase::QuickCheck() {
  Statement check(db_, "PRAGMA quick_check(1)");
  if (!check.Row()) return check.code() == SQLITE_DONE ? SQLITE_CORRUPT : check.code();
  return check.GetText(0) == "ok" ? SQLITE_OK : SQLITE_CORRUPT;
}

int CheckpointDatabase::RemoveOldSpaces() {
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

int CheckpointDatabase::Load(const std::string& space, CheckpointSpace& result) {
  result = {};
  if (db_ == nullptr) {
    const int code = Connect();
    if (code != SQLITE_OK) return code;
  }
  const auto now = static_cast<uint64_t>(env_.clock().Now());
  Statement known(db_, "SELECT first_started FROM spaces WHERE name = ?1");
  known.Text(1, space);
  result.first_start = !known.Row();
  result.first_started = static_cast<UnixNanos>(result.first_start ? now : known.GetInt(0));
  if (known.code() != SQLITE_ROW && known.code() != SQLITE_DONE) return known.code();
  int code = LoadOrigins(&space, result.checkpoints);
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

// Renames the database and what belongs to it, so that somebody can look at it later.
Status CheckpointDatabase::MoveAside() {
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

// A file beside the database says that it was made once. Without it a database that is gone could
// not be told from one that never was.
void CheckpointDatabase::NoteMade() {
  const std::string mark = path_ + ".made";
  if (!env_.files().Stat(mark).ok()) {
    // When that fails, the next start tries again.
    env_.files().OpenForWrite(mark, /*truncate=*/false).status().IgnoreError();
    return;
  }
  if (!made_ || lost_) return;
  lost_ = true;
  LOG(kError,
      "the checkpoints in {} are gone, though there were some before; a new database was made. "
      "Inputs that start now treat the files they find as on_lost_checkpoints says. (For a first "
      "start remove {}, too.)",
      path_, mark);
}

// Whether somebody removed the file while it is open: what is written to it would be lost.
bool CheckpointDatabase::Removed() {
  const Result<FileInfo> info = env_.files().Stat(path_);
  if (info.ok() || info.status().code() != Code::kNotFound) return false;
  lost_ = true;
  LOG(kError,
      "the checkpoints in {} were removed while they were in use; they are made anew from what is "
      "known",
      path_);
  return true;
}

Status CheckpointDatabase::Error(const char* what, int code) {
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

Result<std::unique_ptr<CheckpointStore>> OpenCheckpointDatabase(Env& env, const std::string& path) {
  auto database = std::make_unique<CheckpointDatabase>(env, path);
  RETURN_IF_ERROR(database->Open());
  return std::unique_ptr<CheckpointStore>(std::move(database));
}

}  // namespace kelp::tail
