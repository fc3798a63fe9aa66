// RunningQueries: which queries run, so that somebody else can stop them.
#ifndef KELP_SERVER_RUNNING_QUERIES_H_
#define KELP_SERVER_RUNNING_QUERIES_H_

#include <atomic>
#include <map>
#include <memory>
#include <string>

#include "base/sync.h"

namespace kelp::server {

// Cancellation flags of running queries by the id that their callers chose.
//
// Threads: thread-safe. Limits: as many as query threads and their queue let run.
// Tests:   server_test.cc
class RunningQueries {
 public:
  using Flag = std::shared_ptr<std::atomic<bool>>;

  // Ends the registration when it is destroyed.
  class Entry {
   public:
    Entry(RunningQueries& owner, std::string id, Flag flag)
        : owner_(owner), id_(std::move(id)), flag_(std::move(flag)) {}
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    ~Entry() { owner_.Remove(id_, flag_); }
    const Flag& flag() const { return flag_; }

   private:
    RunningQueries& owner_;
    const std::string id_;
    const Flag flag_;
  };

  // Ids need not be unique: Cancel reaches all of one id. An empty id cannot be cancelled by it.
  std::unique_ptr<Entry> Add(const std::string& id) {
    auto flag = std::make_shared<std::atomic<bool>>(false);
    MutexLock lock(mu_);
    flags_.emplace(id, flag);
    if (stopped_) *flag = true;
    return std::make_unique<Entry>(*this, id, std::move(flag));
  }
  // False when none runs under that id.
  bool Cancel(const std::string& id) {
    MutexLock lock(mu_);
    const auto [begin, end] = flags_.equal_range(id);
    for (auto it = begin; it != end; ++it) *it->second = true;
    return begin != end;
  }
  // Cancels all, and those that come later.
  void Stop() {
    MutexLock lock(mu_);
    stopped_ = true;
    for (auto& [id, flag] : flags_) *flag = true;
  }

 private:
  void Remove(const std::string& id, const Flag& flag) {
    MutexLock lock(mu_);
    const auto [begin, end] = flags_.equal_range(id);
    for (auto it = begin; it != end; ++it) {
      if (it->second != flag) continue;
      flags_.erase(it);
      return;
    }
  }

  Mutex mu_;
  std::multimap<std::string, Flag> flags_ GUARDED_BY(mu_);
  bool stopped_ GUARDED_BY(mu_) = false;
};

}  // namespace kelp::server

#endif  // KELP_SERVER_RUNNING_QUERIES_H_
