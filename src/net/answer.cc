#include "net/answer.h"

#include <chrono>
#include <utility>

#include "base/log.h"

namespace kelp::net {
namespace {

class AnswerResponder final : public Responder {
 public:
  explicit AnswerResponder(std::shared_ptr<Answer> answer) : answer_(std::move(answer)) {}
  ~AnswerResponder() override { answer_->Abandon(); }

  void Send(HttpResponse response) override { answer_->Send(std::move(response)); }
  void StartStream(int status, HttpHeaders headers) override {
    answer_->StartStream(status, std::move(headers));
  }
  bool Write(std::string chunk) override { return answer_->Write(std::move(chunk)); }
  size_t queued_bytes() const override { return answer_->queued_bytes(); }
  bool WaitDrained(size_t queued_bytes_max, Duration timeout) override {
    return answer_->WaitDrained(queued_bytes_max, timeout);
  }
  void Finish() override { answer_->Finish(); }
  void OnClose(std::function<void()> fn) override { answer_->OnClose(std::move(fn)); }

 private:
  const std::shared_ptr<Answer> answer_;
};

}  // namespace

std::shared_ptr<Responder> NewResponder(std::shared_ptr<Answer> answer) {
  return std::make_shared<AnswerResponder>(std::move(answer));
}

void Answer::Wake() {
  if (wake_) wake_();
}

Answer::Step Answer::Take() {
  MutexLock lock(mu_);
  return std::exchange(step_, Step());
}

void Answer::Written(size_t bytes) {
  MutexLock lock(mu_);
  queued_ -= bytes;
  drained_.NotifyAll();
}

bool Answer::wants_watch() const {
  MutexLock lock(mu_);
  return watch_;
}

bool Answer::overflowed() const {
  MutexLock lock(mu_);
  return overflowed_;
}

void Answer::Close() {
  std::vector<std::function<void()>> calls;
  {
    MutexLock lock(mu_);
    if (complete_ || closed_) return;
    closed_ = true;
    wake_ = nullptr;
    step_ = Step();
    queued_ = 0;
    calls.swap(on_close_);
    drained_.NotifyAll();
  }
  for (const auto& call : calls) call();
}

void Answer::Complete() {
  std::vector<std::function<void()>> forgotten;  // destroyed after the lock is released
  MutexLock lock(mu_);
  complete_ = true;
  wake_ = nullptr;
  forgotten.swap(on_close_);
  drained_.NotifyAll();
}

void Answer::Send(HttpResponse response) {
  MutexLock lock(mu_);
  if (state_ != State::kWaiting) {
    LOG(kError, "a request was answered twice; the second answer (status {}) is ignored",
        response.status);
    return;
  }
  state_ = State::kAnswered;
  if (closed_) return;
  step_.full = std::move(response);
  Wake();
}

void Answer::StartStream(int status, HttpHeaders headers) {
  MutexLock lock(mu_);
  if (state_ != State::kWaiting) {
    LOG(kError, "a request was answered twice; the stream (status {}) is ignored", status);
    return;
  }
  state_ = State::kStreaming;
  watch_ = true;
  if (closed_) return;
  step_.head = HttpResponse{status, std::move(headers), ""};
  Wake();
}

bool Answer::Write(std::string chunk) {
  MutexLock lock(mu_);
  if (closed_ || complete_ || overflowed_ || state_ != State::kStreaming) return false;
  if (chunk.empty()) return true;
  if (queued_ != 0 && queued_ + chunk.size() > queue_bytes_max_) {
    overflowed_ = true;
    step_.abandoned = true;
    Wake();
    return false;
  }
  queued_ += chunk.size();
  step_.chunk_bytes += chunk.size();
  step_.chunks.push_back(std::move(chunk));
  if (step_.chunks.size() == 1) Wake();  // for later ones the connection is on its way already
  return true;
}

size_t Answer::queued_bytes() const {
  MutexLock lock(mu_);
  return queued_;
}

bool Answer::WaitDrained(size_t queued_bytes_max, Duration timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  MutexLock lock(mu_);
  while (!closed_ && !complete_ && !overflowed_ && queued_ > queued_bytes_max) {
    const Duration left = deadline - std::chrono::steady_clock::now();
    if (left <= Duration(0)) return false;
    drained_.WaitFor(mu_, left);
  }
  return !closed_ && !complete_ && !overflowed_;
}

void Answer::Finish() {
  MutexLock lock(mu_);
  if (state_ != State::kStreaming) return;
  state_ = State::kFinished;
  if (closed_) return;
  step_.finished = true;
  Wake();
}

void Answer::OnClose(std::function<void()> fn) {
  {
    MutexLock lock(mu_);
    if (complete_) return;
    if (!closed_) {
      on_close_.push_back(std::move(fn));
      if (!std::exchange(watch_, true)) Wake();
      return;
    }
  }
  fn();
}

void Answer::Abandon() {
  MutexLock lock(mu_);
  if (closed_ || complete_) return;
  if (state_ == State::kWaiting) {
    state_ = State::kAnswered;
    step_.full = Error(500, "the server gave no answer to this request");
    Wake();
  } else if (state_ == State::kStreaming) {
    step_.abandoned = true;
    Wake();
  }
}

}  // namespace kelp::net
