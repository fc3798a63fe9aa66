#include "server/request_guard.h"

#include <arpa/inet.h>

#include "base/log.h"

namespace kelp::server {
namespace {

// All addresses beyond kAddressesMax.
constexpr const char* kOthers = "others";
// The part of an IPv6 address that names a network.
constexpr size_t kNetworkBytes = 8;

// "https://kelp.example:8443" is "kelp.example:8443"; "" for "null" and what is no origin.
std::string_view HostOfOrigin(std::string_view origin) {
  const size_t scheme = origin.find("://");
  return scheme == origin.npos ? std::string_view() : origin.substr(scheme + 3);
}

// Without the port; of IPv6 the network only.
std::string AddressOf(std::string_view remote) {
  const std::string_view host = remote.substr(0, remote.rfind(':'));
  if (host.size() < 2 || host.front() != '[') return std::string(host);
  const std::string inner(host.substr(1, host.size() - 2));
  in6_addr address;
  if (inet_pton(AF_INET6, inner.c_str(), &address) != 1) return inner;
  if (IN6_IS_ADDR_V4MAPPED(&address)) return inner;
  return std::string(reinterpret_cast<const char*>(address.s6_addr), kNetworkBytes);
}

}  // namespace

bool ComesFromAnotherSite(const net::HttpRequest& request) {
  const bool reads = request.method == "GET" || request.method == "HEAD";
  // Browsers add a cached basic password by themselves, and no page can add anything to a
  // WebSocket.
  const bool upgrades = request.headers.Has("Upgrade");
  if (upgrades ? !request.BearerToken().empty() : reads || request.headers.Has("Authorization")) {
    return false;
  }
  const std::string_view site = request.headers.Get("Sec-Fetch-Site");
  if (!site.empty()) return site != "same-origin" && site != "none";
  if (!request.headers.Has("Origin")) return false;
  const std::string_view host = HostOfOrigin(request.headers.Get("Origin"));
  if (host.empty()) return true;
  return !net::EqualsIgnoreCase(host, request.headers.Get("Host")) &&
         !net::EqualsIgnoreCase(host, request.headers.Get("X-Forwarded-Host"));
}

SignInGuard::SignInGuard(Clock& clock, MetricRegistry& metrics)
    : clock_(clock),
      failures_(metrics.AddCounter("server_sign_in_failures_total",
                                   "Sign-ins with a wrong code or token.")),
      refused_(metrics.AddCounter("server_sign_in_refused_total",
                                  "Sign-ins refused for too many failures of the address.")) {}

std::string SignInGuard::KeyOf(std::string_view remote) {
  std::string key = AddressOf(remote);
  if (by_address_.size() < kAddressesMax || by_address_.count(key) != 0) return key;
  const Duration now = clock_.Monotonic();
  std::erase_if(by_address_, [&](const auto& one) { return now - one.second.begin >= kWindow; });
  return by_address_.size() < kAddressesMax ? key : kOthers;
}

std::optional<Duration> SignInGuard::MustWait(std::string_view remote) {
  MutexLock lock(mu_);
  const auto it = by_address_.find(KeyOf(remote));
  if (it == by_address_.end() || it->second.count < kFailuresMax) return std::nullopt;
  const Duration left = kWindow - (clock_.Monotonic() - it->second.begin);
  if (left <= Duration(0)) return std::nullopt;
  refused_.Add();
  return left;
}

void SignInGuard::Failed(std::string_view remote) {
  failures_.Add();
  LOG_RATE(10s, kWarning, "a sign-in from {} failed: its code or token is wrong", remote);
  MutexLock lock(mu_);
  Failures& failures = by_address_[KeyOf(remote)];
  const Duration now = clock_.Monotonic();
  if (failures.count == 0 || now - failures.begin >= kWindow) failures = {now, 0};
  ++failures.count;
}

}  // namespace kelp::server
