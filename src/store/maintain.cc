// Maintenance: small segments of a day become large ones; old days go.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/log.h"
#include "store/block_builder.h"
#include "store/layout.h"
#include "store/segment_writer.h"
#include "store/store_impl.h"

namespace kelp::store {
namespace {

// Blocks below this are decoded and joined; larger ones are copied as they are.
constexpr uint64_t kSmallBlockBytes = 256 << 10;
constexpr uint32_t kSmallBlockRows = 16 << 10;
// A merge of fewer segments is put off: each byte would be written again and again.
constexpr size_t kMergeSegmentsMin = 4;
// Below this the cost is that of a file, not of its bytes.
constexpr uint64_t kAlwaysSimilarBytes = 1 << 20;

using SegmentPtr = std::shared_ptr<const Segment>;

bool IsSmall(const SegmentBlock& block) {
  return block.raw_bytes() < kSmallBlockBytes && block.rows() < kSmallBlockRows;
}

// What to merge of one day: segments of similar size that together stay below the goal. Small ones
// wait for company of their size, so that a byte is written about log4(goal / flush size) times.
std::vector<SegmentPtr> ChooseInputs(std::vector<SegmentPtr> day, uint64_t bytes_max) {
  std::sort(day.begin(), day.end(),
            [](const SegmentPtr& a, const SegmentPtr& b) { return a->bytes() < b->bytes(); });
  std::vector<SegmentPtr> inputs;
  uint64_t bytes = 0;
  for (const SegmentPtr& segment : day) {
    if (!inputs.empty() && segment->bytes() > std::max(2 * bytes, kAlwaysSimilarBytes)) {
      if (inputs.size() >= kMergeSegmentsMin) break;
      inputs.clear();
      bytes = 0;
    }
    if (bytes + segment->bytes() > bytes_max) break;
    inputs.push_back(segment);
    bytes += segment->bytes();
  }
  if (inputs.size() < kMergeSegmentsMin) inputs.clear();
  std::sort(inputs.begin(), inputs.end(),
            [](const SegmentPtr& a, const SegmentPtr& b) { return a->id() < b->id(); });
  return inputs;
}

// Large blocks as they are, in order; then the rows of all small ones in new blocks.
Status CopyBlocks(const std::vector<SegmentPtr>& inputs, SegmentWriter& writer,
                  const std::function<bool()>& cancelled) {
  std::vector<const SegmentBlock*> small;
  for (const SegmentPtr& segment : inputs) {
    for (const SegmentBlock& block : segment->blocks()) {
      if (cancelled()) return CancelledError("the store is closing");
      if (IsSmall(block)) {
        small.push_back(&block);
      } else {
        RETURN_IF_ERROR(writer.Copy(block));
      }
    }
  }
  // Like resources stand together, as in a flush.
  std::stable_sort(small.begin(), small.end(), [](const SegmentBlock* a, const SegmentBlock* b) {
    return a->entry().resources[0] < b->entry().resources[0];
  });
  BlockBuilder builder;
  EncodedBlock encoded;
  const auto finish = [&]() -> Status {
    builder.Finish(encoded);
    return writer.Add(encoded);
  };
  for (const SegmentBlock* block : small) {
    if (cancelled()) return CancelledError("the store is closing");
    ASSIGN_OR_RETURN(bool added, builder.Add(*block));
    if (added) continue;
    RETURN_IF_ERROR(finish());
    ASSIGN_OR_RETURN(added, builder.Add(*block));
    CHECK(added, "an empty block takes any other");
  }
  return builder.empty() ? OkStatus() : finish();
}

std::map<int32_t, std::vector<SegmentPtr>> ByDay(const std::vector<SegmentPtr>& segments) {
  std::map<int32_t, std::vector<SegmentPtr>> days;
  for (const SegmentPtr& segment : segments) days[segment->day()].push_back(segment);
  return days;
}

}  // namespace

bool StoreImpl::Stopping() {
  MutexLock lock(mu_);
  return stopping_;
}

// Puts `added` in the place of `removed`: manifest first, then what readers see, then the files.
Status StoreImpl::Replace(Logstore& logstore, const std::vector<SegmentPtr>& added,
                          const std::vector<SegmentPtr>& removed) {
  RETURN_IF_ERROR(Settle(logstore));
  Manifest next = logstore.manifest();
  std::vector<uint64_t> ids;
  for (const SegmentPtr& segment : removed) ids.push_back(segment->id());
  std::erase_if(next.segments, [&](const SegmentEntry& entry) {
    return std::find(ids.begin(), ids.end(), entry.id) != ids.end();
  });
  for (const SegmentPtr& segment : added) {
    next.segments.push_back({segment->id(), segment->day(), segment->bytes(), segment->rows()});
  }
  RETURN_IF_ERROR(CommitManifest(logstore, std::move(next), added));
  logstore.Publish(added, ids, /*flushed=*/false);
  // Snapshots that hold a segment keep its map; a file that stays is a leftover for the next start.
  for (const SegmentPtr& segment : removed) {
    const Status status = env_.files().Remove(segment->path());
    if (!status.ok()) LOG(kWarning, "{}", status.message());
  }
  return OkStatus();
}

Status StoreImpl::MergeInputs(Logstore& logstore, const std::vector<SegmentPtr>& inputs) {
  SegmentIdentity identity;
  identity.logstore_id = logstore.id();
  identity.day = inputs[0]->day();
  {
    // The number is taken before the long work, so that a flush meanwhile takes another.
    MutexLock lock(logstore.files_mu);
    if (logstore.dropped()) return OkStatus();
    identity.id = logstore.manifest().next_segment++;
  }
  for (const SegmentPtr& input : inputs) {
    identity.applied = std::max(identity.applied, input->applied());
    identity.replaces.push_back(input->id());
    identity.replaces.insert(identity.replaces.end(), input->replaces().begin(),
                             input->replaces().end());
  }
  const std::string path = SegmentPath(logstore.dir(), identity.day, identity.id);
  {
    ASSIGN_OR_RETURN(const auto writer,
                     SegmentWriter::Create(env_.files(), path, std::move(identity)));
    RETURN_IF_ERROR(CopyBlocks(inputs, *writer, [this] { return Stopping(); }));
    RETURN_IF_ERROR(writer->Finish());
  }
  ASSIGN_OR_RETURN(SegmentPtr merged, Segment::Open(env_.files(), path));
  MutexLock lock(logstore.files_mu);
  // Retention or a drop may have taken inputs away meanwhile.
  const std::vector<SegmentPtr> now = logstore.segments();
  const bool all_there = std::all_of(inputs.begin(), inputs.end(), [&](const SegmentPtr& input) {
    return std::find(now.begin(), now.end(), input) != now.end();
  });
  const uint64_t bytes = merged->bytes();
  if (!all_there || logstore.dropped()) {
    env_.files().Remove(path).IgnoreError();
    return CancelledError("what was merged was removed meanwhile");
  }
  RETURN_IF_ERROR(Replace(logstore, {std::move(merged)}, inputs));
  metrics_.merges.Add();
  metrics_.merged_bytes.Add(bytes);
  return OkStatus();
}

// A segment with corrupt blocks stays as it is: its other blocks can be read, and it must not hold
// up the merging of its day.
void StoreImpl::SkipCorrupt(const std::vector<SegmentPtr>& inputs) {
  for (const SegmentPtr& input : inputs) {
    for (const SegmentBlock& block : input->blocks()) {
      if (!block.VerifyChecksums().ok()) unmergeable_.insert(input->path());
    }
  }
}

Status StoreImpl::MergeDays(Logstore& logstore) {
  std::vector<SegmentPtr> all;
  for (const SegmentPtr& segment : logstore.segments()) {
    if (unmergeable_.count(segment->path()) == 0) all.push_back(segment);
  }
  for (auto& [day, segments] : ByDay(all)) {
    // A merge needs the space of its inputs once more.
    const std::vector<SegmentPtr> inputs = ChooseInputs(segments, options_.segment_bytes_max.bytes);
    if (inputs.empty()) continue;
    uint64_t bytes = 0;
    for (const SegmentPtr& input : inputs) bytes += input->bytes();
    ASSIGN_OR_RETURN(const DiskSpace space, env_.files().Space(options_.dir));
    if (space.free.bytes < options_.disk_free_min.bytes + bytes) continue;
    const Status status = MergeInputs(logstore, inputs);
    if (status.ok() || status.code() == Code::kCancelled) continue;
    metrics_.merge_failures.Add();
    if (status.code() == Code::kDataLoss) SkipCorrupt(inputs);
    return status.Annotate(fmt::format("cannot merge segments of {}/{}", logstore.name().project,
                                       logstore.name().logstore));
  }
  return OkStatus();
}

// Days that are over for longer than `retention`, and the oldest days above `retention_size`. The
// newest day stays: a limit below one day's rows would otherwise leave nothing.
Status StoreImpl::ApplyRetention(Logstore& logstore) {
  MutexLock lock(logstore.files_mu);
  if (logstore.dropped()) return OkStatus();
  const LogstoreSettings settings = logstore.manifest().settings;
  const auto days = ByDay(logstore.segments());
  const UnixNanos now = env_.clock().Now();
  uint64_t bytes = 0;
  for (const SegmentPtr& segment : logstore.segments()) bytes += segment->bytes();
  std::vector<SegmentPtr> removed;
  std::vector<int32_t> removed_days;
  for (const auto& [day, segments] : days) {
    const UnixNanos end = (int64_t{day} + 1) * kNanosPerDay;
    const bool too_old = settings.retention.has_value() && end < now - settings.retention->count();
    const bool too_much = settings.retention_size.has_value() &&
                          bytes > settings.retention_size->bytes && day != days.rbegin()->first;
    if (!too_old && !too_much) continue;
    for (const SegmentPtr& segment : segments) {
      bytes -= segment->bytes();
      metrics_.retention_bytes.Add(segment->bytes());
      removed.push_back(segment);
    }
    removed_days.push_back(day);
  }
  if (removed.empty()) return OkStatus();
  metrics_.retention_segments.Add(removed.size());
  RETURN_IF_ERROR(Replace(logstore, {}, removed));
  for (const int32_t day : removed_days) {
    env_.files().Remove(JoinPath(logstore.dir(), DayName(day))).IgnoreError();  // if it is empty
  }
  LOG(kInfo, "retention removed {} days ({} segments) of {}/{}", removed_days.size(),
      removed.size(), logstore.name().project, logstore.name().logstore);
  return OkStatus();
}

Status StoreImpl::MaintainLogstore(Logstore& logstore) {
  RETURN_IF_ERROR(ApplyRetention(logstore));
  return MergeDays(logstore);
}

Status StoreImpl::Maintain() {
  // One round at a time: two merges of the same inputs would be wasted work.
  MutexLock round(maintain_mu_);
  Status status;
  for (const auto& logstore : All()) {
    if (Stopping()) break;
    if (Status s = MaintainLogstore(*logstore); !s.ok()) status = s;
  }
  return status;
}

void StoreImpl::MaintainLoop() {
  while (true) {
    {
      MutexLock lock(mu_);
      if (!stopping_) maintain_wake_.WaitFor(mu_, options_.maintenance_interval);
      if (stopping_) return;
    }
    const Status status = Maintain();
    if (!status.ok()) LOG_RATE(1min, kError, "{}", status.message());
  }
}

}  // namespace kelp::store
