#include "query/scan_pool.h"

#include <algorithm>

namespace kelp::query {

ScanPool::ScanPool(size_t threads) {
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Serve(); });
}

ScanPool::~ScanPool() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
  }
  wake_.NotifyAll();
  for (std::thread& thread : threads_) thread.join();
}

void ScanPool::Run(size_t helpers, const std::function<void(size_t)>& work) {
  helpers = std::min(helpers, threads_.size());
  if (helpers == 0) return work(0);
  Job job{&work, 1, helpers, 0, {}};
  {
    MutexLock lock(mu_);
    jobs_.push_back(&job);
  }
  for (size_t i = 0; i < helpers; ++i) wake_.NotifyOne();
  work(0);
  MutexLock lock(mu_);
  std::erase(jobs_, &job);
  while (job.running > 0) job.idle.Wait(mu_);
}

void ScanPool::Serve() {
  mu_.Lock();
  while (!stopping_) {
    if (jobs_.empty()) {
      wake_.Wait(mu_);
      continue;
    }
    Job* const job = jobs_.front();
    const size_t worker = job->next++;
    if (job->next > job->last) jobs_.pop_front();
    ++job->running;
    mu_.Unlock();
    (*job->work)(worker);
    mu_.Lock();
    if (--job->running == 0) job->idle.NotifyOne();
  }
  mu_.Unlock();
}

}  // namespace kelp::query
