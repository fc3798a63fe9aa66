// The commit thread: all requests that wait → one write and one sync → hot tail → answers.
#include <fmt/format.h>

#include "base/log.h"
#include "store/store_impl.h"

namespace kelp::store {
namespace {

// Company worth waiting for: a group of fewer requests is not a sign of load.
constexpr size_t kBusyRequests = 4;
// What one write takes at most; the rest waits for the next group.
constexpr uint64_t kGroupBytesMax = 32u << 20;

uint64_t BytesOf(const BatchSet& set) {
  uint64_t bytes = set.encoded.size();
  for (const BatchPtr& batch : set.batches) bytes += batch->memory_bytes();
  return bytes;
}

}  // namespace

void StoreImpl::Append(const LogstoreName& name, BatchSet set,
                       std::function<void(Result<AppendResult>)> done) {
  Request request;
  request.done = std::move(done);
  request.bytes = BytesOf(set);
  request.set = std::move(set);
  MutexLock lock(mu_);
  const auto it = logstores_.find(name);
  if (it == logstores_.end()) {
    request.refused = NotFoundError("there is no logstore " + name.project + "/" + name.logstore);
  } else if (queue_bytes_ != 0 && queue_bytes_ + request.bytes > options_.queue_bytes_max.bytes) {
    metrics_.refused_queue.Add();
    request.refused =
        ResourceExhaustedError(fmt::format("the store's queue is full ({} wait to be written)",
                                           FormatByteSizeShort(ByteSize{queue_bytes_})));
  } else {
    request.logstore = it->second;
  }
  if (!request.refused.ok()) {
    request.set = BatchSet();
    request.bytes = 0;
  }
  queue_bytes_ += request.bytes;
  metrics_.queue_bytes.Set(static_cast<int64_t>(queue_bytes_));
  queue_.push_back(std::move(request));
  commit_wake_.NotifyOne();
}

void StoreImpl::CommitLoop() {
  Group group;
  while (TakeGroup(group)) {
    Commit(group);
    group.clear();
  }
}

bool StoreImpl::TakeGroup(Group& group) {
  MutexLock lock(mu_);
  while (queue_.empty() && !stopping_) commit_wake_.Wait(mu_);
  if (queue_.empty()) return false;
  // A lone request goes at once. Under load the groups keep a distance of commit_interval, so that
  // the disk syncs for many requests and not for a few.
  while (busy_ && !stopping_ && queue_bytes_ < kGroupBytesMax) {
    const Duration wait = last_commit_ + options_.commit_interval - env_.clock().Monotonic();
    if (wait <= Duration(0) || !commit_wake_.WaitFor(mu_, wait)) break;
  }
  last_commit_ = env_.clock().Monotonic();
  uint64_t bytes = 0;
  while (!queue_.empty() && (group.empty() || bytes + queue_.front().bytes <= kGroupBytesMax)) {
    bytes += queue_.front().bytes;
    group.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  busy_ = group.size() >= kBusyRequests;
  return true;
}

void StoreImpl::Commit(Group& group) {
  RefuseUnfit(group);
  std::vector<WalFrame> frames;
  Status status = RoomToCommit();
  if (status.ok()) status = WriteFrames(group, frames);
  size_t frame = 0;
  uint64_t bytes = 0;
  for (Request& request : group) {
    bytes += request.bytes;
    if (!request.refused.ok()) {
      request.done(request.refused);
    } else if (!status.ok()) {
      request.done(status);
    } else {
      Show(request, frames[frame++]);
    }
    request.done = nullptr;  // what it holds ends now, not with the group
  }
  metrics_.hot_bytes.Set(static_cast<int64_t>(HotBytes()));
  MutexLock lock(mu_);
  queue_bytes_ -= bytes;
  metrics_.queue_bytes.Set(static_cast<int64_t>(queue_bytes_));
}

// Marks requests that cannot be stored whatever the disk says.
void StoreImpl::RefuseUnfit(Group& group) {
  for (Request& request : group) {
    if (!request.refused.ok()) continue;
    const LogstoreName& name = request.logstore->name();
    if (request.logstore->dropped()) {
      request.refused =
          NotFoundError("the logstore " + name.project + "/" + name.logstore + " was dropped");
    } else if (request.set.encoded.empty() || request.set.encoded.size() >= Wal::kPayloadMax) {
      request.refused = InvalidArgumentError(
          fmt::format("a batch set of {} encoded bytes cannot be stored (at least 1, at most {})",
                      request.set.encoded.size(), Wal::kPayloadMax - 1));
    }
  }
}

Status StoreImpl::RoomToCommit() {
  ASSIGN_OR_RETURN(const DiskSpace space, env_.files().Space(options_.dir));
  const bool low = space.free < options_.disk_free_min;
  metrics_.low_disk.Set(low ? 1 : 0);
  if (low) {
    metrics_.refused_disk.Add();
    LOG_RATE(1min, kError,
             "the disk of {} has {} free, less than disk_free_min ({}): new rows are refused; "
             "free some space or shorten retention",
             options_.dir, FormatByteSizeShort(space.free), FormatByteSize(options_.disk_free_min));
    return ResourceExhaustedError(fmt::format("the disk is nearly full: {} free, {} are kept free",
                                              FormatByteSizeShort(space.free),
                                              FormatByteSize(options_.disk_free_min)));
  }
  return WaitForHotRoom();
}

// The hot tail may not grow without end: waits while the flush catches up. When the flush fails,
// so does the request.
Status StoreImpl::WaitForHotRoom() {
  if (HotBytes() < options_.hot_bytes_total_max.bytes) return OkStatus();
  MutexLock lock(mu_);
  while (!stopping_) {
    const uint64_t rounds = flush_rounds_;
    flush_wanted_ = true;
    flush_wake_.NotifyOne();
    while (flush_rounds_ == rounds && !stopping_) hot_room_.Wait(mu_);
    if (!flush_error_.ok()) return flush_error_.Annotate("rows cannot be moved out of memory");
    uint64_t hot = 0;
    for (const auto& [name, logstore] : logstores_) hot += logstore->hot_bytes();
    if (hot < options_.hot_bytes_total_max.bytes) return OkStatus();
  }
  return OkStatus();
}

Status StoreImpl::WriteFrames(Group& group, std::vector<WalFrame>& frames) {
  const UnixNanos now = env_.clock().Now();
  uint64_t bytes = 0;
  for (const Request& request : group) {
    if (!request.refused.ok()) continue;
    WalFrame frame;
    frame.time = now;
    frame.logstore_id = request.logstore->id();
    frame.project = request.logstore->name().project;
    frame.logstore = request.logstore->name().logstore;
    frame.encoded = request.set.encoded;
    bytes += frame.encoded.size();
    frames.push_back(frame);
  }
  if (frames.empty()) return OkStatus();
  const Duration begin = env_.clock().Monotonic();
  const Status status = wal_.Append(frames);
  metrics_.commit.Record(env_.clock().Monotonic() - begin);
  metrics_.wal_syncs.Add();
  if (!status.ok()) {
    metrics_.refused_wal.Add(frames.size());
    LOG_RATE(10s, kError, "{}; the requests were refused", status.message());
    return status;
  }
  metrics_.wal_bytes.Add(bytes);
  return OkStatus();
}

void StoreImpl::Show(Request& request, const WalFrame& frame) {
  std::vector<HotPartPtr> added;
  Logstore& logstore = *request.logstore;
  const AppendResult result = logstore.Apply(std::move(request.set.batches), frame.sequence,
                                             frame.time, env_.clock().Monotonic(), added);
  request.set = BatchSet();
  metrics_.rows.Add(result.accepted);
  metrics_.duplicate_rows.Add(result.duplicate);
  logstore.Notify(added);
  request.done(result);
  if (logstore.hot_bytes() >= options_.hot_bytes_max.bytes) WakeFlush();
}

}  // namespace kelp::store
