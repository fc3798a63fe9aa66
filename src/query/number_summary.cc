#include "query/number_summary.h"

#include <algorithm>
#include <cmath>

#include "query/number.h"

namespace kelp::query {
namespace {

struct Weighted {
  double value;
  uint64_t count;
};

// The smallest value that at least `share` of all are not above. REQUIRES: sorted, not empty.
double Quantile(const std::vector<Weighted>& values, uint64_t total, double share) {
  const auto rank = static_cast<uint64_t>(std::ceil(share * static_cast<double>(total)));
  uint64_t seen = 0;
  for (const Weighted& item : values) {
    seen += item.count;
    if (seen >= rank) return item.value;
  }
  return values.back().value;
}

}  // namespace

std::optional<NumberStats> SummariseNumbers(const ValueTable& table,
                                            const std::vector<const ValueTable::Entry*>& entries) {
  std::vector<Weighted> values;
  NumberStats out;
  out.count = table.sketched();
  for (const ValueTable::Entry* entry : entries) {
    const std::optional<Number> number = Number::Parse(entry->text);
    if (!number) continue;
    values.push_back({number->real, entry->count});
    out.count += entry->count;
  }
  if (out.count == 0 || out.count * 2 < table.count()) return std::nullopt;
  const auto by_value = [](const Weighted& a, const Weighted& b) { return a.value < b.value; };
  // Sorted before they are added up: a sum of doubles depends on the order.
  std::sort(values.begin(), values.end(), by_value);
  double sum = table.sketch_sum();
  for (const Weighted& item : values) sum += item.value * static_cast<double>(item.count);
  out.average = sum / static_cast<double>(out.count);
  for (const auto& [bucket, count] : table.sketch()) {
    const double middle = ValueTable::SketchValue(bucket);
    values.push_back({std::clamp(middle, table.sketch_min(), table.sketch_max()), count});
  }
  std::sort(values.begin(), values.end(), by_value);
  out.min = values.front().value;
  out.max = values.back().value;
  if (!std::isfinite(out.average)) {
    // Numbers so large that their sum is none.
    out.average = 0;
    for (const Weighted& item : values) {
      out.average +=
          item.value * (static_cast<double>(item.count) / static_cast<double>(out.count));
    }
    out.average = std::clamp(out.average, out.min, out.max);
  }
  out.p50 = Quantile(values, out.count, 0.50);
  out.p90 = Quantile(values, out.count, 0.90);
  out.p95 = Quantile(values, out.count, 0.95);
  out.p99 = Quantile(values, out.count, 0.99);
  out.buckets.resize(kNumberBuckets);
  // The difference of very large numbers is no number; that of their quarters is.
  const double scale = std::isfinite(out.max - out.min) ? 1 : 0.25;
  const double width = (out.max * scale - out.min * scale) / kNumberBuckets;
  for (const Weighted& item : values) {
    const double place = width > 0 ? (item.value * scale - out.min * scale) / width : 0;
    out.buckets[std::min(kNumberBuckets - 1, static_cast<size_t>(place))] += item.count;
  }
  return out;
}

}  // namespace kelp::query
