// LokiRequest: a call of the Loki API as its handlers see it: parameters, project, rows.
//
// X-Scope-OrgID names the project, or "project/logstore" or "project/a,b"; without it, the project
// `default`. A project means all its logstores, up to kLokiLogstoresMax; each is a value of the
// label `logstore`.
//
// Threads: confined to the handler. Tests: loki_api_test.cc
#ifndef KELP_SERVER_LOKI_REQUEST_H_
#define KELP_SERVER_LOKI_REQUEST_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "loki/request.h"
#include "server/api.h"

namespace kelp::server {

inline constexpr std::string_view kLokiProjectDefault = "default";
// Logstores of one call: each is a snapshot that stays open.
inline constexpr size_t kLokiLogstoresMax = 64;

// Project and logstores that a tenant header names; no logstores: all.
struct LokiTenant {
  std::string project;
  std::vector<std::string> logstores;
};
LokiTenant TenantOf(const net::HttpRequest& request);
Result<std::vector<store::LogstoreName>> LokiLogstores(Api& api, const LokiTenant& tenant);

// Turns "Authorization: Basic" into the bearer token that its password is.
void TakeBasicToken(net::HttpRequest& request);

class LokiRequest {
 public:
  LokiRequest(Api& api, const net::HttpRequest& request, const Answer& answer);

  Api& api() { return api_; }
  const net::HttpRequest& http() const { return request_; }
  UnixNanos now() const { return now_; }

  // Of the query string or of a form in the body; "" when absent.
  std::string Param(std::string_view name) const;
  std::vector<std::string> Params(std::string_view name) const;
  // Unix nanoseconds, seconds with or without a fraction, or RFC 3339.
  Result<UnixNanos> Time(std::string_view name, UnixNanos otherwise) const;
  // start and end; the last hour without them. `end` is inclusive in Loki's sense of a metric.
  Status Span(UnixNanos& start, UnixNanos& end) const;
  // "15s", "15000ms", "15" or "15.5" seconds; 0 when absent.
  Result<Duration> Step(std::string_view name) const;
  Result<uint32_t> Number(std::string_view name, uint32_t otherwise, uint32_t max) const;

  // Snapshots of what the tenant header names, and limits: the time that is left of the call's.
  // kDeadlineExceeded when none is.
  Status Open(loki::Target& target);

 private:
  Api& api_;
  const net::HttpRequest& request_;
  const Answer& answer_;
  const UnixNanos now_;
  const Duration begin_;
  std::vector<std::pair<std::string, std::string>> params_;
  std::unique_ptr<RunningQueries::Entry> running_;
};

// An error as Grafana and logcli show it: {"status":"error","message":…}.
net::HttpResponse LokiError(int status, std::string_view message);
net::HttpResponse LokiError(const Status& status);

}  // namespace kelp::server

#endif  // KELP_SERVER_LOKI_REQUEST_H_
