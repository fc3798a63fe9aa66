#include "spool/unused_spools.h"

#include <algorithm>

#include "base/log.h"
#include "spool/spool_format.h"

namespace kelp::spool {
namespace {

uint64_t SegmentBytes(FileSystem& files, const std::string& dir) {
  uint64_t bytes = 0;
  const auto entries = files.ListDir(dir);
  if (!entries.ok()) return 0;
  for (const DirEntry& entry : *entries) {
    uint64_t first_sequence = 0;
    if (!ParseSegmentName(entry.name, first_sequence)) continue;
    if (const auto info = files.Stat(JoinPath(dir, entry.name)); info.ok()) bytes += info->size;
  }
  return bytes;
}

}  // namespace

std::vector<UnusedSpool> FindUnusedSpools(Env& env, const std::string& data_dir) {
  std::vector<UnusedSpool> unused;
  const std::string parent = JoinPath(data_dir, "spool");
  const auto entries = env.files().ListDir(parent);
  if (!entries.ok()) return unused;  // there never was a spool
  for (const DirEntry& entry : *entries) {
    if (entry.type != FileType::kDirectory) continue;
    const std::string dir = JoinPath(parent, entry.name);
    const uint64_t bytes = SegmentBytes(env.files(), dir);
    // Whoever uses it holds its lock.
    if (bytes != 0 && env.files().Lock(JoinPath(dir, kLockName)).ok()) {
      unused.push_back({.dir = dir, .bytes = bytes});
    }
  }
  std::sort(unused.begin(), unused.end(),
            [](const UnusedSpool& a, const UnusedSpool& b) { return a.dir < b.dir; });
  return unused;
}

void WarnOfUnusedSpools(Env& env, const std::string& data_dir) {
  for (const UnusedSpool& spool : FindUnusedSpools(env, data_dir)) {
    LOG(kWarning,
        "spool {} holds {} that no running pipeline sends; give a pipeline's output the key spool "
        "with this path, or remove the directory if nobody wants the rows",
        spool.dir, FormatByteSizeShort({spool.bytes}));
  }
}

}  // namespace kelp::spool
