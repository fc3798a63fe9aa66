// Following files: incarnations, the order in which they are read, and their end.
#include <algorithm>

#include "base/log.h"
#include "tail/follow.h"

namespace kelp::tail {
namespace {

// A file that cannot be opened is tried again after this long, or when its rights change.
constexpr Duration kOpenRetry = 10s;
// An origin that another source still holds is soon free.
constexpr Duration kOriginRetry = 100ms;
// A file that fails so often must not hold up those that come after it.
constexpr uint32_t kErrorsMax = 5;
// How often files are looked at that were displaced or may be gone.
constexpr Duration kCloseLookInterval = 500ms;
// Leaves room for origins that are found later and belong in between.
constexpr uint64_t kOrdinalStep = 2;
// A path without a file is remembered this long.
constexpr Duration kGonePathKept = 600s;
// So many descriptors are looked at to find one that can be closed.
constexpr int kParkTries = 32;

bool SameFile(const Incarnation& file, const FileInfo& info) {
  return FileIdentity{file.key, file.born, {}}.SameInode(info);
}

void Bump(Counter* counter) {
  if (counter != nullptr) counter->Add();
}

}  // namespace

// --- what names lead to ---

void Follow::SetPath(const std::string& path, const FileInfo& info, bool is_link) {
  if (collecting_) {
    found_.push_back({path, info, is_link});
    return;
  }
  Update(PathNamed(path), info, is_link);
}

NamedPath& Follow::PathNamed(const std::string& path) {
  NamedPath& named = paths_[path];
  named.follow = this;
  named.path = path;
  return named;
}

void Follow::Update(NamedPath& path, const FileInfo& info, bool is_link) {
  Incarnation* current = path.current;
  if (current != nullptr && !current->ended && SameFile(*current, info)) {
    const FileSource& source = *current->source;
    const bool half_only = source.has_half() && info.size == source.size();
    if (info.size != source.position() && !half_only) {
      current->source->set_size(info.size);
      Touch(*current);
    }
    UpdateLag(*current);
    return;
  }
  if (current != nullptr) {
    if (!current->ended) Bump(options_.metrics.rotated_files);
    LetGo(path);
  }
  if (path.routes.empty() || is_link || path.is_link) {
    path.is_link = is_link;
    DropRoutes(path);
    AddRoutes(path);
  }
  retries_.erase(path.path);
  path.retry_at = path.gone_at = Duration(0);
  const auto it = live_.find(FileKey::Of(info));
  if (it != live_.end() && SameFile(*it->second, info)) {
    Name(path, *it->second);
    return;
  }
  Incarnation* file = Open(path);
  if (file == nullptr) return;
  file->names.push_back(&path);
  path.current = file;
  WaitFor(*file, Find(path.last));
  SetLast(path, *file);
}

// A file that is followed already got this name, too.
void Follow::Name(NamedPath& path, Incarnation& file) {
  file.names.push_back(&path);
  path.current = &file;
  // The name came back to the file it had left last: nothing was displaced after all.
  if (path.last == file.source->origin() && file.successors.empty()) {
    file.displaced = file.drained = false;
  }
  SetLast(path, file);
  Touch(file);
}

void Follow::SetLast(NamedPath& path, const Incarnation& file) {
  if (path.last == file.source->origin()) return;
  path.last = file.source->origin();
  path.before_born = std::exchange(path.last_born, file.born);
}

void Follow::PathGone(NamedPath& path) {
  if (path.current != nullptr) LetGo(path);
  retries_.erase(path.path);
  path.retry_at = Duration(0);
  const Duration now = context_.Now();
  if (path.gone_at == Duration(0)) path.gone_at = now;
  // Remembered for a while: a new file of this name waits for the last one, and one that is
  // rotated at once is recognised by its new name.
  const bool dir_gone = dirs_.count(DirName(path.path)) == 0;
  const Incarnation* last = Find(path.last);
  if ((last == nullptr || last->drained) && (dir_gone || now - path.gone_at > kGonePathKept)) {
    ErasePath(path);
  }
}

void Follow::ErasePath(NamedPath& path) {
  DropRoutes(path);
  const auto dir = dirs_.find(DirName(path.path));
  if (dir != dirs_.end()) dir->second.children.erase(BaseName(path.path));
  paths_.erase(std::string(path.path));
}

void Follow::LetGo(NamedPath& path) {
  Incarnation* file = std::exchange(path.current, nullptr);
  std::erase(file->names, &path);
  if (!file->ended) Displace(*file);
}

void Follow::AddRoutes(NamedPath& path) {
  bool unwatched = false;
  for (const std::string& at : LinkChain(path.path)) {
    Watch* watch = context_.watches.Acquire(DirName(at));
    unwatched |= watch == nullptr;
    if (watch == nullptr) continue;
    watch->names[BaseName(at)].paths.push_back(&path);
    path.routes.emplace_back(watch, BaseName(at));
  }
  SetScanned(path.scanned, unwatched);
}

void Follow::DropRoutes(NamedPath& path) {
  for (const auto& [watch, name] : path.routes) {
    const auto it = watch->names.find(name);
    if (it != watch->names.end()) {
      std::erase(it->second.paths, &path);
      if (it->second.empty()) watch->names.erase(it);
    }
    context_.watches.Release(watch);
  }
  path.routes.clear();
  SetScanned(path.scanned, false);
}

void Follow::SetLocation(Incarnation& file, const std::string& path) {
  if (file.location == path) return;
  ClearLocation(file);
  file.location = path;
  file.location_watch = context_.watches.Acquire(DirName(path));
  if (file.location_watch != nullptr) {
    file.location_watch->names[BaseName(path)].incarnations.push_back(&file);
  }
}

void Follow::ClearLocation(Incarnation& file) {
  if (Watch* watch = std::exchange(file.location_watch, nullptr); watch != nullptr) {
    const auto it = watch->names.find(BaseName(file.location));
    if (it != watch->names.end()) {
      std::erase(it->second.incarnations, &file);
      if (it->second.empty()) watch->names.erase(it);
    }
    context_.watches.Release(watch);
  }
  file.location.clear();
}

// --- beginning ---

Result<std::shared_ptr<File>> Follow::OpenFile(const std::string& path) {
  Result<std::unique_ptr<File>> file = context_.env.files().OpenForRead(path);
  if (!file.ok() && file.status().code() == Code::kResourceExhausted &&
      ParkSome(context_, /*count=*/kParkTries) > 0) {
    file = context_.env.files().OpenForRead(path);
  }
  if (!file.ok()) return file.status();
  return std::shared_ptr<File>(std::move(file).value());
}

void Follow::RetryLater(NamedPath& path, Duration pause) {
  path.retry_at = context_.Now() + pause;
  retries_.insert(path.path);
}

Incarnation* Follow::Open(NamedPath& path) {
  Result<std::shared_ptr<File>> file = OpenFile(path.path);
  Result<FileInfo> info = file.ok() ? (*file)->Stat() : Result<FileInfo>(file.status());
  Result<std::string> head = info.ok() ? ReadHead(**file) : Result<std::string>(info.status());
  if (!head.ok()) {
    // Gone again: events and scans tell when there is a new one.
    const bool gone = head.status().code() == Code::kNotFound;
    if (!gone) ReportScanError(head.status());
    RetryLater(path, gone ? kOriginRetry : kOpenRetry);
    return nullptr;
  }
  // Between looking and opening the name may have come to mean something else.
  if (info->type != FileType::kRegular || live_.count(FileKey::Of(*info)) != 0) {
    RetryLater(path, kOriginRetry);
    return nullptr;
  }
  const Checkpoint* known = FindKnown(*info, *head);
  if (known != nullptr && context_.active.count(known->origin) != 0) {
    RetryLater(path, kOriginRetry);
    return nullptr;
  }
  if (known != nullptr && info->size < known->resume) {
    LOG_RATE(10s, kWarning,
             "{} was truncated while it was not read: it has {} bytes, and {} had been read; it is "
             "read from its beginning",
             path.path, info->size, known->resume);
    Bump(options_.metrics.truncated_files);
    context_.remove.insert(known->origin);
    Unknow(OriginId(known->origin));
    known = nullptr;
  }
  Checkpoint start;
  if (known != nullptr) {
    start = *known;
    Unknow(start.origin);
    start.vanished = kNoTime;
    if (!(options_.include.Matches(start.path) && Wanted(start.path))) start.path = path.path;
  } else {
    start = FirstPosition(path.path, *info, *head, **file);
  }
  return Begin(std::move(start), *info, std::move(file).value());
}

const Checkpoint* Follow::FindKnown(const FileInfo& info, std::string_view head) const {
  const Checkpoint* best = nullptr;
  const auto [from, to] = known_by_key_.equal_range(FileKey::Of(info));
  for (auto it = from; it != to; ++it) {
    const Checkpoint& checkpoint = known_.at(it->second);
    // A file that shrank below its fingerprint is still the same inode, truncated.
    const bool same = checkpoint.identity.SameInode(info) &&
                      (checkpoint.identity.print.Matches(head) ||
                       (checkpoint.identity.born != kNoTime && info.size < checkpoint.resume));
    if (same && (best == nullptr || checkpoint.ordinal > best->ordinal)) best = &checkpoint;
  }
  return best;
}

Checkpoint Follow::FirstPosition(const std::string& path, const FileInfo& info,
                                 std::string_view head, File& file) {
  Checkpoint start;
  start.origin = OriginId::Make(context_.env.random());
  start.space = space();
  start.path = path;
  start.identity = {FileKey::Of(info), info.born, Fingerprint::Of(head)};
  start.ordinal = context_.last_ordinal += kOrdinalStep;
  if (starting_ && lost_) {
    if (options_.on_lost_checkpoints == OnLostCheckpoints::kEnd) start.resume = info.size;
  } else if (starting_ && first_start_) {
    const StartAt& at = options_.start_at;
    if (at.kind == StartAt::Kind::kEnd) start.resume = info.size;
    if (at.kind == StartAt::Kind::kLast) {
      start.resume = info.size - std::min<uint64_t>(info.size, at.last.bytes);
    }
  }
  if (start.resume > 0) {
    char before = 0;
    const Result<size_t> n = file.ReadAt(start.resume - 1, &before, 1);
    const bool at_line = n.ok() && *n == 1 && before == '\n';
    start.line = at_line ? framing::LinePlace::kStart : framing::LinePlace::kInSkipped;
  }
  start.emitted = start.resume;
  return start;
}

Incarnation* Follow::Begin(Checkpoint start, const FileInfo& info, std::shared_ptr<File> open) {
  const OriginId origin = start.origin;
  auto owned = std::make_unique<Incarnation>();
  Incarnation& file = *owned;
  file.follow = this;
  file.key = FileKey::Of(info);
  file.born = info.born;
  file.path = start.path;
  file.quiet_since = context_.Now();
  FileSource::Options options;
  options.resource = options_.resource(start.path);
  options.start = std::move(start);
  options.decoder = options_.decoder(options_.line_bytes_max);
  const FollowMetrics& m = options_.metrics;
  options.metrics = {m.read_bytes, m.read_rows, m.cut_lines, m.malformed_lines, m.read_errors};
  options.clock = &context_.env.clock();
  options.news = context_.news;
  file.source = std::make_shared<FileSource>(std::move(options));
  file.source->set_size(info.size);
  file.source->Attach(std::move(open));
  files_[origin] = std::move(owned);
  live_[file.key] = &file;
  context_.active.insert(origin);
  context_.moved[origin] = file.source;
  NoteOpen(file);
  if (m.followed_files != nullptr) m.followed_files->Add(1);
  UpdateLag(file);
  file.id = host_.Add(file.source);
  return &file;
}

void Follow::WaitFor(Incarnation& file, Incarnation* older) {
  file.waiting = true;
  if (older != nullptr && older != &file && !older->drained && !older->ended) {
    file.predecessor = older->source->origin();
    older->successors.push_back(file.source->origin());
  } else {
    // At the end of the step: until then an older one may turn up.
    file.predecessor = {};
    fresh_.push_back(file.source->origin());
  }
}

void Follow::ReleaseFresh() {
  for (const OriginId& origin : std::exchange(fresh_, {})) {
    Incarnation* file = Find(origin);
    if (file != nullptr && file->waiting && file->predecessor.empty()) LetRead(*file);
  }
}

void Follow::LetRead(Incarnation& file) {
  file.waiting = false;
  file.source->Release();
  Touch(file);
}

// --- reading and ending ---

Incarnation* Follow::Find(const OriginId& origin) {
  const auto it = files_.find(origin);
  return it == files_.end() ? nullptr : it->second.get();
}

void Follow::Touch(Incarnation& file) {
  if (file.ended || file.waiting) return;
  if (file.open) {
    context_.open_files.splice(context_.open_files.end(), context_.open_files, file.open_at);
  } else if (!Unpark(file)) {
    LookClosely(file);
    return;
  }
  host_.Ready(file.id);
}

void Follow::OnModified(NamedPath& path) {
  if (path.current != nullptr && !path.current->ended) {
    Touch(*path.current);
  } else {
    OnPathChanged(std::string(path.path));
  }
}

void Follow::Displace(Incarnation& file) {
  file.displaced = true;
  file.drained = false;
  file.quiet_since = context_.Now();
  file.source->WatchEnd();
  LookClosely(file);
  Touch(file);
}

void Follow::Drained(Incarnation& file) {
  file.drained = true;
  for (const OriginId& origin : std::exchange(file.successors, {})) {
    Incarnation* next = Find(origin);
    if (next == nullptr) continue;
    next->predecessor = {};
    fresh_.push_back(origin);
  }
  const auto it = paths_.find(file.path);
  if (it != paths_.end() && it->second.gone_at != Duration(0)) PathGone(it->second);
}

void Follow::OnNews(Incarnation& file, uint32_t bits) {
  if ((bits & SourceNews::kAcked) != 0) context_.moved[file.source->origin()] = file.source;
  UpdateLag(file);
  if ((bits & SourceNews::kClosed) != 0) Touch(file);
  if ((bits & SourceNews::kAtEnd) != 0 && file.displaced && !file.drained) Drained(file);
  if ((bits & SourceNews::kTruncated) != 0) {
    file.truncated = true;
    Bump(options_.metrics.truncated_files);
    LOG_RATE(10s, kWarning,
             "{} was truncated: it has {} bytes, and {} had been read; it is read from its "
             "beginning",
             file.path, file.source->size(), file.source->position());
  }
  if ((bits & SourceNews::kFinished) != 0) Ended(file);
  if ((bits & SourceNews::kDone) != 0) DoneWith(file);
}

void Follow::Ended(Incarnation& file) {
  if (file.ended) return;
  file.ended = true;
  const auto live = live_.find(file.key);
  if (live != live_.end() && live->second == &file) live_.erase(live);
  NoteClosed(file);
  file.source->Attach(nullptr);
  ClearLocation(file);
  std::erase(attention_, &file);
  if (options_.metrics.followed_files != nullptr) options_.metrics.followed_files->Add(-1);
  UpdateLag(file);
  if (file.deleted) Bump(options_.metrics.vanished_files);
  const std::vector<NamedPath*> names = file.names;
  Drained(file);
  std::vector<std::string> again;
  for (NamedPath* name : names) {
    name->current = nullptr;
    again.push_back(name->path);
  }
  file.names.clear();
  for (const std::string& path : again) OnPathChanged(path);
}

void Follow::DoneWith(Incarnation& file) {
  Ended(file);
  const OriginId origin = file.source->origin();
  context_.moved.erase(origin);
  context_.active.erase(origin);
  Checkpoint checkpoint = file.source->Snapshot();
  if (file.truncated) {
    context_.put.erase(origin);
    context_.remove.insert(origin);
  } else {
    if (file.deleted) {
      checkpoint.vanished = context_.env.clock().Now();
      context_.vanished.emplace(checkpoint.vanished, origin);
    } else {
      Know(checkpoint);
    }
    context_.put[origin] = std::move(checkpoint);
  }
  files_.erase(origin);
}

void Follow::LookClosely(Incarnation& file) {
  if (file.ended) return;
  if (std::find(attention_.begin(), attention_.end(), &file) != attention_.end()) return;
  attention_.push_back(&file);
}

bool Follow::CloseLook(Incarnation& file, Duration now) {
  const std::shared_ptr<File> open = file.source->file();
  if (open == nullptr) return CloseLookAtName(file, now);
  const Result<FileInfo> info = open->Stat();
  if (!info.ok()) return true;
  FileSource& source = *file.source;
  file.deleted = info->links == 0;
  source.set_size(info->size);
  UpdateLag(file);
  if (info->size != file.quiet_size) {
    file.quiet_size = info->size;
    file.quiet_since = now;
  }
  const TailOptions& options = context_.options;
  const Duration quiet = now - file.quiet_since;
  if (file.waiting) return true;
  if (info->size != source.position()) Touch(file);
  if (source.has_half() && file.displaced && quiet >= options_.half_line_timeout) {
    source.RequestFlush();
    Touch(file);
  }
  if (!file.drained && file.displaced && source.errors_in_a_row() >= kErrorsMax) {
    LOG_RATE(10s, kError, "{} cannot be read to its end; the files that came after it go first",
             file.path);
    Drained(file);
  }
  if (!file.drained || source.has_half()) return file.displaced;
  const bool hidden = file.names.empty() && file.location.empty();
  const bool linger_over =
      quiet >= (file.deleted ? options.deleted_linger : options.rotated_linger);
  if (!file.deleted && !hidden) return false;
  if (linger_over && source.position() == info->size) {
    source.RequestFinish();
    Touch(file);
  }
  return true;
}

bool Follow::CloseLookAtName(Incarnation& file, Duration now) {
  const std::string path = file.names.empty() ? file.location : file.names.front()->path;
  if (!path.empty()) {
    const Result<FileInfo> info = context_.env.files().Stat(path);
    if (info.ok() && SameFile(file, *info)) {
      file.quiet_since = now;
      if (info->size != file.source->position() && Unpark(file)) Touch(file);
      return false;
    }
  }
  if (now - file.quiet_since >= context_.options.deleted_linger) {
    file.deleted = true;
    file.source->Release();
    file.source->RequestFinish();
    host_.Ready(file.id);
  }
  return true;
}

void Follow::OnTimer(Duration now) {
  std::vector<std::string> due;
  for (const std::string& path : retries_) {
    const auto it = paths_.find(path);
    if (it != paths_.end() && it->second.retry_at <= now) due.push_back(path);
  }
  for (const std::string& path : due) {
    const auto it = paths_.find(path);
    if (it != paths_.end() && it->second.current == nullptr) OnPathChanged(path);
  }
  if (now - looked_at_ >= kCloseLookInterval) {
    looked_at_ = now;
    const std::vector<Incarnation*> files = attention_;
    for (Incarnation* file : files) {
      if (!CloseLook(*file, now)) std::erase(attention_, file);
    }
  }
  if (unwatched_ > 0 && now - scanned_at_ >= options_.scan_interval) Rescan();
}

// --- descriptors ---

void Follow::NoteOpen(Incarnation& file) {
  file.open = true;
  file.open_at = context_.open_files.insert(context_.open_files.end(), &file);
  context_.open_files_gauge->Set(static_cast<int64_t>(context_.open_files.size()));
  if (context_.open_files.size() > context_.options.open_files_max) ParkSome(context_, 1);
}

void Follow::NoteClosed(Incarnation& file) {
  if (!file.open) return;
  file.open = false;
  context_.open_files.erase(file.open_at);
  context_.open_files_gauge->Set(static_cast<int64_t>(context_.open_files.size()));
}

size_t Follow::ParkSome(TailContext& context, size_t count) {
  size_t parked = 0;
  auto it = context.open_files.begin();
  for (int tries = 0; tries < kParkTries && parked < count; ++tries) {
    if (it == context.open_files.end()) break;
    Incarnation& file = **it++;
    if (file.follow->Park(file)) ++parked;
  }
  return parked;
}

bool Follow::Park(Incarnation& file) {
  const FileSource& source = *file.source;
  const bool findable = !file.names.empty() || !file.location.empty();
  if (!findable || file.ended || file.waiting || file.deleted || source.has_half() ||
      source.position() != source.size()) {
    return false;
  }
  file.source->Attach(nullptr);
  NoteClosed(file);
  return true;
}

bool Follow::Unpark(Incarnation& file) {
  const std::string path = file.names.empty() ? file.location : file.names.front()->path;
  if (path.empty()) return false;
  Result<std::shared_ptr<File>> open = OpenFile(path);
  if (!open.ok()) {
    if (open.status().code() != Code::kNotFound) ReportScanError(open.status());
    return false;
  }
  const Result<FileInfo> info = (*open)->Stat();
  if (!info.ok() || !SameFile(file, *info)) return false;
  file.source->Attach(std::move(open).value());
  NoteOpen(file);
  return true;
}

void Follow::UpdateLag(Incarnation& file) {
  const uint64_t size = file.source->size();
  const uint64_t acked = file.source->acked();
  const int64_t lag = file.ended || size < acked ? 0 : static_cast<int64_t>(size - acked);
  if (options_.metrics.lag_bytes != nullptr) options_.metrics.lag_bytes->Add(lag - file.lag);
  file.lag = lag;
}

std::vector<std::shared_ptr<FileSource>> Follow::Stop() {
  std::vector<std::shared_ptr<FileSource>> sources;
  for (auto& [origin, file] : files_) {
    if (!file->ended) {
      file->ended = true;
      NoteClosed(*file);
      file->source->Attach(nullptr);
      ClearLocation(*file);
      UpdateLag(*file);
      if (options_.metrics.followed_files != nullptr) options_.metrics.followed_files->Add(-1);
      host_.Remove(file->id);
    }
    sources.push_back(file->source);
  }
  for (auto& [name, path] : paths_) DropRoutes(path);
  for (auto& [name, dir] : dirs_) SetWatch(dir, false);
  paths_.clear();
  dirs_.clear();
  live_.clear();
  attention_.clear();
  files_.clear();
  return sources;
}

}  // namespace kelp::tail
