#include "net/client_link.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

#include "net/public_address.h"

namespace kelp::net {
namespace {

// Bytes given to OpenSSL at once; bounds the encrypted copy.
constexpr size_t kTlsWriteBytes = 256 << 10;
constexpr size_t kTlsReadBytes = 32 << 10;  // two records

using Clock = std::chrono::steady_clock;

struct Address {
  sockaddr_storage storage;
  socklen_t size;
};

// A name look-up under way on its own thread: getaddrinfo cannot be interrupted. Who waits may
// leave early; the thread then ends by the resolver's own time-outs.
struct Lookup {
  ~Lookup() { ::close(done_fd); }
  std::string host;
  std::string port;
  std::vector<Address> addresses;
  int error = 0;
  std::atomic<bool> done{false};  // hands the fields above to the waiting thread
  const int done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

  void Run(int flags) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = flags | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    error = getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
    for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
      Address address{};
      std::memcpy(&address.storage, at->ai_addr, at->ai_addrlen);
      address.size = at->ai_addrlen;
      addresses.push_back(address);
    }
    if (found != nullptr) freeaddrinfo(found);
  }
};

int MillisLeft(LinkDeadline deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return static_cast<int>(std::clamp<int64_t>(left, 0, INT32_MAX));
}

std::string SystemText(int error) { return std::string(ErrnoError("", error).message().substr(2)); }

// Waits until `fd` has one of `events`. kCancelled when `cancel_fd` is readable.
Result<short> PollOne(int fd, short events, int cancel_fd, LinkDeadline deadline,
                      const std::string& peer) {
  while (true) {
    pollfd fds[2] = {{fd, events, 0}, {cancel_fd, POLLIN, 0}};
    const int n = ::poll(fds, 2, MillisLeft(deadline));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return ErrnoError("cannot wait for " + peer);
    if (fds[1].revents != 0) return CancelledError("the request to " + peer + " was cancelled");
    if (fds[0].revents != 0) return fds[0].revents;
    if (Clock::now() >= deadline) {
      return DeadlineExceededError(peer + " did not answer in time");
    }
  }
}

Result<std::vector<Address>> FindAddresses(const Url& url, int cancel_fd, LinkDeadline deadline) {
  auto lookup = std::make_shared<Lookup>();
  lookup->host = url.host;
  lookup->port = std::to_string(url.port);
  lookup->Run(AI_NUMERICHOST);
  if (lookup->error == 0) return lookup->addresses;
  std::thread([lookup] {
    lookup->Run(0);
    lookup->done.store(true, std::memory_order_release);
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t n = ::write(lookup->done_fd, &one, sizeof one);
  }).detach();
  const Result<short> done =
      PollOne(lookup->done_fd, POLLIN, cancel_fd, deadline, "the look-up of " + url.host);
  if (!done.ok()) return done.status();
  while (!lookup->done.load(std::memory_order_acquire)) std::this_thread::yield();
  if (lookup->error != 0 || lookup->addresses.empty()) {
    return UnavailableError("cannot find the host " + url.host + ": " +
                            gai_strerror(lookup->error));
  }
  return lookup->addresses;
}

// Fills `vec` with what is left of `pieces`; gives the count.
size_t FillVector(std::span<const std::string_view> pieces, size_t at, size_t skip,
                  std::span<iovec> vec) {
  size_t count = 0;
  for (size_t i = at; i < pieces.size() && count < vec.size(); ++i) {
    const std::string_view piece = i == at ? pieces[i].substr(skip) : pieces[i];
    if (!piece.empty()) vec[count++] = {const_cast<char*>(piece.data()), piece.size()};
  }
  return count;
}

}  // namespace

ClientLink::~ClientLink() {
  if (fd_ >= 0) ::close(fd_);
}

Result<std::unique_ptr<ClientLink>> ClientLink::Open(const Url& url, Duration connect_timeout,
                                                     LinkDeadline deadline, int cancel_fd,
                                                     std::shared_ptr<TlsClientContext> tls,
                                                     bool public_only) {
  std::unique_ptr<ClientLink> link(new ClientLink(url.Authority(), cancel_fd));
  RETURN_IF_ERROR(link->Dial(url, connect_timeout, deadline, public_only));
  if (tls) RETURN_IF_ERROR(link->StartTls(url.host, deadline, std::move(tls)));
  return link;
}

Result<short> ClientLink::Wait(short events, LinkDeadline deadline) const {
  return PollOne(fd_, events, cancel_fd_, deadline, peer_);
}

Status ClientLink::Dial(const Url& url, Duration connect_timeout, LinkDeadline deadline,
                        bool public_only) {
  ASSIGN_OR_RETURN(const std::vector<Address> addresses, FindAddresses(url, cancel_fd_, deadline));
  Status last;
  for (const Address& address : addresses) {
    // Here, at the address itself: a name can lead elsewhere each time it is looked up.
    if (public_only && !IsPublicAddress(address.storage)) {
      last =
          InvalidArgumentError(peer_ + " is an address of a private network, which is not allowed");
      continue;
    }
    if (fd_ >= 0) ::close(fd_);
    fd_ = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd_ < 0) return ErrnoError("cannot open a socket to " + peer_);
    const int one = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    int error = 0;
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address.storage), address.size) != 0) {
      error = errno;
      if (error == EINPROGRESS) {
        const Result<short> ready =
            Wait(POLLOUT, std::min(deadline, Clock::now() + connect_timeout));
        if (!ready.ok()) {
          last = ready.status().Annotate("cannot connect");
          if (last.code() == Code::kCancelled) return last;
          continue;
        }
        socklen_t size = sizeof error;
        ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
      }
    }
    if (error == 0) return OkStatus();
    last = UnavailableError("cannot connect to " + peer_ + ": " + SystemText(error));
  }
  return last;
}

