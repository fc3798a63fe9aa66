#include "query/value_table.h"

#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>

#include "query/number.h"

namespace kelp::query {
namespace {

// Bounds of neighbouring buckets of the sketch differ by this factor: middles are within 1 %.
const double kLogGamma = std::log(1.02);
// Smaller numbers count as zero; far below what logs measure.
constexpr double kSmallest = 1e-12;
// Keeps negative numbers, zero and positive ones apart in one ordered map.
constexpr int32_t kSignOffset = 1 << 20;

int32_t SketchBucket(double value) {
  if (std::abs(value) < kSmallest) return 0;
  const auto index = static_cast<int32_t>(std::ceil(std::log(std::abs(value)) / kLogGamma));
  return value > 0 ? kSignOffset + index : -kSignOffset - index;
}

}  // namespace

double ValueTable::SketchValue(int32_t bucket) {
  if (bucket == 0) return 0;
  const bool positive = bucket > 0;
  const double index = positive ? bucket - kSignOffset : -bucket - kSignOffset;
  const double value = std::exp((index - 0.5) * kLogGamma);
  return positive ? value : -value;
}

void ValueTable::Add(std::string_view value, uint64_t count, int64_t& memory) {
  if (count == 0) return;
  AddHashed(XXH3_64bits(value.data(), value.size()), value, count, memory);
}

void ValueTable::AddHashed(uint64_t hash, std::string_view text, uint64_t count, int64_t& memory) {
  count_ += count;
  const size_t mask = slots_.size() - 1;
  size_t slot = static_cast<size_t>(hash) & mask;
  for (; slots_[slot].count != 0; slot = (slot + 1) & mask) {
    if (slots_[slot].hash != hash) continue;
    slots_[slot].count += count;
    return;
  }
  if (used_ >= kValuesMax || memory <= 0) return AddOther(hash, text, count);
  const std::string_view kept = text.substr(0, kValueBytesMax);
  slots_[slot] = {hash, count, std::string(kept)};
  memory -= static_cast<int64_t>(kept.size());
  if (!registers_.empty()) Estimate(hash);
  if (++used_ * 4 > slots_.size() * 3) Grow(memory);
}

void ValueTable::AddOther(uint64_t hash, std::string_view text, uint64_t count) {
  others_ += count;
  if (registers_.empty()) {
    registers_.resize(size_t{1} << kRegisterBits);
    for (const Entry* entry : entries()) Estimate(entry->hash);
  }
  Estimate(hash);
  const std::optional<Number> number = Number::Parse(text);
  if (!number) return;
  sketch_[SketchBucket(number->real)] += count;
  sketch_min_ = sketched_ == 0 ? number->real : std::min(sketch_min_, number->real);
  sketch_max_ = sketched_ == 0 ? number->real : std::max(sketch_max_, number->real);
  sketched_ += count;
  sketch_sum_ += number->real * static_cast<double>(count);
}

void ValueTable::Estimate(uint64_t hash) {
  uint8_t& most = registers_[hash >> (64 - kRegisterBits)];
  const auto zeros = std::countl_zero(hash << kRegisterBits | uint64_t{1} << (kRegisterBits - 1));
  most = std::max(most, static_cast<uint8_t>(zeros + 1));
}

void ValueTable::Grow(int64_t& memory) {
  memory -= static_cast<int64_t>(slots_.size() * sizeof(Entry));
  std::vector<Entry> old(slots_.size() * 2);
  old.swap(slots_);
  const size_t mask = slots_.size() - 1;
  for (Entry& entry : old) {
    if (entry.count == 0) continue;
    size_t slot = static_cast<size_t>(entry.hash) & mask;
    while (slots_[slot].count != 0) slot = (slot + 1) & mask;
    slots_[slot] = std::move(entry);
  }
}

void ValueTable::Merge(const ValueTable& other, int64_t& memory) {
  // In an order that depends on the values alone, so that the same ones find room.
  std::vector<const Entry*> sorted = other.entries();
  std::sort(sorted.begin(), sorted.end(), [](const Entry* a, const Entry* b) {
    return a->count != b->count ? a->count > b->count : a->hash < b->hash;
  });
  for (const Entry* entry : sorted) AddHashed(entry->hash, entry->text, entry->count, memory);
  if (other.others_ == 0) return;
  if (registers_.empty()) {
    registers_.resize(size_t{1} << kRegisterBits);
    for (const Entry* entry : entries()) Estimate(entry->hash);
  }
  for (size_t i = 0; i < registers_.size(); ++i) {
    registers_[i] = std::max(registers_[i], other.registers_[i]);
  }
  count_ += other.others_;
  others_ += other.others_;
  for (const auto& [bucket, count] : other.sketch_) sketch_[bucket] += count;
  if (other.sketched_ == 0) return;
  sketch_min_ = sketched_ == 0 ? other.sketch_min_ : std::min(sketch_min_, other.sketch_min_);
  sketch_max_ = sketched_ == 0 ? other.sketch_max_ : std::max(sketch_max_, other.sketch_max_);
  sketched_ += other.sketched_;
  sketch_sum_ += other.sketch_sum_;
}

uint64_t ValueTable::distinct() const {
  if (exact()) return used_;
  const auto registers = static_cast<double>(registers_.size());
  double sum = 0;
  size_t empty = 0;
  for (const uint8_t zeros : registers_) {
    sum += std::ldexp(1.0, -zeros);
    empty += zeros == 0 ? 1 : 0;
  }
  double estimate = 0.7213 / (1 + 1.079 / registers) * registers * registers / sum;
  if (estimate < 2.5 * registers && empty != 0) {
    estimate = registers * std::log(registers / static_cast<double>(empty));
  }
  return std::max<uint64_t>(used_, static_cast<uint64_t>(estimate));
}

std::vector<const ValueTable::Entry*> ValueTable::entries() const {
  std::vector<const Entry*> out;
  out.reserve(used_);
  for (const Entry& entry : slots_) {
    if (entry.count != 0) out.push_back(&entry);
  }
  return out;
}

}  // namespace kelp::query
