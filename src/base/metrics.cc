#include "base/metrics.h"

#include <fmt/core.h>

#include <algorithm>

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

// The lines of one histogram. One that never took a sample shows one bucket: thousands of resting
// pipelines would fill a scrape with zeros.
void PrintLatency(const std::string& full, const std::string& labels,
                  const std::vector<uint64_t>& buckets, int64_t sum_ns, std::string& out) {
  const std::string head = labels.empty() ? "{" : labels.substr(0, labels.size() - 1) + ",";
  uint64_t seen = 0;
  for (const uint64_t n : buckets) seen += n;
  const uint64_t total = std::exchange(seen, 0);
  for (size_t i = 0; i < buckets.size() && total != 0; ++i) {
    seen += buckets[i];
    out += fmt::format("{}_bucket{}le=\"{}\"}} {}\n", full, head,
                       BucketSeconds(static_cast<int>(i)), seen);
  }
  out += fmt::format("{}_bucket{}le=\"+Inf\"}} {}\n", full, head, seen);
  out += fmt::format("{}_sum{} {}\n", full, labels, static_cast<double>(sum_ns) / 1e9);
  out += fmt::format("{}_count{} {}\n", full, labels, seen);
}

void PrintHead(const std::string& full, const std::string& help, const std::string& type,
               std::string& out) {
  out += "# HELP " + full + " " + help + "\n# TYPE " + full + " " + type + "\n";
}

}  // namespace

std::vector<uint64_t> LatencyHistogram::Counts() const {
  std::vector<uint64_t> counts;
  for (const auto& b : buckets_) counts.push_back(b.load(std::memory_order_relaxed));
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
  const std::string printed = PrintLabels(labels);
  family.lines += fmt::format("kelp_{}{} {}\n", name, printed, value);
  family.values[printed] = static_cast<double>(value);
}

void MetricSamples::Gauge(const std::string& name, const char* help, const MetricLabels& labels,
                          double value) {
  Family& family = Find(name, help, "gauge");
  const std::string printed = PrintLabels(labels);
  family.lines += fmt::format("kelp_{}{} {}\n", name, printed, value);
  family.values[printed] = value;
}

void MetricSamples::Latency(const std::string& name, const char* help, const MetricLabels& labels,
                            const LatencyHistogram& latency) {
  Family& family = Find(name, help, "histogram");
  PrintLatency("kelp_" + name, PrintLabels(labels), latency.Counts(), latency.sum_ns(),
               family.lines);
}

MetricRegistry::Entry& MetricRegistry::Find(const std::string& name, const std::string& help,
                                            const char* type, const MetricLabels& labels) {
  Family& family = families_[name];
  if (family.type.empty()) {
    family.type = type;
    family.help = help;
  }
  CHECK(family.type == type, "metric " + name + " was registered with another type");
  return family.entries[PrintLabels(labels)];
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
  MutexLock lock(mu_);
  for (auto& [name, family] : families_) {
    std::erase_if(family.entries, [&](const auto& entry) {
      const std::string& printed = entry.first;
      return printed.find("{" + pair) != std::string::npos ||
             printed.find("," + pair) != std::string::npos;
    });
  }
  std::erase_if(families_, [](const auto& family) { return family.second.entries.empty(); });
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
  if (const auto family = samples.families_.find(name); family != samples.families_.end()) {
    const auto value = family->second.values.find(printed);
    return value == family->second.values.end() ? 0 : value->second;
  }
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

void MetricRegistry::PrintFamily(const std::string& name, const Family& family,
                                 std::string& out) const {
  const std::string full = "kelp_" + name;
  PrintHead(full, family.help, family.type, out);
  for (const auto& [labels, entry] : family.entries) {
    if (const auto* counter = std::get_if<Counter>(&entry)) {
      out += fmt::format("{}{} {}\n", full, labels, counter->value());
    } else if (const auto* gauge = std::get_if<Gauge>(&entry)) {
      out += fmt::format("{}{} {}\n", full, labels, gauge->value());
    } else if (const Read* read = std::get_if<Read>(&entry)) {
      out += fmt::format("{}{} {}\n", full, labels, (**read)());
    } else if (const auto* latency = std::get_if<std::unique_ptr<LatencyHistogram>>(&entry)) {
      PrintLatency(full, labels, (*latency)->Counts(), (*latency)->sum_ns(), out);
    }
  }
}

void MetricRegistry::PrintTo(std::string& out) const {
  const MetricSamples samples = Collect();
  auto sample = samples.families_.begin();
  const auto print_samples_before = [&](const std::string* name) {
    for (; sample != samples.families_.end() && (name == nullptr || sample->first < *name);
         ++sample) {
      PrintHead("kelp_" + sample->first, sample->second.help, sample->second.type, out);
      out += sample->second.lines;
    }
  };
  MutexLock lock(mu_);
  for (const auto& [name, family] : families_) {
    print_samples_before(&name);
    PrintFamily(name, family, out);
  }
  print_samples_before(nullptr);
}

}  // namespace kelp
