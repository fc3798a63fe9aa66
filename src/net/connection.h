// One server connection: HTTP over a ConnectionIo. Internal to net/: includes Asio and Beast.
#ifndef KELP_NET_CONNECTION_H_
#define KELP_NET_CONNECTION_H_

#include <algorithm>
#include <boost/asio/async_result.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "base/log.h"
#include "net/answer.h"
#include "net/connection_io.h"
#include "net/response_writer.h"
#include "net/server_core.h"
#include "net/websocket.h"

namespace kelp::net {

// One read while a head or a pipelined request is expected; most heads fit.
inline constexpr size_t kHeadReadBytes = 4096;
// What may be read ahead of the current request; bounds what a pipelining peer makes us hold.
inline constexpr size_t kReadAheadBytesMax = 64 << 10;
// A body's buffer grows by this much at a time, so that memory follows what the peer really sent
// and not what it announced.
inline constexpr size_t kBodyStepBytes = 1 << 20;
// After refusing a body, this much of it is read and dropped, so that the peer, still sending, gets
// to read the answer instead of a reset.
inline constexpr size_t kLingerBytesMax = 16 << 20;
inline constexpr auto kLingerTime = std::chrono::seconds(2);

// Smaller answers are not counted, so that errors always get through.
inline constexpr uint64_t kSmallAnswerBytes = 64 << 10;

// Counts a body against the server's budget until the answer is written.
class BodyLease {
 public:
  explicit BodyLease(MemoryBudget& budget) : budget_(budget) {}
  BodyLease(const BodyLease&) = delete;
  BodyLease& operator=(const BodyLease&) = delete;
  ~BodyLease() { budget_.Release(held_); }
  bool Grow(uint64_t bytes) {
    if (!budget_.TryReserve(bytes)) return false;
    held_ += bytes;
    return true;
  }
  // As Grow; but whoever comes first gets more than there is.
  bool GrowOrFirst(uint64_t bytes) {
    if (Grow(bytes)) return true;
    if (budget_.used() != 0) return false;
    budget_.ForceReserve(bytes);
    held_ += bytes;
    return true;
  }
  // Makes the lease at least `bytes`, in steps.
  bool Cover(uint64_t bytes) { return bytes <= held_ || Grow(bytes - held_ + kBodyStepBytes); }

