#include "domain/domain.h"

#include <algorithm>
#include <utility>

#include "domain/secret.h"
#include "domain/sqlite.h"

namespace kelp::domain {
namespace {

using sqlite::Cell;
using sqlite::Row;

constexpr size_t kNameBytesMax = 128;
// Version of the tables. A reader refuses newer ones and brings older ones up to date.
constexpr int64_t kSchemaVersion = 2;
constexpr const char* kSchemaOfVersion1 = R"(
  CREATE TABLE schema_version (version INTEGER NOT NULL);
  INSERT INTO schema_version VALUES (1);
  CREATE TABLE projects (name TEXT PRIMARY KEY NOT NULL) WITHOUT ROWID;
  CREATE TABLE logstores (
    project TEXT NOT NULL REFERENCES projects (name) ON DELETE CASCADE,
    name TEXT NOT NULL,
    retention_ns INTEGER,
    retention_bytes INTEGER,
    PRIMARY KEY (project, name)) WITHOUT ROWID;
  CREATE TABLE tokens (
    hash TEXT PRIMARY KEY NOT NULL, role TEXT NOT NULL, expires INTEGER NOT NULL,
    note TEXT NOT NULL, created INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE sign_in_codes (
    hash TEXT PRIMARY KEY NOT NULL, role TEXT NOT NULL, expires INTEGER NOT NULL) WITHOUT ROWID;
  CREATE TABLE sessions (
    hash TEXT PRIMARY KEY NOT NULL, role TEXT NOT NULL, expires INTEGER NOT NULL) WITHOUT ROWID;
)";
// Scopes and uses of tokens; what people save (library.h).
constexpr const char* kChangesOfVersion2 = R"(
  UPDATE schema_version SET version = 2;
  ALTER TABLE tokens ADD COLUMN project TEXT REFERENCES projects (name) ON DELETE CASCADE;
  ALTER TABLE tokens ADD COLUMN last_used INTEGER;
  ALTER TABLE sessions ADD COLUMN project TEXT REFERENCES projects (name) ON DELETE CASCADE;
  ALTER TABLE sessions ADD COLUMN token TEXT;
  CREATE TABLE documents (
    project TEXT NOT NULL REFERENCES projects (name) ON DELETE CASCADE,
    kind TEXT NOT NULL, name TEXT NOT NULL, owner TEXT NOT NULL,
    updated INTEGER NOT NULL, json TEXT NOT NULL,
    PRIMARY KEY (project, kind, name)) WITHOUT ROWID;
  CREATE TABLE history (
    id INTEGER PRIMARY KEY,
    project TEXT NOT NULL REFERENCES projects (name) ON DELETE CASCADE,
    owner TEXT NOT NULL, at INTEGER NOT NULL, query TEXT NOT NULL, logstores TEXT NOT NULL,
    begin TEXT NOT NULL, end TEXT NOT NULL, wall_ms INTEGER NOT NULL, rows INTEGER NOT NULL);
  CREATE INDEX history_of_owner ON history (project, owner, id);
)";

std::string Quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

Logstore LogstoreOf(const Row& row) {
  Logstore logstore{row[0].text(), row[1].text(), std::nullopt, std::nullopt};
  if (const auto ns = row[2].optional_integer()) logstore.retention = Duration(*ns);
  if (const auto bytes = row[3].optional_integer()) {
    logstore.retention_size = ByteSize{static_cast<uint64_t>(*bytes)};
  }
  return logstore;
}

std::optional<int64_t> RetentionCell(const Logstore& logstore) {
  if (!logstore.retention) return std::nullopt;
  return logstore.retention->count();
}

std::optional<int64_t> SizeCell(const Logstore& logstore) {
  if (!logstore.retention_size) return std::nullopt;
  return static_cast<int64_t>(std::min<uint64_t>(logstore.retention_size->bytes, INT64_MAX));
}

}  // namespace

