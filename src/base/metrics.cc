#include "base/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <numeric>

namespace kelp {
namespace {

std::string PrintLabels(const MetricLabels& labels) {
  if (labels.empty()) return "";
  std::string out = "{";
  for (const auto& [key, value] : labels) {
    if (out.size() > 1) out += ',';
    out += key + "=\"";
    for (const char c : value) {
      if (c == '"' || c == '\\') out += '\\';
      if (c == '\n') {
        out += "\\n";
      } else {
        out += c;
      }
    }
    out += '"';
  }
  return out + "}";
}

int BucketOf(Duration d) {
  const uint64_t us = d.count() <= 0 ? 0 : static_cast<uint64_t>(d.count()) / 1000;
  return std::min(static_cast<int>(std::bit_width(us)), LatencyHistogram::kBuckets - 1);
}

double BucketSeconds(int bucket) { return static_cast<double>(1ull << bucket) / 1e6; }

}  // namespace

void LatencyHistogram::Record(Duration d) {
  buckets_[static_cast<size_t>(BucketOf(d))].fetch_add(1, std::memory_order_relaxed);
  sum_ns_.fetch_add(d.count(), std::memory_order_relaxed);
}

uint64_t LatencyHistogram::count() const {
  uint64_t n = 0;
  for (const auto& b : buckets_) n += b.load(std::memory_order_relaxed);
  return n;
}

Duration LatencyHistogram::Quantile(double q) const {
  const uint64_t total = count();
  if (total == 0) return Duration(0);
  const auto rank = static_cast<uint64_t>(q * static_cast<double>(total - 1)) + 1;
  uint64_t seen = 0;
  for (int i = 0; i < kBuckets; ++i) {
    seen += buckets_[static_cast<size_t>(i)].load(std::memory_order_relaxed);
    if (seen >= rank) return std::chrono::microseconds(1ll << i);
  }
  return std::chrono::microseconds(1ll << (kBuckets - 1));
}

namespace {

constexpr std::string_view kPrefix = "kelp_";
// So many buckets are printed as one: thousands of pipelines have a histogram each.
constexpr size_t kBucketsPrinted = 2;

using Buckets = std::array<uint64_t, LatencyHistogram::kBuckets>;

// The lines of one histogram. One that never took a sample shows one bucket: thousands of resting
// pipelines would fill a scrape with zeros.
void PrintLatency(const std::string& full, const std::string& labels, const Buckets& buckets,
                  int64_t sum_ns, std::string& out) {
  const std::string head = labels.empty() ? "{" : labels.substr(0, labels.size() - 1) + ",";
  const uint64_t total = std::accumulate(buckets.begin(), buckets.end(), uint64_t{0});
  uint64_t seen = 0;
  for (size_t i = 0; i < buckets.size() && total != 0; ++i) {
    seen += buckets[i];
    if (i % kBucketsPrinted != 0) continue;
    fmt::format_to(std::back_inserter(out), "{}_bucket{}le=\"{}\"}} {}\n", full, head,
                   BucketSeconds(static_cast<int>(i)), seen);
  }
  fmt::format_to(std::back_inserter(out), "{}_bucket{}le=\"+Inf\"}} {}\n", full, head, total);
  fmt::format_to(std::back_inserter(out), "{}_sum{} {}\n", full, labels,
                 static_cast<double>(sum_ns) / 1e9);
  fmt::format_to(std::back_inserter(out), "{}_count{} {}\n", full, labels, total);
}

void PrintHead(const std::string& full, const std::string& help, const std::string& type,
               std::string& out) {
  out += "# HELP " + full + " " + help + "\n# TYPE " + full + " " + type + "\n";
}

}  // namespace

std::array<uint64_t, LatencyHistogram::kBuckets> LatencyHistogram::Counts() const {
  Buckets counts;
  std::transform(buckets_.begin(), buckets_.end(), counts.begin(),
                 [](const auto& bucket) { return bucket.load(std::memory_order_relaxed); });
  return counts;
}

MetricSamples::Family& MetricSamples::Find(const std::string& name, const char* help,
                                           const char* type) {
  Family& family = families_[name];
  if (family.help == nullptr) {
    family.help = help;
    family.type = type;
  }
  return family;
}

const std::string* MetricSamples::Labels(const MetricLabels& labels) {
  return &*labels_.insert(PrintLabels(labels)).first;
}

void MetricSamples::Counter(const std::string& name, const char* help, const MetricLabels& labels,
                            uint64_t value) {
  Find(name, help, "counter").samples.push_back({Labels(labels), value});
}

void MetricSamples::Gauge(const std::string& name, const char* help, const MetricLabels& labels,
                          double value) {
  Find(name, help, "gauge").samples.push_back({Labels(labels), value});
}

void MetricSamples::Latency(const std::string& name, const char* help, const MetricLabels& labels,
                            const LatencyHistogram& latency) {
  Find(name, help, "histogram")
      .histograms.push_back({Labels(labels), latency.Counts(), latency.sum_ns()});
}

double MetricSamples::Value(const std::string& name, const std::string& labels) const {
  const auto family = families_.find(name);
  if (family == families_.end()) return 0;
  for (const Sample& sample : family->second.samples) {
    if (*sample.labels != labels) continue;
    return std::visit([](auto value) { return static_cast<double>(value); }, sample.value);
  }
  return 0;
}

MetricRegistry::Entry& MetricRegistry::Find(const std::string& name, const std::string& help,
                                            const char* type, const MetricLabels& labels) {
  Family& family = families_[name];
  if (family.type.empty()) {
    family.type = type;
    family.help = help;
  }
  CHECK(family.type == type, "metric " + name + " was registered with another type");
  return family.entries[&*labels_.insert(PrintLabels(labels)).first];
}

Counter& MetricRegistry::AddCounter(const std::string& name, const std::string& help,
                                    MetricLabels labels) {
  MutexLock lock(mu_);
  Entry& entry = Find(name, help, "counter", labels);
  if (entry.index() == 0) entry.emplace<Counter>();
  return std::get<Counter>(entry);
}

Gauge& MetricRegistry::AddGauge(const std::string& name, const std::string& help,
                                MetricLabels labels) {
  MutexLock lock(mu_);
  Entry& entry = Find(name, help, "gauge", labels);
  if (entry.index() == 0) entry.emplace<Gauge>();
  return std::get<Gauge>(entry);
}

LatencyHistogram& MetricRegistry::AddLatency(const std::string& name, const std::string& help,
                                             MetricLabels labels) {
  using Latency = std::unique_ptr<LatencyHistogram>;
  MutexLock lock(mu_);
  Entry& entry = Find(name, help, "histogram", labels);
  if (entry.index() == 0) entry.emplace<Latency>(std::make_unique<LatencyHistogram>());
  return *std::get<Latency>(entry);
}

void MetricRegistry::AddCallback(const std::string& name, const std::string& help,
                                 MetricLabels labels, std::function<double()> read) {
  MutexLock lock(mu_);
  Find(name, help, "gauge", labels)
      .emplace<Read>(std::make_unique<std::function<double()>>(std::move(read)));
}

std::shared_ptr<void> MetricRegistry::AddCollector(Collector collect) {
  const auto collector = std::make_shared<Collector>(std::move(collect));
  MutexLock lock(collectors_mu_);
  collectors_.push_back(collector);
  return {collector.get(), [this, collector](void*) {
            MutexLock removing(collectors_mu_);
            std::erase(collectors_, collector);
          }};
}

void MetricRegistry::Remove(const std::string& name) {
  MutexLock lock(mu_);
  families_.erase(name);
}

void MetricRegistry::RemoveWithLabel(const std::string& key, const std::string& value) {
  // Quotes within values are printed with a backslash, so this cannot match inside one.
  const std::string label = PrintLabels({{key, value}});
  const std::string pair = label.substr(1, label.size() - 2);
  const auto carries = [&pair](const std::string& printed) {
    return printed.find("{" + pair) != std::string::npos ||
           printed.find("," + pair) != std::string::npos;
  };
  MutexLock lock(mu_);
  for (auto& [name, family] : families_) {
    std::erase_if(family.entries, [&](const auto& entry) { return carries(*entry.first); });
  }
  std::erase_if(families_, [](const auto& family) { return family.second.entries.empty(); });
  // Nothing is left that has them.
  std::erase_if(labels_, carries);
}

MetricSamples MetricRegistry::Collect() const {
  MetricSamples samples;
  MutexLock lock(collectors_mu_);
  for (const auto& collector : collectors_) (*collector)(samples);
  return samples;
}

double MetricRegistry::Value(const std::string& name, const MetricLabels& labels) const {
  const std::string printed = PrintLabels(labels);
  const MetricSamples samples = Collect();
  if (samples.families_.contains(name)) return samples.Value(name, printed);
  MutexLock lock(mu_);
  const auto family = families_.find(name);
  if (family == families_.end()) return 0;
  const auto found = family->second.entries.find(printed);
  if (found == family->second.entries.end()) return 0;
  const Entry& entry = found->second;
  if (const auto* counter = std::get_if<Counter>(&entry)) {
    return static_cast<double>(counter->value());
  }
  if (const auto* gauge = std::get_if<Gauge>(&entry)) return static_cast<double>(gauge->value());
  const Read* read = std::get_if<Read>(&entry);
  return read != nullptr ? (**read)() : 0;
}

// Gathers text and gives it away in pieces.
class MetricRegistry::Printer {
 public:
  explicit Printer(const TakePiece& take) : take_(take) { text_.reserve(kPieceBytes * 2); }
  std::string& text() { return text_; }
  bool full() const { return text_.size() >= kPieceBytes; }
  // Gives away what there is. False when no more is wanted.
  bool Flush() {
    if (wanted_ && !text_.empty()) wanted_ = take_(text_);
    text_.clear();
    return wanted_;
  }

