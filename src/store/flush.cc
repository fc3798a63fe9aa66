// The flush thread: hot tail → segments → manifest → shorter log.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>

#include "base/log.h"
#include "store/block_builder.h"
#include "store/layout.h"
#include "store/segment_writer.h"
#include "store/store_impl.h"

namespace kelp::store {
namespace {

// Rows go into the folder of their day if that is at most so far from the day they came; rows of
// clocks that are further off go into the folder of the day they came, whatever their time says:
// else a broken clock could make a folder for each row.
constexpr int32_t kPastDaysMax = 400;
constexpr int32_t kFutureDaysMax = 2;
// A block ends early where the resource changes, once it has so much: searches by namespace and pod
// then skip more, and the compression does not notice.
constexpr uint64_t kCutAtNamespace = 256 << 10;
constexpr uint64_t kCutAtResource = 768 << 10;
// The log is trimmed by flushing whoever holds its oldest file back, once it is so long.
constexpr uint64_t kWalBytesMax = 512u << 20;
// How often ages are looked at, and how long a failed flush waits.
constexpr Duration kFlushTick = 1s;

// Some rows of a part that go to one day.
struct Piece {
  const HotPart* part;
  uint32_t group;  // rank of the resource
  std::vector<uint32_t> rows;
};
struct DayPieces {
  std::vector<Piece> pieces;
  std::vector<Piece> odd;  // with times of other days: in blocks of their own
};

bool ResourceBefore(const Resource& a, const Resource& b) {
  for (const std::string_view key : {"k8s.namespace.name", "k8s.pod.name"}) {
    if (const int order = a.Get(key).compare(b.Get(key)); order != 0) return order < 0;
  }
  return a.tags() < b.tags();
}

// Numbers the resources of the parts in the order in which blocks hold them.
std::unordered_map<const Resource*, uint32_t> RankResources(const std::vector<HotPartPtr>& parts) {
  std::vector<const Resource*> distinct;
  for (const HotPartPtr& part : parts) {
    const Resource* resource = part->batch->resource().get();
    if (distinct.empty() || distinct.back() != resource) distinct.push_back(resource);
  }
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  std::stable_sort(distinct.begin(), distinct.end(),
                   [](const auto* a, const auto* b) { return ResourceBefore(*a, *b); });
  std::unordered_map<const Resource*, uint32_t> ranks;
  uint32_t rank = 0;
  for (size_t i = 0; i < distinct.size(); ++i) {
    if (i != 0 && !(*distinct[i] == *distinct[i - 1])) ++rank;
    ranks[distinct[i]] = rank;
  }
  return ranks;
}

std::map<int32_t, DayPieces> SplitByDay(const std::vector<HotPartPtr>& parts, int32_t today,
                                        uint64_t& clamped) {
  std::map<int32_t, DayPieces> days;
  const auto ranks = RankResources(parts);
  const auto odd = [&](int32_t day) {
    return day < today - kPastDaysMax || day > today + kFutureDaysMax;
  };
  for (const HotPartPtr& part : parts) {
    const Batch& batch = *part->batch;
    const uint32_t group = ranks.at(batch.resource().get());
    Piece* piece = nullptr;
    int32_t piece_day = 0;
    bool piece_odd = false;
    batch.ForEach([&](uint32_t row) {
      int32_t day = DayOf(batch.time(row));
      const bool row_odd = odd(day);
      if (row_odd) {
        day = today;
        ++clamped;
      }
      if (piece == nullptr || piece_day != day || piece_odd != row_odd) {
        auto& list = row_odd ? days[day].odd : days[day].pieces;
        piece = &list.emplace_back(Piece{part.get(), group, {}});
        piece_day = day;
        piece_odd = row_odd;
      }
      piece->rows.push_back(row);
    });
  }
  return days;
}

// By resource, then by origin; rows of an origin stay in the order in which they came.
void SortPieces(std::vector<Piece>& pieces) {
  std::stable_sort(pieces.begin(), pieces.end(), [](const Piece& a, const Piece& b) {
    if (a.group != b.group) return a.group < b.group;
    return a.part->batch->origin < b.part->batch->origin;
  });
}

bool CutBefore(const Piece& next, const Piece& last, uint64_t bytes) {
  if (next.group == last.group || bytes < kCutAtNamespace) return false;
  if (bytes >= kCutAtResource) return true;
  constexpr std::string_view kNamespace = "k8s.namespace.name";
  return next.part->batch->resource()->Get(kNamespace) !=
         last.part->batch->resource()->Get(kNamespace);
}

Status WriteBlocks(std::vector<Piece>& pieces, BlockBuilder& builder, SegmentWriter& writer) {
  SortPieces(pieces);
  EncodedBlock block;
  const auto finish = [&]() -> Status {
    builder.Finish(block);
    return writer.Add(block);
  };
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (i != 0 && !builder.empty() && CutBefore(pieces[i], pieces[i - 1], builder.raw_bytes())) {
      RETURN_IF_ERROR(finish());
    }
    std::span<const uint32_t> rows = pieces[i].rows;
    while (!rows.empty()) {
      const uint32_t taken = builder.Add(*pieces[i].part->batch, rows);
      rows = rows.subspan(taken);
      if (!rows.empty()) RETURN_IF_ERROR(finish());
    }
  }
  return builder.empty() ? OkStatus() : finish();
}

}  // namespace

uint64_t StoreImpl::HotBytes() {
  MutexLock lock(mu_);
  uint64_t bytes = 0;
  for (const auto& [name, logstore] : logstores_) bytes += logstore->hot_bytes();
  return bytes;
}

