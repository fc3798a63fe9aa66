#include "tail/tail_service.h"

#include <algorithm>
#include <map>
#include <thread>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/sync.h"
#include "tail/follow.h"

namespace kelp::tail {
namespace {

// The longest sleep: timers (retries, closer looks) are looked at at least this often.
constexpr Duration kTick = 500ms;
// As often as that only while something is due, or waits for a descriptor.
constexpr Duration kShortTick = 20ms;
// One round of the safety scan over all names takes at least this long.
constexpr Duration kSafetyRound = 10s;
// Many files at once, as at a start, are stored in groups: the memory is not given back.
constexpr size_t kGroupMax = 1000;
// After a failed write of checkpoints.
constexpr Duration kStoreRetry = 2s;
// What was seen of files that nobody reads is stored as often as this: what a kill then keeps from
// being known as lost is less than that.
constexpr Duration kSeenInterval = 10s;
// What is still not delivered so long after it was seen waits for something.
constexpr Duration kSeenDelay = 500ms;
// How often checkpoints of files that vanished are looked at.
constexpr Duration kSweepInterval = 60s;
// The system's limit on inotify instances may have been raised, or others may have ended theirs.
constexpr Duration kWatcherRetry = 30s;

// Not in StartFollows: of a lambda the thread-safety analysis cannot say which locks are held.
void EraseRemoved(const std::unordered_set<OriginId>& removed,
                  std::vector<Checkpoint>& checkpoints) {
  std::erase_if(checkpoints, [&](const Checkpoint& c) { return removed.contains(c.origin); });
}

}  // namespace

FollowMetrics FollowMetrics::For(const pipeline::ComponentContext& context) {
  FollowMetrics m;
  m.read_bytes = &context.AddCounter("tail_read_bytes_total", "Bytes read from files.");
  m.read_rows = &context.AddCounter("tail_read_rows_total", "Rows read from files.");
  m.cut_lines = &context.AddCounter("tail_cut_lines_total",
                                    "Lines that were cut because they were over line_bytes_max.");
  m.malformed_lines = &context.AddCounter("tail_malformed_lines_total",
                                          "Lines that were not in the format of their file.");
  m.unmatched_lines = &context.AddCounter(
      "tail_unmatched_lines_total", "Lines outside of all records that `unmatched: drop` dropped.");
  m.skipped_nul_bytes = &context.AddCounter(
      "tail_skipped_nul_bytes_total", "NUL bytes at the beginning of lines that were skipped.");
  m.read_errors = &context.AddCounter("tail_read_errors_total", "Reads of files that failed.");
  m.rotated_files = &context.AddCounter("tail_rotated_files_total",
                                        "Times that a path led to another file than before.");
  m.truncated_files = &context.AddCounter("tail_truncated_files_total",
                                          "Times that a file was emptied or written anew.");
  m.vanished_files = &context.AddCounter("tail_vanished_files_total",
                                         "Files that were deleted and read to their end.");
  m.compressed_files = &context.AddCounter(
      "tail_compressed_files_total", "Compressed files that match the patterns and were not read.");
  m.followed_files = &context.AddGauge("tail_followed_files", "Files that are followed.");
  m.lag_bytes =
      &context.AddGauge("tail_lag_bytes", "Bytes of followed files that are not acknowledged yet.");
  return m;
}

class TailService::Impl {
 public:
  Impl(Env& env, MetricRegistry& metrics, std::unique_ptr<CheckpointStore> store,
       const TailOptions& options)
      : env_(env),
        options_(options),
        store_(std::move(store)),
        watches_(&metrics.AddGauge("tail_watched_directories", "Directories that are watched.")),
        store_errors_(metrics.AddCounter("tail_checkpoint_errors_total",
                                         "Writes of checkpoints that failed.")),
        lost_(metrics.AddCounter("tail_lost_checkpoints_total",
                                 "Starts of inputs whose positions may be lost: the database of "
                                 "positions was corrupt or gone.")),
        overflows_(metrics.AddCounter("tail_event_overflows_total",
                                      "Times that the system lost events of directories.")),
        context_{env,
                 options_,
                 watches_,
                 std::make_shared<SourceNews>([this] { Wake(); }),
                 &metrics.AddGauge("tail_open_files", "Files that are held open."),
                 &metrics.AddCounter("tail_scan_errors_total",
                                     "Directories and files that could not be looked at.")} {
    MutexLock lock(mu_);
    const Status status = UseWatcher();
    if (!status.ok()) {
      LOG(kWarning,
          "{}; files are found and followed by scanning instead, which costs more and is "
          "slower",
          status.message());
    }
  }