 private:
  const TakePiece& take_;
  std::string text_;
  bool wanted_ = true;
};

void MetricRegistry::PrintEntry(const std::string& full, const std::string& labels,
                                const Entry& entry, std::string& out) {
  const auto print = [&, to = std::back_inserter(out)](auto value) {
    fmt::format_to(to, "{}{} {}\n", full, labels, value);
  };
  if (const auto* counter = std::get_if<Counter>(&entry)) {
    print(counter->value());
  } else if (const auto* gauge = std::get_if<Gauge>(&entry)) {
    print(gauge->value());
  } else if (const Read* read = std::get_if<Read>(&entry)) {
    print((**read)());
  } else if (const auto* latency = std::get_if<std::unique_ptr<LatencyHistogram>>(&entry)) {
    PrintLatency(full, labels, (*latency)->Counts(), (*latency)->sum_ns(), out);
  }
}

bool MetricRegistry::PrintFamily(const std::string& name, Printer& printer) const {
  const std::string full = std::string(kPrefix) + name;
  std::string last;  // labels printed last
  // The lock is not held while a piece is taken: metrics may come and go meanwhile.
  for (bool begun = false, more = true; more; begun = true) {
    more = false;
    {
      MutexLock lock(mu_);
      const auto family = families_.find(name);
      if (family == families_.end()) return true;
      if (!begun) PrintHead(full, family->second.help, family->second.type, printer.text());
      const auto& entries = family->second.entries;
      for (auto it = begun ? entries.upper_bound(last) : entries.begin(); it != entries.end();
           ++it) {
        if (printer.full()) {
          more = true;
          break;
        }
        PrintEntry(full, *it->first, it->second, printer.text());
        last = *it->first;
      }
    }
    if (printer.full() && !printer.Flush()) return false;
  }
  return true;
}

bool MetricRegistry::PrintSamples(const std::string& name, const MetricSamples::Family& family,
                                  Printer& printer) {
  const std::string full = std::string(kPrefix) + name;
  PrintHead(full, family.help, family.type, printer.text());
  for (const auto& sample : family.samples) {
    std::visit(
        [&](auto value) {
          fmt::format_to(std::back_inserter(printer.text()), "{}{} {}\n", full, *sample.labels,
                         value);
        },
        sample.value);
    if (printer.full() && !printer.Flush()) return false;
  }
  for (const auto& histogram : family.histograms) {
    PrintLatency(full, *histogram.labels, histogram.counts, histogram.sum_ns, printer.text());
    if (printer.full() && !printer.Flush()) return false;
  }
  return true;
}

std::string MetricRegistry::FamilyAfter(const std::string& name) const {
  MutexLock lock(mu_);
  const auto next = families_.upper_bound(name);
  return next == families_.end() ? "" : next->first;
}

void MetricRegistry::Print(const TakePiece& take) const {
  const MetricSamples samples = Collect();
  auto sample = samples.families_.begin();
  Printer printer(take);
  std::string name;
  do {
    name = FamilyAfter(name);
    for (; sample != samples.families_.end() && (name.empty() || sample->first < name); ++sample) {
      if (!PrintSamples(sample->first, sample->second, printer)) return;
    }
    if (!name.empty() && !PrintFamily(name, printer)) return;
  } while (!name.empty());
  printer.Flush();
}

void MetricRegistry::PrintTo(std::string& out) const {
  Print([&out](std::string piece) {
    out += piece;
    return true;
  });
}

}  // namespace kelp
