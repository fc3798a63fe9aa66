// What names lead to, and where files are that lost theirs.
#include <algorithm>

#include "base/log.h"
#include "tail/follow.h"

namespace kelp::tail {
namespace {

// A path without a file is remembered this long.
constexpr Duration kGonePathKept = 600s;
// A chain of links longer than this is a loop (the kernel allows 40).
constexpr size_t kLinksMax = 40;

}  // namespace

void Follow::SetPath(const std::string& path, const FileInfo& info) {
  if (collecting_) {
    found_.push_back({path, info});
    return;
  }
  Update(PathNamed(path), info);
}

NamedPath& Follow::PathNamed(const std::string& path) {
  const auto it = paths_.try_emplace(path).first;
  it->second.follow = this;
  it->second.key = &it->first;
  return it->second;
}

void Follow::Update(NamedPath& path, const FileInfo& info) {
  Incarnation* current = path.current;
  if (current != nullptr && !current->ended && current->Is(info)) {
    const FileSource& source = *current->source;
    const bool half_only = source.has_half() && info.size == source.size();
    if (!SeeSize(*current, info)) return;
    const bool written = std::exchange(current->modified, info.modified) != info.modified;
    if (written || (info.size != source.position() && !half_only)) Touch(*current);
    UpdateLag(*current);
    return;
  }
  if (current != nullptr && Renumbered(path, info)) return;
  if (current != nullptr) {
    if (!current->ended) Bump(options_.metrics.rotated_files);
    LetGo(path);
  }
  // Always anew: the directory may be another one of the same name, whose events the old routes
  // do not bring.
  DropRoutes(path);
  AddRoutes(path);
  if (path.held != nullptr && path.held->size == info.size &&
      path.held->modified == info.modified) {
    return;
  }
  ClearRetry(path);
  path.gone_at = Duration(0);
  const auto it = live_.find(FileKey::Of(info));
  if (it != live_.end() && it->second->Is(info)) {
    Name(path, *it->second);
    return;
  }
  Incarnation* file = Open(path);
  if (file == nullptr) return;
  file->names.push_back(&path);
  path.current = file;
  // One that went back to another name is written on.
  Incarnation* last = Find(path.last);
  WaitFor(*file, last != nullptr && last->displaced ? last : nullptr);
  SetLast(path, *file);
  SeeBehindHead(*file, path.before);
}

// Whether it is still the same file, under another inode number. Some file systems make the numbers
// up, and forget them: FAT, many in user space, some remote ones.
bool Follow::Renumbered(NamedPath& path, const FileInfo& info) {
  Incarnation& file = *path.current;
  if (file.ended || file.searching() || info.born == kNoTime || info.born != file.born ||
      file.source->Evidence().first.bytes == 0 || file.source->packed() != nullptr) {
    return false;
  }
  Result<std::shared_ptr<File>> open = OpenFile(path.path());
  const Result<FileInfo> now = open.ok() ? (*open)->Stat() : Result<FileInfo>(open.status());
  if (!now.ok() || now->born != file.born || live_.count(FileKey::Of(*now)) != 0 ||
      !ValueOr(file.source->Holds(**open, now->size), false)) {
    return false;
  }
  SayRenumbered(path.path());
  const auto live = live_.find(file.key);
  if (live != live_.end() && live->second == &file) live_.erase(live);
  file.key = FileKey::Of(*now);
  live_[file.key] = &file;
  file.source->MoveTo(std::move(open).value(), nullptr, *now, Packing::kNone);
  file.source->set_size(now->size);
  if (!file.open) NoteOpen(file);
  context_.moved[file.origin()] = file.source;
  Touch(file);
  return true;
}

void Follow::SayRenumbered(const std::string& path) {
  LOG_RATE(1h, kWarning,
           "{} has another inode number than before, but is the same file: its file system does "
           "not keep the numbers. Files there are told by the time of their birth and by what "
           "they hold; rotation is followed less surely than elsewhere.",
           path);
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
  path.before = std::exchange(path.last, file.source->origin());
}

void Follow::PathGone(NamedPath& path) {
  path.held = nullptr;
  if (path.current != nullptr) LetGo(path);
  ClearRetry(path);
  const Duration now = context_.Now();
  if (path.gone_at == Duration(0)) path.gone_at = now;
  // Remembered for a while: a new file of this name waits for the last one, and one that is
  // rotated at once is recognised by its new name.
  const bool dir_gone = dirs_.count(DirName(path.path())) == 0;
  const Incarnation* last = Find(path.last);
  if ((last == nullptr || last->drained) && (dir_gone || now - path.gone_at > kGonePathKept)) {
    ErasePath(path);
  }
}

void Follow::ErasePath(NamedPath& path) {
  ClearRetry(path);
  DropRoutes(path);
  const auto dir = dirs_.find(DirName(path.path()));
  if (dir != dirs_.end()) dir->second.children.erase(BaseName(path.path()));
  paths_.erase(std::string(path.path()));
}

void Follow::LetGo(NamedPath& path) {
  Incarnation* file = std::exchange(path.current, nullptr);
  std::erase(file->names, &path);
  if (!file->ended) Displace(*file);
}

// The path, and when it is a symbolic link what it leads to, link by link.
std::vector<std::string> Follow::LinkChain(const std::string& path) const {
  std::vector<std::string> chain{path};
  while (chain.size() < kLinksMax) {
    const std::string& at = chain.back();
    const Result<FileInfo> info = context_.env.files().Stat(at, /*follow_symlink=*/false);
    if (!info.ok() || info->type != FileType::kSymlink) break;
    const Result<std::string> target = context_.env.files().ReadLink(at);
    if (!target.ok() || target->empty()) break;
    chain.push_back((*target)[0] == '/' ? *target : JoinPath(DirName(at), *target));
  }
  return chain;
}

// The symbolic links on the way to `path`, each under a name in which no other link is, and where
// the way ends or breaks off.
std::vector<std::string> Follow::WayTo(const std::string& path) const {
  std::vector<std::string> way;
  std::string at = "/";
  std::string rest = path;
  while (true) {
    const size_t begin = std::min(rest.find_first_not_of('/'), rest.size());
    const size_t end = std::min(rest.find('/', begin), rest.size());
    const std::string name = rest.substr(begin, end - begin);
    rest.erase(0, end);
    if (name.empty()) break;
    if (name == ".") continue;
    const std::string next = name == ".." ? DirName(at) : JoinPath(at, name);
    const Result<FileInfo> info = context_.env.files().Stat(next, /*follow_symlink=*/false);
    if (info.ok() && info->type == FileType::kSymlink && way.size() < kLinksMax) {
      const Result<std::string> target = context_.env.files().ReadLink(next);
      if (target.ok() && !target->empty()) {
        way.push_back(next);
        if ((*target)[0] == '/') at = "/";
        rest = *target + rest;
        continue;
      }
    }
    at = next;
    if (!info.ok() || info->type == FileType::kSymlink) break;
  }
  way.push_back(at);
  return way;
}

void Follow::AddRoutes(NamedPath& path) {
  const Result<FileInfo> info = context_.env.files().Stat(path.path(), /*follow_symlink=*/false);
  const bool is_link = info.ok() && info->type == FileType::kSymlink;
  bool unwatched = false;
  for (const std::string& at : is_link ? WayTo(path.path()) : std::vector{path.path()}) {
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

// The links on the way to a directory that is one: they are watched where they stand.
void Follow::SetRoutes(FollowedDir& dir) {
  DropRoutes(dir);
  const Result<FileInfo> info = context_.env.files().Stat(*dir.path, /*follow_symlink=*/false);
  if (!info.ok() || info->type != FileType::kSymlink) return;
  std::vector<std::string> way = WayTo(*dir.path);
  dir.link = std::make_unique<DirLink>();
  dir.link->real = std::move(way.back());
  way.pop_back();
  bool unwatched = false;
  for (const std::string& at : way) {
    Watch* watch = context_.watches.Acquire(DirName(at));
    unwatched |= watch == nullptr;
    if (watch == nullptr) continue;
    watch->links.emplace_back(BaseName(at), &dir);
    dir.link->routes.emplace_back(watch, BaseName(at));
  }
  SetScanned(dir.link->scanned, unwatched);
}

void Follow::DropRoutes(FollowedDir& dir) {
  if (dir.link == nullptr) return;
  for (const auto& [watch, name] : dir.link->routes) {
    std::erase(watch->links, std::pair(name, &dir));
    context_.watches.Release(watch);
  }
  SetScanned(dir.link->scanned, false);
  dir.link = nullptr;
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

// The directory of a path is another one now; the one that had its name is at `to`.
void Follow::PathMoved(NamedPath& path, const std::string& to) {
  Incarnation* const file = path.current;
  PathGone(path);
  if (file == nullptr || file->ended || !file->names.empty() || !file->location.empty()) return;
  const Result<FileInfo> info = context_.env.files().Stat(to);
  if (!info.ok() || !file->Is(*info)) return;
  SetLocation(*file, to);
  Touch(*file);
}

}  // namespace kelp::tail
