// RunningQueries: which queries run, so that somebody else can follow and stop them.
#ifndef KELP_SERVER_RUNNING_QUERIES_H_
#define KELP_SERVER_RUNNING_QUERIES_H_

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/sync.h"
#include "base/units.h"
#include "query/query.h"

namespace kelp::server {

// Cancellation flags and progress of running queries by the id that their callers chose.
//
// Threads: thread-safe. Limits: as many as query threads and their queue let run.
// Tests:   server_test.cc
class RunningQueries {
 public:
  struct State {
    std::atomic<bool> cancelled{false};
    query::Progress progress;
    const std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
  };

  // Ends the registration when it is destroyed.
  class Entry {
   public:
    Entry(RunningQueries& owner, std::string id, std::shared_ptr<State> state)
        : owner_(owner), id_(std::move(id)), state_(std::move(state)) {}
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    ~Entry() { owner_.Remove(id_, state_); }
    const std::shared_ptr<State>& state() const { return state_; }

   private:
    RunningQueries& owner_;
    const std::string id_;
    const std::shared_ptr<State> state_;
  };

  // What all queries of one id have done together.
  struct Figures {
    uint64_t rows_scanned = 0;
    uint64_t rows = 0;
    uint64_t bytes = 0;
    uint64_t blocks = 0;
    uint64_t blocks_done = 0;
    Duration wall{0};  // of the oldest
  };

  // Ids need not be unique: Cancel reaches all of one id. An empty id cannot be cancelled by it.
  std::unique_ptr<Entry> Add(const std::string& id) {
    auto state = std::make_shared<State>();
    MutexLock lock(mu_);
    states_.emplace(id, state);
    if (stopped_) state->cancelled = true;
    return std::make_unique<Entry>(*this, id, std::move(state));
  }
  // False when none runs under that id.
  bool Cancel(const std::string& id) {
    MutexLock lock(mu_);
    const auto [begin, end] = states_.equal_range(id);
    for (auto it = begin; it != end; ++it) it->second->cancelled = true;
    return begin != end;
  }
  // nullopt when none runs under that id.
  std::optional<Figures> Progress(const std::string& id) {
    MutexLock lock(mu_);
    const auto [begin, end] = states_.equal_range(id);
    if (begin == end) return std::nullopt;
    Figures sum;
    for (auto it = begin; it != end; ++it) {
      const query::Progress& progress = it->second->progress;
      sum.rows_scanned += progress.rows_scanned;
      sum.rows += progress.rows;
      sum.bytes += progress.bytes;
      sum.blocks += progress.blocks;
      sum.blocks_done += progress.blocks_done;
      sum.wall = std::max<Duration>(sum.wall, std::chrono::steady_clock::now() - it->second->begin);
    }
    return sum;
  }
  // Cancels all, and those that come later.
  void Stop() {
    MutexLock lock(mu_);
    stopped_ = true;
    for (auto& [id, state] : states_) state->cancelled = true;
  }

 private:
  void Remove(const std::string& id, const std::shared_ptr<State>& state) {
    MutexLock lock(mu_);
    const auto [begin, end] = states_.equal_range(id);
    for (auto it = begin; it != end; ++it) {
      if (it->second != state) continue;
      states_.erase(it);
      return;
    }
  }

  Mutex mu_;
  std::multimap<std::string, std::shared_ptr<State>> states_ GUARDED_BY(mu_);
  bool stopped_ GUARDED_BY(mu_) = false;
};

}  // namespace kelp::server

#endif  // KELP_SERVER_RUNNING_QUERIES_H_
