// Helpers of this folder's tests: a directory on disk, a clock that is turned by hand, a host that
// reads sources as the engine would.
#ifndef KELP_TAIL_TESTING_H_
#define KELP_TAIL_TESTING_H_

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/env.h"
#include "base/sync.h"
#include "pipeline/input.h"
#include "tail/tail_service.h"

namespace kelp::tail::testing {

// The real machine with a clock of our own and, if wanted, without inotify.
class TestEnv final : public Env, public Clock {
 public:
  Clock& clock() override { return *this; }
  FileSystem& files() override { return other_files != nullptr ? *other_files : RealEnv().files(); }
  Random& random() override { return RealEnv().random(); }
  Result<std::unique_ptr<FileWatcher>> NewFileWatcher() override {
    if (without_inotify) return ResourceExhaustedError("cannot use inotify (test)");
    if (deaf_inotify) return std::unique_ptr<FileWatcher>(std::make_unique<DeafWatcher>());
    return RealEnv().NewFileWatcher();
  }
  // Near the births of the test's files, which the system's clock tells.
  UnixNanos Now() override { return RealEnv().clock().Now() + wall_ahead_.count(); }
  Duration Monotonic() override { return monotonic_; }
  void Advance(Duration d) { monotonic_ += d; }
  void AdvanceWall(Duration d) { wall_ahead_ += d; }

  FileSystem* other_files = nullptr;
  bool without_inotify = false;
  bool deaf_inotify = false;

 private:
  // Watches everything, hears nothing.
  class DeafWatcher final : public FileWatcher {
   public:
    Result<int> AddDir(const std::string& path) override {
      return ids_.try_emplace(path, static_cast<int>(ids_.size())).first->second;
    }
    void Remove(int) override {}
    std::vector<Event> Wait(Duration) override { return {}; }
    void Wake() override {}

   private:
    std::map<std::string, int> ids_;
  };

  Duration monotonic_ = 1000s;
  Duration wall_ahead_{0};
};

// A directory that goes away with the test; in TMPDIR, so that a file system can be chosen.
class TempDir {
 public:
  TempDir() {
    const char* const parent = std::getenv("TMPDIR");
    path_ = JoinPath(parent == nullptr ? "/tmp" : parent, "kelp_tail_XXXXXX");
    CHECK(::mkdtemp(path_.data()) != nullptr, "no temporary directory");
  }
  ~TempDir() { RealEnv().files().RemoveTree(path_).IgnoreError(); }
  std::string operator/(std::string_view name) const { return JoinPath(path_, name); }
  const std::string& path() const { return path_; }

  void Append(std::string_view name, std::string_view text) const {
    auto file = RealEnv().files().OpenForWrite(*this / name, false);
    ASSERT_TRUE(file.ok()) << file.status().message();
    ASSERT_TRUE((*file)->Append(text).ok());
  }
  void Write(std::string_view name, std::string_view text) const {
    auto file = RealEnv().files().OpenForWrite(*this / name, true);
    ASSERT_TRUE(file.ok()) << file.status().message();
    ASSERT_TRUE((*file)->Append(text).ok());
  }
  void Rename(std::string_view from, std::string_view to) const {
    ASSERT_TRUE(RealEnv().files().Rename(*this / from, *this / to).ok());
  }
  void Remove(std::string_view name) const {
    ASSERT_TRUE(RealEnv().files().Remove(*this / name).ok());
  }
  void MakeDir(std::string_view name) const {
    ASSERT_TRUE(RealEnv().files().MakeDirs(*this / name).ok());
  }

 private:
  std::string path_;
};

struct ReadRow {
  size_t number = 0;  // in the order of reading
  OriginId origin;
  std::string body;
  uint64_t begin = 0;
  uint64_t end = 0;
  UnixNanos time = kNoTime;
  std::map<std::string, std::string> fields;
  std::string path;
};

// Reads ready sources in the order in which they became ready, one at a time.
class ReadingHost final : public pipeline::InputHost {
 public:
  struct Origin {
    std::shared_ptr<pipeline::Source> source;
    bool ready = false;
    bool ended = false;
    bool done = false;
    struct OnItsWay {
      uint64_t resume;
      std::vector<ReadRow> rows;
    };
    std::vector<OnItsWay> unacked;
  };

