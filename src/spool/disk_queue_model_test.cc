// The queue against a list, under random actions, faults, kills and power cuts.
//
// The caller behaves as SpooledOutput does: it appends groups of records and tries again when that
// fails; it reads, and acknowledges in order. Whatever happens, what comes out is in order, each
// record is whole, and none is missing that was promised.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <set>

#include "spool/disk_queue.h"
#include "spool/testing.h"

namespace kelp::spool {
namespace {

using testing::AppendIds;
using testing::IdOf;
using testing::Opened;
using testing::OpenQueue;
using testing::RowsOf;

class Model {
 public:
  explicit Model(uint64_t seed) : random_(seed), env_(seed + 1) {
    options_.dir = "/data/spool/x";
    options_.mark_path = "/data/x.held";
    options_.bytes_max = 1_MiB;
    options_.sync = Below(3) == 0 ? SyncMode::kInterval : SyncMode::kAlways;
    Open();
  }

  void Run(int actions) {
    for (int i = 0; i < actions && !::testing::Test::HasFailure(); ++i) Act();
    Heal();
    Restart();
    Read(SIZE_MAX);
    if (!::testing::Test::HasFailure()) {
      EXPECT_GE(std::max(last_read_, acked_), appended_) << "records are missing at the end";
    }
  }

 private:
  uint64_t Below(uint64_t n) { return random_() % n; }

  void Open() {
    opened_.queue.reset();
    opened_ = OpenQueue(env_, options_);
    if (!opened_.status.ok()) return;  // the disk failed it; tried again
    read_.clear();
    last_read_ = 0;
  }

  void Act() {
    if (opened_.queue == nullptr) {
      Heal();
      Open();
      return;
    }
    switch (Below(12)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return Append();
      case 4:
      case 5:
        return Read(Below(40));
      case 6:
      case 7:
        return Acknowledge();
      case 8:
        env_.Advance(Duration(Below(1500) * 1000000));
        if (opened_.queue->Maintain().ok() && !opened_.queue->NextDue()) synced_ = appended_;
        return;
      case 9:
        return Fault();
      case 10:
        return Below(3) == 0 ? PowerCut() : Restart();
      default:
        if (Below(4) == 0) Close();
    }
  }

  void Append() {
    const uint64_t last = appended_ + 1 + Below(5);
    if (!AppendIds(*opened_.queue, appended_ + 1, last).ok()) return;  // tried again
    appended_ = last;
    if (options_.sync == SyncMode::kAlways) synced_ = last;
  }

  void Read(size_t max) {
    for (size_t i = 0; i < max && opened_.queue != nullptr; ++i) {
      const auto record = opened_.queue->Read();
      if (!record.ok()) return;
      if (!*record) {
        ASSERT_TRUE(opened_.losses->empty()) << opened_.losses->front().message;
        return;
      }
      const uint64_t id = IdOf(**record);
      ASSERT_NE(id, 0u) << "not a record of ours";
      // The first one may repeat what was acknowledged; after it there are no holes.
      if (last_read_ == 0) {
        ASSERT_LE(id, acked_ + 1) << "records before it are missing";
      } else {
        ASSERT_TRUE(Follows(last_read_, id)) << id << " after " << last_read_;
      }
      last_read_ = id;
      read_.push_back({id, (*record)->next});
    }
  }

  bool Follows(uint64_t before, uint64_t id) const {
    uint64_t next = before + 1;
    while (gone_.contains(next)) ++next;
    return id == next;
  }

  void Acknowledge() {
    if (read_.empty()) return;
    const auto& [id, next] = read_[Below(read_.size())];
    const uint64_t done = id;
    opened_.queue->Acknowledge(next);
    std::erase_if(read_, [&](const auto& r) { return r.first <= done; });
    acked_ = std::max(acked_, done);
  }

  void Fault() {
    switch (Below(3)) {
      case 0:
        return env_.disk().SetWriteBudget(Below(3000));
      case 1:
        // With the interval, a sync that fails and a power cut after it do lose rows, counted.
        if (options_.sync != SyncMode::kAlways) return;
        return env_.disk().FailSyncs(static_cast<int>(1 + Below(3)));
      default:
        return Heal();
    }
  }
  void Heal() {
    env_.disk().SetWriteBudget(UINT64_MAX);
    env_.disk().FailSyncs(0);
  }

  void Close() {
    if (opened_.queue->Close().ok()) synced_ = appended_;
    Open();
  }

  // A kill: the disk keeps what was written. A group that failed may be there all the same; its
  // caller died with it, so the list takes what is there.
  void Restart() {
    Open();
    TakeStock(appended_);
  }

  void PowerCut() {
    opened_.queue.reset();
    env_.PowerCut();
    Open();
    TakeStock(options_.sync == SyncMode::kAlways ? appended_ : std::max(synced_, acked_));
    synced_ = appended_;
  }

  // Finds out how far the queue goes, with a second look that changes nothing.
  void TakeStock(uint64_t at_least) {
    if (opened_.queue == nullptr) return;
    uint64_t last = 0;
    while (true) {
      const auto record = opened_.queue->Read();
      ASSERT_TRUE(record.ok()) << record.status().ToString();
      if (!*record) break;
      const uint64_t id = IdOf(**record);
      ASSERT_NE(id, 0u);
      if (last == 0) {
        ASSERT_LE(id, acked_ + 1);
      } else {
        ASSERT_TRUE(Follows(last, id)) << id << " after " << last;
      }
      last = id;
    }
    // Sent, acknowledged, and then lost in a power cut: nobody misses them.
    for (uint64_t id = last + 1; id <= acked_; ++id) gone_.insert(id);
    last = std::max(last, acked_);
    ASSERT_GE(last, at_least) << "promised records are missing";
    ASSERT_LE(last, appended_ + 5);
    appended_ = last;
    synced_ = std::min(synced_, appended_);
    Open();
  }

  std::mt19937_64 random_;
  testing::SpoolEnv env_;
  DiskQueueOptions options_;
  Opened opened_;
  uint64_t appended_ = 0;  // ids 1 to this are promised
  uint64_t synced_ = 0;    // and to this even against a power cut
  uint64_t acked_ = 0;
  uint64_t last_read_ = 0;
  std::vector<std::pair<uint64_t, Position>> read_;
  std::set<uint64_t> gone_;
};

TEST(DiskQueueModelTest, NothingIsMissingWhateverHappens) {
  const char* from = std::getenv("KELP_SPOOL_SEED");
  const uint64_t first = from == nullptr ? 1 : std::strtoull(from, nullptr, 10);
  const uint64_t count = from == nullptr ? 60 : 1;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    SCOPED_TRACE("KELP_SPOOL_SEED=" + std::to_string(seed));
    Model(seed).Run(250);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace kelp::spool
