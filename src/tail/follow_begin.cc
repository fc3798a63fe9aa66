// The beginning of incarnations, and the order in which those of one path are read.
#include <algorithm>

#include "base/log.h"
#include "tail/follow.h"
#include "tail/rotated_name.h"

namespace kelp::tail {
namespace {

// A file that cannot be opened is tried again after this long, or when its rights change.
constexpr Duration kOpenRetry = 10s;
// Without descriptors, so many names are tried again in kOriginRetry: those that are parked are
// used soon, and thousands of names do not mean thousands of calls.
constexpr size_t kDescriptorTries = 64;
// An origin that another source still holds is soon free.
constexpr Duration kOriginRetry = 100ms;

}  // namespace

void Follow::RetryLater(NamedPath& path, Duration pause) {
  ClearRetry(path);
  path.retry_at = context_.Now() + pause;
  retries_.emplace(path.retry_at, path.path());
  WakeAt(path.retry_at);
}

void Follow::ClearRetry(NamedPath& path) {
  if (path.retry_at != Duration(0)) retries_.erase({path.retry_at, path.path()});
  path.retry_at = Duration(0);
}

// What has a name now. Nothing when that is to be looked at again later.
std::optional<Follow::Opened> Follow::OpenNamed(NamedPath& path) {
  Opened opened;
  Result<std::shared_ptr<File>> file = OpenFile(path.path());
  Status status = file.status();
  if (status.ok()) {
    opened.file = std::move(file).value();
    status = LookInside(opened);
  }
  if (!status.ok()) {
    // Gone again: events and scans tell when there is a new one.
    const bool gone = status.code() == Code::kNotFound;
    if (!gone) ReportScanError(status);
    Duration pause = gone ? kOriginRetry : kOpenRetry;
    if (status.code() == Code::kResourceExhausted) {
      const auto turns = static_cast<int64_t>(1 + retries_.size() / kDescriptorTries);
      pause = std::min<Duration>(kOpenRetry, turns * kOriginRetry);
    }
    RetryLater(path, pause);
    return std::nullopt;
  }
  // Between looking and opening the name may have come to mean something else.
  if (opened.info.type != FileType::kRegular || live_.count(FileKey::Of(opened.info)) != 0) {
    RetryLater(path, kOriginRetry);
    return std::nullopt;
  }
  return opened;
}

Status Follow::LookInside(Opened& opened) {
  ASSIGN_OR_RETURN(opened.info, opened.file->Stat());
  ASSIGN_OR_RETURN(opened.head, ReadHead(*opened.file));
  return OkStatus();
}

Incarnation* Follow::Open(NamedPath& path) {
  std::optional<Opened> opened = OpenNamed(path);
  if (!opened.has_value()) return nullptr;
  const bool packed_name = WithoutPacking(path.path()) != path.path();
  if (IsCompressed(opened->head) || (packed_name && opened->head.empty())) {
    PassCompressed(path, opened->info);
    return nullptr;
  }
  const auto [known, holds, older] =
      FindKnown(path.path(), opened->info, opened->head, *opened->file);
  if (known != nullptr && context_.active.count(known->origin) != 0) {
    RetryLater(path, kOriginRetry);
    return nullptr;
  }
  Checkpoint start = known != nullptr ? *known : Checkpoint();
  for (const OriginId& origin : older) {
    // One that was begun may have brought others with it.
    const auto it = known_.find(origin);
    if (it == known_.end() || context_.active.count(origin) != 0) continue;
    const Checkpoint emptied = it->second;
    BeginReplaced(PathNamed(emptied.path), emptied);
  }
  if (known != nullptr && context_.active.count(start.origin) != 0) {
    RetryLater(path, kOriginRetry);
    return nullptr;
  }
  if (known != nullptr && holds) {
    Unknow(start.origin);
    start.identity.key = FileKey::Of(opened->info);
    start.vanished = kNoTime;
    // Behind that it may have been cut and written on.
    start.marks.CutTo(
        std::max<uint64_t>({start.resume, start.guard.end, start.identity.print.bytes}));
    if (!Includes(start.path)) start.path = path.path();
  } else if (known == nullptr && HoldCopy(path, opened->info, opened->head, *opened->file)) {
    return nullptr;
  } else {
    if (known != nullptr) BeginReplaced(PathNamed(start.path), Checkpoint(start));
    // Its copies were told by what it held meanwhile.
    if (known != nullptr && !LookInside(*opened).ok()) {
      RetryLater(path, kOriginRetry);
      return nullptr;
    }
    start = FirstPosition(path.path(), opened->info, opened->head, *opened->file);
    SkipLeft(start, opened->info, *opened->file);
  }
  path.held = nullptr;
  return Begin(std::move(start), opened->info, std::move(opened->file));
}

// Text is expected: a compressed file is read only as the rest of a plain one, or when a file of
// ours was compressed to it before that was seen.
void Follow::PassCompressed(NamedPath& path, const FileInfo& info) {
  const bool first = path.held == nullptr;
  if (first) path.held = std::make_unique<HeldCopy>();
  *path.held = {OriginId(), info.size, info.modified};
  const std::string at = path.path();
  const std::vector<std::string> bases = BasesOf(BaseName(at));
  const bool ours = std::any_of(bases.begin(), bases.end(), [&](const std::string& base) {
    return paths_.count(JoinPath(DirName(at), base)) != 0;
  });
  if (ours && starting_) others_.push_back(at);
  if (ours && !starting_) OnOtherFile(DirName(at), BaseName(at), info);
  if (!first || live_.count(FileKey::Of(info)) != 0) return;
  Bump(options_.metrics.compressed_files);
  LOG_RATE(10s, kInfo,
           "{} matches the patterns of input {}, but is compressed and is not read as text; "
           "exclude such names to be rid of this message",
           at, space());
}

Follow::Known Follow::FindKnown(const std::string& path, const FileInfo& info, const Head& head,
                                File& file) const {
  std::vector<std::pair<const Checkpoint*, bool>> found;  // and whether the file holds its bytes
  const auto [from, to] = known_by_key_.equal_range(FileKey::Of(info));
  for (auto it = from; it != to; ++it) {
    const Checkpoint& c = known_.at(it->second);
    if (!c.identity.SameInode(info) || c.packing != Packing::kNone || WasEmptied(c)) continue;
    // A file that cannot be read now is taken for what it was.
    const bool holds = info.size >= std::max(c.resume, c.guard.end) &&
                       c.identity.print.Matches(head) && ValueOr(GuardHolds(file, c.guard), true);
    const bool certain = c.identity.born != kNoTime && info.born != kNoTime;
    if (!holds && !certain && c.path != path) continue;  // its inode was used again
    found.emplace_back(&c, holds);
  }
  if (found.empty()) {
    const Checkpoint* same = FindRenumbered(path, info, head, file);
    return {same, same != nullptr, {}};
  }
  // The newest was there last.
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.first->ordinal < b.first->ordinal; });
  Known known{found.back().first, found.back().second, {}};
  found.pop_back();
  for (const auto& [c, holds] : found) {
    if (c->vanished == kNoTime) known.older.push_back(c->origin);
  }
  return known;
}

