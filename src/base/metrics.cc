#include "base/metrics.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
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
// Longer than any value and what stands around it.
constexpr size_t kValueBytes = 24;
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

// As many bytes as PrintLatency adds at most.
size_t LatencyBytes(size_t full, size_t labels, bool empty) {
  constexpr size_t kLeBytes = 40;  // of _bucket, le= and its figure
  const size_t lines = empty ? 3 : 3 + (LatencyHistogram::kBuckets + 1) / kBucketsPrinted;
  return lines * (full + labels + kLeBytes + kValueBytes);
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
  if (family.help.empty()) {
    family.help = help;
    family.type = type;
  }
  return family;
}

void MetricSamples::Counter(const std::string& name, const char* help, const MetricLabels& labels,
                            uint64_t value) {
  Family& family = Find(name, help, "counter");
  fmt::format_to(std::back_inserter(family.lines), "kelp_{}{} {}\n", name, PrintLabels(labels),
                 value);
}

void MetricSamples::Gauge(const std::string& name, const char* help, const MetricLabels& labels,
                          double value) {
  Family& family = Find(name, help, "gauge");
  fmt::format_to(std::back_inserter(family.lines), "kelp_{}{} {}\n", name, PrintLabels(labels),
                 value);
}

void MetricSamples::Latency(const std::string& name, const char* help, const MetricLabels& labels,
                            const LatencyHistogram& latency) {
  Family& family = Find(name, help, "histogram");
  family.histograms.push_back({PrintLabels(labels), latency.Counts(), latency.sum_ns()});
}

double MetricSamples::Value(const std::string& name, const std::string& labels) const {
  const auto family = families_.find(name);
  if (family == families_.end()) return 0;
  // The lines begin behind a newline, and none of them is a comment.
  const std::string_view lines = family->second.lines;
  const std::string line = "kelp_" + name + labels + " ";
  for (size_t at = 0; at < lines.size(); at = lines.find('\n', at) + 1) {
    if (lines.substr(at).starts_with(line)) {
      return std::strtod(lines.data() + at + line.size(), nullptr);
    }
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

void MetricRegistry::PrintFamily(const std::string& name, const Family& family, std::string& out) {
  const std::string full = std::string(kPrefix) + name;
  PrintHead(full, family.help, family.type, out);
  for (const auto& [text, entry] : family.entries) {
    const std::string& labels = *text;
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
}

void MetricRegistry::PrintSamples(const std::string& name, const MetricSamples::Family& family,
                                  std::string& out) {
  const std::string full = std::string(kPrefix) + name;
  PrintHead(full, family.help, family.type, out);
  out += family.lines;
  for (const auto& histogram : family.histograms) {
    PrintLatency(full, histogram.labels, histogram.counts, histogram.sum_ns, out);
  }
}

size_t MetricRegistry::BytesToPrint(const MetricSamples& samples) const {
  constexpr size_t kHeadBytes = 64;  // of the two comments, but for name and help
  size_t bytes = 0;
  const auto add_head = [&bytes](const std::string& name, const std::string& help) {
    bytes += kHeadBytes + 2 * (kPrefix.size() + name.size()) + help.size();
  };
  for (const auto& [name, family] : samples.families_) {
    add_head(name, family.help);
    bytes += family.lines.size();
    for (const auto& histogram : family.histograms) {
      const bool empty = histogram.counts == Buckets{};
      bytes += LatencyBytes(kPrefix.size() + name.size(), histogram.labels.size(), empty);
    }
  }
  for (const auto& [name, family] : families_) {
    add_head(name, family.help);
    const size_t full = kPrefix.size() + name.size();
    const bool histograms = family.type == "histogram";
    for (const auto& [labels, entry] : family.entries) {
      bytes += histograms ? LatencyBytes(full, labels->size(), false)
                          : full + labels->size() + kValueBytes;
    }
  }
  return bytes;
}

void MetricRegistry::PrintTo(std::string& out) const {
  const MetricSamples samples = Collect();
  auto sample = samples.families_.begin();
  const auto print_samples_before = [&](const std::string* name) {
    for (; sample != samples.families_.end() && (name == nullptr || sample->first < *name);
         ++sample) {
      PrintSamples(sample->first, sample->second, out);
    }
  };
  MutexLock lock(mu_);
  // At once: a text of megabytes that grows by doubling takes three times its size.
  out.reserve(out.size() + BytesToPrint(samples));
  for (const auto& [name, family] : families_) {
    print_samples_before(&name);
    PrintFamily(name, family, out);
  }
  print_samples_before(nullptr);
}

}  // namespace kelp
