#include "store/logstore.h"

#include <algorithm>

namespace kelp::store {
namespace {

class SnapshotImpl final : public Snapshot {
 public:
  SnapshotImpl(std::vector<std::shared_ptr<const Block>> blocks, uint64_t version)
      : blocks_(std::move(blocks)), version_(version) {}
  std::span<const std::shared_ptr<const Block>> blocks() const override { return blocks_; }
  uint64_t version() const override { return version_; }

 private:
  const std::vector<std::shared_ptr<const Block>> blocks_;
  const uint64_t version_;
};

bool NewerFirst(const std::shared_ptr<const Block>& a, const std::shared_ptr<const Block>& b) {
  return a->time_max() > b->time_max();
}

// A hot block of one append is cut here: a search decodes a column of a block as a whole.
constexpr uint64_t kHotBlockBytesMax = 4u << 20;

}  // namespace

Logstore::Logstore(LogstoreName name, std::string dir, Manifest manifest)
    : name_(std::move(name)),
      dir_(std::move(dir)),
      id_(manifest.logstore_id),
      manifest_(std::move(manifest)),
      applied_(manifest_.applied),
      sequence_(manifest_.applied),
      marks_(manifest_.marks) {}

uint64_t Logstore::RemoveDuplicates(Batch& batch, UnixNanos time) {
  if (batch.origin.empty() || batch.selected_count() == 0) return 0;
  Mark& mark = marks_[batch.origin];
  mark.touched = std::max(mark.touched, time / 1'000'000'000);
  return batch.Select([&](uint32_t row) {
    if (batch.row_end(row) <= mark.end) return false;
    mark.end = batch.row_end(row);
    return true;
  });
}

AppendResult Logstore::Apply(std::vector<BatchPtr> batches, uint64_t sequence, UnixNanos time,
                             Duration now, std::vector<HotPartPtr>& added) {
  AppendResult result;
  MutexLock lock(mu_);
  if (sequence <= sequence_) return result;
  sequence_ = sequence;
  for (BatchPtr& batch : batches) {
    result.duplicate += RemoveDuplicates(*batch, time);
    if (batch->selected_count() == 0) continue;
    result.accepted += batch->selected_count();
    added.push_back(std::make_shared<const HotPart>(std::move(batch), sequence));
  }
  hot_since_ = std::min(hot_since_, now);
  AddHot(added);
  return result;
}

// Joins as a binary counter carries: each row takes part in few joins.
void Logstore::AddHotBlock(std::vector<HotPartPtr> parts) {
  hot_.push_back(std::make_shared<const HotBlock>(std::move(parts)));
  while (hot_.size() >= 2) {
    const HotBlock& last = *hot_[hot_.size() - 1];
    const HotBlock& before = *hot_[hot_.size() - 2];
    if (before.rows() > 2 * last.rows() || !HotBlock::CanJoin(before, last, kJoinedRowsMax)) return;
    auto joined = HotBlock::Join(before, last);
    hot_.pop_back();
    hot_.back() = std::move(joined);
  }
}

void Logstore::AddHot(const std::vector<HotPartPtr>& parts) {
  if (parts.empty()) return;
  std::vector<HotPartPtr> group;
  uint64_t rows = 0;
  uint64_t bytes = 0;
  for (const HotPartPtr& part : parts) {
    if (!group.empty() && (rows + part->rows > HotBlock::kRowsMax ||
                           group.size() == HotBlock::kPartsMax || bytes > kHotBlockBytesMax)) {
      AddHotBlock(std::move(group));
      group.clear();
      rows = bytes = 0;
    }
    group.push_back(part);
    rows += part->rows;
    bytes += part->value_bytes;
    hot_bytes_.fetch_add(part->memory, std::memory_order_relaxed);
  }
  AddHotBlock(std::move(group));
  ++version_;
  snapshot_ = nullptr;
}

std::shared_ptr<const Logstore::BlockList> Logstore::SegmentBlocks() {
  if (segment_blocks_ != nullptr) return segment_blocks_;
  auto blocks = std::make_shared<BlockList>();
  for (const auto& segment : segments_) {
    for (const SegmentBlock& block : segment->blocks()) {
      blocks->emplace_back(segment, &block);  // shares the segment's count
    }
  }
  std::stable_sort(blocks->begin(), blocks->end(), NewerFirst);
  segment_blocks_ = std::move(blocks);
  return segment_blocks_;
}

std::shared_ptr<const Snapshot> Logstore::Read() {
  std::shared_ptr<const BlockList> cold;
  BlockList hot;
  uint64_t version;
  {
    MutexLock lock(mu_);
    if (snapshot_ != nullptr) return snapshot_;
    cold = SegmentBlocks();
    hot.reserve(hot_.size() + frozen_.size());
    hot.insert(hot.end(), hot_.rbegin(), hot_.rend());
    hot.insert(hot.end(), frozen_.rbegin(), frozen_.rend());
    version = version_;
  }
  std::stable_sort(hot.begin(), hot.end(), NewerFirst);
  BlockList all(hot.size() + cold->size());
  std::merge(hot.begin(), hot.end(), cold->begin(), cold->end(), all.begin(), NewerFirst);
  auto snapshot = std::make_shared<const SnapshotImpl>(std::move(all), version);
  MutexLock lock(mu_);
  if (version_ == version) snapshot_ = snapshot;
  return snapshot;
}

LogstoreStats Logstore::Stats() {
  LogstoreStats stats;
  const auto widen = [&](UnixNanos min, UnixNanos max) {
    stats.oldest = stats.oldest == kNoTime ? min : std::min(stats.oldest, min);
    stats.newest = stats.newest == kNoTime ? max : std::max(stats.newest, max);
  };
  MutexLock lock(mu_);
  for (const auto* list : {&hot_, &frozen_}) {
    for (const auto& block : *list) {
      stats.hot_rows += block->rows();
      stats.hot_bytes += block->raw_bytes();
      widen(block->time_min(), block->time_max());
    }
  }
  stats.rows = stats.hot_rows;
  for (const auto& segment : segments_) {
    stats.rows += segment->rows();
    stats.bytes += segment->bytes();
    stats.raw_bytes += segment->raw_bytes();
    if (segment->rows() != 0) widen(segment->time_min(), segment->time_max());
  }
  stats.segments = segments_.size();
  return stats;
}

Duration Logstore::hot_since() {
  MutexLock lock(mu_);
  return std::min(hot_since_, frozen_since_);
}

void Logstore::PruneMarks(UnixNanos now) {
  const int64_t oldest = (now - kMarkAgeMax.count()) / 1'000'000'000;
  std::erase_if(marks_, [&](const auto& entry) { return entry.second.touched < oldest; });
  if (marks_.size() <= kMarksMax) return;
  std::vector<int64_t> touched;
  touched.reserve(marks_.size());
  for (const auto& [origin, mark] : marks_) touched.push_back(mark.touched);
  const auto cut = touched.begin() + static_cast<ptrdiff_t>(touched.size() - kMarksMax);
  std::nth_element(touched.begin(), cut, touched.end());
  std::erase_if(marks_, [&](const auto& entry) { return entry.second.touched < *cut; });
}

Logstore::Frozen Logstore::Freeze(UnixNanos now) {
  Frozen result;
  MutexLock lock(mu_);
  result.empty = sequence_ <= applied_.load(std::memory_order_relaxed);
  if (result.empty) return result;
  frozen_.insert(frozen_.end(), hot_.begin(), hot_.end());
  hot_.clear();
  frozen_since_ = std::min(frozen_since_, hot_since_);
  hot_since_ = Duration::max();
  for (const auto& block : frozen_) {
    result.parts.insert(result.parts.end(), block->parts().begin(), block->parts().end());
  }
  PruneMarks(now);
  result.marks = marks_;
  result.sequence = sequence_;
  return result;
}

void Logstore::Publish(const std::vector<std::shared_ptr<const Segment>>& added,
                       const std::vector<uint64_t>& removed, bool flushed) {
  std::vector<std::shared_ptr<const HotBlock>> gone;          // freed outside the lock
  std::vector<std::shared_ptr<const Segment>> gone_segments;  // likewise
  std::shared_ptr<const Snapshot> old_snapshot;
  std::shared_ptr<const BlockList> old_blocks;
  applied_.store(manifest_.applied, std::memory_order_release);
  MutexLock lock(mu_);
  if (flushed) {
    gone.swap(frozen_);
    frozen_since_ = Duration::max();
    size_t bytes = 0;
    for (const auto& block : gone) {
      for (const HotPartPtr& part : block->parts()) bytes += part->memory;
    }
    hot_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  }
  const auto stays = [&](const auto& segment) {
    return std::find(removed.begin(), removed.end(), segment->id()) == removed.end();
  };
  const auto cut = std::stable_partition(segments_.begin(), segments_.end(), stays);
  gone_segments.assign(cut, segments_.end());
  segments_.erase(cut, segments_.end());
  segments_.insert(segments_.end(), added.begin(), added.end());
  ++version_;
  old_snapshot.swap(snapshot_);
  old_blocks.swap(segment_blocks_);
}

std::vector<std::shared_ptr<const Segment>> Logstore::segments() {
  MutexLock lock(mu_);
  return segments_;
}

std::shared_ptr<void> Logstore::Subscribe(std::function<void(const Batch&)> on_rows) {
  auto subscription = std::make_shared<Subscription>();
  {
    MutexLock lock(subscription->mu);
    subscription->on_rows = std::move(on_rows);
  }
  {
    MutexLock lock(mu_);
    subscriptions_.push_back(subscription);
  }
  // The handle: its end waits for a running call, and no call begins after it.
  return {subscription.get(), [subscription](void*) {
            MutexLock lock(subscription->mu);
            subscription->on_rows = nullptr;
          }};
}

void Logstore::Notify(const std::vector<HotPartPtr>& parts) {
  std::vector<std::shared_ptr<Subscription>> live;
  {
    MutexLock lock(mu_);
    if (subscriptions_.empty()) return;
    std::erase_if(subscriptions_, [](const auto& weak) { return weak.expired(); });
    for (const auto& weak : subscriptions_) {
      if (auto subscription = weak.lock()) live.push_back(std::move(subscription));
    }
  }
  for (const auto& subscription : live) {
    MutexLock lock(subscription->mu);
    if (!subscription->on_rows) continue;
    for (const HotPartPtr& part : parts) subscription->on_rows(*part->batch);
  }
}

}  // namespace kelp::store
