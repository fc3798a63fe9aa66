// The part of Domain that knows who may do what: tokens, sign-in codes, sessions.
#include <algorithm>

#include "base/log.h"
#include "domain/domain.h"
#include "domain/secret.h"
#include "domain/sqlite.h"

namespace kelp::domain {
namespace {

using sqlite::Cell;
using sqlite::Row;

// The id of whoever signed in with a code: that is always the one with access to the machine.
constexpr const char* kCodeCaller = "sign-in-code";
// Of a token's hash: enough that no two are equal, useless for finding the token.
constexpr size_t kTokenIdBytes = 16;
// What a list of tokens has room for.
constexpr size_t kTokenNameBytesMax = 128;

Cell TextOrNull(const std::string& text) { return text.empty() ? Cell() : Cell(text); }

}  // namespace

std::string Domain::IdOfToken(std::string_view token) {
  return Sha256Hex(token).substr(0, kTokenIdBytes);
}

Status Domain::AddToken(std::string_view token, Role role, const std::string& name,
                        const std::string& project) {
  if (name.size() > kTokenNameBytesMax) {
    return InvalidArgumentError("the name of a token has at most " +
                                std::to_string(kTokenNameBytesMax) + " bytes");
  }
  MutexLock lock(mu_);
  if (!project.empty()) RETURN_IF_ERROR(RequireProject(project));
  RETURN_IF_ERROR(CheckCount("tokens", kTokensMax));
  return db_->Execute(
      "INSERT INTO tokens (hash, role, expires, note, created, project) VALUES (?, ?, ?, ?, ?, ?)",
      {Sha256Hex(token), RoleName(role), INT64_MAX, name, env_.clock().Now(), TextOrNull(project)});
}

Result<bool> Domain::HasToken(Role role) {
  MutexLock lock(mu_);
  ASSIGN_OR_RETURN(const auto rows,
                   db_->Query("SELECT 1 FROM tokens WHERE role = ? AND project IS NULL LIMIT 1",
                              {RoleName(role)}));
  return !rows.empty();
}

Result<std::vector<Token>> Domain::Tokens() {
  MutexLock lock(mu_);
  ASSIGN_OR_RETURN(
      const auto rows,
      db_->Query("SELECT substr(hash, 1, ?), note, role, coalesce(project, ''), created, "
                 "last_used FROM tokens ORDER BY note, created",
                 {static_cast<int64_t>(kTokenIdBytes)}));
  std::vector<Token> tokens;
  for (const Row& row : rows) {
    Token token{row[0].text(), row[1].text(), Role::kViewer, row[3].text(), row[4].integer()};
    ASSIGN_OR_RETURN(token.role, ParseRole(row[2].text()));
    token.last_used = row[5].optional_integer().value_or(kNoTime);
    tokens.push_back(std::move(token));
  }
  return tokens;
}

Status Domain::DeleteToken(const std::string& id) {
  MutexLock lock(mu_);
  sqlite::Database::Transaction transaction(*db_);
  RETURN_IF_ERROR(transaction.Begin());
  RETURN_IF_ERROR(db_->Execute("DELETE FROM tokens WHERE substr(hash, 1, ?) = ?",
                               {static_cast<int64_t>(kTokenIdBytes), id}));
  if (db_->changes() == 0) return NotFoundError("there is no token \"" + id + "\"");
  ASSIGN_OR_RETURN(const auto admins,
                   db_->Query("SELECT 1 FROM tokens WHERE role = 'admin' AND project IS NULL"));
  if (admins.empty()) {
    return InvalidArgumentError(
        "this is the last token of an administrator; make another one first");
  }
  RETURN_IF_ERROR(db_->Execute("DELETE FROM sessions WHERE token = ?", {id}));
  RETURN_IF_ERROR(transaction.Commit());
  known_.clear();
  return OkStatus();
}

std::optional<Caller> Domain::CallerOfToken(std::string_view token) {
  return LookUp("tokens", token);
}
std::optional<Caller> Domain::CallerOfSession(std::string_view secret) {
  return LookUp("sessions", secret);
}
std::optional<Role> Domain::RoleOfToken(std::string_view token) {
  const auto caller = CallerOfToken(token);
  return caller ? std::optional<Role>(caller->role) : std::nullopt;
}
std::optional<Role> Domain::RoleOfSession(std::string_view secret) {
  const auto caller = CallerOfSession(secret);
  return caller ? std::optional<Role>(caller->role) : std::nullopt;
}

Result<Domain::Known> Domain::Load(const std::string& table, const std::string& hash) {
  const bool token = table == "tokens";
  ASSIGN_OR_RETURN(
      const auto rows,
      db_->Query("SELECT role, expires, coalesce(project, ''), " +
                     std::string(token ? "last_used, ''" : "NULL, coalesce(token, '')") + " FROM " +
                     table + " WHERE hash = ?",
                 {hash}));
  if (rows.empty()) return NotFoundError("no such secret");
  const Row& row = rows[0];
  Known known;
  ASSIGN_OR_RETURN(known.caller.role, ParseRole(row[0].text()));
  known.expires = row[1].integer();
  known.caller.project = row[2].text();
  known.last_used = row[3].optional_integer().value_or(kNoTime);
  known.caller.id = token ? hash.substr(0, kTokenIdBytes) : row[4].text();
  return known;
}

std::optional<Caller> Domain::LookUp(const char* table, std::string_view secret) {
  if (secret.empty()) return std::nullopt;
  // The table is part of the key: a session is no token.
  const std::string hash = Sha256Hex(secret);
  const std::string key = table + (":" + hash);
  MutexLock lock(mu_);
  const UnixNanos now = env_.clock().Now();
  auto it = known_.find(key);
  if (it == known_.end()) {
    Result<Known> loaded = Load(table, hash);
    if (!loaded.ok()) return std::nullopt;
    it = known_.emplace(key, *std::move(loaded)).first;
  }
  if (it->second.expires <= now) {
    known_.erase(it);
    return std::nullopt;
  }
  if (table == std::string_view("tokens")) NoteUse(it->second, hash, now);
  return it->second.caller;
}

void Domain::NoteUse(Known& token, const std::string& hash, UnixNanos now) {
  if (token.last_used != kNoTime && now - token.last_used < kLastUsedStep.count()) return;
  token.last_used = now;
  const Status noted = db_->Execute("UPDATE tokens SET last_used = ? WHERE hash = ?", {now, hash});
  if (!noted.ok()) LOG_RATE(1min, kWarning, "cannot note the use of a token: {}", noted.message());
}

Result<std::string> Domain::CreateSignInCode(Role role) {
  const std::string code = NewSignInCode(env_.random());
  MutexLock lock(mu_);
  RETURN_IF_ERROR(RemoveExpired());
  RETURN_IF_ERROR(db_->Execute(
      "INSERT INTO sign_in_codes VALUES (?, ?, ?)",
      {Sha256Hex(code), RoleName(role), env_.clock().Now() + kSignInCodeLife.count()}));
  return code;
}

Result<Session> Domain::RedeemSignInCode(std::string_view code) {
  MutexLock lock(mu_);
  sqlite::Database::Transaction transaction(*db_);
  RETURN_IF_ERROR(transaction.Begin());
  // One statement takes the code away and says what it was worth: it cannot be used twice.
  ASSIGN_OR_RETURN(const auto rows,
                   db_->Query("DELETE FROM sign_in_codes WHERE hash = ? RETURNING role, expires",
                              {Sha256Hex(code)}));
  if (rows.empty() || rows[0][1].integer() <= env_.clock().Now()) {
    return UnauthenticatedError(
        "the sign-in code is unknown, used or too old; make a new one with "
        "`kelp-server sign-in-code`");
  }
  ASSIGN_OR_RETURN(const Role role, ParseRole(rows[0][0].text()));
  ASSIGN_OR_RETURN(Session session, InsertSession({role, "", kCodeCaller}));
  RETURN_IF_ERROR(transaction.Commit());
  return session;
}

Result<Session> Domain::StartSession(const Caller& caller) {
  MutexLock lock(mu_);
  RETURN_IF_ERROR(RemoveExpired());
  return InsertSession(caller);
}

Result<Session> Domain::InsertSession(const Caller& caller) {
  Session session{NewToken(env_.random()), caller.role};
  RETURN_IF_ERROR(db_->Execute(
      "INSERT INTO sessions (hash, role, expires, project, token) VALUES (?, ?, ?, ?, ?)",
      {Sha256Hex(session.secret), RoleName(caller.role), env_.clock().Now() + kSessionLife.count(),
       TextOrNull(caller.project), caller.id}));
  return session;
}

Status Domain::EndSession(std::string_view secret) {
  const std::string hash = Sha256Hex(secret);
  MutexLock lock(mu_);
  known_.erase("sessions:" + hash);
  return db_->Execute("DELETE FROM sessions WHERE hash = ?", {hash});
}

}  // namespace kelp::domain
