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
// Ids are guessed easily, so every query belongs to a project, and who may see one project only
// neither follows nor stops those of another.
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
    Entry(RunningQueries& owner, std::string id, std::string project, std::shared_ptr<State> state)
        : owner_(owner),
          id_(std::move(id)),
          project_(std::move(project)),
          state_(std::move(state)) {}
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    ~Entry() { owner_.Remove(id_, state_); }
    const std::shared_ptr<State>& state() const { return state_; }
    // Leaves word of how it ended: `partial` and `error` are empty when all is well.
    void End(std::string partial, std::string error) {
      owner_.Keep(id_, project_, *state_, std::move(partial), std::move(error));
    }

   private:
    RunningQueries& owner_;
    const std::string id_;
    const std::string project_;
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
  std::unique_ptr<Entry> Add(const std::string& id, const std::string& project) {
    auto state = std::make_shared<State>();
    MutexLock lock(mu_);
    running_.emplace(id, Running{project, state});
    if (stopped_) state->cancelled = true;
    return std::make_unique<Entry>(*this, id, project, std::move(state));
  }
  // False when none runs under that id. `project`: of the caller; empty: may see all.
  bool Cancel(const std::string& id, const std::string& project) {
    bool any = false;
    MutexLock lock(mu_);
    const auto [begin, end] = running_.equal_range(id);
    for (auto it = begin; it != end; ++it) {
      if (!project.empty() && it->second.project != project) continue;
      it->second.state->cancelled = true;
      any = true;
    }
    return any;
  }
  // nullopt when none runs under that id, and none of the last kEndedMax that left word had it.
  // `project` as for Cancel.
  std::optional<Figures> Progress(const std::string& id, const std::string& project) {
    bool any = false;
    Figures sum;
    MutexLock lock(mu_);
    const auto [begin, end] = running_.equal_range(id);
    for (auto it = begin; it != end; ++it) {
      if (!project.empty() && it->second.project != project) continue;
      Add(*it->second.state, sum);
      any = true;
    }
    if (any) return sum;
    const auto ended = std::find_if(ended_.rbegin(), ended_.rend(), [&](const Ended& one) {
      return one.id == id && (project.empty() || one.project == project);
    });
    return ended == ended_.rend() ? std::nullopt : std::optional<Figures>(ended->figures);
  }
  // Cancels all, and those that come later.
  void Stop() {
    MutexLock lock(mu_);
    stopped_ = true;
    for (auto& [id, running] : running_) running.state->cancelled = true;
  }

 private:
  // Whoever asks does so at once.
  static constexpr size_t kEndedMax = 100;

  struct Running {
    std::string project;
    std::shared_ptr<State> state;
  };
  struct Ended {
    std::string id;
    std::string project;
    Figures figures;
  };

  static void Add(const State& state, Figures& sum) {
    sum.rows_scanned += state.progress.rows_scanned;
    sum.rows += state.progress.rows;
    sum.bytes += state.progress.bytes;
    sum.blocks += state.progress.blocks;
    sum.blocks_done += state.progress.blocks_done;
    sum.wall = std::max<Duration>(sum.wall, std::chrono::steady_clock::now() - state.begin);
  }
  void Keep(const std::string& id, const std::string& project, const State& state,
            std::string partial, std::string error) {
    if (id.empty()) return;
    Figures figures;
    Add(state, figures);
    figures.running = false;
    figures.partial = std::move(partial);
    figures.error = std::move(error);
    MutexLock lock(mu_);
    ended_.push_back({id, project, std::move(figures)});
    if (ended_.size() > kEndedMax) ended_.pop_front();
  }
  void Remove(const std::string& id, const std::shared_ptr<State>& state) {
    MutexLock lock(mu_);
    const auto [begin, end] = running_.equal_range(id);
    for (auto it = begin; it != end; ++it) {
      if (it->second.state != state) continue;
      running_.erase(it);
      return;
    }
  }

  Mutex mu_;
  std::multimap<std::string, Running> running_ GUARDED_BY(mu_);  // by id
  std::deque<Ended> ended_ GUARDED_BY(mu_);
  bool stopped_ GUARDED_BY(mu_) = false;
};

}  // namespace kelp::server

#endif  // KELP_SERVER_RUNNING_QUERIES_H_
