// ClientLink: one blocking connection to a server, plain or TLS, with deadlines and cancelling.
#ifndef KELP_NET_CLIENT_LINK_H_
#define KELP_NET_CLIENT_LINK_H_

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/status.h"
#include "net/http.h"
#include "net/tls_session.h"

namespace kelp::net {

using LinkDeadline = std::chrono::steady_clock::time_point;

// A byte stream to one server.
//
// Place:    HttpClient opens, keeps and reuses them.
// Owns:     the socket. Borrows `cancel_fd`, which outlives it: once readable, every call ends with
//           kCancelled.
// Threads:  thread-compatible.
// Blocking: every call, until its deadline.
// Errors:   kUnavailable, kDeadlineExceeded, kCancelled, kPermissionDenied (TLS); the message names
//           host:port.
// Tests:    http_client_test.cc
class ClientLink {
 public:
  // Tries the host's addresses one after the other; with `public_only`, only those of the open
  // Internet (public_address.h). `tls` null: plain.
  static Result<std::unique_ptr<ClientLink>> Open(const Url& url, Duration connect_timeout,
                                                  LinkDeadline deadline, int cancel_fd,
                                                  std::shared_ptr<TlsClientContext> tls,
                                                  bool public_only = false);
  ~ClientLink();
  ClientLink(const ClientLink&) = delete;
  ClientLink& operator=(const ClientLink&) = delete;

  // Writes all pieces. Returns early, and OK, with `*answered` set when the server sends something
  // before it has everything: it refuses the request and waits to be read.
  Status Write(std::span<const std::string_view> pieces, LinkDeadline deadline, bool* answered);
  // At least one byte; 0 when the server closed the connection.
  Result<size_t> Read(char* buffer, size_t size, LinkDeadline deadline);
  // True when the idle connection was closed, or talked, since it was used.
  bool IsStale() const;

 private:
  ClientLink(std::string peer, int cancel_fd) : peer_(std::move(peer)), cancel_fd_(cancel_fd) {}

  Status Dial(const Url& url, Duration connect_timeout, LinkDeadline deadline, bool public_only);
  Status StartTls(const std::string& host, LinkDeadline deadline,
                  std::shared_ptr<TlsClientContext> tls);
  // Waits for `events`; gives the ones that came.
  Result<short> Wait(short events, LinkDeadline deadline) const;
  Status SendPlain(std::span<const std::string_view> pieces, LinkDeadline deadline, bool* answered);
  Status SendTlsOutput(LinkDeadline deadline);
  Status FeedTls(LinkDeadline deadline, bool* closed);
  Result<size_t> ReadPlain(char* buffer, size_t size, LinkDeadline deadline);

  const std::string peer_;
  const int cancel_fd_;
  int fd_ = -1;
  std::unique_ptr<TlsSession> tls_;
};

}  // namespace kelp::net

#endif  // KELP_NET_CLIENT_LINK_H_