// Whether the file was found to hold something else since.
bool Follow::WasEmptied(const Checkpoint& checkpoint) const {
  return std::any_of(searching_.begin(), searching_.end(), [&](const Incarnation* file) {
    return file->search->emptied == checkpoint.identity.key &&
           file->source->ordinal() > checkpoint.ordinal;
  });
}

// As Renumbered, for the file of a checkpoint.
const Checkpoint* Follow::FindRenumbered(const std::string& path, const FileInfo& info,
                                         const Head& head, File& file) const {
  if (info.born == kNoTime || head.empty()) return nullptr;
  for (const auto& [origin, c] : known_) {
    if (c.identity.born != info.born || c.path != path || c.packing != Packing::kNone ||
        c.identity.print.bytes == 0 || info.size < std::max(c.resume, c.guard.end) ||
        !c.identity.print.Matches(head) || !ValueOr(GuardHolds(file, c.guard), false)) {
      continue;
    }
    SayRenumbered(path);
    return &c;
  }
  return nullptr;
}

Checkpoint Follow::FirstPosition(const std::string& path, const FileInfo& info, const Head& head,
                                 File& file) {
  Checkpoint start;
  start.origin = OriginId::Make(context_.env.random());
  start.space = space();
  start.path = path;
  start.identity = {FileKey::Of(info), info.born, Fingerprint::Of(head)};
  start.marks.See(head.at, head);
  start.ordinal = context_.last_ordinal += kOrdinalStep;
  start.begun = context_.env.clock().Now() - kClockGrain.count();
  if (start.begun + kClockGrain.count() < first_started_) first_started_ = kClockSetBack;
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
  start.guard = ValueOr(GuardBefore(file, start.resume), Guard());
  return start;
}