 private:
  MemoryBudget& budget_;
  uint64_t held_ = 0;
};

// Reads requests, hands them to the handler one at a time, writes the answers.
//
// Place:   made by StartPlainConnection and TlsAcceptor; keeps itself alive through its coroutine.
// Threads: confined to the worker's thread. Handlers reach it only through Answer, whose wake-up is
//          posted here.
// Tests:   http_server_test.cc
template <typename Stream>
class Connection final : public ConnectionBase,
                         public std::enable_shared_from_this<Connection<Stream>> {
 public:
  Connection(Worker& worker, Stream stream, bool refuse)
      : worker_(worker),
        core_(worker.core),
        io_(std::move(stream), deadline, worker.core.options),
        refuse_(refuse) {
    worker_.Add(this);
  }
  ~Connection() override {
    if (answer_) answer_->Close();
    worker_.Remove(this);
  }

  void Start() {
    remote_ = io_.Prepare();
    asio::co_spawn(
        worker_.context, [self = this->shared_from_this()] { return self->Run(); },
        [self = this->shared_from_this()](std::exception_ptr thrown) {
          // Our code does not throw; a library may, when memory runs out.
          if (thrown)
            LOG_RATE(10s, kError, "a connection from {} ended by an exception", self->remote_);
          self->Close();
        });
  }

  void OnDeadline() override {
    if (phase_ != Phase::kIdle) core_.metrics.timeouts.Add();
    if (phase_ != Phase::kHead || timed_out_) return Close();
    // The coroutine answers 408 when a part of a request is there.
    timed_out_ = true;
    deadline = Now() + kLingerTime;
    io_.Cancel();
  }

  void Drain() override {
    draining_ = true;
    if (phase_ == Phase::kIdle) Close();
  }

  void Close() override {
    if (io_.closed()) return;
    deadline = SteadyTime::max();
    io_.Close();
    if (answer_) answer_->Close();
    Wake();
  }

 private:
  enum class Phase { kIdle, kHead, kBody, kHandler };
  using HeadParser = beast::http::request_parser<beast::http::empty_body>;
  using ChunkedParser = beast::http::request_parser<beast::http::string_body>;

  static SteadyTime Now() { return std::chrono::steady_clock::now(); }

  asio::awaitable<void> Run() {
    deadline = Now() + core_.options.read_timeout;
    const bool open = co_await io_.Open();
    while (open && !io_.closed()) {
      if (!co_await ServeOne()) break;
    }
    Close();
  }

  // One request and its answer. False: the connection is done.
  asio::awaitable<bool> ServeOne() {
    HeadParser parser;
    if (!co_await ReadHead(parser)) co_return false;
    HttpRequest request;
    if (!co_await TakeHead(parser, request)) co_return false;
    BodyLease lease(core_.bodies);
    if (!co_await ReadBody(parser, request, lease)) co_return false;
    const SteadyTime start = Now();
    phase_ = Phase::kHandler;
    deadline = SteadyTime::max();
    Dispatch(std::move(request));
    const bool more = co_await WriteAnswer();
    core_.metrics.latency.Record(Now() - start);
    co_return more&& keep_alive_ && !draining_;
  }

  // ---- Reading ---------------------------------------------------------------------------------

  asio::awaitable<bool> ReadHead(HeadParser& parser) {
    parser.header_limit(static_cast<uint32_t>(core_.options.header_bytes_max.bytes));
    parser.body_limit(boost::none);
    parser.eager(false);
    phase_ = Phase::kIdle;
    deadline = Now() + (first_ ? core_.options.read_timeout : core_.options.idle_timeout);
    while (watching_) co_await WaitWake();  // the read that watched for the peer's end goes on
    if (io_.closed() || peer_gone_) co_return false;
    if (io_.buffer().size() == 0 && co_await io_.ReadSome(kHeadReadBytes) == 0) co_return false;
    phase_ = Phase::kHead;
    deadline = Now() + core_.options.read_timeout;
    while (true) {
      error_code error;
      io_.buffer().consume(parser.put(io_.buffer().data(), error));
      if (parser.is_header_done()) break;
      if (error && error != beast::http::error::need_more) {
        core_.metrics.refused_head.Add();
        if (error != beast::http::error::header_limit) {
          std::string why = "the request is not HTTP: " + error.message();
          co_return co_await Refuse(400, std::move(why));
        }
        std::string why = "the request's header is larger than ";
        why += FormatByteSize(core_.options.header_bytes_max);
        co_return co_await Refuse(431, std::move(why));
      }
      if (co_await io_.ReadSome(kHeadReadBytes) != 0) continue;
      if (timed_out_) co_return co_await Refuse(408, "the request's header did not arrive in time");
      co_return false;
    }
    first_ = false;
    co_return true;
  }

  // Fills `request` from the head; refuses what cannot be served.
  asio::awaitable<bool> TakeHead(HeadParser& parser, HttpRequest& request) {
    const auto& head = parser.get();
    http10_ = head.version() < 11;
    keep_alive_ = parser.keep_alive();
    request.method = std::string(head.method_string());
    head_only_ = request.method == "HEAD";
    request.remote = remote_;
    for (const auto& field : head) {
      request.headers.Add(std::string_view(field.name_string().data(), field.name_string().size()),
                          std::string(field.value()));
    }
    if (refuse_) {
      co_return co_await Refuse(503, "the server has too many connections", true);
    }
    auto target = ParseRequestTarget(std::string_view(head.target().data(), head.target().size()));
    if (!target.ok() || (!http10_ && !request.headers.Has("Host"))) {
      core_.metrics.refused_head.Add();
      std::string why(target.ok() ? "the Host header is missing" : target.status().message());
      co_return co_await Refuse(400, std::move(why));
    }
    request.path = std::move(target->path);
    request.query = std::move(target->query);
    co_return true;
  }

  asio::awaitable<bool> ReadBody(HeadParser& parser, HttpRequest& request, BodyLease& lease) {
    const auto length = parser.content_length();
    if (!parser.chunked() && (!length || *length == 0)) co_return true;
    phase_ = Phase::kBody;
    const ByteSize limit =
        core_.options.body_limit ? core_.options.body_limit(request) : core_.options.body_bytes_max;
    if (length && *length > limit.bytes) {
      co_return co_await RefuseBodySize(limit);
    }
    if (length && !lease.Grow(*length)) co_return co_await RefuseMemory();
    if (EqualsIgnoreCase(request.headers.Get("Expect"), "100-continue") &&
        io_.buffer().size() == 0) {
      static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
      io_.out().assign(1, asio::buffer(kContinue));
      if (!co_await io_.Write()) co_return false;
    }
    if (parser.chunked()) co_return co_await ReadChunkedBody(parser, request, lease, limit);
    co_return co_await ReadSizedBody(request, static_cast<size_t>(*length));
  }

  // Straight into the request's own string: no parser, no copy.
  asio::awaitable<bool> ReadSizedBody(HttpRequest& request, size_t length) {
    deadline = Now() + core_.options.read_timeout + TimeFor(length, core_.options);
    std::string& body = request.body;
    const size_t ready = std::min(io_.buffer().size(), length);
    body.reserve(length);
    body.assign(static_cast<const char*>(io_.buffer().data().data()), ready);
    io_.buffer().consume(ready);
    size_t done = ready;
    while (done < length) {
      if (done == body.size()) body.resize(done + std::min(kBodyStepBytes, length - done));
      const size_t n = co_await io_.ReadInto(body.data() + done, body.size() - done);
      if (n == 0) co_return false;
      done += n;
    }
    core_.metrics.body_bytes.Add(length);
    co_return true;
  }

  asio::awaitable<bool> ReadChunkedBody(HeadParser& head, HttpRequest& request, BodyLease& lease,
                                        ByteSize limit) {
    deadline = Now() + core_.options.read_timeout + TimeFor(limit.bytes, core_.options);
    ChunkedParser parser(std::move(head));
    parser.body_limit(limit.bytes);
    parser.eager(true);
    while (!parser.is_done()) {
      error_code error;
      if (io_.buffer().size() != 0) io_.buffer().consume(parser.put(io_.buffer().data(), error));
      if (error == beast::http::error::body_limit) co_return co_await RefuseBodySize(limit);
      if (error && error != beast::http::error::need_more) {
        core_.metrics.refused_head.Add();
        co_return co_await Refuse(400, "the chunked body is malformed: " + error.message());
      }
      if (parser.is_done()) break;
      if (io_.buffer().size() >= kReadAheadBytesMax) {
        co_return co_await Refuse(400, "a chunk's header is too long");
      }
      if (!lease.Cover(parser.get().body().size() + kReadAheadBytesMax)) {
        co_return co_await RefuseMemory();
      }
      if (co_await io_.ReadSome(kReadAheadBytesMax - io_.buffer().size()) == 0) co_return false;
    }
    request.body = std::move(parser.get().body());
    core_.metrics.body_bytes.Add(request.body.size());
    co_return true;
  }

  // ---- Answering -------------------------------------------------------------------------------

  void Dispatch(HttpRequest request) {
    answer_ = std::make_shared<Answer>(
        [weak = this->weak_from_this(), executor = worker_.context.get_executor()] {
          asio::post(executor, [weak] {
            if (const auto self = weak.lock()) self->OnAnswerChanged();
          });
        },
        static_cast<size_t>(core_.options.stream_queue_bytes_max.bytes));
    auto responder = NewResponder(answer_);
    if (core_.pool == nullptr) return core_.handler(std::move(request), std::move(responder));
    if (core_.pool->Submit(request, responder)) return;
    core_.metrics.refused_queue.Add();
    HttpResponse busy = Error(503, "the server is busy: too many requests wait");
    busy.headers.Set("Retry-After", RetryAfter());
    responder->Send(std::move(busy));
  }

  void OnAnswerChanged() {
    if (io_.closed() || !CutOff()) return Wake();
    Close();
  }

  // True, once counted and said, when the stream's peer reads too slowly.
  bool CutOff() {
    if (answer_ == nullptr || !answer_->overflowed()) return false;
    if (!std::exchange(cut_, true)) {
      core_.metrics.streams_cut.Add();
      LOG_RATE(10s, kWarning, "{} reads its stream too slowly and was cut off", remote_);
    }
    return true;
  }

  std::string RetryAfter() const {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(core_.options.retry_after);
    return std::to_string(seconds.count());
  }

  // Writes what the handler gives until the answer is complete. False: close the connection.
  asio::awaitable<bool> WriteAnswer() {
    bool good = true;
    bool done = false;
    while (good && !done) {
      Answer::Step step = answer_->Take();
      if (io_.closed() || peer_gone_) {
        good = false;
      } else if (step.full) {
        done = true;
        BodyLease lease(core_.answers);
        const size_t bytes = step.full->body.size();
        if (bytes > kSmallAnswerBytes && !lease.GrowOrFirst(bytes)) step.full = TooManyAnswers();
        good = co_await WriteFull(*step.full);
      } else if (step.empty()) {
        if (answer_->wants_watch()) StartWatch();
        deadline = SteadyTime::max();
        co_await WaitWake();
      } else {
        // Whoever asked for the head only does not wait for the end of the stream.
        done = step.finished || head_only_;
        good = co_await WriteStep(step);
      }
    }
    if (good) {
      answer_->Complete();
    } else {
      CutOff();
      answer_->Close();
    }
    answer_.reset();
    co_return good;
  }

  asio::awaitable<bool> WriteFull(const HttpResponse& response) {
    CountAnswer(response.status);
    if (draining_ || core_.draining.load(std::memory_order_relaxed)) keep_alive_ = false;
    const std::string head = ResponseHead(response, {.http10 = http10_,
                                                     .keep_alive = keep_alive_,
                                                     .stream = false,
                                                     .body_bytes = response.body.size()});
    const bool bare = head_only_ || StatusHasNoBody(response.status);
    io_.out().assign(1, asio::buffer(head));
    if (!bare && !response.body.empty()) io_.out().push_back(asio::buffer(response.body));
    co_return co_await io_.Write();
  }

  asio::awaitable<bool> WriteStep(Answer::Step& step) {
    std::string head;
    io_.out().clear();
    if (step.head) {
      CountAnswer(step.head->status);
      upgraded_ = step.head->status == 101;
      if (http10_ || draining_ || upgraded_) keep_alive_ = false;
      head = ResponseHead(
          *step.head,
          {.http10 = http10_, .keep_alive = keep_alive_, .stream = true, .upgrade = upgraded_});
      io_.out().push_back(asio::buffer(head));
    }
    // The pieces go out as one chunk, as they are: nothing is copied.
    static constexpr std::string_view kLineEnd = "\r\n";
    static constexpr std::string_view kLastChunk = "0\r\n\r\n";
    const std::string size = step.chunks.empty() ? "" : ChunkHead(step.chunk_bytes);
    if (!head_only_) {
      const bool chunked = !http10_ && !upgraded_;
      if (chunked && !size.empty()) io_.out().push_back(asio::buffer(size));
      for (const std::string& chunk : step.chunks) io_.out().push_back(asio::buffer(chunk));
      if (chunked && !size.empty()) io_.out().push_back(asio::buffer(kLineEnd));
      if (chunked && step.finished) io_.out().push_back(asio::buffer(kLastChunk));
    }
    if (step.abandoned) co_return false;
    const bool written = co_await io_.Write();
    answer_->Written(step.chunk_bytes);
    co_return written;
  }

  void CountAnswer(int status) {
    if (status >= 100 && status < 600) core_.metrics.answers[status / 100]->Add();
  }

  // ---- Refusing --------------------------------------------------------------------------------

  asio::awaitable<bool> RefuseBodySize(ByteSize limit) {
    core_.metrics.refused_body_size.Add();
    co_return co_await Refuse(413, "the request's body is larger than " + FormatByteSize(limit));
  }

  asio::awaitable<bool> RefuseMemory() {
    core_.metrics.refused_memory.Add();
    co_return co_await Refuse(503, "the server is busy: too many bodies are under way", true);
  }

  HttpResponse TooManyAnswers() {
    core_.metrics.refused_answer.Add();
    LOG_RATE(10s, kWarning, "answers of {} wait for peers that do not read; refusing large ones",
             FormatByteSize(core_.options.answers_bytes_max));
    HttpResponse response = Error(503, "too many large answers wait for clients that do not read");
    response.headers.Set("Retry-After", RetryAfter());
    return response;
  }

  // Answers without a handler, and ends the connection so that the peer can still read the answer.
  asio::awaitable<bool> Refuse(int status, std::string message, bool retry = false) {
    keep_alive_ = false;
    phase_ = Phase::kHandler;
    deadline = Now() + core_.options.write_timeout;
    HttpResponse response = Error(status, message);
    if (retry) response.headers.Set("Retry-After", RetryAfter());
    if (co_await WriteFull(response)) co_await Linger();
    co_return false;
  }

  asio::awaitable<void> Linger() {
    deadline = Now() + kLingerTime;
    co_await io_.EndWriting();
    size_t dropped = 0;
    while (dropped < kLingerBytesMax) {
      io_.buffer().clear();
      const size_t n = co_await io_.ReadSome(kReadAheadBytesMax);
      if (n == 0) break;
      dropped += n;
    }
  }

  // ---- Watching and waiting --------------------------------------------------------------------

  // While a handler works, a read tells when the peer goes away. What it reads instead is the next
  // request, pipelined, and stays in the buffer; the watch ends there.
  void StartWatch() {
    if (upgraded_) TakeFrames();
    if (watching_ || io_.buffer().size() != 0) return;
    watching_ = true;
    io_.ReadLater(kHeadReadBytes, [self = this->shared_from_this()](bool gone) {
      self->watching_ = false;
      if (gone) self->peer_gone_ = true;
      self->Wake();
    });
  }

  // What the peer of a WebSocket sent.
  void TakeFrames() {
    auto& buffer = io_.buffer();
    if (watching_ || buffer.size() == 0 || answer_ == nullptr) return;
    WebSocketInput::Step step =
        frames_.Feed({static_cast<const char*>(buffer.data().data()), buffer.size()});
    buffer.clear();
    if (!step.answer.empty()) answer_->Write(std::move(step.answer));
    if (step.closed) answer_->Finish();
  }

  // Suspends until Wake(). May return early: callers look again.
  asio::awaitable<void> WaitWake() {
    if (!std::exchange(woken_, false)) {
      co_await asio::async_initiate<decltype(asio::use_awaitable), void()>(
          [this](auto handler) {
            auto shared = std::make_shared<decltype(handler)>(std::move(handler));
            resume_ = [shared] { std::move (*shared)(); };
          },
          asio::use_awaitable);
      woken_ = false;
    }
  }

  void Wake() {
    woken_ = true;
    if (auto resume = std::exchange(resume_, nullptr)) resume();
  }

  Worker& worker_;
  ServerCore& core_;
  ConnectionIo<Stream> io_;
  const bool refuse_;
  std::string remote_;
  std::shared_ptr<Answer> answer_;
  std::function<void()> resume_;
  Phase phase_ = Phase::kIdle;
  bool woken_ = false;
  bool draining_ = false;
  bool timed_out_ = false;
  bool watching_ = false;
  bool peer_gone_ = false;
  bool cut_ = false;
  bool first_ = true;
  bool http10_ = false;
  bool keep_alive_ = true;
  bool head_only_ = false;
  bool upgraded_ = false;  // to a WebSocket
  WebSocketInput frames_;
};

}  // namespace kelp::net

#endif  // KELP_NET_CONNECTION_H_
