// TailTest: a TailService over a real directory, stepped by hand. For the tests of this folder.
#ifndef KELP_TAIL_TAIL_FIXTURE_H_
#define KELP_TAIL_TAIL_FIXTURE_H_

#include <gtest/gtest.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tail/tail_service.h"
#include "tail/testing.h"

namespace kelp::tail::testing {

using Bodies = std::vector<std::string>;

// A store that outlives services, as the database does.
class SharedStore final : public CheckpointStore {
 public:
  explicit SharedStore(MemoryCheckpointStore& store) : store_(store) {}
  Result<CheckpointSpace> Start(const std::string& space) override { return store_.Start(space); }
  Status Write(const CheckpointChanges& changes) override {
    written = changes.put.size();
    if (on_write != nullptr) on_write();
    return store_.Write(changes);
  }

  static inline size_t written = 0;  // checkpoints in the last group
  static inline std::function<void()> on_write;

 private:
  MemoryCheckpointStore& store_;
};

class TailTest : public ::testing::Test {
 protected:
  ~TailTest() override {
    SharedStore::on_write = nullptr;
    Stop();
  }

  FollowOptions Options(const std::string& pattern = "*.log") {
    FollowOptions options;
    options.checkpoint_space = "test/file";
    options.include.Add(*Glob::Parse(dir_ / pattern));
    options.decoder = framing::MakePlainDecoder;
    options.resource = [](const std::string& path) {
      return std::make_shared<const Resource>(std::vector<Resource::Tag>{{"log.file.path", path}});
    };
    options.metrics.rotated_files = &rotated_;
    options.metrics.truncated_files = &truncated_;
    options.metrics.vanished_files = &vanished_;
    options.metrics.followed_files = &followed_;
    options.metrics.lag_bytes = &lag_;
    return options;
  }
  void Start(FollowOptions options) {
    tail_ = std::make_unique<TailService>(env_, metrics_, std::make_unique<SharedStore>(store_),
                                          tail_options_);
    host_ = std::make_unique<ReadingHost>();
    follow_ = tail_->Add(std::move(options), *host_);
    Settle();
  }
  void Start() { Start(Options()); }
  // What a kill would leave: acknowledged positions that were stored, nothing else.
  void Stop() {
    if (tail_ == nullptr) return;
    tail_->Remove(follow_);
    if (host_ != nullptr) host_->DropAll();
    tail_.reset();
  }
  // Steps and reads until nothing happens.
  void Settle() {
    for (int i = 0; i < 50; ++i) {
      const bool events = tail_->Step(Duration(0));
      const bool read = host_->ReadAll() > 0;
      if (!events && !read && i > 2) return;
    }
  }
  void Pass(Duration d, Duration step = 500ms) {
    for (Duration passed{0}; passed < d; passed += step) {
      env_.Advance(step);
      Settle();
    }
  }
  void AckAndStore() {
    host_->AckAll();
    ASSERT_TRUE(tail_->StoreCheckpoints().ok());
  }
  // What is made from now on has a later birth: the file system tells births in ticks of the
  // kernel's clock, which no clock of ours turns.
  static void LetATickPass() { ::usleep(20'000); }
  // Everything read is acknowledged and stored; then the agent starts anew.
  void Restart(FollowOptions options) {
    AckAndStore();
    Stop();
    Start(std::move(options));
  }
  void Restart() { Restart(Options()); }

  TempDir dir_;
  TestEnv env_;
  MetricRegistry metrics_;
  MemoryCheckpointStore store_{env_.clock()};
  TailOptions tail_options_;
  Counter rotated_, truncated_, vanished_;
  Gauge followed_, lag_;
  std::unique_ptr<TailService> tail_;
  std::unique_ptr<ReadingHost> host_;
  FollowId follow_ = 0;
};

}  // namespace kelp::tail::testing

#endif  // KELP_TAIL_TAIL_FIXTURE_H_
