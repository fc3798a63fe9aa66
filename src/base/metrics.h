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
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
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

// Durations in buckets of powers of two from 1 us to about 17 min; printed in seconds, two buckets
// as one.
class LatencyHistogram {
 public:
  static constexpr int kBuckets = 31;
  void Record(Duration d);
  // The upper bound of the bucket that holds the quantile q of 0..1; 0 when empty.
  Duration Quantile(double q) const;
  uint64_t count() const;
  // How many each bucket holds, and the sum of all durations.
  std::array<uint64_t, kBuckets> Counts() const;
  int64_t sum_ns() const { return sum_ns_.load(std::memory_order_relaxed); }

 private:
  std::array<std::atomic<uint64_t>, kBuckets> buckets_{};
  std::atomic<int64_t> sum_ns_{0};
};

using MetricLabels = std::vector<std::pair<std::string, std::string>>;

// Takes what a collector tells of one look at things. Names and labels as in the registry.
class MetricSamples {
 public:
  MetricSamples() = default;
  MetricSamples(MetricSamples&&) = default;
  void Counter(const std::string& name, const char* help, const MetricLabels& labels,
               uint64_t value);
  void Gauge(const std::string& name, const char* help, const MetricLabels& labels, double value);
  void Latency(const std::string& name, const char* help, const MetricLabels& labels,
               const LatencyHistogram& latency);

 private:
  friend class MetricRegistry;
  // Values, and not yet lines, which take many times the memory. Labels are in labels_.
  struct Sample {
    const std::string* labels;
    std::variant<uint64_t, double> value;
  };
  struct Buckets {
    const std::string* labels;
    std::array<uint64_t, LatencyHistogram::kBuckets> counts;
    int64_t sum_ns = 0;
  };
  struct Family {
    const char* help = nullptr;
    const char* type = "";
    std::vector<Sample> samples;
    std::vector<Buckets> histograms;
  };
  Family& Find(const std::string& name, const char* help, const char* type);
  const std::string* Labels(const MetricLabels& labels);
  // Of a counter or gauge; 0 when there is none. `labels` as they are printed.
  double Value(const std::string& name, const std::string& labels) const;
  std::set<std::string> labels_;  // printed
  std::map<std::string, Family> families_;
};

class MetricRegistry {
 public:
  // Called at each print; takes one look and tells every sample of it, so that they agree with each
  // other, and so that what has thousands of instances keeps no metric for each.
  using Collector = std::function<void(MetricSamples&)>;

  // The same name and labels give the same metric again.
  Counter& AddCounter(const std::string& name, const std::string& help, MetricLabels labels = {});
  Gauge& AddGauge(const std::string& name, const std::string& help, MetricLabels labels = {});
  LatencyHistogram& AddLatency(const std::string& name, const std::string& help,
                               MetricLabels labels = {});
  // A gauge computed when printed. `read` must be thread-safe and outlive its Remove.
  void AddCallback(const std::string& name, const std::string& help, MetricLabels labels,
                   std::function<double()> read);
  // `collect` must be thread-safe; it is called no more after the handle is destroyed, which waits
  // for a call in progress. Its names must not be registered otherwise.
  [[nodiscard]] std::shared_ptr<void> AddCollector(Collector collect);
  // Forgets the metric of that name with all its labels; references to it end.
  void Remove(const std::string& name);
  // Forgets every metric that carries the label; references to them end.
  void RemoveWithLabel(const std::string& key, const std::string& value);
  // The value of a counter, gauge or callback; 0 when there is none. For tests and status pages.
  double Value(const std::string& name, const MetricLabels& labels = {}) const;
  // The text exposition, sorted by name, in pieces of about kPieceBytes: an agent with thousands of
  // pipelines prints megabytes. `take` may block, and ends the printing with false.
  static constexpr size_t kPieceBytes = 64u << 10;
  using TakePiece = std::function<bool(std::string piece)>;
  void Print(const TakePiece& take) const;
  // Appends all of it.
  void PrintTo(std::string& out) const;

 private:
  using Read = std::unique_ptr<std::function<double()>>;
  // Small, because an agent with thousands of pipelines has ten thousands of them: labels are kept
  // printed, once for all metrics that carry the same.
  using Entry =
      std::variant<std::monostate, Counter, Gauge, std::unique_ptr<LatencyHistogram>, Read>;
  struct TextLess {
    using is_transparent = void;
    static const std::string& Text(const std::string* text) { return *text; }
    static const std::string& Text(const std::string& text) { return text; }
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const {
      return Text(a) < Text(b);
    }
  };
  struct Family {
    std::string help;
    std::string type;
    std::map<const std::string*, Entry, TextLess>
        entries;  // by printed labels, which are in labels_
  };
  Entry& Find(const std::string& name, const std::string& help, const char* type,
              const MetricLabels& labels) REQUIRES(mu_);
  class Printer;
  MetricSamples Collect() const;
  // The first family behind `name`; "" when there is none.
  std::string FamilyAfter(const std::string& name) const EXCLUDES(mu_);
  static void PrintEntry(const std::string& full, const std::string& labels, const Entry& entry,
                         std::string& out);
  // False when `printer` needs no more.
  bool PrintFamily(const std::string& name, Printer& printer) const EXCLUDES(mu_);
  static bool PrintSamples(const std::string& name, const MetricSamples::Family& family,
                           Printer& printer);

  mutable Mutex mu_;
  std::set<std::string> labels_ GUARDED_BY(mu_);  // printed
  std::map<std::string, Family> families_ GUARDED_BY(mu_);
  // Held while collectors run; never together with mu_.
  mutable Mutex collectors_mu_;
  std::vector<std::shared_ptr<Collector>> collectors_ GUARDED_BY(collectors_mu_);
};

}  // namespace kelp

#endif  // KELP_BASE_METRICS_H_
