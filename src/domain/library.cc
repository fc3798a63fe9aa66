#include "domain/library.h"

#include <algorithm>
#include <utility>

#include "domain/sqlite.h"

namespace kelp::domain {
namespace {

using sqlite::Row;

std::string Quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

// Names are for people, and go into addresses.
Status CheckDocumentName(std::string_view name) {
  const bool good = !name.empty() && name.size() <= Library::kNameBytesMax && name.front() != ' ' &&
                    name.back() != ' ' && std::none_of(name.begin(), name.end(), [](char c) {
                      return c == '/' || static_cast<unsigned char>(c) < ' ' || c == '\x7f';
                    });
  if (good) return OkStatus();
  return InvalidArgumentError(
      "a name has 1 to 128 bytes, no '/', no control characters, and no space at its ends");
}

Document DocumentOf(const Row& row) {
  return {row[0].text(), row[1].text(), row[2].text(), row[3].integer()};
}

Status Missing(std::string_view project, std::string_view name) {
  return NotFoundError("the project " + Quoted(project) + " has nothing saved as " + Quoted(name));
}

Status CheckRights(const Document& document, const Library::Rights& rights) {
  if (rights.everybody || document.owner == rights.owner) return OkStatus();
  return PermissionDeniedError("somebody else saved " + Quoted(document.name) +
                               "; only they and administrators may change it");
}

}  // namespace

Library::Library(Env& env, std::unique_ptr<sqlite::Database> db) : env_(env), db_(std::move(db)) {}
Library::~Library() = default;

Result<std::unique_ptr<Library>> Library::Open(Env& env, const std::string& path) {
  ASSIGN_OR_RETURN(auto db, sqlite::Database::Open(path));
  return std::unique_ptr<Library>(new Library(env, std::move(db)));
}

Status Library::RequireProject(const std::string& project) {
  ASSIGN_OR_RETURN(const auto rows, db_->Query("SELECT 1 FROM projects WHERE name = ?", {project}));
  return rows.empty() ? NotFoundError("there is no project " + Quoted(project)) : OkStatus();
}

Result<std::vector<Document>> Library::List(const std::string& project, const std::string& kind) {
  MutexLock lock(mu_);
  RETURN_IF_ERROR(RequireProject(project));
  ASSIGN_OR_RETURN(const auto rows, db_->Query("SELECT name, json, owner, updated FROM documents "
                                               "WHERE project = ? AND kind = ? ORDER BY name",
                                               {project, kind}));
  std::vector<Document> documents;
  for (const Row& row : rows) documents.push_back(DocumentOf(row));
  return documents;
}

Result<std::optional<Document>> Library::Get(const std::string& project, const std::string& kind,
                                             const std::string& name) {
  RETURN_IF_ERROR(RequireProject(project));
  ASSIGN_OR_RETURN(const auto rows, db_->Query("SELECT name, json, owner, updated FROM documents "
                                               "WHERE project = ? AND kind = ? AND name = ?",
                                               {project, kind, name}));
  if (rows.empty()) return std::optional<Document>();
  return std::optional<Document>(DocumentOf(rows[0]));
}

Result<Document> Library::Find(const std::string& project, const std::string& kind,
                               const std::string& name) {
  MutexLock lock(mu_);
  ASSIGN_OR_RETURN(std::optional<Document> found, Get(project, kind, name));
  if (!found) return Missing(project, name);
  return *std::move(found);
}

Status Library::CheckCount(const std::string& project, const std::string& kind) {
  ASSIGN_OR_RETURN(
      const auto rows,
      db_->Query("SELECT COUNT(*) FROM documents WHERE project = ? AND kind = ?", {project, kind}));
  if (rows[0][0].integer() < kDocumentsMax) return OkStatus();
  return ResourceExhaustedError("the project has " + std::to_string(kDocumentsMax) +
                                " of these already; delete some first");
}

Result<Document> Library::Put(const std::string& project, const std::string& kind,
                              const Document& document, const Rights& rights) {
  RETURN_IF_ERROR(CheckDocumentName(document.name));
  if (document.json.size() > kDocumentBytesMax) {
    return InvalidArgumentError(Quoted(document.name) + " is larger than " +
                                FormatByteSize({kDocumentBytesMax}));
  }
  MutexLock lock(mu_);
  sqlite::Database::Transaction transaction(*db_);
  RETURN_IF_ERROR(transaction.Begin());
  ASSIGN_OR_RETURN(const std::optional<Document> before, Get(project, kind, document.name));
  Document after = document;
  after.owner = before ? before->owner : rights.owner;
  after.updated = env_.clock().Now();
  if (before) {
    RETURN_IF_ERROR(CheckRights(*before, rights));
  } else {
    RETURN_IF_ERROR(CheckCount(project, kind));
  }
  RETURN_IF_ERROR(
      db_->Execute("INSERT OR REPLACE INTO documents (project, kind, name, owner, updated, json) "
                   "VALUES (?, ?, ?, ?, ?, ?)",
                   {project, kind, after.name, after.owner, after.updated, after.json}));
  RETURN_IF_ERROR(transaction.Commit());
  return after;
}

Status Library::Delete(const std::string& project, const std::string& kind, const std::string& name,
                       const Rights& rights) {
  MutexLock lock(mu_);
  ASSIGN_OR_RETURN(const std::optional<Document> found, Get(project, kind, name));
  if (!found) return Missing(project, name);
  RETURN_IF_ERROR(CheckRights(*found, rights));
  return db_->Execute("DELETE FROM documents WHERE project = ? AND kind = ? AND name = ?",
                      {project, kind, name});
}

Status Library::Remember(const std::string& project, const std::string& owner,
                         const PastQuery& query) {
  MutexLock lock(mu_);
  sqlite::Database::Transaction transaction(*db_);
  RETURN_IF_ERROR(transaction.Begin());
  RETURN_IF_ERROR(RequireProject(project));
  RETURN_IF_ERROR(
      db_->Execute("DELETE FROM history WHERE query = ? AND logstores = ? AND id = "
                   "(SELECT max(id) FROM history WHERE project = ? AND owner = ?)",
                   {query.query, query.logstores, project, owner}));
  RETURN_IF_ERROR(db_->Execute(
      "INSERT INTO history (project, owner, at, query, logstores, begin, end, wall_ms, "
      "rows) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
      {project, owner, env_.clock().Now(), query.query, query.logstores, query.from, query.to,
       query.wall_ms, query.rows}));
  RETURN_IF_ERROR(db_->Execute(
      "DELETE FROM history WHERE project = ? AND owner = ? AND id <= (SELECT id FROM history "
      "WHERE project = ? AND owner = ? ORDER BY id DESC LIMIT 1 OFFSET ?)",
      {project, owner, project, owner, kHistoryMax}));
  return transaction.Commit();
}

Result<std::vector<PastQuery>> Library::History(const std::string& project,
                                                const std::string& owner, int64_t limit) {
  MutexLock lock(mu_);
  RETURN_IF_ERROR(RequireProject(project));
  ASSIGN_OR_RETURN(const auto rows,
                   db_->Query("SELECT query, logstores, begin, end, at, wall_ms, rows FROM history "
                              "WHERE project = ? AND owner = ? ORDER BY id DESC LIMIT ?",
                              {project, owner, limit}));
  std::vector<PastQuery> queries;
  for (const Row& row : rows) {
    queries.push_back({row[0].text(), row[1].text(), row[2].text(), row[3].text(), row[4].integer(),
                       row[5].integer(), row[6].integer()});
  }
  return queries;
}

Status Library::Forget(const std::string& project, const std::string& owner) {
  MutexLock lock(mu_);
  RETURN_IF_ERROR(RequireProject(project));
  return db_->Execute("DELETE FROM history WHERE project = ? AND owner = ?", {project, owner});
}

}  // namespace kelp::domain
