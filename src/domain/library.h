// Library: what people keep in a project: saved searches, dashboards, and the searches they made.
//
//   ASSIGN_OR_RETURN(auto library, Library::Open(env, domain_path));
//   library->Put("default", "dashboard", {.name = "Errors", .json = text, .owner = id}, rights);
//   library->Remember("default", id, {.query = "level:error", .logstores = "logs"});
#ifndef KELP_DOMAIN_LIBRARY_H_
#define KELP_DOMAIN_LIBRARY_H_

#include <cstdint>
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

struct Document {
  std::string name;
  std::string json;   // an object; its meaning is the caller's
  std::string owner;  // Caller::id of who made it
  UnixNanos updated = 0;
};

// A search or statement that somebody ran.
struct PastQuery {
  std::string query;
  std::string logstores;  // "a,b", as in the call
  std::string from;       // as in the call
  std::string to;
  UnixNanos at = 0;
  int64_t wall_ms = 0;
  int64_t rows = 0;
};

// Documents by project, kind and name, and a history for each caller.
//
// Place:    the server owns one, beside Domain.
// Owns:     its connection to the same file. REQUIRES: Domain::Open has made the tables.
// Threads:  thread-safe.
// Blocking: changes do I/O.
// Limits:   kDocumentsMax of a kind in a project, kDocumentBytesMax each; kHistoryMax of a caller
// in
//           a project, the oldest go.
// Errors:   kInvalidArgument (names, sizes), kNotFound (project, document), kPermissionDenied (of
//           another owner), kResourceExhausted (too many).
// Tests:    library_test.cc
class Library {
 public:
  // Lists are read whole, by people.
  static constexpr int64_t kDocumentsMax = 1'000;
  // A dashboard of fifty panels has about 30 KiB.
  static constexpr size_t kDocumentBytesMax = 256 << 10;
  static constexpr int64_t kHistoryMax = 1'000;
  static constexpr size_t kNameBytesMax = 128;

  static Result<std::unique_ptr<Library>> Open(Env& env, const std::string& path);
  ~Library();

  // By name.
  Result<std::vector<Document>> List(const std::string& project, const std::string& kind);
  Result<Document> Find(const std::string& project, const std::string& kind,
                        const std::string& name);
  // Whose documents may be changed: only those of `owner`, or of anybody.
  struct Rights {
    std::string owner;
    bool everybody = false;
  };
  // Makes it or replaces its text; who made it stays the owner. Gives it as it then is.
  Result<Document> Put(const std::string& project, const std::string& kind,
                       const Document& document, const Rights& rights);
  Status Delete(const std::string& project, const std::string& kind, const std::string& name,
                const Rights& rights);

  // The same query twice in a row stands once, the last time.
  Status Remember(const std::string& project, const std::string& owner, const PastQuery& query);
  // Newest first.
  Result<std::vector<PastQuery>> History(const std::string& project, const std::string& owner,
                                         int64_t limit);
  Status Forget(const std::string& project, const std::string& owner);

 private:
  Library(Env& env, std::unique_ptr<sqlite::Database> db);
  Status RequireProject(const std::string& project) REQUIRES(mu_);
  Result<std::optional<Document>> Get(const std::string& project, const std::string& kind,
                                      const std::string& name) REQUIRES(mu_);
  Status CheckCount(const std::string& project, const std::string& kind) REQUIRES(mu_);

  Env& env_;
  Mutex mu_;
  std::unique_ptr<sqlite::Database> db_ GUARDED_BY(mu_);
};

}  // namespace kelp::domain

#endif  // KELP_DOMAIN_LIBRARY_H_
