// Finding files: walking directories, and what their events mean.
#include "tail/follow.h"

#include <algorithm>

#include "base/log.h"

namespace kelp::tail {
namespace {

// Deeper than any real tree; a loop of links ends here.
constexpr size_t kPathBytesMax = 4096;

bool StartsWith(const std::string& text, const std::string& prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

}  // namespace

Follow::Follow(TailContext& context, FollowOptions options, pipeline::InputHost& host)
    : context_(context),
      options_(std::move(options)),
      source_metrics_(std::make_shared<const SourceMetrics>(SourceMetrics{
          options_.metrics.read_bytes, options_.metrics.read_rows, options_.metrics.cut_lines,
          options_.metrics.malformed_lines, options_.metrics.read_errors,
          options_.metrics.unmatched_lines, options_.metrics.skipped_nul_bytes})),
      host_(host) {}

Follow::~Follow() = default;

bool Follow::Wanted(const std::string& path) const {
  if (options_.exclude.Matches(path)) return false;
  return options_.want_file == nullptr || options_.want_file(path);
}

void Follow::ReportScanError(const Status& status) {
  context_.scan_errors->Add();
  scan_complete_ = false;
  LOG_RATE(10s, kWarning, "{} (input {}); it is tried again", status.message(), space());
}

void Follow::SetWatch(FollowedDir& dir, bool wanted) {
  Watch* watch = wanted ? context_.watches.Acquire(*dir.path) : nullptr;
  if (watch != nullptr) watch->dirs.push_back(&dir);
  if (dir.watch != nullptr) {
    // One entry only: the same watch may just have been acquired again.
    const auto it = std::find(dir.watch->dirs.begin(), dir.watch->dirs.end(), &dir);
    dir.watch->dirs.erase(it);
    context_.watches.Release(dir.watch);
  }
  dir.watch = watch;
  SetScanned(dir.scanned, wanted && watch == nullptr);
}

void Follow::SetScanned(bool& scanned, bool value) {
  if (scanned != value) value ? ++unwatched_ : --unwatched_;
  scanned = value;
  if (value) WakeAt(scanned_at_ + options_.scan_interval);
}

void Follow::WalkFromRoot() { VisitDir("/", options_.include.Start()); }

void Follow::VisitDir(const std::string& path, GlobSet::States states) {
  if (path.size() > kPathBytesMax) return;
  const auto here_at = dirs_.try_emplace(path).first;
  FollowedDir& dir = here_at->second;
  dir.follow = this;
  dir.path = &here_at->first;
  dir.states = std::move(states);
  dir.listed_at = context_.Now();
  // Watch first, look second: what happens in between is seen twice rather than never.
  SetRoutes(dir);
  const Result<FileInfo> itself = context_.env.files().Stat(path);
  dir.key = itself.ok() ? FileKey::Of(*itself) : FileKey();

  // Along a fixed prefix only the way down matters: nothing is listed, and a directory is watched
  // only when the next one is not there yet.
  std::vector<std::string> names;
  const bool fixed = options_.include.OnlyLiterals(dir.states, names);
  bool watch = !fixed;
  for (size_t i = 0; fixed && i < names.size(); ++i) {
    const Result<FileInfo> info = context_.env.files().Stat(JoinPath(path, names[i]));
    watch |= !info.ok() || info->type != FileType::kDirectory;
  }
  SetWatch(dir, watch);
  if (!fixed) {
    ListDir(std::string(path));
    return;
  }
  const std::string here = path;  // `path` may be the key of what the loop removes
  for (const std::string& name : names) Examine(here, name);
}

void Follow::ListDir(const std::string& path) {
  Result<std::vector<DirEntry>> entries = context_.env.files().ListDir(path);
  if (!entries.ok()) {
    if (entries.status().code() == Code::kNotFound) {
      RemoveDir(path);
    } else {
      ReportScanError(entries.status());
    }
    return;
  }
  std::set<std::string> gone = dirs_[path].children;
  for (const DirEntry& entry : *entries) {
    gone.erase(entry.name);
    // Names that are followed already are the business of the scan over paths.
    const auto it = dirs_.find(path);
    if (it == dirs_.end()) return;
    if (!rescanning_ && Followed(JoinPath(path, entry.name))) continue;
    if (!options_.include.Step(it->second.states, entry.name).empty() ||
        MayBeRotated(path, entry.name)) {
      Examine(path, entry.name);
    }
  }
  for (const std::string& name : gone) ForgetName(path, name);
}

void Follow::Examine(const std::string& dir_path, const std::string& name) {
  const auto it = dirs_.find(dir_path);
  if (it == dirs_.end()) return;
  const GlobSet::States next = options_.include.Step(it->second.states, name);
  // What cannot match may still be a file of ours under a new name.
  if (next.empty() && paths_.empty() && !MayBeRotated(dir_path, name)) return;
  const std::string path = JoinPath(dir_path, name);
  Result<FileInfo> info = context_.env.files().Stat(path, /*follow_symlink=*/false);
  const bool is_link = info.ok() && info->type == FileType::kSymlink;
  if (is_link) info = context_.env.files().Stat(path);
  if (!info.ok()) {
    if (info.status().code() != Code::kNotFound && !next.empty()) ReportScanError(info.status());
    ForgetName(dir_path, name);
    return;
  }
  const bool accepted = info->type == FileType::kRegular && options_.include.Accepts(next);
  const bool below = info->type == FileType::kDirectory && options_.include.Continues(next) &&
                     !(is_link && options_.include.OnlyAnyDepth(next)) &&
                     (options_.want_dir == nullptr || options_.want_dir(path));
  if (accepted && Wanted(path)) {
    it->second.children.insert(name);
    SetPath(path, *info);
  } else if (below) {
    const auto known = dirs_.find(path);
    const bool other = known != dirs_.end() && known->second.key != FileKey::Of(*info);
    if (other) RemoveDir(path);
    it->second.children.insert(name);
    VisitDir(path, next);
  } else {
    ForgetName(dir_path, name);
    if (info->type != FileType::kRegular || is_link) return;
    if (collecting_) {
      others_.push_back(path);
    } else {
      OnOtherFile(dir_path, name, *info);
    }
  }
}

void Follow::ForgetName(const std::string& dir_path, const std::string& name) {
  const std::string path = JoinPath(dir_path, name);
  const auto named = paths_.find(path);
  if (named != paths_.end()) PathGone(named->second);
  if (dirs_.count(path) != 0) RemoveDir(path);
  const auto dir = dirs_.find(dir_path);
  if (dir != dirs_.end() && paths_.count(path) == 0) dir->second.children.erase(name);
}

bool Follow::Followed(const std::string& path) const {
  const auto it = paths_.find(path);
  return dirs_.count(path) != 0 || (it != paths_.end() && it->second.current != nullptr);
}

void Follow::RemoveDir(const std::string& path) {
  const auto parent = dirs_.find(DirName(path));
  if (parent != dirs_.end()) parent->second.children.erase(BaseName(path));
  const std::string below = path == "/" ? path : path + "/";
  const auto removed = dirs_.find(path);
  const bool is_link = removed != dirs_.end() && removed->second.link != nullptr;
  const std::string real = is_link ? removed->second.link->real : "";
  std::vector<std::string> gone_dirs{path};
  for (auto it = dirs_.lower_bound(below); it != dirs_.end() && StartsWith(it->first, below);
       ++it) {
    gone_dirs.push_back(it->first);
  }
  for (const std::string& gone : gone_dirs) {
    const auto it = dirs_.find(gone);
    if (it == dirs_.end()) continue;
    SetWatch(it->second, false);
    DropRoutes(it->second);
    dirs_.erase(it);
  }
  std::vector<std::string> gone_paths;
  for (auto it = paths_.lower_bound(below); it != paths_.end() && StartsWith(it->first, below);
       ++it) {
    gone_paths.push_back(it->first);
  }
  for (const std::string& gone : gone_paths) {
    const auto it = paths_.find(gone);
    if (it == paths_.end()) continue;
    if (real.empty()) {
      PathGone(it->second);
    } else {
      PathMoved(it->second, real + gone.substr(path.size()));
    }
  }
}

void Follow::OnNameChanged(const std::string& dir, const std::string& name, bool gone) {
  Examine(dir, name);
  if (gone) CheckDir(dir);  // it may have gone with it
}

void Follow::OnDirGone(const std::string& dir) {
  RemoveDir(dir);
  WalkFromRoot();
}

void Follow::OnLinkChanged(const std::string& dir) {
  const auto it = dirs_.find(dir);
  if (it == dirs_.end() || it->second.link == nullptr) return;
  const std::string before = it->second.link->real;
  SetRoutes(it->second);
  const Result<FileInfo> info = context_.env.files().Stat(dir);
  if (info.ok() && FileKey::Of(*info) == it->second.key) return;
  // What was behind it is where it led.
  if (it->second.link == nullptr) it->second.link = std::make_unique<DirLink>();
  it->second.link->real = before;
  OnDirGone(dir);
}

// The system tells of the end of a directory only when nobody holds a file that was in it.
void Follow::CheckDir(const std::string& path) {
  const auto it = dirs_.find(path);
  if (it == dirs_.end() || it->second.watch == nullptr) return;
  const Watch* before = it->second.watch;
  Watch* now = context_.watches.Acquire(path);
  if (now != nullptr) context_.watches.Release(now);
  if (now != before) OnDirGone(path);
}

void Follow::OnPathChanged(const std::string& path) {
  const auto it = paths_.find(path);
  if (it == paths_.end()) return;
  const Result<FileInfo> info = context_.env.files().Stat(path);
  if (info.ok() && info->type == FileType::kRegular) {
    Update(it->second, *info);
  } else if (info.ok() || info.status().code() == Code::kNotFound) {
    PathGone(it->second);
  } else {
    ReportScanError(info.status());
  }
}

void Follow::OnRouteChanged(const std::string& path) {
  const auto it = paths_.find(path);
  if (it != paths_.end() && it->second.routes.size() > 1) {
    DropRoutes(it->second);
    AddRoutes(it->second);
  }
  OnPathChanged(path);
}

void Follow::Rescan() {
  scanned_at_ = context_.Now();
  rescanning_ = true;
  WalkFromRoot();
  if (unwatched_ > 0 && context_.watches.watcher() != nullptr) RegainRoutes();
  // Paths whose directory is no longer walked, and files without a followed path.
  for (const auto& [origin, file] : files_) {
    if (file->names.empty()) LookClosely(*file);
  }
  rescanning_ = false;
}

// Paths that could not be watched are, as far as there are watches now.
void Follow::RegainRoutes() {
  bool more = true;
  for (auto it = paths_.begin(); it != paths_.end() && more; ++it) {
    NamedPath& path = it->second;
    if (!path.scanned) continue;
    DropRoutes(path);
    AddRoutes(path);
    more = !path.scanned;
  }
}

size_t Follow::SafetyScan(Duration now, size_t budget) {
  size_t looked = 0;
  while (looked < budget && !safety_paths_done_) {
    const auto it = paths_.upper_bound(safety_path_);
    safety_paths_done_ = it == paths_.end();
    if (safety_paths_done_) break;
    safety_path_ = it->first;
    OnPathChanged(safety_path_);
    ++looked;
  }
  while (looked < budget && safety_paths_done_) {
    const auto it = dirs_.upper_bound(safety_dir_);
    if (it == dirs_.end()) {
      safety_path_.clear();
      safety_dir_.clear();
      safety_paths_done_ = false;
      return 0;
    }
    safety_dir_ = it->first;
    if (now - it->second.listed_at < context_.options.safety_scan_interval) continue;
    // Listing a name is much cheaper than looking at the file.
    looked += 1 + it->second.children.size() / 16;
    OnLinkChanged(safety_dir_);
    const auto still = dirs_.find(safety_dir_);
    if (still != dirs_.end()) VisitDir(safety_dir_, GlobSet::States(still->second.states));
  }
  return std::max<size_t>(looked, 1);
}

}  // namespace kelp::tail
