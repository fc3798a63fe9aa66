// What sources tell, files that need a closer look, and the end of incarnations.
#include <algorithm>

#include "base/log.h"
#include "tail/follow.h"

namespace kelp::tail {
namespace {

// A file that fails so often must not hold up those that come after it.
constexpr uint32_t kErrorsMax = 5;
// Of files that are written anew every second, so many are remembered.
constexpr size_t kGoneMax = 1024;
// How often files are looked at that were displaced or may be gone.
constexpr Duration kCloseLookInterval = 500ms;

}  // namespace

Incarnation* Follow::Find(const OriginId& origin) {
  const auto it = files_.find(origin);
  return it == files_.end() ? nullptr : it->second.get();
}

void Follow::Touch(Incarnation& file) {
  if (file.ended || file.waiting || file.searching()) return;
  if (file.open) {
    context_.open_files.splice(context_.open_files.end(), context_.open_files, file.listed_at);
  } else if (!Unpark(file)) {
    LookClosely(file);
    return;
  }
  host_.Ready(file.id);
}

void Follow::OnModified(NamedPath& path) {
  if (path.current != nullptr && !path.current->ended) {
    OnModified(*path.current);
  } else {
    OnPathChanged(std::string(path.path()));
  }
}

void Follow::OnModified(Incarnation& file) {
  if (file.ended || file.searching()) return;
  // While nobody reads it (its output is down, an older file comes first), a file may be emptied
  // and filled more than once; each time its copy must be found while it is there.
  if (const std::shared_ptr<File> open = file.source->file(); open != nullptr) {
    const Result<FileInfo> info = open->Stat();
    if (info.ok() && !SeeSize(file, *info)) return;
  }
  Touch(file);
}

// Its source reads no further before more of its beginning is stored.
void Follow::SeeMore(Incarnation& file) {
  const std::shared_ptr<File> open = file.source->file();
  const Result<bool> same = open == nullptr ? Result<bool>(true) : file.source->SeeHead(*open);
  // What was read of it may still be there; the limit would never be raised.
  if (same.ok() && !*same) return ContentReplaced(file);
  StoreBeginning(file);
  if (open == nullptr || !same.ok()) LookClosely(file);
  if (file.source->SawMore() || open == nullptr) return;
  // Nothing but NULs, or no more of the beginning before them.
  if (!file.displaced && !ValueOr(file.source->TextBehindHead(*open), false)) return;
  file.source->ReadUnstored();
  Touch(file);
}

void Follow::Displace(Incarnation& file) {
  file.displaced = true;
  file.drained = false;
  file.quiet_since = context_.Now();
  file.source->WatchEnd();
  // Whoever deletes it destroys what was seen of it.
  if (file.source->SawUnstored()) context_.moved[file.origin()] = file.source;
  LookClosely(file);
  Touch(file);
}

void Follow::Drained(Incarnation& file) {
  file.drained = true;
  for (const OriginId& origin : std::exchange(file.successors, {})) {
    Incarnation* next = Find(origin);
    if (next == nullptr) continue;
    next->predecessor = {};
    // Its beginning may have been seen since it was stored.
    context_.moved[origin] = next->source;
    fresh_.push_back(origin);
    context_.fresh.insert(this);
  }
  const auto it = paths_.find(file.path());
  if (it != paths_.end() && it->second.gone_at != Duration(0)) PathGone(it->second);
}

void Follow::OnNews(Incarnation& file, uint32_t bits) {
  if ((bits & SourceNews::kAcked) != 0) context_.moved[file.source->origin()] = file.source;
  if ((bits & SourceNews::kAcked) != 0 && file.source->acked() != 0) HeirDelivered(file.origin());
  UpdateLag(file);
  if (const uint64_t cut_off = file.source->TakeCutOff(); cut_off > 0) {
    Bump(options_.metrics.truncated_files);
    ReportLost(file, "truncated", cut_off, "the file was cut behind what was read");
    context_.moved[file.origin()] = file.source;  // what is stored of it may tell of more
  }
  if ((bits & SourceNews::kClosed) != 0) Touch(file);
  if ((bits & SourceNews::kHalf) != 0) LookClosely(file);
  if ((bits & SourceNews::kUnstored) != 0) SeeMore(file);
  if ((bits & SourceNews::kAtEnd) != 0) context_.moved[file.origin()] = file.source;
  if ((bits & SourceNews::kAtEnd) != 0 && file.displaced && !file.drained) {
    ReportMissing(file);
    Drained(file);
  }
  // Unless its copy was found before this was heard.
  const bool replaced = (bits & SourceNews::kReplaced) != 0 && file.source->file() == nullptr;
  if (replaced && !file.ended) ContentReplaced(file);
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
  attention_.erase(&file);
  std::erase(searching_, &file);
  if (options_.metrics.followed_files != nullptr) options_.metrics.followed_files->Add(-1);
  UpdateLag(file);
  if (file.deleted) Bump(options_.metrics.vanished_files);
  if (std::exchange(file.held, false)) {
    std::erase_if(context_.held, [&](const HeldFile& held) { return held.file == &file; });
  }
  const std::vector<NamedPath*> names = file.names;
  Drained(file);
  std::vector<std::string> again;
  for (NamedPath* name : names) {
    name->current = nullptr;
    again.push_back(name->path());
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
  const bool gone = file.search != nullptr && file.search->gone;
  if (gone && !LeaveAtShortCopy(*file.search, checkpoint)) {
    // Its file is another's now. What it held is remembered: rotation may have compressed it, and
    // that is not to be read again.
    checkpoint.identity.key = {};
    checkpoint.identity.born = kNoTime;
    checkpoint.vanished = context_.env.clock().Now();
    KeepFewGone(origin);
  } else if (file.deleted) {
    checkpoint.vanished = context_.env.clock().Now();
  }
  if (checkpoint.vanished != kNoTime) context_.vanished.emplace(checkpoint.vanished, origin);
  // Without a birth the inode of a file that is gone says nothing any more.
  const bool by_key = checkpoint.vanished == kNoTime || checkpoint.identity.born != kNoTime;
  Know(checkpoint, by_key);
  context_.put[origin] = std::move(checkpoint);
  HeirDelivered(origin);
  files_.erase(origin);
}

void Follow::KeepFewGone(const OriginId& origin) {
  gone_.push_back(origin);
  if (gone_.size() <= kGoneMax) return;
  const OriginId oldest = gone_.front();
  gone_.pop_front();
  if (context_.active.count(oldest) != 0) return;  // its rest was found in a compressed file
  Unknow(oldest);
  context_.put.erase(oldest);
  context_.remove.insert(oldest);
}

void Follow::LookClosely(Incarnation& file) {
  if (file.ended) return;
  attention_.insert(&file);
  WakeAt(looked_at_ + kCloseLookInterval);
}

void Follow::WakeAt(Duration when) {
  if (when >= due_) return;
  context_.due.erase({due_, this});
  due_ = when;
  context_.due.emplace(due_, this);
}

Duration Follow::NextDue() const {
  Duration next = kNever;
  if (!attention_.empty()) next = std::min(next, looked_at_ + kCloseLookInterval);
  if (!retries_.empty()) next = std::min(next, retries_.begin()->first);
  for (const auto& [at, when] : look_again_) next = std::min(next, when);
  if (unwatched_ > 0) next = std::min(next, scanned_at_ + options_.scan_interval);
  return next;
}

bool Follow::CloseLook(Incarnation& file, Duration now) {
  if (file.searching()) return GoOnSearching(file, now);
  if (file.held && file.source->file() == nullptr) return false;
  if (file.search != nullptr && file.search->over && file.key == FileKey()) return false;
  const std::shared_ptr<File> open = file.source->file();
  if (open == nullptr) return CloseLookAtName(file, now);
  const Result<FileInfo> info = open->Stat();
  if (!info.ok()) return true;
  FileSource& source = *file.source;
  file.deleted = info->links == 0;
  const bool half_only = source.has_half() && info->size == source.size();
  if (!SeeSize(file, *info)) return true;
  UpdateLag(file);
  if (info->size != file.quiet_size) {
    file.quiet_size = info->size;
    file.quiet_since = now;
  }
  const TailOptions& options = context_.options;
  const Duration quiet = now - file.quiet_since;
  if (file.deleted || (file.names.empty() && file.location.empty())) NoteHeld(file, now);
  if (file.waiting) return true;
  if (info->size != source.position() && !half_only) Touch(file);
  if (SettleHalf(file, info->size, quiet)) return true;
  if (LoseBroken(file, *info, quiet, source.errors_in_a_row() >= kErrorsMax)) return false;
  if (!file.drained && file.displaced && source.errors_in_a_row() >= kErrorsMax) {
    LOG_RATE(10s, kError, "{} cannot be read to its end; the files that came after it go first",
             file.path());
    Drained(file);
  }
  if (!file.drained || source.has_half()) return file.displaced || source.has_half();
  const bool hidden = file.names.empty() && file.location.empty();
  const bool linger_over =
      quiet >= (file.deleted ? options.deleted_linger : options.rotated_linger);
  if (!file.deleted && !hidden) return false;
  if (linger_over && source.position() == info->size && !source.handing_over()) {
    source.RequestFinish();
    Touch(file);
  }
  return true;
}

bool Follow::CloseLookAtName(Incarnation& file, Duration now) {
  const std::string path = file.names.empty() ? file.location : file.names.front()->path();
  if (!path.empty()) {
    const Result<FileInfo> info = context_.env.files().Stat(path);
    if (info.ok() && file.Is(*info)) {
      file.quiet_since = now;
      if (!file.waiting && info->size != file.source->position() && Unpark(file)) Touch(file);
      return false;
    }
  }
  if (now - file.quiet_since >= context_.options.deleted_linger) NameVanished(file);
  return true;
}

void Follow::OnTimer(Duration now) {
  due_ = kNever;
  std::vector<std::string> again;
  for (const auto& [when, path] : retries_) {
    if (when > now) break;
    again.push_back(path);
  }
  for (const std::string& path : again) {
    const auto it = paths_.find(path);
    if (it == paths_.end()) continue;
    ClearRetry(it->second);
    if (it->second.current == nullptr) OnPathChanged(path);
  }
  LookAgainAtOthers(now);
  if (now - looked_at_ >= kCloseLookInterval) {
    looked_at_ = now;
    std::vector<Incarnation*> files(attention_.begin(), attention_.end());
    // Not in the order of addresses: a simulated run must be the same every time.
    std::sort(files.begin(), files.end(),
              [](const Incarnation* a, const Incarnation* b) { return a->id < b->id; });
    std::set<std::string> dirs;
    for (Incarnation* file : files) {
      // What is done to one may end another.
      if (attention_.count(file) == 0) continue;
      if (!CloseLook(*file, now)) attention_.erase(file);
      if (attention_.count(file) != 0 && file->deleted) dirs.insert(DirName(file->path()));
    }
    for (const std::string& dir : dirs) CheckDir(dir);
  }
  if (unwatched_ > 0 && now - scanned_at_ >= options_.scan_interval) Rescan();
  WakeAt(NextDue());
}

void Follow::LookAgainAtOthers(Duration now) {
  std::vector<std::string> again;
  for (const auto& [at, when] : look_again_) {
    if (when <= now) again.push_back(at);
  }
  for (const std::string& at : again) {
    look_again_.erase(at);
    const auto named = paths_.find(at);
    const bool passed = named != paths_.end() && named->second.passed();
    if (!passed && dirs_.count(DirName(at)) != 0) {
      Examine(DirName(at), BaseName(at));
    } else {
      LookAtOther(at);  // a compressed file that matches, or where a link leads
    }
  }
}

void Follow::UpdateLag(Incarnation& file) {
  const uint64_t size = file.source->text_size();
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
      std::erase_if(context_.held,
                    [of = file.get()](const HeldFile& held) { return held.file == of; });
      UpdateLag(*file);
      if (options_.metrics.followed_files != nullptr) options_.metrics.followed_files->Add(-1);
      host_.Remove(file->id);
    }
    sources.push_back(file->source);
  }
  for (auto& [name, path] : paths_) DropRoutes(path);
  for (auto& [name, dir] : dirs_) {
    SetWatch(dir, false);
    DropRoutes(dir);
  }
  paths_.clear();
  dirs_.clear();
  live_.clear();
  attention_.clear();
  searching_.clear();
  files_.clear();
  return sources;
}

}  // namespace kelp::tail
