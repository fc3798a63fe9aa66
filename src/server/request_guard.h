// What keeps strangers from using somebody's session, and from guessing their way to one.
#ifndef KELP_SERVER_REQUEST_GUARD_H_
#define KELP_SERVER_REQUEST_GUARD_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/env.h"
#include "base/metrics.h"
#include "base/sync.h"
#include "net/http.h"

namespace kelp::server {

// True for a call that changes something, or opens a WebSocket, and that a browser makes for a page
// of another origin. SameSite=Strict does not cover neighbours: other ports of the same host, and
// other hosts of the same domain. Calls with a bearer token are never that: no browser adds one
// by itself. Nor are calls without Origin and Sec-Fetch-Site: browsers send one with each of these.
// Behind a proxy, X-Forwarded-Host may name the origin; no page can set it.
bool ComesFromAnotherSite(const net::HttpRequest& request);

// Counts failed sign-ins by address, and holds back those who fail often. A right secret does not
// help meanwhile: else guessing would go on.
//
// Place:    Api owns one; POST /api/v1/sign-in asks it. Borrows `clock`.
// Threads:  thread-safe.
// Limits:   kFailuresMax in kWindow from an address (of IPv6 its /64, which one customer has);
//           kAddressesMax are remembered, and when all are in their window, new ones share one
//           count. Tokens have 128 bits and more: this keeps the noise down, not the door shut.
// Metrics:  server_sign_in_failures_total, server_sign_in_refused_total
// Tests:    request_guard_test.cc
class SignInGuard {
 public:
  static constexpr int kFailuresMax = 10;
  static constexpr Duration kWindow = 1min;
  static constexpr size_t kAddressesMax = 10'000;

  SignInGuard(Clock& clock, MetricRegistry& metrics);

  // How long `remote` ("10.0.0.7:51234") must wait; nullopt when it may try.
  std::optional<Duration> MustWait(std::string_view remote);
  void Failed(std::string_view remote);

 private:
  struct Failures {
    Duration begin{0};
    int count = 0;
  };
  std::string KeyOf(std::string_view remote) REQUIRES(mu_);

  Clock& clock_;
  Counter& failures_;
  Counter& refused_;
  Mutex mu_;
  std::map<std::string, Failures> by_address_ GUARDED_BY(mu_);
};

}  // namespace kelp::server

#endif  // KELP_SERVER_REQUEST_GUARD_H_