Incarnation* Follow::Begin(Checkpoint start, const FileInfo& info, std::shared_ptr<File> open) {
  const OriginId origin = start.origin;
  auto owned = std::make_unique<Incarnation>();
  Incarnation& file = *owned;
  file.follow = this;
  file.quiet_since = context_.Now();
  FileSource::Options options;
  options.resource = options_.resource(start.path);
  const Packing packing = start.packing;
  options.start = std::move(start);
  options.decoder = options_.decoder(options_.line_bytes_max);
  const FollowMetrics& m = options_.metrics;
  options.metrics = source_metrics_;
  options.clock = &context_.env.clock();
  options.news = context_.news;
  file.source = std::make_shared<FileSource>(std::move(options));
  files_[origin] = std::move(owned);
  context_.active[origin] = this;
  context_.moved[origin] = file.source;
  if (open != nullptr) {
    file.key = FileKey::Of(info);
    file.born = info.born;
    file.modified = info.modified;
    live_[file.key] = &file;
    if (packing == Packing::kNone) {
      SeeFirstSize(*file.source, *open);
    } else {
      file.source->set_size(info.size);
    }
    file.source->Attach(std::move(open));
    NoteOpen(file);
  } else {
    file.source->Detach();
  }
  if (m.followed_files != nullptr) m.followed_files->Add(1);
  UpdateLag(file);
  ResumeHandOver(file);
  file.id = host_.Add(file.source);
  return &file;
}

// What an earlier run saw behind the end was cut off, unless the file holds something else by now.
void Follow::SeeFirstSize(FileSource& source, File& file) {
  const uint64_t before = source.size();
  // A size without a beginning may be that of any content.
  if (source.position() == 0 && source.Evidence().first.bytes == 0) return;
  const Result<FileInfo> now = file.Stat();
  if (now.ok() && ValueOr(source.Holds(file, now->size), false)) source.SeeSize(before, now->size);
}

// Begins a file that was rotated to `at` already.
Incarnation* Follow::BeginDisplaced(Checkpoint start, Opened opened, const std::string& at) {
  std::shared_ptr<PackedFile> packed = opened.packed;
  std::shared_ptr<File> open = opened.file;
  Incarnation* file = Begin(std::move(start), opened.info, std::move(opened.file));
  if (packed != nullptr) {
    file->source->MoveTo(std::move(open), std::move(packed), opened.info, opened.packing);
    if (file->source->seen() > 0) {  // its end tells whether that is in it
      file->search = std::make_unique<CopySearch>();
      file->search->over = true;
      file->search->known_size = file->source->seen();
    }
  }
  if (!at.empty()) SetLocation(*file, at);
  file->displaced = true;
  file->source->WatchEnd();
  LookClosely(*file);
  return file;
}

void Follow::WaitFor(Incarnation& file, Incarnation* older) {
  file.waiting = true;
  file.asked_older = false;
  file.older = older != nullptr && older != &file ? older->origin() : OriginId();
  if (!file.older.empty() && !older->drained && !older->ended) {
    file.predecessor = file.older;
    older->successors.push_back(file.source->origin());
  } else {
    // At the end of the step: until then an older one may turn up.
    file.predecessor = {};
    context_.moved[file.origin()] = file.source;
    fresh_.push_back(file.source->origin());
    context_.fresh.insert(this);
  }
}

void Follow::ReleaseFresh() {
  for (const OriginId& origin : std::exchange(fresh_, {})) {
    Incarnation* file = Find(origin);
    if (file == nullptr || !file->predecessor.empty()) continue;
    if (!AskOlder(*file)) LetRead(*file);
  }
  for (const OriginId& origin : std::exchange(cuts_, {})) {
    Incarnation* file = Find(origin);
    if (file == nullptr || file->ended) continue;
    file->source->ApplyCuts();
    Touch(*file);
  }
}

// Its first bytes are stored before rows of them are sent: after a crash they tell whether the file
// was emptied and filled again.
void Follow::StoreBeginning(Incarnation& file) {
  if (!file.source->SawMore()) return;
  SeeBehindHead(file, file.names.empty() ? file.older : file.names.front()->before);
  context_.moved[file.origin()] = file.source;
  if (file.waiting) return;
  fresh_.push_back(file.origin());
  context_.fresh.insert(this);
}

// Other files may begin as this one does. When the one before it did, more is taken note of: all
// files of a program may begin with the same lines.
void Follow::SeeBehindHead(Incarnation& file, const OriginId& before) {
  if (file.source->position() != 0) return;
  const Incarnation* const other = Find(before);
  const auto known = known_.find(before);
  Marks marks;
  if (other != nullptr) marks = other->source->marks();
  if (known != known_.end()) marks = known->second.marks;
  const Marks own = file.source->marks();
  file.source->SeeBehindHead(own.end() > 0 && own.CommonTo(marks) == own.end());
}

void Follow::LetRead(Incarnation& file) {
  file.waiting = false;
  file.source->Release();
  Touch(file);
}

}  // namespace kelp::tail
