// Metrics: counters, gauges and histograms, printed in Prometheus' text format.
//
//   MetricRegistry registry;
//   Counter& rows = registry.AddCounter("input_rows_total", "Rows read.", {{"pipeline", "web"}});
//   rows.Add(5);
//   registry.PrintTo(out);          // kelp_input_rows_total{pipeline="web"} 5
//
// Names are <component>_<noun>_<unit>[_total], printed with the prefix "kelp_". Labels never carry
// paths or pod uids (cardinality).
//
// Owns:     the registry owns the metrics; a reference stays good until Remove() or the registry's
//           end.
// Threads:  thread-safe. Adding to a counter is one relaxed atomic operation.
#ifndef KELP_BASE_METRICS_H_
#define KELP_BASE_METRICS_H_

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/sync.h"
#include "base/units.h"

namespace kelp {

class Counter {
 public:
  void Add(uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

class Gauge {
 public:
  void Set(int64_t v) { value_.store(v, std::memory_order_relaxed); }
  void Add(int64_t v) { value_.fetch_add(v, std::memory_order_relaxed); }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

// Durations in buckets of powers of two from 1 us to about 17 min; printed in seconds.
class LatencyHistogram {
 public:
  static constexpr int kBuckets = 31;
  void Record(Duration d);
  // The upper bound of the bucket that holds the quantile q of 0..1; 0 when empty.
  Duration Quantile(double q) const;
  uint64_t count() const;

 private:
  friend class MetricRegistry;
  std::array<std::atomic<uint64_t>, kBuckets> buckets_{};
  std::atomic<int64_t> sum_ns_{0};
};

using MetricLabels = std::vector<std::pair<std::string, std::string>>;

class MetricRegistry {
 public:
  // The same name and labels give the same metric again.
  Counter& AddCounter(const std::string& name, const std::string& help, MetricLabels labels = {});
  Gauge& AddGauge(const std::string& name, const std::string& help, MetricLabels labels = {});
  LatencyHistogram& AddLatency(const std::string& name, const std::string& help,
                               MetricLabels labels = {});
  // A gauge computed when printed. `read` must be thread-safe and outlive its Remove.
  void AddCallback(const std::string& name, const std::string& help, MetricLabels labels,
                   std::function<double()> read);
  // Forgets the metric of that name with all its labels; references to it end.
  void Remove(const std::string& name);
  // Forgets every metric that carries the label; references to them end.
  void RemoveWithLabel(const std::string& key, const std::string& value);
  // The value of a counter, gauge or callback; 0 when there is none. For tests and status pages.
  double Value(const std::string& name, const MetricLabels& labels = {}) const;
  // Appends the text exposition, sorted by name.
  void PrintTo(std::string& out) const;

 private:
  struct Entry {
    MetricLabels labels;
    std::unique_ptr<Counter> counter;
    std::unique_ptr<Gauge> gauge;
    std::unique_ptr<LatencyHistogram> latency;
    std::function<double()> read;
  };
  struct Family {
    std::string help;
    std::string type;
    std::map<std::string, Entry> entries;  // by printed labels
  };
  Entry& Find(const std::string& name, const std::string& help, const char* type,
              MetricLabels labels) REQUIRES(mu_);
  mutable Mutex mu_;
  std::map<std::string, Family> families_ GUARDED_BY(mu_);
};

}  // namespace kelp

#endif  // KELP_BASE_METRICS_H_