  ~Impl() {
    StopThread();
    {
      MutexLock lock(mu_);
      context_.news->Disconnect();
      CHECK(follows_.empty(), "follows are removed before the TailService ends");
      HandleNews();
    }
    WriteCheckpoints().IgnoreError();  // it was said, and there is nobody left to try again
  }

  FollowId Add(FollowOptions options, pipeline::InputHost& host) {
    FollowId id;
    {
      MutexLock lock(mu_);
      id = ++last_id_;
      follows_[id] = {std::make_unique<Follow>(context_, std::move(options), host), false};
      unstarted_ = true;
    }
    Wake();
    return id;
  }

  void Remove(FollowId id) {
    {
      MutexLock lock(mu_);
      const auto it = follows_.find(id);
      if (it == follows_.end()) return;
      HandleNews();
      for (auto& source : it->second.follow->Stop()) {
        context_.moved[source->origin()] = source;
        context_.active[source->origin()] = nullptr;
        // What was told before this moment was handled; what comes is told anew.
        if (source->done()) {
          Released(source);
        } else {
          draining_[source->origin()] = std::move(source);
        }
      }
      context_.fresh.erase(it->second.follow.get());
      context_.due.erase({it->second.follow->due(), it->second.follow.get()});
      follows_.erase(it);
    }
    Wake();
  }

  bool Step(Duration timeout);
  Status StoreCheckpoints() {
    {
      MutexLock lock(mu_);
      HandleNews();
    }
    return WriteCheckpoints();
  }
  void StartThread() {
    CHECK(!thread_.joinable(), "the thread runs already");
    stop_ = false;
    thread_ = std::thread([this] { Run(); });
  }
  void StopThread();

 private:
  struct Entry {
    std::unique_ptr<Follow> follow;
    bool started = false;
  };

  void Run();
  void Wake();
  void Pause(Duration d);
  Duration NextTick() EXCLUDES(mu_);
  bool HandleAll(const std::vector<FileWatcher::Event>& events, Duration now) EXCLUDES(mu_);
  bool HasFresh() EXCLUDES(mu_) {
    MutexLock lock(mu_);
    return !context_.fresh.empty();
  }
  void ReleaseFresh() EXCLUDES(mu_);
  void StartFollows(Duration now) REQUIRES(mu_);
  void Dispatch(const FileWatcher::Event& event) REQUIRES(mu_);
  void DispatchName(Watch& watch, const FileWatcher::Event& event) REQUIRES(mu_);
  bool HandleNews() REQUIRES(mu_);
  void Released(const std::shared_ptr<FileSource>& source) REQUIRES(mu_);
  Status UseWatcher() REQUIRES(mu_);
  void RetryWatcher(Duration now) REQUIRES(mu_);
  void SafetyScan(Duration now) REQUIRES(mu_);
  void StoreSeen(Duration now) REQUIRES(mu_);
  void Sweep(Duration now) REQUIRES(mu_);
  Status WriteCheckpoints() EXCLUDES(mu_);
  bool SomethingToWrite() const REQUIRES(mu_) {
    return !context_.put.empty() || !context_.remove.empty() || !context_.moved.empty();
  }

  Env& env_;
  const TailOptions options_;
  const std::unique_ptr<CheckpointStore> store_;

