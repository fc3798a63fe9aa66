#include "net/http_client.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <chrono>
#include <optional>
#include <utility>

#include "base/sync.h"
#include "net/client_link.h"

namespace kelp::net {
namespace {

namespace http = boost::beast::http;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;

constexpr size_t kReadBytes = 64 << 10;
// An answer's head; more is a broken or hostile server.
constexpr uint32_t kHeadBytesMax = 64 << 10;

std::string RequestHead(const HttpClientRequest& request, const Url& url,
                        const std::string& user_agent) {
  std::string head = request.method + " " + url.target + " HTTP/1.1\r\nHost: " + url.HostHeader();
  if (!request.headers.Has("User-Agent")) head += "\r\nUser-Agent: " + user_agent;
  for (const auto& [name, value] : request.headers) {
    if (EqualsIgnoreCase(name, "Host") || EqualsIgnoreCase(name, "Content-Length")) continue;
    head.append("\r\n").append(name).append(": ").append(value);
  }
  size_t bytes = 0;
  for (const std::string_view piece : request.body) bytes += piece.size();
  if (bytes != 0 || (request.method != "GET" && request.method != "HEAD")) {
    head += "\r\nContent-Length: " + std::to_string(bytes);
  }
  head += "\r\n\r\n";
  return head;
}

// A line break in a header would let its supplier write another request.
Status CheckRequest(const HttpClientRequest& request) {
  const auto one_line = [](std::string_view text) {
    return text.find_first_of(std::string_view("\r\n\0", 3)) == text.npos;
  };
  bool good = !request.method.empty() && request.method.find(' ') == std::string::npos &&
              one_line(request.method);
  for (const auto& [name, value] : request.headers) {
    good = good && !name.empty() && name.find(':') == std::string::npos && one_line(name) &&
           one_line(value);
  }
  return good ? OkStatus() : InvalidArgumentError("a header of the request holds a line break");
}

// Reads one answer from a link.
class AnswerReader {
 public:
  AnswerReader(ClientLink& link, const std::string& peer, bool head_only)
      : link_(link), peer_(peer), head_only_(head_only) {}

  // Interim answers (100 Continue) are skipped.
  Status ReadHead(LinkDeadline deadline, HttpResponse& response) {
    while (true) {
      parser_.emplace();
      parser_->header_limit(kHeadBytesMax);
      parser_->body_limit(boost::none);
      parser_->skip(head_only_);
      RETURN_IF_ERROR(ParseHead(deadline));
      response.status = static_cast<int>(parser_->get().result_int());
      if (response.status >= 200) break;
    }
    for (const auto& field : parser_->get()) {
      response.headers.Add(std::string_view(field.name_string().data(), field.name_string().size()),
                           std::string(field.value()));
    }
    return OkStatus();
  }

  // The next piece of the body, in `buffer`; 0 at its end.
  Result<size_t> ReadBody(char* buffer, size_t size, LinkDeadline deadline) {
    while (!parser_->is_done()) {
      auto& body = parser_->get().body();
      body.data = buffer;
      body.size = size;
      body.more = true;
      error_code error;
      if (buffer_.size() != 0) buffer_.consume(parser_->put(buffer_.data(), error));
      if (error == http::error::need_buffer || error == http::error::need_more) error = {};
      if (error) return Malformed(error);
      if (body.size != size) return size - body.size;
      if (parser_->is_done()) break;
      RETURN_IF_ERROR(Fill(deadline));
      if (!ended_) continue;
      parser_->put_eof(error);
      if (error) {
        return UnavailableError(peer_ + " closed the connection in the middle of its answer");
      }
    }
    return size_t{0};
  }

  // True when the link can carry another request.
  bool reusable() const {
    return parser_ && parser_->is_done() && parser_->keep_alive() && !ended_ && buffer_.size() == 0;
  }
  bool got_bytes() const { return got_bytes_; }

