// RunningQueries: which queries run, so that somebody else can follow and stop them.
#ifndef KELP_SERVER_RUNNING_QUERIES_H_
#define KELP_SERVER_RUNNING_QUERIES_H_

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
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
    // Leaves word of how it ended: `partial` and `error` are empty when all is well.
    void End(std::string partial, std::string error) {
      owner_.Keep(id_, *state_, std::move(partial), std::move(error));
    }

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
    bool running = true;
    std::string partial;  // once it ended
    std::string error;
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
  // nullopt when none runs under that id, and none of the last kEndedMax that left word had it.
  std::optional<Figures> Progress(const std::string& id) {
    MutexLock lock(mu_);
    const auto [begin, end] = states_.equal_range(id);
    if (begin == end) {
      const auto ended = std::find_if(ended_.rbegin(), ended_.rend(),
                                      [&](const auto& one) { return one.first == id; });
      return ended == ended_.rend() ? std::nullopt : std::optional<Figures>(ended->second);
    }
    Figures sum;
    for (auto it = begin; it != end; ++it) {
      Add(*it->second, sum);
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
  // Whoever asks does so at once.
  static constexpr size_t kEndedMax = 100;

  static void Add(const State& state, Figures& sum) {
    sum.rows_scanned += state.progress.rows_scanned;
    sum.rows += state.progress.rows;
    sum.bytes += state.progress.bytes;
    sum.blocks += state.progress.blocks;
    sum.blocks_done += state.progress.blocks_done;
    sum.wall = std::max<Duration>(sum.wall, std::chrono::steady_clock::now() - state.begin);
  }
  void Keep(const std::string& id, const State& state, std::string partial, std::string error) {
    if (id.empty()) return;
    Figures figures;
    Add(state, figures);
    figures.running = false;
    figures.partial = std::move(partial);
    figures.error = std::move(error);
    MutexLock lock(mu_);
    ended_.emplace_back(id, std::move(figures));
    if (ended_.size() > kEndedMax) ended_.pop_front();
  }
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
  std::deque<std::pair<std::string, Figures>> ended_ GUARDED_BY(mu_);
  bool stopped_ GUARDED_BY(mu_) = false;
};

}  // namespace kelp::server

#endif  // KELP_SERVER_RUNNING_QUERIES_H_
