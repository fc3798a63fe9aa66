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

MetricRegistry::Entry& MetricRegistry::Find(const std::string& name, const std::string& help,
                                            const char* type, MetricLabels labels) {
  Family& family = families_[name];
  if (family.type.empty()) {
    family.type = type;
    family.help = help;
  }
  CHECK(family.type == type, "metric " + name + " was registered with another type");
  Entry& entry = family.entries[PrintLabels(labels)];
  entry.labels = std::move(labels);
  return entry;
}

Counter& MetricRegistry::AddCounter(const std::string& name, const std::string& help,
                                    MetricLabels labels) {
  MutexLock lock(mu_);
  Entry& entry = Find(name, help, "counter", std::move(labels));
  if (!entry.counter) entry.counter = std::make_unique<Counter>();
  return *entry.counter;
}

Gauge& MetricRegistry::AddGauge(const std::string& name, const std::string& help,
                                MetricLabels labels) {
  MutexLock lock(mu_);
  Entry& entry = Find(name, help, "gauge", std::move(labels));
  if (!entry.gauge) entry.gauge = std::make_unique<Gauge>();
  return *entry.gauge;
}

LatencyHistogram& MetricRegistry::AddLatency(const std::string& name, const std::string& help,
                                             MetricLabels labels) {
  MutexLock lock(mu_);
  Entry& entry = Find(name, help, "histogram", std::move(labels));
  if (!entry.latency) entry.latency = std::make_unique<LatencyHistogram>();
  return *entry.latency;
}

void MetricRegistry::AddCallback(const std::string& name, const std::string& help,
                                 MetricLabels labels, std::function<double()> read) {
  MutexLock lock(mu_);
  Find(name, help, "gauge", std::move(labels)).read = std::move(read);
}

void MetricRegistry::Remove(const std::string& name) {
  MutexLock lock(mu_);
  families_.erase(name);
}

void MetricRegistry::RemoveWithLabel(const std::string& key, const std::string& value) {
  MutexLock lock(mu_);
  for (auto& [name, family] : families_) {
    std::erase_if(family.entries, [&](const auto& entry) {
      const MetricLabels& labels = entry.second.labels;
      return std::find(labels.begin(), labels.end(), std::pair(key, value)) != labels.end();
    });
  }
  std::erase_if(families_, [](const auto& family) { return family.second.entries.empty(); });
}

double MetricRegistry::Value(const std::string& name, const MetricLabels& labels) const {
  MutexLock lock(mu_);
  const auto family = families_.find(name);
  if (family == families_.end()) return 0;
  const auto entry = family->second.entries.find(PrintLabels(labels));
  if (entry == family->second.entries.end()) return 0;
  if (entry->second.counter) return static_cast<double>(entry->second.counter->value());
  if (entry->second.gauge) return static_cast<double>(entry->second.gauge->value());
  return entry->second.read ? entry->second.read() : 0;
}

void MetricRegistry::PrintTo(std::string& out) const {
  MutexLock lock(mu_);
  for (const auto& [name, family] : families_) {
    const std::string full = "kelp_" + name;
    out += "# HELP " + full + " " + family.help + "\n# TYPE " + full + " " + family.type + "\n";
    for (const auto& [labels, entry] : family.entries) {
      if (entry.counter) out += fmt::format("{}{} {}\n", full, labels, entry.counter->value());
      if (entry.gauge) out += fmt::format("{}{} {}\n", full, labels, entry.gauge->value());
      if (entry.read) out += fmt::format("{}{} {}\n", full, labels, entry.read());
      if (!entry.latency) continue;
      uint64_t seen = 0;
      const std::string head = labels.empty() ? "{" : labels.substr(0, labels.size() - 1) + ",";
      for (int i = 0; i < LatencyHistogram::kBuckets; ++i) {
        seen += entry.latency->buckets_[static_cast<size_t>(i)].load(std::memory_order_relaxed);
        out += fmt::format("{}_bucket{}le=\"{}\"}} {}\n", full, head, BucketSeconds(i), seen);
      }
      out += fmt::format("{}_bucket{}le=\"+Inf\"}} {}\n", full, head, seen);
      out += fmt::format("{}_sum{} {}\n", full, labels,
                         static_cast<double>(entry.latency->sum_ns_.load()) / 1e9);
      out += fmt::format("{}_count{} {}\n", full, labels, seen);
    }
  }
}

}  // namespace kelp
