// Which machine a checkpoint database belongs to.
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/log.h"
#include "tail/checkpoint_db.h"
#include "tail/sqlite_statement.h"

namespace kelp::tail {

// What tells one installation of a system from another; empty where it is not to be had, or is
// still to be made.
std::string CheckpointDatabase::MachineId() {
  constexpr size_t kDigits = 32;
  for (const char* const path : {"/etc/machine-id", "/var/lib/dbus/machine-id"}) {
    const Result<std::string> text = ReadFile(env_.files(), path, ByteSize{4096});
    if (!text.ok()) continue;
    std::string id = text->substr(0, text->find('\n'));
    const bool digits = id.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (id.size() == kDigits && digits) return id;
  }
  return "";
}

// Two machines that were started from one image have the same origins, whose ids say which rows are
// repeats: on another machine they get others.
int CheckpointDatabase::NoteMachine() {
  const std::string id = MachineId();
  if (id.empty()) return SQLITE_OK;
  std::string before;
  {
    Statement known(db_, "SELECT id FROM machine");
    if (known.Row()) before = known.GetText(0);
    if (known.code() != SQLITE_ROW && known.code() != SQLITE_DONE) return known.code();
  }
  if (before == id) return SQLITE_OK;
  int code = Exec("BEGIN IMMEDIATE");
  if (code == SQLITE_OK && !before.empty()) code = RenewOrigins();
  if (code == SQLITE_OK) code = Exec("DELETE FROM machine");
  if (code == SQLITE_OK) {
    Statement put(db_, "INSERT INTO machine VALUES (?1)");
    put.Text(1, id);
    if (!put.Run()) code = put.code();
  }
  if (code == SQLITE_OK) code = Exec("COMMIT");
  if (code == SQLITE_OK) return code;
  Exec("ROLLBACK");
  // Not being able to note it (disk full) must not keep an agent from reading; ids that are another
  // machine's must.
  return before.empty() && !IsCorrupt(code) ? SQLITE_OK : code;
}

int CheckpointDatabase::RenewOrigins() {
  std::unordered_map<OriginId, OriginId> renewed;
  std::vector<std::pair<OriginId, OriginId>> heirs;
  Statement rows(db_, "SELECT origin, heir FROM origins");
  while (rows.Row()) {
    OriginId origin;
    OriginId heir;
    if (!rows.GetId(0, origin) || origin.empty() || !rows.GetId(1, heir)) return SQLITE_CORRUPT;
    renewed[origin] = OriginId::Make(env_.random());
    heirs.emplace_back(origin, heir);
  }
  if (rows.code() != SQLITE_DONE) return rows.code();
  Statement put(db_, "UPDATE origins SET origin = ?2, heir = ?3 WHERE origin = ?1");
  for (const auto& [origin, heir] : heirs) {
    const auto its = renewed.find(heir);
    put.Id(1, origin);
    put.Id(2, renewed[origin]);
    put.Id(3, its != renewed.end() ? its->second : heir);
    if (!put.Run()) return put.code();
  }
  LOG(kWarning,
      "the checkpoints in {} were written on another machine: this one was made from a copy of it. "
      "Its {} files are followed under new ids, so that no destination takes this machine's lines "
      "for the other's; their positions are kept. Lines that were on their way when the copy was "
      "made may be sent twice.",
      path_, heirs.size());
  return SQLITE_OK;
}

}  // namespace kelp::tail
