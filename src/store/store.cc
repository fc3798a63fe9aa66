#include "store/store.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "codec/kelp_batch.h"
#include "store/layout.h"
#include "store/store_impl.h"

namespace kelp::store {

StoreMetrics::StoreMetrics(MetricRegistry& r)
    : rows(r.AddCounter("store_rows_total", "Rows stored.")),
      duplicate_rows(r.AddCounter("store_duplicate_rows_total",
                                  "Rows left out because they had been stored before.")),
      refused_queue(r.AddCounter("store_refused_requests_total", "Appends refused, by reason.",
                                 {{"reason", "queue_full"}})),
      refused_disk(r.AddCounter("store_refused_requests_total", "Appends refused, by reason.",
                                {{"reason", "disk_low"}})),
      refused_wal(r.AddCounter("store_refused_requests_total", "Appends refused, by reason.",
                               {{"reason", "write_failed"}})),
      wal_bytes(r.AddCounter("store_wal_bytes_total", "Bytes of batch sets written to the log.")),
      wal_syncs(r.AddCounter("store_wal_syncs_total", "Group commits.")),
      wal_lost_bytes(r.AddCounter("store_wal_lost_bytes_total",
                                  "Bytes of the log that were corrupt when it was replayed.")),
      commit(r.AddLatency("store_commit_seconds", "Time of a write and sync of the log.")),
      hot_bytes(r.AddGauge("store_hot_bytes", "Memory that rows not yet in segments hold.")),
      queue_bytes(r.AddGauge("store_queue_bytes", "Memory of requests that wait for commit.")),
      low_disk(r.AddGauge("store_disk_low", "1 while rows are refused for want of disk space.")),
      flushes(r.AddCounter("store_flushes_total", "Times that hot rows went to segments.")),
      flush_failures(r.AddCounter("store_flush_failures_total", "Flushes that failed.")),
      segment_bytes(r.AddCounter("store_segment_bytes_total", "Bytes of segments flushed.")),
      merges(r.AddCounter("store_merges_total", "Merges done.")),
      merge_failures(r.AddCounter("store_merge_failures_total", "Merges that failed.")),
      merged_bytes(r.AddCounter("store_merged_bytes_total", "Bytes written by merges.")),
      corrupt_files(r.AddCounter("store_corrupt_files_total", "Files found corrupt at opening.")),
      retention_segments(
          r.AddCounter("store_retention_segments_total", "Segments removed by retention.")),
      retention_bytes(r.AddCounter("store_retention_bytes_total", "Bytes removed by retention.")),
      clamped_rows(r.AddCounter("store_clamped_rows_total",
                                "Rows kept under the day they came, for their own time is far "
                                "from now.")) {}

Result<std::unique_ptr<Store>> Store::Open(Env& env, StoreOptions options,
                                           MetricRegistry& metrics) {
  auto store = std::make_unique<StoreImpl>(env, std::move(options), metrics);
  RETURN_IF_ERROR(store->Start());
  return std::unique_ptr<Store>(std::move(store));
}

StoreImpl::StoreImpl(Env& env, StoreOptions options, MetricRegistry& metrics)
    : env_(env), options_(std::move(options)), metrics_(metrics), wal_(env, WalDir(options_.dir)) {}

StoreImpl::~StoreImpl() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
    commit_wake_.NotifyAll();
    flush_wake_.NotifyAll();
    maintain_wake_.NotifyAll();
    hot_room_.NotifyAll();
  }
  for (std::thread* thread : {&commit_thread_, &flush_thread_, &maintain_thread_}) {
    if (thread->joinable()) thread->join();
  }
}

Status StoreImpl::Start() {
  RETURN_IF_ERROR(MakeDirsDurably(env_.files(), options_.dir));
  ASSIGN_OR_RETURN(lock_, env_.files().Lock(LockPath(options_.dir)));
  RETURN_IF_ERROR(MakeDirsDurably(env_.files(), WalDir(options_.dir)));
  RETURN_IF_ERROR(env_.files().SyncDir(options_.dir));
  RETURN_IF_ERROR(OpenLogstores());
  RETURN_IF_ERROR(ReplayWal());
  commit_thread_ = std::thread([this] { CommitLoop(); });
  flush_thread_ = std::thread([this] { FlushLoop(); });
  maintain_thread_ = std::thread([this] { MaintainLoop(); });
  return OkStatus();
}

Status StoreImpl::ReplayWal() {
  WalReport report;
  RETURN_IF_ERROR(wal_.Replay([&](const WalFrame& frame) { ReplayFrame(frame, report); }, report)
                      .Annotate("cannot replay the write-ahead log"));
  for (const auto& logstore : All()) wal_.SkipTo(logstore->applied());
  for (const std::string& problem : report.problems) {
    LOG(kError, "rows were lost from the write-ahead log: {}", problem);
  }
  metrics_.wal_lost_bytes.Add(report.bytes_lost);
  if (report.frames != 0) {
    LOG(kInfo, "replayed {} frames, {}, of the write-ahead log", report.frames,
        FormatByteSizeShort(ByteSize{report.bytes}));
  }
  return OkStatus();
}

void StoreImpl::ReplayFrame(const WalFrame& frame, WalReport& report) {
  const std::shared_ptr<Logstore> logstore = FindById(frame.logstore_id);
  if (logstore == nullptr || frame.sequence <= logstore->applied()) return;
  Result<std::vector<BatchPtr>> batches = codec::DecodeBatchSet(frame.encoded);
  if (!batches.ok()) {
    report.bytes_lost += frame.encoded.size();
    report.problems.push_back(fmt::format("frame {} of {}/{}: {}", frame.sequence, frame.project,
                                          frame.logstore, batches.status().message()));
    return;
  }
  std::vector<HotPartPtr> added;
  logstore->Apply(*std::move(batches), frame.sequence, frame.time, env_.clock().Monotonic(), added);
  if (logstore->hot_bytes() < options_.hot_bytes_max.bytes) return;
  // The log may hold more than fits in memory. A failure is no reason not to open: the rows stay
  // hot, and the flush thread tries again.
  const Status status = FlushLogstore(*logstore);
  if (!status.ok()) LOG_RATE(10s, kError, "{}", status.message());
}

