#include "pipeline/ledger.h"

namespace kelp::pipeline {

void ReasonCounts::Add(std::string_view reason, uint64_t n) {
  if (n == 0) return;
  size_t size = 0;
  auto last = entries_.before_begin();
  for (auto it = entries_.begin(); it != entries_.end(); last = it++, ++size) {
    if (it->first == reason) {
      it->second += n;
      return;
    }
  }
  if (size >= kReasonsMax && reason != "other") {
    Add("other", n);
  } else {
    entries_.emplace_after(last, reason, n);
  }
}

void ReasonCounts::Add(const ReasonCounts& other) {
  for (const auto& [reason, count] : other.entries_) Add(reason, count);
}

uint64_t ReasonCounts::Get(std::string_view reason) const {
  for (const auto& [known, count] : entries_) {
    if (known == reason) return count;
  }
  return 0;
}

uint64_t ReasonCounts::total() const {
  uint64_t sum = 0;
  for (const auto& [reason, count] : entries_) sum += count;
  return sum;
}

bool LedgerFigures::AddsUp() const {
  return read_rows ==
             filtered.total() + delivered_rows + dropped.total() + in_flight_rows + returned_rows &&
         read_bytes == acknowledged_bytes + in_flight_bytes + returned_bytes;
}

void LedgerFigures::Add(const LedgerFigures& other) {
  read_bytes += other.read_bytes;
  read_rows += other.read_rows;
  acknowledged_bytes += other.acknowledged_bytes;
  delivered_rows += other.delivered_rows;
  in_flight_bytes += other.in_flight_bytes;
  in_flight_rows += other.in_flight_rows;
  returned_bytes += other.returned_bytes;
  returned_rows += other.returned_rows;
  filtered.Add(other.filtered);
  dropped.Add(other.dropped);
  dropped_later.Add(other.dropped_later);
  lost_bytes.Add(other.lost_bytes);
  lost_lines.Add(other.lost_lines);
}

bool LedgerEntry::AddsUp() const {
  if (!figures.AddsUp()) return false;
  if (name.empty()) return true;  // the source tells nothing of itself
  const uint64_t moved = position - begin;
  return moved == figures.read_bytes || (reading && moved > figures.read_bytes);
}

}  // namespace kelp::pipeline
