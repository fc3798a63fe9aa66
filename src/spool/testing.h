// What the tests of the spool share: a machine whose time a test sets, over a disk that it damages.
#ifndef KELP_SPOOL_TESTING_H_
#define KELP_SPOOL_TESTING_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "spool/disk_queue.h"
#include "store/sim_env.h"

namespace kelp::spool::testing {

// The store's simulated disk with a clock that stands until it is moved.
class SpoolEnv final : public Env, Clock {
 public:
  explicit SpoolEnv(uint64_t seed) : disk_(std::make_unique<store::SimEnv>(seed)) {}

  store::SimEnv& disk() { return *disk_; }
  void Advance(Duration by) { now_ += by; }
  // What is open stays in the world before, which does no harm to the one after.
  void PowerCut() {
    before_.push_back(std::move(disk_));
    disk_ = before_.back()->Crash();
  }

  Clock& clock() override { return *this; }
  FileSystem& files() override { return disk_->files(); }
  Random& random() override { return disk_->random(); }
  Result<std::unique_ptr<FileWatcher>> NewFileWatcher() override { return disk_->NewFileWatcher(); }

 private:
  UnixNanos Now() override { return 1'763'700'000'000'000'000 + now_.count(); }
  Duration Monotonic() override { return now_; }

  std::vector<std::unique_ptr<store::SimEnv>> before_;
  std::unique_ptr<store::SimEnv> disk_;
  Duration now_{1h};
};

// The payload and rows of record `id`, so that a test knows a record again.
inline std::string PayloadOf(uint64_t id) {
  return "record " + std::to_string(id) + " " + std::string(id * 7919 % 3000, 'a' + id % 26);
}
inline uint32_t RowsOf(uint64_t id) { return static_cast<uint32_t>(1 + id % 9); }

// A queue and what it said of losses.
struct Opened {
  std::unique_ptr<DiskQueue> queue;
  std::shared_ptr<std::vector<Loss>> losses = std::make_shared<std::vector<Loss>>();
  Status status;

  uint64_t lost_rows() const {
    uint64_t rows = 0;
    for (const Loss& loss : *losses) rows += loss.rows;
    return rows;
  }
};

inline Opened OpenQueue(Env& env, DiskQueueOptions options) {
  Opened opened;
  auto queue = DiskQueue::Open(env, std::move(options),
                               [losses = opened.losses](const Loss& l) { losses->push_back(l); });
  opened.status = queue.status();
  if (queue.ok()) opened.queue = std::move(queue).value();
  return opened;
}

inline Status AppendIds(DiskQueue& queue, uint64_t first, uint64_t last) {
  std::vector<std::string> payloads;
  for (uint64_t id = first; id <= last; ++id) payloads.push_back(PayloadOf(id));
  std::vector<NewRecord> records;
  for (uint64_t id = first; id <= last; ++id) {
    records.push_back({.payload = payloads[id - first], .rows = RowsOf(id), .time = 1});
  }
  return queue.Append(records);
}

// The id that a payload was made of, checked; 0 when it is none of ours.
inline uint64_t IdOf(const Record& record) {
  uint64_t id = 0;
  for (size_t i = 7; i < record.payload.size() && record.payload[i] != ' '; ++i) {
    id = id * 10 + static_cast<uint64_t>(record.payload[i] - '0');
  }
  return record.payload == PayloadOf(id) && record.rows == RowsOf(id) ? id : 0;
}

// Everything that can be read now, as ids.
inline std::vector<uint64_t> ReadIds(DiskQueue& queue, size_t max = SIZE_MAX) {
  std::vector<uint64_t> ids;
  while (ids.size() < max) {
    auto record = queue.Read();
    if (!record.ok() || !*record) break;
    ids.push_back(IdOf(**record));
  }
  return ids;
}

}  // namespace kelp::spool::testing

#endif  // KELP_SPOOL_TESTING_H_
