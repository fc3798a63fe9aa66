#include "net/handler_pool.h"

#include <utility>

namespace kelp::net {

HandlerPool::HandlerPool(int threads, size_t queue_max, const Handler& handler)
    : queue_max_(queue_max), handler_(handler) {
  threads_.reserve(static_cast<size_t>(threads));
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
}

bool HandlerPool::Submit(HttpRequest& request, std::shared_ptr<Responder>& responder) {
  {
    MutexLock lock(mu_);
    if (stop_ || queue_.size() >= queue_max_) return false;
    queue_.push_back({std::move(request), std::move(responder)});
  }
  work_.NotifyOne();
  return true;
}

void HandlerPool::Stop() {
  std::deque<Job> dropped;
  {
    MutexLock lock(mu_);
    stop_ = true;
    dropped.swap(queue_);
  }
  work_.NotifyAll();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

size_t HandlerPool::queued() const {
  MutexLock lock(mu_);
  return queue_.size();
}

void HandlerPool::Run() {
  while (true) {
    Job job;
    {
      MutexLock lock(mu_);
      while (!stop_ && queue_.empty()) work_.Wait(mu_);
      if (stop_) return;
      job = std::move(queue_.front());
      queue_.pop_front();
    }
    handler_(std::move(job.request), std::move(job.responder));
  }
}

}  // namespace kelp::net