std::shared_ptr<Logstore> StoreImpl::Find(const LogstoreName& name) {
  MutexLock lock(mu_);
  const auto it = logstores_.find(name);
  return it == logstores_.end() ? nullptr : it->second;
}

std::shared_ptr<Logstore> StoreImpl::FindById(uint64_t id) {
  MutexLock lock(mu_);
  for (const auto& [name, logstore] : logstores_) {
    if (logstore->id() == id) return logstore;
  }
  return nullptr;
}

std::vector<std::shared_ptr<Logstore>> StoreImpl::All() {
  MutexLock lock(mu_);
  std::vector<std::shared_ptr<Logstore>> all;
  for (const auto& [name, logstore] : logstores_) all.push_back(logstore);
  return all;
}

Result<std::shared_ptr<Logstore>> StoreImpl::Get(const LogstoreName& name) {
  std::shared_ptr<Logstore> logstore = Find(name);
  if (logstore == nullptr) {
    return NotFoundError("there is no logstore " + name.project + "/" + name.logstore);
  }
  return logstore;
}

Status StoreImpl::WriteManifest(const Logstore& logstore, const Manifest& manifest) {
  return WriteFileAtomically(env_.files(), JoinPath(logstore.dir(), kManifestName),
                             EncodeManifest(manifest));
}

Status StoreImpl::CommitManifest(Logstore& logstore, Manifest next,
                                 const std::vector<std::shared_ptr<const Segment>>& added) {
  const Status status = WriteManifest(logstore, next);
  if (status.ok()) {
    logstore.manifest() = std::move(next);
    return status;
  }
  for (const auto& segment : added) logstore.uncertain().push_back(segment->path());
  // The numbers of these files are not given away again.
  logstore.manifest().next_segment = std::max(logstore.manifest().next_segment, next.next_segment);
  return status;
}

Status StoreImpl::Settle(Logstore& logstore) {
  if (logstore.uncertain().empty()) return OkStatus();
  RETURN_IF_ERROR(WriteManifest(logstore, logstore.manifest()));
  for (const std::string& path : logstore.uncertain()) env_.files().Remove(path).IgnoreError();
  logstore.uncertain().clear();
  return OkStatus();
}

Status StoreImpl::PutLogstore(const LogstoreName& name, const LogstoreSettings& settings) {
  RETURN_IF_ERROR(CheckNames(name));
  MutexLock settings_lock(settings_mu_);
  if (const auto logstore = Find(name)) {
    MutexLock lock(logstore->files_mu);
    Manifest next = logstore->manifest();
    next.settings = settings;
    RETURN_IF_ERROR(WriteManifest(*logstore, next));
    logstore->manifest() = std::move(next);
    return OkStatus();
  }
  Manifest manifest;
  while (manifest.logstore_id == 0) manifest.logstore_id = env_.random().Next();
  manifest.settings = settings;
  auto logstore = std::make_shared<Logstore>(name, LogstoreDir(options_.dir, name), manifest);
  // What a drop that was cut short left behind.
  RETURN_IF_ERROR(env_.files().RemoveTree(logstore->dir()));
  RETURN_IF_ERROR(MakeDirsDurably(env_.files(), logstore->dir()));
  RETURN_IF_ERROR(WriteManifest(*logstore, manifest));
  // Also when an earlier attempt made the folders and failed to sync.
  RETURN_IF_ERROR(env_.files().SyncDir(DirName(logstore->dir())));
  RETURN_IF_ERROR(env_.files().SyncDir(options_.dir));
  MutexLock lock(mu_);
  logstores_[name] = std::move(logstore);
  return OkStatus();
}

Status StoreImpl::DropLogstore(const LogstoreName& name) {
  RETURN_IF_ERROR(CheckNames(name));
  MutexLock settings_lock(settings_mu_);
  ASSIGN_OR_RETURN(const std::shared_ptr<Logstore> logstore, Get(name));
  MutexLock files_lock(logstore->files_mu);
  // From here on the folder does not count, even if removing it is cut short.
  RETURN_IF_ERROR(env_.files().Rename(JoinPath(logstore->dir(), kManifestName),
                                      JoinPath(logstore->dir(), kDroppedName)));
  RETURN_IF_ERROR(env_.files().SyncDir(logstore->dir()));
  logstore->set_dropped();
  {
    MutexLock lock(mu_);
    logstores_.erase(name);
  }
  return env_.files().RemoveTree(logstore->dir());
}

Result<std::shared_ptr<const Snapshot>> StoreImpl::Read(const LogstoreName& name) {
  ASSIGN_OR_RETURN(const std::shared_ptr<Logstore> logstore, Get(name));
  return logstore->Read();
}

Result<LogstoreStats> StoreImpl::Stats(const LogstoreName& name) {
  ASSIGN_OR_RETURN(const std::shared_ptr<Logstore> logstore, Get(name));
  return logstore->Stats();
}

Result<std::shared_ptr<void>> StoreImpl::Subscribe(const LogstoreName& name,
                                                   std::function<void(const Batch&)> on_rows) {
  ASSIGN_OR_RETURN(const std::shared_ptr<Logstore> logstore, Get(name));
  return logstore->Subscribe(std::move(on_rows));
}

}  // namespace kelp::store
