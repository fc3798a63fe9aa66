// AlertBackend: alerts over this server's store.
//
// Place:    the server owns one; the alert engine calls it.
// Threads:  thread-safe. Blocking: Evaluate runs the query; StoreRow waits until the row is
// durable. Errors:   those of the query; kNotFound (logstore). Tests:    alert_api_test.cc
#ifndef KELP_SERVER_ALERT_BACKEND_H_
#define KELP_SERVER_ALERT_BACKEND_H_

#include <string>
#include <vector>

#include "alert/engine.h"
#include "server/api.h"

namespace kelp::server {

// The logstore of a project that the rows of its alerts go to; made when the first one comes.
inline constexpr const char* kAlertsLogstore = "alerts";

class AlertBackend final : public alert::Backend {
 public:
  explicit AlertBackend(Api& api) : api_(api) {}
  Result<std::vector<alert::Finding>> Evaluate(const alert::Alert& alert, UnixNanos now) override;
  Status StoreRow(const std::string& project, const std::string& key,
                  const std::string& row) override;

 private:
  Status MakeLogstore(const std::string& project);

  Api& api_;
};

}  // namespace kelp::server

#endif  // KELP_SERVER_ALERT_BACKEND_H_
