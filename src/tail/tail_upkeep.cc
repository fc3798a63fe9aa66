// What the TailService does beside events: it starts follows, looks again at everything, and
// stores.
#include <algorithm>

#include "base/log.h"
#include "tail/tail_service_impl.h"

namespace kelp::tail {
namespace {

// One round of the safety scan over all names takes at least this long.
constexpr Duration kSafetyRound = 10s;
// Many files at once, as at a start, are stored in groups: the memory is not given back.
constexpr size_t kGroupMax = 1000;
// What was seen of files that nobody reads is stored as often as this: what a kill then keeps from
// being known as lost is less than that.
constexpr Duration kSeenInterval = 10s;
// What is still not delivered so long after it was seen waits for something.
constexpr Duration kSeenDelay = 500ms;
// How often checkpoints of files that vanished are looked at.
constexpr Duration kSweepInterval = 60s;

// Not in StartFollows: of a lambda the thread-safety analysis cannot say which locks are held.
void EraseRemoved(const std::unordered_set<OriginId>& removed,
                  std::vector<Checkpoint>& checkpoints) {
  std::erase_if(checkpoints, [&](const Checkpoint& c) { return removed.contains(c.origin); });
}

// As the database has its rows: a group then changes few of its pages.
template <typename T>
std::vector<OriginId> InOrder(const std::unordered_map<OriginId, T>& map) {
  std::vector<OriginId> origins;
  origins.reserve(map.size());
  for (const auto& [origin, value] : map) origins.push_back(origin);
  std::sort(origins.begin(), origins.end());
  return origins;
}

}  // namespace

void TailService::Impl::StartFollows(Duration now) {
  if (!unstarted_ || now < start_retry_at_) return;
  unstarted_ = false;
  for (auto& [id, entry] : follows_) {
    if (entry.started) continue;
    Follow& follow = *entry.follow;
    Result<CheckpointSpace> known = store_->Start(follow.space());
    if (!known.ok()) {
      // Without its positions an input would repeat or skip: it waits.
      store_errors_.Add();
      LOG_RATE(10s, kError, "{}; input {} does not start until they can be read",
               known.status().message(), follow.space());
      unstarted_ = true;
      start_retry_at_ = now + kStoreRetry;
      continue;
    }
    // The store may be behind those that still drain.
    for (auto& [origin, source] : draining_) {
      Checkpoint checkpoint = source->Snapshot();
      if (checkpoint.space != follow.space()) continue;
      std::erase_if(known->checkpoints,
                    [&](const auto& c) { return c.origin == checkpoint.origin; });
      known->checkpoints.push_back(std::move(checkpoint));
    }
    for (const auto& put : context_.put) {
      const Checkpoint& checkpoint = put.second;
      if (checkpoint.space != follow.space()) continue;
      std::erase_if(known->checkpoints,
                    [&](const auto& c) { return c.origin == checkpoint.origin; });
      known->checkpoints.push_back(checkpoint);
    }
    EraseRemoved(context_.remove, known->checkpoints);
    entry.started = true;
    if (known->lost) lost_.Add();
    follow.Start(std::move(known).value());
  }
}

void TailService::Impl::SafetyScan(Duration now) {
  if (now < safety_round_at_ || now - safety_at_ < kTick) return;
  const double seconds = std::min(1.0, std::chrono::duration<double>(now - safety_at_).count());
  safety_at_ = now;
  auto budget = static_cast<size_t>(seconds * static_cast<double>(options_.safety_rate)) + 1;
  while (budget > 0) {
    const auto it = follows_.lower_bound(safety_follow_);
    if (it == follows_.end()) {
      safety_follow_ = 0;
      safety_round_at_ = now + kSafetyRound;
      return;
    }
    safety_follow_ = it->first;
    const size_t looked = it->second.started ? it->second.follow->SafetyScan(now, budget) : 0;
    if (looked == 0) ++safety_follow_;
    budget -= std::min(budget, std::max<size_t>(looked, 1));
  }
}

// The sizes of files that grow and are not read: positions, with which they are stored, do not
// move.
void TailService::Impl::StoreSeen(Duration now) {
  if (context_.grown.empty()) return;
  if (seen_at_ == Duration(0)) seen_at_ = std::max(now + kSeenDelay, seen_after_);
  if (now < seen_at_) return;
  seen_at_ = Duration(0);
  for (const OriginId& origin : std::exchange(context_.grown, {})) {
    const auto active = context_.active.find(origin);
    if (active == context_.active.end() || active->second == nullptr) continue;
    const Incarnation* file = active->second->Find(origin);
    if (file == nullptr || !file->source->SawUnstored()) continue;
    context_.moved[origin] = file->source;
    seen_after_ = now + kSeenInterval;
  }
}

void TailService::Impl::Sweep(Duration now) {
  if (now - swept_at_ < kSweepInterval) return;
  swept_at_ = now;
  const UnixNanos before = env_.clock().Now() - options_.vanished_kept.count();
  auto& vanished = context_.vanished;
  while (!vanished.empty() && vanished.begin()->first < before) {
    const OriginId origin = vanished.begin()->second;
    vanished.erase(vanished.begin());
    // It may have come back since, and have vanished again.
    if (context_.active.count(origin) != 0) continue;
    const bool kept = std::any_of(follows_.begin(), follows_.end(), [&](const auto& follow) {
      return follow.second.follow->KeepsAfter(origin, before);
    });
    if (kept) continue;
    context_.put.erase(origin);
    context_.remove.insert(origin);
    for (auto& [id, entry] : follows_) entry.follow->Forget(origin);
  }
}

Status TailService::Impl::WriteCheckpoints() {
  CheckpointChanges changes;
  std::unordered_map<OriginId, Checkpoint> put;
  std::unordered_map<OriginId, std::shared_ptr<FileSource>> moved;
  std::unordered_set<OriginId> remove;
  {
    MutexLock lock(mu_);
    put.swap(context_.put);
    moved.swap(context_.moved);
    remove.swap(context_.remove);
  }
  // Without the lock: a slow disk must not hold up those who add and remove follows.
  Status status;
  bool together = false;  // an origin and its heir are stored together
  const auto add = [&](Checkpoint checkpoint) {
    together |= !checkpoint.heir.empty();
    changes.put.push_back(std::move(checkpoint));
    if (changes.put.size() < kGroupMax || together || !status.ok()) return;
    status = store_->Write(std::exchange(changes, {}));
  };
  for (const OriginId& origin : InOrder(moved)) add(moved.at(origin)->Snapshot());
  for (const OriginId& origin : InOrder(put)) {
    if (moved.count(origin) == 0) add(put.at(origin));
  }
  changes.remove.assign(remove.begin(), remove.end());
  if (status.ok() && !changes.empty()) status = store_->Write(changes);
  if (status.ok()) return status;
  store_errors_.Add();
  LOG_RATE(10s, kError,
           "{}; reading goes on, the positions of {} files are kept in memory and written later. "
           "Lines may be sent again after a restart.",
           status.message(), moved.size() + put.size());
  MutexLock lock(mu_);
  // What was to be written still is, unless there is something newer.
  context_.moved.merge(moved);
  context_.put.merge(put);
  context_.remove.merge(remove);
  if (status.code() == Code::kDataLoss) {
    // The store began anew: it gets everything there is.
    for (auto& [id, entry] : follows_) entry.follow->WriteAll();
    for (const auto& [origin, source] : draining_) context_.moved[origin] = source;
  }
  return status;
}

}  // namespace kelp::tail
