// What the tests of outputs share: batches with numbered rows, acks that count, a host.
#ifndef KELP_OUTPUT_COMMON_TESTING_H_
#define KELP_OUTPUT_COMMON_TESTING_H_

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/sync.h"
#include "pipeline/output.h"

namespace kelp::output::testing {

// How often acks were done, and how many were destroyed unfulfilled.
struct AckCount {
  std::atomic<int> done{0};
  std::atomic<int> lost{0};
  Mutex mu;
  std::vector<uint32_t> booked GUARDED_BY(mu);  // row numbers that were given up
};

class CountingTarget final : public pipeline::AckTarget {
 public:
  explicit CountingTarget(std::shared_ptr<AckCount> count) : count_(std::move(count)) {}
  ~CountingTarget() override {
    if (!done_) ++count_->lost;
  }
  void OnAck() override {
    done_ = true;
    ++count_->done;
  }
  bool OnGiveUp(const std::vector<uint32_t>& rows, std::string_view) override {
    MutexLock lock(count_->mu);
    count_->booked.insert(count_->booked.end(), rows.begin(), rows.end());
    return true;
  }

 private:
  std::shared_ptr<AckCount> count_;
  std::atomic<bool> done_{false};
};

inline pipeline::Ack NewAck(const std::shared_ptr<AckCount>& count) {
  return pipeline::Ack(std::make_shared<CountingTarget>(count));
}

// A batch of one row per body; row ends count up from `first_end`.
inline SharedBatch NewBatch(const std::vector<std::string>& bodies, uint64_t origin = 1,
                            uint64_t first_end = 1, UnixNanos time = 1700000000000000000) {
  BatchPtr batch = BatchPool::Shared().Get();
  batch->origin = OriginId{0, origin};
  uint64_t end = first_end;
  for (const std::string& body : bodies) {
    batch->AddRow(batch->Copy(body), end - 1, end, time);
    ++end;
  }
  batch->begin = first_end - 1;
  batch->end = end - 1;
  batch->resume = end - 1;
  return SharedBatch(std::move(batch));
}

class CountingHost final : public pipeline::OutputHost {
 public:
  explicit CountingHost(MetricRegistry& to) : metrics(to) {}
  void RoomAvailable() override { ++room_available; }
  // Counts as the engine does, and books all rows.
  void GiveUp(SharedBatch batch, std::vector<uint32_t> rows, std::string_view reason,
              pipeline::Ack ack) override {
    if (rows.empty()) batch->ForEach([&](uint32_t row) { rows.push_back(row); });
    metrics
        .AddCounter("output_dropped_rows_total", "",
                    {{"pipeline", "test"}, {"component", "out"}, {"reason", std::string(reason)}})
        .Add(rows.size());
    ack.Book(rows, reason);
    ack.Done();
  }
  MetricRegistry& metrics;
  std::atomic<int> room_available{0};
};

struct Fixture {
  MetricRegistry metrics;
  CountingHost host{metrics};
  std::shared_ptr<AckCount> acks = std::make_shared<AckCount>();

  pipeline::ComponentContext Context(Env& env = RealEnv()) {
    pipeline::ComponentContext context;
    context.services.env = &env;
    context.services.metrics = &metrics;
    context.pipeline = "test";
    context.component = "out";
    return context;
  }
  double Metric(const std::string& name, MetricLabels more = {}) const {
    MetricLabels labels = {{"pipeline", "test"}, {"component", "out"}};
    for (auto& label : more) labels.push_back(std::move(label));
    return metrics.Value(name, labels);
  }
};

// Waits until `condition` holds; false after ten seconds, which no healthy run needs.
inline bool Eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < 10000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(1ms);
  }
  return condition();
}

}  // namespace kelp::output::testing

#endif  // KELP_OUTPUT_COMMON_TESTING_H_