  Mutex mu_;
  WatchMap watches_;  // its watcher's Wait and Wake are used without mu_
  Counter& store_errors_;
  Counter& lost_;
  Counter& overflows_;
  TailContext context_ GUARDED_BY(mu_);
  FollowId last_id_ GUARDED_BY(mu_) = 0;
  bool unstarted_ GUARDED_BY(mu_) = false;
  std::map<FollowId, Entry> follows_ GUARDED_BY(mu_);
  // Sources of removed follows that still have something on its way.
  std::unordered_map<OriginId, std::shared_ptr<FileSource>> draining_ GUARDED_BY(mu_);
  Duration start_retry_at_ GUARDED_BY(mu_){0};
  Duration write_at_{0};                    // 0: nothing is to be written. Of the stepping thread.
  Duration seen_at_ GUARDED_BY(mu_){0};     // not 0: when what was seen is to be stored
  Duration seen_after_ GUARDED_BY(mu_){0};  // and not before
  Duration swept_at_ GUARDED_BY(mu_){0};
  Duration watcher_retry_at_ GUARDED_BY(mu_){0};
  FollowId safety_follow_ GUARDED_BY(mu_) = 0;
  Duration safety_round_at_ GUARDED_BY(mu_){0};
  Duration safety_at_ GUARDED_BY(mu_){0};