void StoreImpl::WakeFlush() {
  MutexLock lock(mu_);
  flush_wanted_ = true;
  flush_wake_.NotifyOne();
}

Status StoreImpl::WriteSegments(Logstore& logstore, const Logstore::Frozen& frozen, Manifest& next,
                                std::vector<std::shared_ptr<const Segment>>& added) {
  uint64_t clamped = 0;
  auto days = SplitByDay(frozen.parts, DayOf(env_.clock().Now()), clamped);
  BlockBuilder builder;
  for (auto& [day, pieces] : days) {
    SegmentIdentity identity{logstore.id(), next.next_segment++, day, frozen.sequence, {}};
    const std::string path = SegmentPath(logstore.dir(), day, identity.id);
    ASSIGN_OR_RETURN(const auto writer,
                     SegmentWriter::Create(env_.files(), path, std::move(identity)));
    RETURN_IF_ERROR(WriteBlocks(pieces.pieces, builder, *writer));
    RETURN_IF_ERROR(WriteBlocks(pieces.odd, builder, *writer));
    RETURN_IF_ERROR(writer->Finish());
    ASSIGN_OR_RETURN(auto segment, Segment::Open(env_.files(), path));
    next.segments.push_back({segment->id(), day, segment->bytes(), segment->rows()});
    metrics_.segment_bytes.Add(segment->bytes());
    added.push_back(std::move(segment));
  }
  metrics_.clamped_rows.Add(clamped);
  return OkStatus();
}

Status StoreImpl::FlushLogstore(Logstore& logstore) {
  MutexLock lock(logstore.files_mu);
  if (logstore.dropped()) return OkStatus();
  const Logstore::Frozen frozen = logstore.Freeze(env_.clock().Now());
  if (frozen.empty) return OkStatus();
  std::vector<std::shared_ptr<const Segment>> added;
  Status status = Settle(logstore);
  Manifest next = logstore.manifest();
  if (status.ok()) status = WriteSegments(logstore, frozen, next, added);
  if (!status.ok()) {
    for (const auto& segment : added) env_.files().Remove(segment->path()).IgnoreError();
  } else {
    next.applied = frozen.sequence;
    next.marks = frozen.marks;
    status = CommitManifest(logstore, std::move(next), added);
  }
  if (!status.ok()) {
    metrics_.flush_failures.Add();
    return status.Annotate(fmt::format("cannot write rows of {}/{} to segments",
                                       logstore.name().project, logstore.name().logstore));
  }
  logstore.Publish(added, {}, /*flushed=*/true);
  metrics_.flushes.Add();
  return OkStatus();
}

// Removes files of the log whose rows are all in segments.
Status StoreImpl::TrimWal() {
  std::unordered_map<uint64_t, uint64_t> applied;
  for (const auto& logstore : All()) applied[logstore->id()] = logstore->applied();
  const auto needed = [&](uint64_t id, uint64_t sequence) {
    const auto it = applied.find(id);
    return it != applied.end() && it->second < sequence;
  };
  RETURN_IF_ERROR(wal_.RemoveObsolete(needed).Annotate("cannot shorten the write-ahead log"));
  // A logstore of few rows must not keep the log of all others.
  for (const uint64_t id : wal_.Pinning(kWalBytesMax, needed)) {
    if (const auto logstore = FindById(id)) RETURN_IF_ERROR(FlushLogstore(*logstore));
  }
  return OkStatus();
}

bool StoreImpl::NeedsFlush(Logstore& logstore, Duration now) {
  if (logstore.hot_bytes() >= options_.hot_bytes_max.bytes) return true;
  const Duration since = logstore.hot_since();
  return since != Duration::max() && now - since >= options_.hot_age_max;
}

Status StoreImpl::FlushDue() {
  const Duration now = env_.clock().Monotonic();
  const std::vector<std::shared_ptr<Logstore>> all = All();
  Status status;
  for (const auto& logstore : all) {
    if (!NeedsFlush(*logstore, now)) continue;
    if (Status s = FlushLogstore(*logstore); !s.ok()) status = s;
  }
  // Many logstores, each below its own limit, can pass the limit of all: the largest goes.
  if (status.ok() && HotBytes() >= options_.hot_bytes_total_max.bytes && !all.empty()) {
    const auto largest = std::max_element(all.begin(), all.end(), [](const auto& a, const auto& b) {
      return a->hot_bytes() < b->hot_bytes();
    });
    status = FlushLogstore(**largest);
  }
  if (Status s = TrimWal(); status.ok()) status = s;
  return status;
}

void StoreImpl::FlushLoop() {
  Status status;
  while (true) {
    {
      MutexLock lock(mu_);
      if (!stopping_ && !flush_wanted_) flush_wake_.WaitFor(mu_, kFlushTick);
      // After a failure the next try waits, wanted or not: a full disk does not heal in a loop.
      if (!stopping_ && !status.ok()) flush_wake_.WaitFor(mu_, kFlushTick);
      if (stopping_) return;
      flush_wanted_ = false;
    }
    status = FlushDue();
    if (!status.ok()) LOG_RATE(10s, kError, "{}; trying again", status.message());
    metrics_.hot_bytes.Set(static_cast<int64_t>(HotBytes()));
    MutexLock lock(mu_);
    flush_error_ = status;
    ++flush_rounds_;
    hot_room_.NotifyAll();
  }
}

Status StoreImpl::Flush() {
  for (const auto& logstore : All()) RETURN_IF_ERROR(FlushLogstore(*logstore));
  return TrimWal();
}

}  // namespace kelp::store