 private:
  Status ParseHead(LinkDeadline deadline) {
    parser_->eager(false);
    while (true) {
      error_code error;
      if (buffer_.size() != 0) buffer_.consume(parser_->put(buffer_.data(), error));
      if (parser_->is_header_done()) break;
      if (error && error != http::error::need_more) return Malformed(error);
      RETURN_IF_ERROR(Fill(deadline));
      if (ended_) {
        return UnavailableError(peer_ + " closed the connection " +
                                (got_bytes_ ? "in the middle of its answer" : "without an answer"));
      }
    }
    parser_->eager(true);
    return OkStatus();
  }

  Status Malformed(error_code error) const {
    return UnavailableError(peer_ + " did not answer with HTTP: " + error.message());
  }

  Status Fill(LinkDeadline deadline) {
    const auto space = buffer_.prepare(kReadBytes);
    ASSIGN_OR_RETURN(const size_t n,
                     link_.Read(static_cast<char*>(space.data()), space.size(), deadline));
    buffer_.commit(n);
    ended_ = n == 0;
    got_bytes_ = got_bytes_ || n != 0;
    return OkStatus();
  }

  ClientLink& link_;
  const std::string& peer_;
  const bool head_only_;
  boost::beast::flat_buffer buffer_;
  std::optional<http::response_parser<http::buffer_body>> parser_;
  bool ended_ = false;
  bool got_bytes_ = false;
};

}  // namespace

class HttpClient::Impl {
 public:
  explicit Impl(HttpClientOptions options)
      : options_(std::move(options)), cancel_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    CHECK(cancel_fd_ >= 0, "cannot make an eventfd");
  }
  ~Impl() {
    idle_.clear();
    ::close(cancel_fd_);
  }

  void Cancel() {
    cancelled_ = true;
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t n = ::write(cancel_fd_, &one, sizeof one);
  }

  Result<HttpResponse> Exchange(const HttpClientRequest& request, const OnChunk* on_chunk,
                                Duration chunk_timeout) {
    RETURN_IF_ERROR(CheckRequest(request));
    ASSIGN_OR_RETURN(const Url url, ParseUrl(request.url));
    if (cancelled_) return CancelledError("the client was stopped");
    const Job job{request,  url,          url.Authority(), Clock::now() + request.timeout,
                  on_chunk, chunk_timeout};
    const bool repeatable =
        request.repeatable || request.method == "GET" || request.method == "HEAD";
    if (std::unique_ptr<ClientLink> link = TakeIdle(Key(url))) {
      bool untouched = false;
      Result<HttpResponse> result = ExchangeOn(std::move(link), job, &untouched);
      // The server closed the kept connection in the same moment: say it again on a fresh one.
      if (result.ok() || !untouched || !repeatable ||
          result.status().code() != Code::kUnavailable) {
        return result;
      }
    }
    ASSIGN_OR_RETURN(std::shared_ptr<TlsClientContext> tls, TlsFor(url));
    Result<std::unique_ptr<ClientLink>> link =
        ClientLink::Open(url, options_.connect_timeout, job.deadline, cancel_fd_, std::move(tls),
                         options_.public_addresses_only);
    if (!link.ok()) return link.status();
    bool untouched = false;
    return ExchangeOn(*std::move(link), job, &untouched);
  }

 private:
  struct Job {
    const HttpClientRequest& request;
    const Url& url;
    const std::string peer;
    const LinkDeadline deadline;
    const OnChunk* on_chunk;
    const Duration chunk_timeout;
  };
  struct Idle {
    std::string key;
    std::unique_ptr<ClientLink> link;
    Clock::time_point since;
  };

  static std::string Key(const Url& url) { return (url.tls ? "s:" : "p:") + url.Authority(); }

