// AlertStore: alerts and what became of them, in the server's domain file.
//
// What a definition and a state mean is src/alert's affair; here they are texts. A definition and
// its state are one row, so that a state and what is to be sent for it are kept in one step.
//
// Place:    the server owns one, beside Domain.
// Owns:     its connection to the same file. REQUIRES: Domain::Open has made the file.
// Threads:  thread-safe.
// Blocking: every call.
// Limits:   kAlertsMax in a project.
// Errors:   kInvalidArgument (name), kNotFound (project, alert), kResourceExhausted (too many).
// Tests:    alert_store_test.cc
#ifndef KELP_DOMAIN_ALERT_STORE_H_
#define KELP_DOMAIN_ALERT_STORE_H_

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "base/sync.h"

namespace kelp::sqlite {
class Database;
}

namespace kelp::domain {

struct StoredAlert {
  std::string project;
  std::string name;
  std::string definition;
  std::string state;  // empty: it never ran
};

class AlertStore {
 public:
  // Each is a query that comes back every minute or so.
  static constexpr int64_t kAlertsMax = 200;

  static Result<std::unique_ptr<AlertStore>> Open(const std::string& path);
  ~AlertStore();

  Result<std::vector<StoredAlert>> All();
  // Makes or changes one; a changed definition begins with an empty state.
  Status Put(const StoredAlert& alert);
  // kNotFound when it was deleted meanwhile.
  Status SaveState(const std::string& project, const std::string& name, const std::string& state);
  Status Delete(const std::string& project, const std::string& name);

 private:
  explicit AlertStore(std::unique_ptr<sqlite::Database> db);
  Mutex mu_;
  std::unique_ptr<sqlite::Database> db_ GUARDED_BY(mu_);
};

}  // namespace kelp::domain

#endif  // KELP_DOMAIN_ALERT_STORE_H_