Status ClientLink::StartTls(const std::string& host, LinkDeadline deadline,
                            std::shared_ptr<TlsClientContext> tls) {
  ASSIGN_OR_RETURN(tls_, TlsSession::Create(std::move(tls), host));
  while (true) {
    const Result<TlsSession::Next> next = tls_->Handshake();
    // An alert, too, must reach the peer.
    const Status sent = SendTlsOutput(deadline);
    if (!next.ok()) return next.status().Annotate(peer_);
    RETURN_IF_ERROR(sent);
    if (*next == TlsSession::Next::kDone) return OkStatus();
    bool closed = false;
    RETURN_IF_ERROR(FeedTls(deadline, &closed));
    if (closed) return UnavailableError(peer_ + " closed the connection during the TLS handshake");
  }
}

Status ClientLink::SendTlsOutput(LinkDeadline deadline) {
  const std::string out = tls_->Output();
  const std::string_view piece = out;
  if (piece.empty()) return OkStatus();
  return SendPlain({&piece, 1}, deadline, nullptr);
}

Status ClientLink::FeedTls(LinkDeadline deadline, bool* closed) {
  std::array<char, kTlsReadBytes> buffer;
  ASSIGN_OR_RETURN(const size_t n, ReadPlain(buffer.data(), buffer.size(), deadline));
  *closed = n == 0;
  tls_->Feed({buffer.data(), n});
  return OkStatus();
}

Status ClientLink::Write(std::span<const std::string_view> pieces, LinkDeadline deadline,
                         bool* answered) {
  *answered = false;
  if (!tls_) return SendPlain(pieces, deadline, answered);
  for (std::string_view piece : pieces) {
    while (!piece.empty()) {
      const std::string_view part = piece.substr(0, kTlsWriteBytes);
      ASSIGN_OR_RETURN(const TlsSession::Next next, tls_->Encrypt(part));
      if (next != TlsSession::Next::kDone) return InternalError("TLS renegotiation is not offered");
      RETURN_IF_ERROR(SendTlsOutput(deadline));
      piece.remove_prefix(part.size());
    }
  }
  return OkStatus();
}

Status ClientLink::SendPlain(std::span<const std::string_view> pieces, LinkDeadline deadline,
                             bool* answered) {
  size_t at = 0;    // piece
  size_t skip = 0;  // bytes of it already sent
  std::array<iovec, 64> vec;
  while (true) {
    while (at < pieces.size() && skip == pieces[at].size()) {
      ++at;
      skip = 0;
    }
    if (at == pieces.size()) return OkStatus();
    msghdr message{};
    message.msg_iov = vec.data();
    message.msg_iovlen = FillVector(pieces, at, skip, vec);
    const ssize_t n = ::sendmsg(fd_, &message, MSG_NOSIGNAL);
    if (n >= 0) {
      for (size_t left = static_cast<size_t>(n); left != 0;) {
        const size_t step = std::min(left, pieces[at].size() - skip);
        left -= step;
        skip += step;
        if (left != 0) {
          ++at;
          skip = 0;
        }
      }
    } else if (errno == EAGAIN) {
      const short events = answered != nullptr ? POLLOUT | POLLIN : POLLOUT;
      ASSIGN_OR_RETURN(const short came, Wait(events, deadline));
      if (answered != nullptr && (came & POLLIN) != 0) {
        *answered = true;
        return OkStatus();
      }
    } else if (errno != EINTR) {
      return UnavailableError("cannot send to " + peer_ + ": " + SystemText(errno));
    }
  }
}

Result<size_t> ClientLink::Read(char* buffer, size_t size, LinkDeadline deadline) {
  if (!tls_) return ReadPlain(buffer, size, deadline);
  while (true) {
    size_t n = 0;
    const Result<TlsSession::Next> next = tls_->Decrypt(buffer, size, &n);
    if (!next.ok()) return next.status().Annotate(peer_);
    if (*next == TlsSession::Next::kDone) return n;
    if (*next == TlsSession::Next::kClosed) return size_t{0};
    bool closed = false;
    RETURN_IF_ERROR(FeedTls(deadline, &closed));
    if (closed) {
      // Without TLS's own farewell the end may be an attacker's: a truncated answer.
      return UnavailableError(peer_ + " closed the connection without ending TLS");
    }
  }
}

Result<size_t> ClientLink::ReadPlain(char* buffer, size_t size, LinkDeadline deadline) {
  while (true) {
    const ssize_t n = ::recv(fd_, buffer, size, 0);
    if (n >= 0) return static_cast<size_t>(n);
    if (errno == EINTR) continue;
    if (errno != EAGAIN) {
      return UnavailableError("cannot read from " + peer_ + ": " + SystemText(errno));
    }
    RETURN_IF_ERROR(Wait(POLLIN, deadline).status());
  }
}

bool ClientLink::IsStale() const {
  pollfd fd = {fd_, POLLIN, 0};
  // TLS 1.3 servers send session tickets after the handshake: bytes alone do not mean the end.
  if (::poll(&fd, 1, 0) <= 0) return false;
  if (!tls_) return true;
  char byte;
  return ::recv(fd_, &byte, 1, MSG_PEEK) <= 0;
}

}  // namespace kelp::net
