#include "pipeline/origin_book.h"

#include <utility>

#include "pipeline/runtime.h"

namespace kelp::pipeline {

void OriginBook::Add(std::shared_ptr<OriginState> origin) {
  MutexLock lock(mu_);
  const SourceId id = origin->id;
  live_.emplace(id, std::move(origin));
}

std::shared_ptr<OriginState> OriginBook::Find(SourceId id) const {
  MutexLock lock(mu_);
  const auto it = live_.find(id);
  return it == live_.end() ? nullptr : it->second;
}

void OriginBook::Lost(SourceId id, const Loss& loss) {
  MutexLock lock(mu_);
  if (!live_.contains(id)) {
    ended_.lost_bytes.Add(loss.cause, loss.bytes);
    ended_.lost_lines.Add(loss.cause, loss.lines);
    return;
  }
  Losses& losses = losses_[id];
  losses.bytes.Add(loss.cause, loss.bytes);
  losses.lines.Add(loss.cause, loss.lines);
}

void OriginBook::DroppedLater(std::string_view reason, uint64_t rows) {
  MutexLock lock(mu_);
  ended_.dropped_later.Add(reason, rows);
}

void OriginBook::Fold(SourceId id, const LedgerFigures& figures) {
  MutexLock lock(mu_);
  if (live_.erase(id) == 0) return;
  ended_.Add(figures);
  ++ended_count_;
  const auto losses = losses_.find(id);
  if (losses == losses_.end()) return;
  ended_.lost_bytes.Add(losses->second.bytes);
  ended_.lost_lines.Add(losses->second.lines);
  losses_.erase(losses);
}

std::vector<std::shared_ptr<OriginState>> OriginBook::OriginsOf(const Runtime* runtime) const {
  std::vector<std::shared_ptr<OriginState>> origins;
  MutexLock lock(mu_);
  for (const auto& [id, origin] : live_) {
    if (origin->runtime == runtime) origins.push_back(origin);
  }
  return origins;
}

size_t OriginBook::size() const {
  MutexLock lock(mu_);
  return live_.size();
}

OriginBook::View OriginBook::Look() const {
  View view;
  MutexLock lock(mu_);
  view.live.reserve(live_.size());
  for (const auto& [id, origin] : live_) {
    const auto losses = losses_.find(id);
    view.live.emplace_back(origin, losses == losses_.end() ? Losses{} : losses->second);
  }
  view.ended = ended_;
  view.ended_count = ended_count_;
  return view;
}

std::vector<LedgerEntry> OriginBook::Entries(const std::string& pipeline) const {
  View view = Look();
  std::vector<LedgerEntry> entries;
  entries.reserve(view.live.size() + 1);
  for (auto& [origin, losses] : view.live) {
    LedgerEntry& entry = entries.emplace_back();
    entry.pipeline = pipeline;
    {
      // Positions are asked for first: what was read but is not booked yet shows as `reading`.
      MutexLock lock(origin->mu);
      SourceInfo info = origin->source->Info();
      entry.name = std::move(info.name);
      entry.begin = info.begin;
      entry.position = info.position;
      entry.size = info.size;
      entry.reading = origin->reading.load();
      entry.origin = origin->origin_id;
      entry.figures = origin->figures;
    }
    entry.figures.lost_bytes = std::move(losses.bytes);
    entry.figures.lost_lines = std::move(losses.lines);
  }
  const bool late = !view.ended.lost_bytes.empty() || !view.ended.lost_lines.empty() ||
                    !view.ended.dropped_later.empty();
  if (view.ended_count != 0 || late) {
    LedgerEntry& entry = entries.emplace_back();
    entry.pipeline = pipeline;
    entry.is_sum = true;
    entry.ended_origins = view.ended_count;
    entry.figures = std::move(view.ended);
  }
  return entries;
}

LedgerFigures OriginBook::Totals() const {
  View view = Look();
  LedgerFigures totals = std::move(view.ended);
  for (const auto& [origin, losses] : view.live) {
    totals.lost_bytes.Add(losses.bytes);
    totals.lost_lines.Add(losses.lines);
    MutexLock lock(origin->mu);
    totals.Add(origin->figures);
  }
  return totals;
}

}  // namespace kelp::pipeline
