// TlsSession: the client's half of one TLS connection as a state machine without I/O.
#ifndef KELP_NET_TLS_SESSION_H_
#define KELP_NET_TLS_SESSION_H_

#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "net/http_client.h"

namespace kelp::net {

// Certificates and settings that all connections of one client share.
//
// Threads: immutable; thread-safe.
class TlsClientContext {
 public:
  // Errors: kInvalidArgument, naming the file, when one cannot be read.
  static Result<std::shared_ptr<TlsClientContext>> Create(const TlsClientOptions& options);
  ~TlsClientContext();
  struct Rep;
  const Rep& rep() const { return *rep_; }

 private:
  explicit TlsClientContext(std::unique_ptr<Rep> rep);
  std::unique_ptr<Rep> rep_;
};

// Encrypts and decrypts; the caller moves the bytes. A call that needs bytes from the peer gives
// kWantInput: send Output(), Feed() what arrives, call again.
//
// Threads: thread-compatible. Errors: kPermissionDenied when the certificate is not accepted, else
// kUnavailable. Tests: tls_test.cc
class TlsSession {
 public:
  enum class Next { kDone, kWantInput, kClosed };

  // `host` is what the certificate must name.
  static Result<std::unique_ptr<TlsSession>> Create(std::shared_ptr<TlsClientContext> context,
                                                    const std::string& host);
  ~TlsSession();

  Result<Next> Handshake();
  // REQUIRES: the handshake is done.
  Result<Next> Encrypt(std::string_view plain);
  // kDone: `*size` bytes, at least one, are in `buffer`.
  Result<Next> Decrypt(char* buffer, size_t capacity, size_t* size);

  // Takes the bytes that must go to the peer; may be empty.
  std::string Output();
  void Feed(std::string_view bytes);

 private:
  struct Rep;
  explicit TlsSession(std::unique_ptr<Rep> rep);
  Status Failure(const char* what, int ssl_error);
  std::unique_ptr<Rep> rep_;
};

}  // namespace kelp::net

#endif  // KELP_NET_TLS_SESSION_H_
