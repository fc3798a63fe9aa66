// Opening what is on disk: manifests, segments, leftovers (docs/formats/segment.md, "Recovery").
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/log.h"
#include "store/layout.h"
#include "store/store_impl.h"

namespace kelp::store {
namespace {

struct SegmentFile {
  int32_t day = 0;
  uint64_t id = 0;
  std::string path;
};

// The segment files in the day folders; temporary files are removed on the way.
Result<std::vector<SegmentFile>> ListSegments(FileSystem& files, const std::string& dir) {
  std::vector<SegmentFile> found;
  ASSIGN_OR_RETURN(const std::vector<DirEntry> folders, files.ListDir(dir));
  for (const DirEntry& folder : folders) {
    SegmentFile file;
    if (folder.type != FileType::kDirectory || !ParseDayName(folder.name, file.day)) continue;
    const std::string path = JoinPath(dir, folder.name);
    ASSIGN_OR_RETURN(const std::vector<DirEntry> entries, files.ListDir(path));
    for (const DirEntry& entry : entries) {
      file.path = JoinPath(path, entry.name);
      if (ParseSegmentName(entry.name, file.id)) {
        found.push_back(file);
      } else if (entry.name.ends_with(kTemporarySuffix)) {
        RETURN_IF_ERROR(files.Remove(file.path));
      }
    }
  }
  return found;
}

}  // namespace

Status StoreImpl::OpenLogstores() {
  ASSIGN_OR_RETURN(const std::vector<LogstoreName> names,
                   ListLogstores(env_.files(), options_.dir));
  for (const LogstoreName& name : names) {
    RETURN_IF_ERROR(OpenLogstore(name).Annotate("cannot open the logstore " + name.project + "/" +
                                                name.logstore));
  }
  return OkStatus();
}

// Keeps a file that cannot be used for whoever wants to look at it, and goes on without it.
void StoreImpl::SetAside(const std::string& path, const Status& why) {
  metrics_.corrupt_files.Add();
  LOG(kError, "{}; it is set aside as {}{}", why.message(), path, kCorruptSuffix);
  const Status status = env_.files().Rename(path, path + std::string(kCorruptSuffix));
  if (!status.ok() && status.code() != Code::kNotFound) LOG(kError, "{}", status.message());
}

Status StoreImpl::OpenLogstore(const LogstoreName& name) {
  const std::string dir = LogstoreDir(options_.dir, name);
  const std::string path = JoinPath(dir, kManifestName);
  if (env_.files().Stat(JoinPath(dir, kDroppedName)).ok()) return env_.files().RemoveTree(dir);
  ASSIGN_OR_RETURN(const std::vector<SegmentFile> found, ListSegments(env_.files(), dir));
  const Result<std::string> bytes = ReadFile(env_.files(), path, ByteSize{UINT64_MAX});
  if (!bytes.ok() && bytes.status().code() != Code::kNotFound) return bytes.status();
  if (!bytes.ok() && found.empty()) return OkStatus();  // never finished
  Result<Manifest> manifest = bytes.ok() ? DecodeManifest(*bytes, path)
                                         : DataLossError("the manifest " + path + " is missing");
  if (manifest.status().code() == Code::kUnimplemented) return manifest.status();
  std::vector<std::shared_ptr<const Segment>> segments;
  if (manifest.ok()) {
    std::set<uint64_t> named;
    for (const SegmentEntry& entry : manifest->segments) named.insert(entry.id);
    for (const SegmentFile& file : found) {
      if (named.count(file.id) == 0) RETURN_IF_ERROR(env_.files().Remove(file.path));
    }
    RETURN_IF_ERROR(OpenNamedSegments(dir, *manifest, segments));
  } else {
    SetAside(path, manifest.status());
    std::vector<std::string> paths;
    for (const SegmentFile& file : found) paths.push_back(file.path);
    ASSIGN_OR_RETURN(manifest, RebuildManifest(name, paths, segments));
    RETURN_IF_ERROR(WriteFileAtomically(env_.files(), path, EncodeManifest(*manifest)));
  }
  auto logstore = std::make_shared<Logstore>(name, dir, *std::move(manifest));
  {
    MutexLock lock(logstore->files_mu);
    logstore->Publish(segments, {}, /*flushed=*/false);
  }
  MutexLock lock(mu_);
  logstores_[name] = std::move(logstore);
  return OkStatus();
}

// What the manifest names; what is corrupt or missing is taken out of it.
Status StoreImpl::OpenNamedSegments(const std::string& dir, Manifest& manifest,
                                    std::vector<std::shared_ptr<const Segment>>& segments) {
  std::vector<SegmentEntry> good;
  for (const SegmentEntry& entry : manifest.segments) {
    const std::string path = SegmentPath(dir, entry.day, entry.id);
    Result<std::shared_ptr<const Segment>> segment = Segment::Open(env_.files(), path);
    Status status = segment.status();
    if (status.ok() &&
        ((*segment)->id() != entry.id || (*segment)->logstore_id() != manifest.logstore_id)) {
      status = DataLossError(path + " is not the segment that its name says");
    }
    if (status.code() == Code::kDataLoss || status.code() == Code::kNotFound) {
      SetAside(path, status);
      continue;
    }
    RETURN_IF_ERROR(status);
    good.push_back(entry);
    segments.push_back(*std::move(segment));
  }
  manifest.segments = std::move(good);
  return OkStatus();
}

// A manifest from the segments themselves, for one that was lost.
Result<Manifest> StoreImpl::RebuildManifest(const LogstoreName& name,
                                            const std::vector<std::string>& paths,
                                            std::vector<std::shared_ptr<const Segment>>& segments) {
  Manifest manifest;
  std::set<uint64_t> replaced;
  std::vector<std::shared_ptr<const Segment>> all;
  for (const std::string& path : paths) {
    Result<std::shared_ptr<const Segment>> segment = Segment::Open(env_.files(), path);
    if (segment.status().code() == Code::kDataLoss) {
      SetAside(path, segment.status());
      continue;
    }
    RETURN_IF_ERROR(segment.status());
    replaced.insert((*segment)->replaces().begin(), (*segment)->replaces().end());
    all.push_back(*std::move(segment));
  }
  for (auto& segment : all) {
    manifest.next_segment = std::max(manifest.next_segment, segment->id() + 1);
    manifest.logstore_id = segment->logstore_id();
    if (replaced.count(segment->id()) != 0) {
      RETURN_IF_ERROR(env_.files().Remove(segment->path()));
      continue;
    }
    manifest.applied = std::max(manifest.applied, segment->applied());
    manifest.segments.push_back({segment->id(), segment->day(), segment->bytes(), segment->rows()});
    segments.push_back(std::move(segment));
  }
  if (manifest.logstore_id == 0) {  // all its rows are in the log
    WalReport ignored;
    RETURN_IF_ERROR(ReadWal(
        env_.files(), WalDir(options_.dir),
        [&](const WalFrame& frame) {
          if (frame.project == name.project && frame.logstore == name.logstore) {
            manifest.logstore_id = frame.logstore_id;
          }
        },
        ignored));
  }
  while (manifest.logstore_id == 0) manifest.logstore_id = env_.random().Next();
  LOG(kError,
      "a manifest was made anew from {} segments: retention is unlimited until it is set again, "
      "and "
      "rows that clients send again may be stored twice",
      segments.size());
  return manifest;
}

}  // namespace kelp::store
