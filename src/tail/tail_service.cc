#include "tail/tail_service.h"

#include <algorithm>

#include "base/log.h"
#include "tail/tail_service_impl.h"

namespace kelp::tail {
namespace {

// Slept at least this long, and only while something is due, or waits for a descriptor.
constexpr Duration kShortTick = 20ms;

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

TailService::Impl::Impl(Env& env, MetricRegistry& metrics, std::unique_ptr<CheckpointStore> store,
                        const TailOptions& options)
    : env_(env),
      options_(options),
      store_(std::move(store)),
      watches_(&metrics.AddGauge("tail_watched_directories", "Directories that are watched.")),
      store_errors_(
          metrics.AddCounter("tail_checkpoint_errors_total", "Writes of checkpoints that failed.")),
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

TailService::Impl::~Impl() {
  StopThread();
  {
    MutexLock lock(mu_);
    context_.news->Disconnect();
    CHECK(follows_.empty(), "follows are removed before the TailService ends");
    HandleNews();
  }
  WriteCheckpoints().IgnoreError();  // it was said, and there is nobody left to try again
}

FollowId TailService::Impl::Add(FollowOptions options, pipeline::InputHost& host) {
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

void TailService::Impl::Remove(FollowId id) {
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

Status TailService::Impl::StoreCheckpoints() {
  {
    MutexLock lock(mu_);
    HandleNews();
  }
  return WriteCheckpoints();
}

void TailService::Impl::StartThread() {
  CHECK(!thread_.joinable(), "the thread runs already");
  stop_ = false;
  thread_ = std::thread([this] { Run(); });
}

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