  std::thread thread_;
  Mutex wake_mu_;
  CondVar wake_cv_;
  bool woken_ GUARDED_BY(wake_mu_) = false;
  std::atomic<bool> stop_{false};
};

// --- waiting ---

void TailService::Impl::Wake() {
  {
    MutexLock lock(wake_mu_);
    woken_ = true;
    wake_cv_.NotifyAll();
  }
  if (watches_.watcher() != nullptr) watches_.watcher()->Wake();
}

// Sleeps until `d` passed or the thread is to stop.
void TailService::Impl::Pause(Duration d) {
  const Duration until = env_.clock().Monotonic() + d;
  MutexLock lock(wake_mu_);
  while (!stop_) {
    const Duration left = until - env_.clock().Monotonic();
    if (left <= Duration(0)) return;
    wake_cv_.WaitFor(wake_mu_, left);
  }
}

Duration TailService::Impl::NextTick() {
  MutexLock lock(mu_);
  if (!context_.wanting.empty()) return kShortTick;
  if (context_.due.empty()) return kTick;
  return std::clamp(context_.due.begin()->first - context_.Now(), kShortTick, kTick);
}

void TailService::Impl::Run() {
  while (!stop_) {
    // The first sign of life is looked at once; what follows is gathered.
    if (Step(NextTick()) && !stop_) Pause(options_.coalesce);
  }
}

void TailService::Impl::StopThread() {
  if (!thread_.joinable()) return;
  stop_ = true;
  Wake();
  thread_.join();
}

bool TailService::Impl::Step(Duration timeout) {
  std::vector<FileWatcher::Event> events;
  if (watches_.watcher() != nullptr) {
    events = watches_.watcher()->Wait(timeout);
  } else {
    MutexLock lock(wake_mu_);
    if (!woken_ && timeout > Duration(0)) wake_cv_.WaitFor(wake_mu_, timeout);
    woken_ = false;
  }
  const Duration now = env_.clock().Monotonic();
  bool happened = HandleAll(events, now);
  // A file that came before those that were found meanwhile is read before them.
  if (HasFresh() && watches_.watcher() != nullptr) {
    happened |= HandleAll(watches_.watcher()->Wait(Duration(0)), now);
  }
  ReleaseFresh();
  if (write_at_ != Duration(0) && now >= write_at_) {
    const Status status = WriteCheckpoints();
    write_at_ = status.ok() ? Duration(0) : now + kStoreRetry;
  }
  return happened;
}

bool TailService::Impl::HandleAll(const std::vector<FileWatcher::Event>& events, Duration now) {
  MutexLock lock(mu_);
  ++context_.step;
  StartFollows(now);
  if (watches_.watcher() == nullptr) RetryWatcher(now);
  for (const FileWatcher::Event& event : events) Dispatch(event);
  const bool news = HandleNews();
  Follow::ServeWanting(context_);
  while (!context_.due.empty() && context_.due.begin()->first <= now) {
    std::vector<std::pair<Duration, Follow*>> due(context_.due.begin(), context_.due.end());
    // Not in the order of addresses: a simulated run must be the same every time.
    std::sort(due.begin(), due.end(), [](const auto& a, const auto& b) {
      return a.first != b.first ? a.first < b.first : a.second->space() < b.second->space();
    });
    for (const auto& [when, follow] : due) {
      if (when <= now && context_.due.erase({when, follow}) != 0) follow->OnTimer(now);
    }
  }
  if (!context_.held.empty()) Follow::KeepCeilings(context_, now);
  SafetyScan(now);
  StoreSeen(now);
  Sweep(now);
  if (context_.open_files.size() > options_.open_files_max) {
    Follow::ParkSome(context_, context_.open_files.size() - options_.open_files_max);
  }
  watches_.Flush();
  if (SomethingToWrite() && write_at_ == Duration(0)) {
    write_at_ = now + options_.checkpoint_interval;
  }
  return news || !events.empty();
}

// A file is read only after its origin id is on disk. Rows that were sent before a crash would
// otherwise come again under another id, and no server could know them.
void TailService::Impl::ReleaseFresh() {
  if (!HasFresh()) return;
  // When that fails it was said, and reading goes on: lines twice are better than lines lost.
  WriteCheckpoints().IgnoreError();
  MutexLock lock(mu_);
  const std::set<Follow*> fresh = std::exchange(context_.fresh, {});
  std::vector<Follow*> follows(fresh.begin(), fresh.end());
  // Not in the order of addresses: a simulated run must be the same every time.
  std::sort(follows.begin(), follows.end(),
            [](const Follow* a, const Follow* b) { return a->space() < b->space(); });
  for (Follow* follow : follows) follow->ReleaseFresh();
}

// --- follows ---

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

void TailService::Impl::Dispatch(const FileWatcher::Event& event) {
  if (event.overflow) {
    overflows_.Add();
    LOG_RATE(60s, kWarning,
             "the system lost events of directories; looking at everything again "
             "(raise fs.inotify.max_queued_events if this is frequent)");
    for (auto& [id, entry] : follows_) {
      if (entry.started) entry.follow->Rescan();
    }
    return;
  }
  Watch* watch = watches_.Find(event.watch);
  if (watch == nullptr) return;
  if (!event.name.empty()) {
    DispatchName(*watch, event);
    return;
  }
  if (!event.gone) return;
  std::vector<std::pair<Follow*, std::string>> dirs;
  for (const FollowedDir* dir : watch->dirs) dirs.emplace_back(dir->follow, *dir->path);
  std::vector<std::pair<Follow*, std::string>> paths;
  for (const auto& [name, targets] : watch->names) {
    for (const NamedPath* path : targets.paths) paths.emplace_back(path->follow, path->path());
  }
  for (const auto& [name, dir] : watch->links) dirs.emplace_back(dir->follow, *dir->path);
  // After a move the watch would go on at the directory's new place.
  watches_.Lost(watch);
  for (const auto& [follow, dir] : dirs) follow->OnDirGone(dir);
  for (const auto& [follow, path] : paths) follow->OnPathChanged(path);
}

void TailService::Impl::DispatchName(Watch& watch, const FileWatcher::Event& event) {
  const auto it = watch.names.find(event.name);
  if (!event.created && !event.gone) {
    if (it == watch.names.end()) return;
    // Copies: a handler may change the lists. What it removed is skipped.
    const NameTargets targets = it->second;
    for (NamedPath* path : targets.paths) {
      const auto at = watch.names.find(event.name);
      if (at == watch.names.end()) return;
      const auto& now = at->second.paths;
      if (std::find(now.begin(), now.end(), path) != now.end()) path->follow->OnModified(*path);
    }
    for (Incarnation* file : targets.incarnations) file->follow->OnModified(*file);
    return;
  }
  std::vector<std::pair<Follow*, std::string>> paths;
  std::vector<std::pair<Follow*, std::string>> linked;
  for (const auto& [name, dir] : watch.links) {
    if (name == event.name) linked.emplace_back(dir->follow, *dir->path);
  }
  if (it != watch.names.end()) {
    for (const NamedPath* path : it->second.paths) paths.emplace_back(path->follow, path->path());
    for (Incarnation* file : it->second.incarnations) {
      file->follow->LookClosely(*file);
      if (event.modified) file->follow->Touch(*file);
    }
  }
  std::vector<std::pair<Follow*, std::string>> dirs;
  for (const FollowedDir* dir : watch.dirs) dirs.emplace_back(dir->follow, *dir->path);
  for (const auto& [follow, dir] : dirs) follow->OnNameChanged(dir, event.name, event.gone);
  for (const auto& [follow, dir] : linked) follow->OnLinkChanged(dir);
  for (const auto& [follow, path] : paths) follow->OnRouteChanged(path);
}

// --- what sources tell ---

bool TailService::Impl::HandleNews() {
  bool urgent = false;
  for (const std::shared_ptr<FileSource>& source : context_.news->Take()) {
    const uint32_t bits = source->TakeBits();
    if (bits == 0) continue;
    urgent |= (bits & ~static_cast<uint32_t>(SourceNews::kAcked)) != 0;
    const auto draining = draining_.find(source->origin());
    if (draining != draining_.end()) {
      context_.moved[source->origin()] = source;
      if ((bits & SourceNews::kDone) != 0) {
        draining_.erase(draining);
        Released(source);
      }
      continue;
    }
    const auto active = context_.active.find(source->origin());
    if (active == context_.active.end() || active->second == nullptr) continue;
    Incarnation* file = active->second->Find(source->origin());
    // After a reload another source goes on with the origin: late news of the old one is not its.
    if (file != nullptr && file->source == source) active->second->OnNews(*file, bits);
  }
  return urgent;
}

// Nothing of a removed follow's source is on its way any more.
void TailService::Impl::Released(const std::shared_ptr<FileSource>& source) {
  const Checkpoint checkpoint = source->Snapshot();
  context_.moved.erase(checkpoint.origin);
  context_.active.erase(checkpoint.origin);
  context_.put[checkpoint.origin] = checkpoint;
  for (auto& [id, entry] : follows_) {
    if (entry.started && entry.follow->space() == checkpoint.space) {
      entry.follow->OnReleased(checkpoint);
    }
  }
}

// --- slow work ---

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

Status TailService::Impl::UseWatcher() {
  ASSIGN_OR_RETURN(std::unique_ptr<FileWatcher> watcher, env_.NewFileWatcher());
  watches_.Use(std::move(watcher));
  return OkStatus();
}

void TailService::Impl::RetryWatcher(Duration now) {
  if (watcher_retry_at_ == Duration(0)) watcher_retry_at_ = now + kWatcherRetry;
  if (now < watcher_retry_at_) return;
  watcher_retry_at_ = now + kWatcherRetry;
  if (!UseWatcher().ok()) return;
  LOG(kInfo, "directories can be watched now; files are no longer followed by scanning");
  for (auto& [id, entry] : follows_) {
    if (entry.started) entry.follow->Rescan();
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
  for (const auto& [origin, source] : moved) add(source->Snapshot());
  for (const auto& [origin, checkpoint] : put) {
    if (moved.count(origin) == 0) add(checkpoint);
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

// --- the outside ---

TailService::TailService(Env& env, MetricRegistry& metrics, std::unique_ptr<CheckpointStore> store,
                         const TailOptions& options)
    : impl_(std::make_unique<Impl>(env, metrics, std::move(store), options)) {}

TailService::~TailService() = default;

Result<std::unique_ptr<TailService>> TailService::Open(Env& env, MetricRegistry& metrics,
                                                       const std::string& data_dir,
                                                       const TailOptions& options) {
  ASSIGN_OR_RETURN(std::unique_ptr<CheckpointStore> store,
                   OpenCheckpointDatabase(env, JoinPath(data_dir, "checkpoints.db")));
  return std::make_unique<TailService>(env, metrics, std::move(store), options);
}

FollowId TailService::Add(FollowOptions options, pipeline::InputHost& host) {
  return impl_->Add(std::move(options), host);
}
void TailService::Remove(FollowId id) { impl_->Remove(id); }
bool TailService::Step(Duration timeout) { return impl_->Step(timeout); }
Status TailService::StoreCheckpoints() { return impl_->StoreCheckpoints(); }
void TailService::StartThread() { impl_->StartThread(); }
void TailService::StopThread() { impl_->StopThread(); }

}  // namespace kelp::tail
