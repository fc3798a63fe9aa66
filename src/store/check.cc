// Store::Check: reads everything a closed store has and says what is wrong with it.
#include <fmt/format.h>

#include <set>

#include "codec/kelp_batch.h"
#include "store/layout.h"
#include "store/manifest.h"
#include "store/segment.h"
#include "store/store.h"
#include "store/wal.h"

namespace kelp::store {
namespace {

using Progress = std::function<void(uint64_t, uint64_t)>;

class Checker {
 public:
  Checker(FileSystem& files, const std::string& dir, const Progress& progress)
      : files_(files), dir_(dir), progress_(progress) {}

  Result<CheckReport> Run() {
    ASSIGN_OR_RETURN(const std::vector<LogstoreName> names, ListLogstores(files_, dir_));
    std::vector<std::pair<std::string, Manifest>> logstores;
    for (const LogstoreName& name : names) {
      Manifest manifest;
      if (!ReadManifest(LogstoreDir(dir_, name), manifest)) continue;
      for (const SegmentEntry& segment : manifest.segments) total_ += segment.bytes;
      logstores.emplace_back(LogstoreDir(dir_, name), std::move(manifest));
    }
    for (const auto& [path, manifest] : logstores) {
      for (const SegmentEntry& entry : manifest.segments) {
        CheckSegment(SegmentPath(path, entry.day, entry.id), entry, manifest.logstore_id);
      }
    }
    RETURN_IF_ERROR(CheckWal());
    return std::move(report_);
  }

 private:
  void Problem(const Status& status) { report_.problems.emplace_back(status.message()); }

  bool ReadManifest(const std::string& logstore_dir, Manifest& manifest) {
    const std::string path = JoinPath(logstore_dir, kManifestName);
    const Result<std::string> bytes = ReadFile(files_, path, ByteSize{UINT64_MAX});
    if (bytes.status().code() == Code::kNotFound) return false;
    ++report_.files;
    if (!bytes.ok()) {
      Problem(bytes.status());
      return false;
    }
    report_.bytes += bytes->size();
    total_ += bytes->size();
    Result<Manifest> parsed = DecodeManifest(*bytes, path);
    if (!parsed.ok()) {
      Problem(parsed.status());
      return false;
    }
    manifest = *std::move(parsed);
    return true;
  }

  void CheckSegment(const std::string& path, const SegmentEntry& entry, uint64_t logstore_id) {
    ++report_.files;
    report_.bytes += entry.bytes;
    const Result<std::shared_ptr<const Segment>> segment = Segment::Open(files_, path);
    if (!segment.ok()) {
      Problem(segment.status());
    } else {
      // Block by block: one bad frame does not hide the next.
      for (const SegmentBlock& block : (*segment)->blocks()) {
        if (const Status status = block.Verify(); !status.ok()) Problem(status);
      }
      report_.rows += (*segment)->rows();
      if ((*segment)->id() != entry.id || (*segment)->rows() != entry.rows ||
          (*segment)->logstore_id() != logstore_id) {
        Problem(DataLossError(path + " is not the segment that the manifest names"));
      }
    }
    if (progress_) progress_(report_.bytes, std::max(total_, report_.bytes));
  }

  Status CheckWal() {
    WalReport wal;
    const auto on_frame = [&](const WalFrame& frame) {
      const auto batches = codec::DecodeBatchSet(frame.encoded);
      if (batches.ok()) return;
      report_.problems.push_back(fmt::format("frame {} of {}/{} in the write-ahead log: {}",
                                             frame.sequence, frame.project, frame.logstore,
                                             batches.status().message()));
    };
    RETURN_IF_ERROR(ReadWal(files_, WalDir(dir_), on_frame, wal));
    report_.files += wal.files;
    report_.bytes += wal.bytes;
    report_.problems.insert(report_.problems.end(), wal.problems.begin(), wal.problems.end());
    if (progress_) progress_(report_.bytes, report_.bytes);
    return OkStatus();
  }

  FileSystem& files_;
  const std::string& dir_;
  const Progress& progress_;
  CheckReport report_;
  uint64_t total_ = 0;
};

}  // namespace

Result<CheckReport> Store::Check(Env& env, const std::string& dir, const Progress& progress) {
  ASSIGN_OR_RETURN(const std::unique_ptr<FileLock> lock, env.files().Lock(LockPath(dir)));
  return Checker(env.files(), dir, progress).Run();
}

}  // namespace kelp::store
