// Domain: projects, logstores and who may use them, in one SQLite file of the server's data
// directory (design, section 10).
//
//   ASSIGN_OR_RETURN(auto domain, Domain::Open(env, "/var/lib/kelp/domain.db"));
//   RETURN_IF_ERROR(domain->CreateProject("default"));
//   std::optional<Role> role = domain->RoleOfToken(token);
#ifndef KELP_DOMAIN_DOMAIN_H_
#define KELP_DOMAIN_DOMAIN_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/env.h"
#include "base/status.h"
#include "base/sync.h"
#include "base/units.h"

namespace kelp::sqlite {
class Database;
}

namespace kelp::domain {

enum class Role : uint8_t { kAdmin, kIngest, kViewer };
const char* RoleName(Role role);  // "admin", "ingest", "viewer"
Result<Role> ParseRole(std::string_view name);

struct Project {
  std::string name;
  int64_t logstores = 0;
};

struct Logstore {
  std::string project;
  std::string name;
  std::optional<Duration> retention;       // by age; none: for ever
  std::optional<ByteSize> retention_size;  // by size; none: unlimited
};

// Who calls, by token or session.
struct Caller {
  Role role = Role::kViewer;
  std::string project;  // the only one that it may use; empty: every one
  // The same for a token and the sessions that it opened; what somebody saved is known by it.
  std::string id;
};

struct Session {
  std::string secret;  // goes into the cookie; only its hash is kept
  Role role = Role::kViewer;
};

struct Token {
  std::string id;  // the beginning of its hash
  std::string name;
  Role role = Role::kViewer;
  std::string project;  // empty: every one
  UnixNanos created = 0;
  UnixNanos last_used = kNoTime;  // within kLastUsedStep
};

// A signed-in browser stays so; people sign in again about once a week.
inline constexpr Duration kSessionLife = 24h * 7;
// A one-time code travels from a terminal to a browser, at most through a colleague's coffee.
inline constexpr Duration kSignInCodeLife = 1h;

// How exactly the use of a token is noted: each time would be a write for each request.
inline constexpr Duration kLastUsedStep = 10min;

// Names of projects and logstores are 1-128 of [a-z0-9._-] and do not begin with '.' or '-'.
// Errors: kInvalidArgument, naming the text and the rule.
Status CheckName(std::string_view what, std::string_view name);

// The configuration domain.
//
// Place:    the server owns one; `kelp-server sign-in-code` opens the same file beside it.
// Owns:     the database. Borrows env.
// Threads:  thread-safe.
// Blocking: changes do I/O; look-ups of tokens and sessions are answered from memory, except once
//           for each secret that is not known.
// Limits:   kNamesMax projects, and as many logstores; kTokensMax tokens.
// Errors:   kNotFound, kAlreadyExists, kInvalidArgument (names); kDataLoss for a damaged file;
//           kUnimplemented for a file of a newer version.
// Tests:    domain_test.cc
class Domain {
 public:
  // Beyond this, nobody knows any more who has which.
  static constexpr int64_t kTokensMax = 1'000;
  // Each logstore has open files and memory; beyond this it is a mistake in a script.
  static constexpr int64_t kNamesMax = 10'000;

  static Result<std::unique_ptr<Domain>> Open(Env& env, const std::string& path);
  ~Domain();

  // Projects and logstores, sorted by name.
  Result<std::vector<Project>> Projects();
  Status CreateProject(const std::string& name);
  // With its logstores.
  Status DeleteProject(const std::string& name);
  Result<std::vector<Logstore>> Logstores(const std::string& project);
  Result<std::vector<Logstore>> AllLogstores();
  Result<Logstore> FindLogstore(const std::string& project, const std::string& name);
  Status CreateLogstore(const Logstore& logstore);
  Status UpdateLogstore(const Logstore& logstore);
  Status DeleteLogstore(const std::string& project, const std::string& name);

  // Tokens do not expire. Only their hashes are kept.
  Status AddToken(std::string_view token, Role role, const std::string& name,
                  const std::string& project = "");
  Result<bool> HasToken(Role role);
  std::optional<Caller> CallerOfToken(std::string_view token);
  std::optional<Role> RoleOfToken(std::string_view token);
  // By name. Deleting one ends the sessions that it opened. kInvalidArgument: the last admin
  // token for every project.
  Result<std::vector<Token>> Tokens();
  // The id of a token that AddToken was given.
  static std::string IdOfToken(std::string_view token);
  Status DeleteToken(const std::string& id);

  // One-time codes: each opens one session, within kSignInCodeLife.
  Result<std::string> CreateSignInCode(Role role);
  // kUnauthenticated when the code is unknown, used or too old.
  Result<Session> RedeemSignInCode(std::string_view code);
  Result<Session> StartSession(const Caller& caller);
  std::optional<Caller> CallerOfSession(std::string_view secret);
  std::optional<Role> RoleOfSession(std::string_view secret);
  Status EndSession(std::string_view secret);

 private:
  struct Known {
    Caller caller;
    UnixNanos expires = INT64_MAX;
    UnixNanos last_used = kNoTime;  // as the file has it
  };
  Domain(Env& env, std::unique_ptr<sqlite::Database> db);
  Status Migrate() REQUIRES(mu_);
  Status RequireProject(const std::string& name) REQUIRES(mu_);
  Status CheckCount(const char* table, int64_t max) REQUIRES(mu_);
  Status RemoveExpired() REQUIRES(mu_);
  Result<Session> InsertSession(const Caller& caller) REQUIRES(mu_);
  std::optional<Caller> LookUp(const char* table, std::string_view secret);
  Result<Known> Load(const std::string& table, const std::string& hash) REQUIRES(mu_);
  void NoteUse(Known& token, const std::string& hash, UnixNanos now) REQUIRES(mu_);

  Env& env_;
  Mutex mu_;
  std::unique_ptr<sqlite::Database> db_ GUARDED_BY(mu_);
  // By hash. What is not in here is looked up in the file, where another process may have put it.
  std::map<std::string, Known> known_ GUARDED_BY(mu_);
};

}  // namespace kelp::domain

#endif  // KELP_DOMAIN_DOMAIN_H_
