// Answer: the meeting point of one request's handler and the connection that writes its answer.
#ifndef KELP_NET_ANSWER_H_
#define KELP_NET_ANSWER_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/sync.h"
#include "net/http.h"
#include "net/http_server.h"

namespace kelp::net {

// What a handler produced and the connection has not written yet.
//
// Place:   shared by one Connection (Take, Written, Close) and one Responder (all else).
// Threads: thread-safe. `wake` is called with the lock held: it may only post.
// Tests:   answer_test.cc
class Answer {
 public:
  // What Take() gives the connection to write, in the order of the fields.
  struct Step {
    std::optional<HttpResponse> full;  // a whole answer; nothing else is set
    std::optional<HttpResponse> head;  // a stream's status and headers
    std::vector<std::string> chunks;
    size_t chunk_bytes = 0;
    bool finished = false;   // the stream ends after `chunks`
    bool abandoned = false;  // the handler gave up in the middle of a stream: cut it off
    bool empty() const { return !full && !head && chunks.empty() && !finished && !abandoned; }
  };

  // `wake` tells the connection that something changed; it is not called after Close().
  Answer(std::function<void()> wake, size_t queue_bytes_max)
      : wake_(std::move(wake)), queue_bytes_max_(queue_bytes_max) {}

  // The connection's side. -------------------------------------------------------------------
  Step Take();
  // `bytes` of chunks were given to the system.
  void Written(size_t bytes);
  // True once the handler asked to be told when the peer goes away, or streams.
  bool wants_watch() const;
  // True when a stream was cut off because its queue was over the limit.
  bool overflowed() const;
  // The peer is gone: calls what OnClose gave. Nothing is called afterwards.
  void Close();
  // The answer is written: forgets what OnClose gave, uncalled.
  void Complete();

  // The handler's side; see Responder. ---------------------------------------------------------
  void Send(HttpResponse response);
  void StartStream(int status, HttpHeaders headers);
  bool Write(std::string chunk);
  size_t queued_bytes() const;
  bool WaitDrained(size_t queued_bytes_max, Duration timeout);
  void Finish();
  void OnClose(std::function<void()> fn);
  // The last Responder is gone.
  void Abandon();

 private:
  enum class State { kWaiting, kAnswered, kStreaming, kFinished };
  void Wake() REQUIRES(mu_);

  mutable Mutex mu_;
  CondVar drained_;
  std::function<void()> wake_ GUARDED_BY(mu_);
  const size_t queue_bytes_max_;
  State state_ GUARDED_BY(mu_) = State::kWaiting;
  bool closed_ GUARDED_BY(mu_) = false;
  bool complete_ GUARDED_BY(mu_) = false;
  bool overflowed_ GUARDED_BY(mu_) = false;
  bool watch_ GUARDED_BY(mu_) = false;
  size_t queued_ GUARDED_BY(mu_) = 0;
  Step step_ GUARDED_BY(mu_);
  std::vector<std::function<void()>> on_close_ GUARDED_BY(mu_);
};

// The Responder that feeds `answer`.
std::shared_ptr<Responder> NewResponder(std::shared_ptr<Answer> answer);

}  // namespace kelp::net

#endif  // KELP_NET_ANSWER_H_