const char* RoleName(Role role) {
  switch (role) {
    case Role::kAdmin:
      return "admin";
    case Role::kIngest:
      return "ingest";
    case Role::kViewer:
      return "viewer";
  }
  return "viewer";
}

Result<Role> ParseRole(std::string_view name) {
  for (const Role role : {Role::kAdmin, Role::kIngest, Role::kViewer}) {
    if (name == RoleName(role)) return role;
  }
  return InvalidArgumentError("unknown role " + Quoted(name) + "; there are admin, ingest, viewer");
}

Status CheckName(std::string_view what, std::string_view name) {
  const bool good =
      !name.empty() && name.size() <= kNameBytesMax && name[0] != '.' && name[0] != '-' &&
      std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
      });
  if (good) return OkStatus();
  return InvalidArgumentError(std::string(what) + " name " + Quoted(name.substr(0, kNameBytesMax)) +
                              ": 1 to 128 of a-z, 0-9, '.', '_' and '-', beginning with a letter, "
                              "a digit or '_'");
}

Domain::Domain(Env& env, std::unique_ptr<sqlite::Database> db) : env_(env), db_(std::move(db)) {}
Domain::~Domain() = default;

Result<std::unique_ptr<Domain>> Domain::Open(Env& env, const std::string& path) {
  ASSIGN_OR_RETURN(auto db, sqlite::Database::Open(path));
  std::unique_ptr<Domain> domain(new Domain(env, std::move(db)));
  MutexLock lock(domain->mu_);
  RETURN_IF_ERROR(domain->Migrate().Annotate("cannot use " + path));
  RETURN_IF_ERROR(domain->RemoveExpired());
  return domain;
}

Status Domain::Migrate() {
  ASSIGN_OR_RETURN(const auto tables,
                   db_->Query("SELECT name FROM sqlite_master WHERE name = 'schema_version'"));
  if (tables.empty()) RETURN_IF_ERROR(db_->ExecuteAll(kSchemaOfVersion1));
  ASSIGN_OR_RETURN(const auto rows, db_->Query("SELECT version FROM schema_version"));
  if (rows.size() != 1) return DataLossError("its schema_version table does not hold one row");
  const int64_t version = rows[0][0].integer();
  if (version == kSchemaVersion) return OkStatus();
  if (version == 1) return db_->ExecuteAll(kChangesOfVersion2);
  return UnimplementedError("it has version " + std::to_string(version) +
                            ", and this program knows up to " + std::to_string(kSchemaVersion) +
                            "; use a newer Kelp");
}

Status Domain::RemoveExpired() {
  const int64_t now = env_.clock().Now();
  RETURN_IF_ERROR(db_->Execute("DELETE FROM sign_in_codes WHERE expires <= ?", {now}));
  return db_->Execute("DELETE FROM sessions WHERE expires <= ?", {now});
}

Status Domain::RequireProject(const std::string& name) {
  ASSIGN_OR_RETURN(const auto rows, db_->Query("SELECT 1 FROM projects WHERE name = ?", {name}));
  return rows.empty() ? NotFoundError("there is no project " + Quoted(name)) : OkStatus();
}

Status Domain::CheckCount(const char* table, int64_t max) {
  ASSIGN_OR_RETURN(const auto rows, db_->Query(std::string("SELECT COUNT(*) FROM ") + table));
  if (rows[0][0].integer() < max) return OkStatus();
  return ResourceExhaustedError("there are " + std::to_string(max) + " " + table +
                                " already; delete some first");
}

Result<std::vector<Project>> Domain::Projects() {
  MutexLock lock(mu_);
  ASSIGN_OR_RETURN(const auto rows,
                   db_->Query("SELECT p.name, COUNT(l.name) FROM projects p LEFT JOIN logstores l "
                              "ON l.project = p.name GROUP BY p.name ORDER BY p.name"));
  std::vector<Project> projects;
  for (const Row& row : rows) projects.push_back({row[0].text(), row[1].integer()});
  return projects;
}