  pipeline::SourceId Add(std::shared_ptr<pipeline::Source> source) override {
    origins_[++last_id_].source = std::move(source);
    return last_id_;
  }
  void Ready(pipeline::SourceId id) override {
    Origin& origin = origins_.at(id);
    if (origin.ended || origin.ready) return;
    origin.ready = true;
    line_.push_back(id);
  }
  void Remove(pipeline::SourceId id) override {
    origins_.at(id).ended = true;
    MaybeDone(origins_.at(id));
  }
  void Lost(pipeline::SourceId, const pipeline::Loss& loss) override { losses.emplace_back(loss); }

  // Reads everything that is ready; the number of turns.
  size_t ReadAll(size_t turns_max = SIZE_MAX) {
    size_t turns = 0;
    while (!line_.empty() && turns < turns_max) {
      const pipeline::SourceId id = line_.front();
      line_.erase(line_.begin());
      Origin& origin = origins_.at(id);
      origin.ready = false;
      if (origin.ended) continue;
      ++turns;
      ReadOne(id, origin);
    }
    return turns;
  }
  // Acknowledges the first `batches` of each origin.
  void AckAll(size_t batches = SIZE_MAX) {
    for (auto& [id, origin] : origins_) {
      const size_t n = std::min(batches, origin.unacked.size());
      if (n > 0) origin.source->Acked(origin.unacked[n - 1].resume);
      for (size_t i = 0; i < n; ++i) {
        auto& acked = origin.unacked[i].rows;
        acked_rows.insert(acked_rows.end(), acked.begin(), acked.end());
      }
      origin.unacked.erase(origin.unacked.begin(),
                           origin.unacked.begin() + static_cast<ptrdiff_t>(n));
      MaybeDone(origin);
    }
  }
  // As when the process ends: nothing is acknowledged any more.
  void DropAll() {
    for (auto& [id, origin] : origins_) {
      origin.unacked.clear();
      MaybeDone(origin);
    }
  }

  std::vector<std::string> Bodies() const {
    std::vector<std::string> bodies;
    for (const ReadRow& row : rows) bodies.push_back(row.body);
    return bodies;
  }
  std::map<pipeline::SourceId, Origin>& origins() { return origins_; }

  std::vector<ReadRow> rows;        // in the order of reading
  std::vector<ReadRow> acked_rows;  // in the order of acknowledgement, origin by origin
  std::vector<pipeline::Loss> losses;
  size_t bytes_max = 256u << 10;
  size_t errors = 0;

 private:
  void ReadOne(pipeline::SourceId id, Origin& origin) {
    Batch batch;
    const auto state = origin.source->Read(batch, bytes_max);
    if (!state.ok()) {
      ++errors;
      return;
    }
    const size_t first = rows.size();
    EXPECT_LE(batch.begin, batch.end);
    EXPECT_LE(batch.resume, batch.end);
    for (uint32_t r = 0; r < batch.rows(); ++r) {
      ReadRow row;
      row.origin = batch.origin;
      row.body = batch.body().Get(r).text();
      row.begin = batch.row_begin(r);
      row.end = batch.row_end(r);
      row.time = batch.time(r);
      row.path = batch.resource()->Get("log.file.path");
      for (size_t c = 1; c < batch.column_count(); ++c) {
        const Value& value = batch.column(c).Get(r);
        if (!value.missing()) row.fields[batch.column(c).name()] = value.text();
      }
      EXPECT_GT(row.end, last_end_[batch.origin]) << "ends must grow";
      last_end_[batch.origin] = row.end;
      row.number = rows.size();
      rows.push_back(std::move(row));
    }
    origin.unacked.push_back(
        {batch.resume, {rows.begin() + static_cast<ptrdiff_t>(first), rows.end()}});
    if (*state == pipeline::ReadState::kMore) Ready(id);
    if (*state == pipeline::ReadState::kFinished) {
      origin.ended = true;
      MaybeDone(origin);
    }
  }
  static void MaybeDone(Origin& origin) {
    if (!origin.ended || origin.done || !origin.unacked.empty()) return;
    origin.done = true;
    origin.source->Done();
  }

