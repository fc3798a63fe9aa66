// Mutex, MutexLock, CondVar: std ones that clang's thread-safety analysis can read.
//
//   Mutex mu_;
//   std::deque<Job> jobs_ GUARDED_BY(mu_);
#ifndef KELP_BASE_SYNC_H_
#define KELP_BASE_SYNC_H_

#include <condition_variable>
#include <mutex>

#include "base/units.h"

#if defined(__clang__)
#define KELP_THREAD_ANNOTATION(x) __attribute__((x))
#else
#define KELP_THREAD_ANNOTATION(x)
#endif
#define CAPABILITY(x) KELP_THREAD_ANNOTATION(capability(x))
#define SCOPED_CAPABILITY KELP_THREAD_ANNOTATION(scoped_lockable)
#define GUARDED_BY(x) KELP_THREAD_ANNOTATION(guarded_by(x))
#define REQUIRES(...) KELP_THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define ACQUIRE(...) KELP_THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define RELEASE(...) KELP_THREAD_ANNOTATION(release_capability(__VA_ARGS__))
#define EXCLUDES(...) KELP_THREAD_ANNOTATION(locks_excluded(__VA_ARGS__))
#define NO_THREAD_SAFETY_ANALYSIS KELP_THREAD_ANNOTATION(no_thread_safety_analysis)

namespace kelp {

class CAPABILITY("mutex") Mutex {
 public:
  void Lock() ACQUIRE() { mu_.lock(); }
  void Unlock() RELEASE() { mu_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mu_;
};

class SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mu) ACQUIRE(mu) : mu_(mu) { mu_.Lock(); }
  ~MutexLock() RELEASE() { mu_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mu_;
};

class CondVar {
 public:
  void Wait(Mutex& mu) REQUIRES(mu) NO_THREAD_SAFETY_ANALYSIS {
    std::unique_lock<std::mutex> lock(mu.mu_, std::adopt_lock);
    cv_.wait(lock);
    lock.release();
  }
  // False when `timeout` passed. Spurious returns happen: check the condition in a loop.
  bool WaitFor(Mutex& mu, Duration timeout) REQUIRES(mu) NO_THREAD_SAFETY_ANALYSIS {
    std::unique_lock<std::mutex> lock(mu.mu_, std::adopt_lock);
    const bool notified = cv_.wait_for(lock, timeout) == std::cv_status::no_timeout;
    lock.release();
    return notified;
  }
  void NotifyOne() { cv_.notify_one(); }
  void NotifyAll() { cv_.notify_all(); }

 private:
  std::condition_variable cv_;
};

}  // namespace kelp

#endif  // KELP_BASE_SYNC_H_