Status Domain::CreateProject(const std::string& name) {
  RETURN_IF_ERROR(CheckName("project", name));
  MutexLock lock(mu_);
  RETURN_IF_ERROR(CheckCount("projects", kNamesMax));
  const Status status = db_->Execute("INSERT INTO projects VALUES (?)", {name});
  if (status.code() != Code::kAlreadyExists) return status;
  return AlreadyExistsError("there is a project " + Quoted(name) + " already");
}

Status Domain::DeleteProject(const std::string& name) {
  MutexLock lock(mu_);
  RETURN_IF_ERROR(RequireProject(name));
  known_.clear();  // its tokens go, too
  return db_->Execute("DELETE FROM projects WHERE name = ?", {name});
}

Result<std::vector<Logstore>> Domain::Logstores(const std::string& project) {
  MutexLock lock(mu_);
  RETURN_IF_ERROR(RequireProject(project));
  ASSIGN_OR_RETURN(const auto rows,
                   db_->Query("SELECT project, name, retention_ns, retention_bytes FROM logstores "
                              "WHERE project = ? ORDER BY name",
                              {project}));
  std::vector<Logstore> logstores;
  for (const Row& row : rows) logstores.push_back(LogstoreOf(row));
  return logstores;
}

Result<std::vector<Logstore>> Domain::AllLogstores() {
  MutexLock lock(mu_);
  ASSIGN_OR_RETURN(const auto rows,
                   db_->Query("SELECT project, name, retention_ns, retention_bytes FROM logstores "
                              "ORDER BY project, name"));
  std::vector<Logstore> logstores;
  for (const Row& row : rows) logstores.push_back(LogstoreOf(row));
  return logstores;
}

Result<Logstore> Domain::FindLogstore(const std::string& project, const std::string& name) {
  MutexLock lock(mu_);
  ASSIGN_OR_RETURN(const auto rows,
                   db_->Query("SELECT project, name, retention_ns, retention_bytes FROM logstores "
                              "WHERE project = ? AND name = ?",
                              {project, name}));
  if (!rows.empty()) return LogstoreOf(rows[0]);
  RETURN_IF_ERROR(RequireProject(project));
  return NotFoundError("the project " + Quoted(project) + " has no logstore " + Quoted(name));
}

Status Domain::CreateLogstore(const Logstore& logstore) {
  RETURN_IF_ERROR(CheckName("logstore", logstore.name));
  MutexLock lock(mu_);
  RETURN_IF_ERROR(RequireProject(logstore.project));
  RETURN_IF_ERROR(CheckCount("logstores", kNamesMax));
  const Status status =
      db_->Execute("INSERT INTO logstores VALUES (?, ?, ?, ?)",
                   {logstore.project, logstore.name, RetentionCell(logstore), SizeCell(logstore)});
  if (status.code() != Code::kAlreadyExists) return status;
  return AlreadyExistsError("the project " + Quoted(logstore.project) + " has a logstore " +
                            Quoted(logstore.name) + " already");
}

Status Domain::UpdateLogstore(const Logstore& logstore) {
  MutexLock lock(mu_);
  RETURN_IF_ERROR(db_->Execute(
      "UPDATE logstores SET retention_ns = ?, retention_bytes = ? WHERE project = ? AND name = ?",
      {RetentionCell(logstore), SizeCell(logstore), logstore.project, logstore.name}));
  if (db_->changes() != 0) return OkStatus();
  return NotFoundError("the project " + Quoted(logstore.project) + " has no logstore " +
                       Quoted(logstore.name));
}

Status Domain::DeleteLogstore(const std::string& project, const std::string& name) {
  MutexLock lock(mu_);
  RETURN_IF_ERROR(
      db_->Execute("DELETE FROM logstores WHERE project = ? AND name = ?", {project, name}));
  if (db_->changes() != 0) return OkStatus();
  return NotFoundError("the project " + Quoted(project) + " has no logstore " + Quoted(name));
}

}  // namespace kelp::domain