  std::map<pipeline::SourceId, Origin> origins_;
  pipeline::SourceId last_id_ = 0;
  std::vector<pipeline::SourceId> line_;
  std::map<OriginId, uint64_t> last_end_;
};

// Reads and acknowledges on two threads of its own, as the engine's workers do.
class ThreadedHost final : public pipeline::InputHost {
 public:
  ThreadedHost() {
    for (int i = 0; i < 2; ++i) threads_.emplace_back([this] { Work(); });
  }
  ~ThreadedHost() override { Stop(); }

  pipeline::SourceId Add(std::shared_ptr<pipeline::Source> source) override {
    MutexLock lock(mu_);
    origins_[++last_id_].source = std::move(source);
    return last_id_;
  }
  void Ready(pipeline::SourceId id) override {
    MutexLock lock(mu_);
    Origin& origin = origins_[id];
    if (origin.running) {
      origin.again = true;
    } else if (!origin.queued && !origin.ended) {
      origin.queued = true;
      line_.push_back(id);
      cv_.NotifyOne();
    }
  }
  void Remove(pipeline::SourceId id) override {
    MutexLock lock(mu_);
    End(origins_[id]);
  }
  // At most half a minute.
  std::vector<std::string> WaitForRows(size_t count) {
    MutexLock lock(mu_);
    for (int i = 0; i < 3000 && bodies_.size() < count; ++i) cv_.WaitFor(mu_, 10ms);
    return bodies_;
  }
  void Stop() {
    {
      MutexLock lock(mu_);
      stop_ = true;
      cv_.NotifyAll();
    }
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  struct Origin {
    std::shared_ptr<pipeline::Source> source;
    bool queued = false;
    bool running = false;
    bool again = false;
    bool ended = false;
    bool done = false;
  };

  void End(Origin& origin) REQUIRES(mu_) {
    origin.ended = true;
    if (origin.running || std::exchange(origin.done, true)) return;
    origin.source->Done();
  }
  void Work() {
    MutexLock lock(mu_);
    while (!stop_) {
      if (line_.empty()) {
        cv_.WaitFor(mu_, 10ms);
        continue;
      }
      const pipeline::SourceId id = line_.front();
      line_.erase(line_.begin());
      Turn(id);
    }
  }
  void Turn(pipeline::SourceId id) REQUIRES(mu_) {
    Origin& origin = origins_[id];
    origin.queued = false;
    if (origin.ended) return;
    origin.running = true;
    const auto source = origin.source;
    mu_.Unlock();
    Batch batch;
    const auto state = source->Read(batch, 64u << 10);
    mu_.Lock();
    for (uint32_t r = 0; r < batch.rows(); ++r) {
      bodies_.emplace_back(batch.body().Get(r).text());
    }
    source->Acked(batch.resume);
    origin.running = false;
    if (origin.ended || (state.ok() && *state == pipeline::ReadState::kFinished)) {
      End(origin);
    } else if (std::exchange(origin.again, false) ||
               (state.ok() && *state == pipeline::ReadState::kMore)) {
      origin.queued = true;
      line_.push_back(id);
    }
    cv_.NotifyAll();
  }

  Mutex mu_;
  CondVar cv_;
  bool stop_ GUARDED_BY(mu_) = false;
  std::map<pipeline::SourceId, Origin> origins_ GUARDED_BY(mu_);
  pipeline::SourceId last_id_ GUARDED_BY(mu_) = 0;
  std::vector<pipeline::SourceId> line_ GUARDED_BY(mu_);
  std::vector<std::string> bodies_ GUARDED_BY(mu_);
  std::vector<std::thread> threads_;
};

}  // namespace kelp::tail::testing

#endif  // KELP_TAIL_TESTING_H_