  // `*untouched`: the server did not send a byte.
  Result<HttpResponse> ExchangeOn(std::unique_ptr<ClientLink> link, const Job& job,
                                  bool* untouched) {
    const std::string head = RequestHead(job.request, job.url, options_.user_agent);
    std::vector<std::string_view> pieces = {head};
    pieces.insert(pieces.end(), job.request.body.begin(), job.request.body.end());
    bool answered = false;
    const Status sent = link->Write(pieces, job.deadline, &answered);
    // A server that refuses a body may close while we send: its answer is worth more than the
    // error.
    if (!sent.ok() && sent.code() != Code::kUnavailable) return sent;
    AnswerReader reader(*link, job.peer, job.request.method == "HEAD");
    HttpResponse response;
    Status status = reader.ReadHead(job.deadline, response);
    *untouched = !reader.got_bytes();
    if (!status.ok()) return sent.ok() ? status : sent;
    status = ReadBody(reader, job, response);
    if (!status.ok()) return status;
    if (sent.ok() && !answered && reader.reusable()) KeepIdle(Key(job.url), std::move(link));
    return response;
  }

  Status ReadBody(AnswerReader& reader, const Job& job, HttpResponse& response) {
    const bool streaming = job.on_chunk != nullptr && response.ok();
    std::vector<char> buffer(kReadBytes);
    while (true) {
      LinkDeadline deadline = job.deadline;
      if (streaming) {
        deadline = job.chunk_timeout > Duration(0) ? Clock::now() + job.chunk_timeout
                                                   : LinkDeadline::max();
      }
      ASSIGN_OR_RETURN(const size_t n, reader.ReadBody(buffer.data(), buffer.size(), deadline));
      if (n == 0) return OkStatus();
      if (streaming) {
        if (!(*job.on_chunk)({buffer.data(), n})) return OkStatus();
        continue;
      }
      if (response.body.size() + n > job.request.response_bytes_max.bytes) {
        return ResourceExhaustedError("the answer of " + job.peer + " is larger than " +
                                      FormatByteSize(job.request.response_bytes_max));
      }
      response.body.append(buffer.data(), n);
    }
  }

  std::unique_ptr<ClientLink> TakeIdle(const std::string& key) {
    std::vector<std::unique_ptr<ClientLink>> old;  // closed after the lock is released
    MutexLock lock(mu_);
    const auto now = Clock::now();
    std::erase_if(idle_, [&](Idle& idle) {
      const bool expired = now - idle.since > options_.idle_timeout || idle.link->IsStale();
      if (expired) old.push_back(std::move(idle.link));
      return expired;
    });
    // The one used last is the one most likely alive.
    const auto it = std::find_if(idle_.rbegin(), idle_.rend(),
                                 [&](const Idle& idle) { return idle.key == key; });
    if (it == idle_.rend()) return nullptr;
    std::unique_ptr<ClientLink> link = std::move(it->link);
    idle_.erase(std::next(it).base());
    return link;
  }

  void KeepIdle(std::string key, std::unique_ptr<ClientLink> link) {
    if (options_.idle_connections_max == 0) return;
    MutexLock lock(mu_);
    if (idle_.size() >= options_.idle_connections_max) idle_.erase(idle_.begin());
    idle_.push_back({std::move(key), std::move(link), Clock::now()});
  }

  Result<std::shared_ptr<TlsClientContext>> TlsFor(const Url& url) {
    MutexLock lock(mu_);
    if (!url.tls) return std::shared_ptr<TlsClientContext>();
    if (!tls_) {
      ASSIGN_OR_RETURN(tls_, TlsClientContext::Create(options_.tls));
    }
    return tls_;
  }

  const HttpClientOptions options_;
  const int cancel_fd_;
  std::atomic<bool> cancelled_{false};
  Mutex mu_;
  std::vector<Idle> idle_ GUARDED_BY(mu_);
  std::shared_ptr<TlsClientContext> tls_ GUARDED_BY(mu_);
};

HttpClient::HttpClient(HttpClientOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}
HttpClient::~HttpClient() = default;

Result<HttpResponse> HttpClient::Send(const HttpClientRequest& request) {
  return impl_->Exchange(request, nullptr, Duration(0));
}

Result<HttpResponse> HttpClient::SendStreaming(const HttpClientRequest& request,
                                               const OnChunk& on_chunk, Duration chunk_timeout) {
  return impl_->Exchange(request, &on_chunk, chunk_timeout);
}

void HttpClient::Cancel() { impl_->Cancel(); }

}  // namespace kelp::net
