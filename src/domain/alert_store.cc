#include "domain/alert_store.h"

#include <utility>

#include "domain/domain.h"
#include "domain/sqlite.h"

namespace kelp::domain {
namespace {

constexpr const char* kTable = R"(
  CREATE TABLE IF NOT EXISTS alerts (
    project TEXT NOT NULL REFERENCES projects (name) ON DELETE CASCADE,
    name TEXT NOT NULL, definition TEXT NOT NULL, state TEXT NOT NULL,
    PRIMARY KEY (project, name)) WITHOUT ROWID;
)";

Status Missing(const std::string& project, const std::string& name) {
  return NotFoundError("the project \"" + project + "\" has no alert \"" + name + "\"");
}

}  // namespace

AlertStore::AlertStore(std::unique_ptr<sqlite::Database> db) : db_(std::move(db)) {}
AlertStore::~AlertStore() = default;

Result<std::unique_ptr<AlertStore>> AlertStore::Open(const std::string& path) {
  ASSIGN_OR_RETURN(auto db, sqlite::Database::Open(path));
  RETURN_IF_ERROR(db->ExecuteAll(kTable));
  return std::unique_ptr<AlertStore>(new AlertStore(std::move(db)));
}

Result<std::vector<StoredAlert>> AlertStore::All() {
  MutexLock lock(mu_);
  ASSIGN_OR_RETURN(const auto rows,
                   db_->Query("SELECT project, name, definition, state FROM alerts "
                              "ORDER BY project, name"));
  std::vector<StoredAlert> out;
  for (const sqlite::Row& row : rows) {
    out.push_back({row[0].text(), row[1].text(), row[2].text(), row[3].text()});
  }
  return out;
}

Status AlertStore::Put(const StoredAlert& alert) {
  RETURN_IF_ERROR(CheckName("an alert", alert.name));
  MutexLock lock(mu_);
  ASSIGN_OR_RETURN(const auto project,
                   db_->Query("SELECT 1 FROM projects WHERE name = ?", {alert.project}));
  if (project.empty()) return NotFoundError("there is no project \"" + alert.project + "\"");
  ASSIGN_OR_RETURN(const auto others,
                   db_->Query("SELECT count(*) FROM alerts WHERE project = ? AND name <> ?",
                              {alert.project, alert.name}));
  if (others[0][0].integer() >= kAlertsMax) {
    return ResourceExhaustedError("a project has at most " + std::to_string(kAlertsMax) +
                                  " alerts");
  }
  return db_->Execute(
      "INSERT OR REPLACE INTO alerts (project, name, definition, state) VALUES (?, ?, ?, ?)",
      {alert.project, alert.name, alert.definition, alert.state});
}

Status AlertStore::SaveState(const std::string& project, const std::string& name,
                             const std::string& state) {
  MutexLock lock(mu_);
  RETURN_IF_ERROR(db_->Execute("UPDATE alerts SET state = ? WHERE project = ? AND name = ?",
                               {state, project, name}));
  return db_->changes() == 0 ? Missing(project, name) : OkStatus();
}

Status AlertStore::Delete(const std::string& project, const std::string& name) {
  MutexLock lock(mu_);
  RETURN_IF_ERROR(
      db_->Execute("DELETE FROM alerts WHERE project = ? AND name = ?", {project, name}));
  return db_->changes() == 0 ? Missing(project, name) : OkStatus();
}

}  // namespace kelp::domain
