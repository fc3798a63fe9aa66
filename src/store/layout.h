// Where the store keeps what: names of files and folders, and days.
//
//   LOCK                                            held while the store is open
//   WAL/<number>.wal                                docs/formats/wal.md
//   <project>/<logstore>/MANIFEST                   docs/formats/segment.md
//   <project>/<logstore>/<YYYYMMDD>/<id>.seg
//
// Project and logstore names have no capital letters, so they never meet LOCK and WAL.
#ifndef KELP_STORE_LAYOUT_H_
#define KELP_STORE_LAYOUT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/env.h"
#include "base/status.h"
#include "store/store.h"

namespace kelp::store {

inline constexpr std::string_view kManifestName = "MANIFEST";
// What the manifest is renamed to when the logstore is dropped; then the folder is removed.
inline constexpr std::string_view kDroppedName = "DROPPED";
inline constexpr std::string_view kTemporarySuffix = ".tmp";
inline constexpr std::string_view kCorruptSuffix = ".corrupt";
inline constexpr int64_t kNanosPerDay = 86'400'000'000'000;

// 1-128 of [a-z0-9._-], not beginning with a dot. Errors: kInvalidArgument, naming the text.
Status CheckName(std::string_view what, std::string_view name);
Status CheckNames(const LogstoreName& name);

std::string LogstoreDir(const std::string& dir, const LogstoreName& name);
std::string LockPath(const std::string& dir);
std::string WalDir(const std::string& dir);

// Days since 1970-01-01, rounded down.
inline int32_t DayOf(UnixNanos time) {
  const int64_t day = time / kNanosPerDay;
  return static_cast<int32_t>(time % kNanosPerDay < 0 ? day - 1 : day);
}
// "20261121"; years outside 1-9999 do not occur (int64 nanoseconds end in 2262).
std::string DayName(int32_t day);
bool ParseDayName(std::string_view name, int32_t& day);

// A number as 16 hexadecimal digits, and a suffix.
std::string NumberedName(uint64_t number, std::string_view suffix);
bool ParseNumberedName(std::string_view name, std::string_view suffix, uint64_t& number);

std::string SegmentName(uint64_t id);
bool ParseSegmentName(std::string_view name, uint64_t& id);
std::string SegmentPath(const std::string& logstore_dir, int32_t day, uint64_t id);

// mkdir -p whose result survives a power cut: syncs the folders in which something was made.
Status MakeDirsDurably(FileSystem& files, const std::string& path);

// The logstores that have a folder below `dir`, whether or not a manifest is in it.
Result<std::vector<LogstoreName>> ListLogstores(FileSystem& files, const std::string& dir);

}  // namespace kelp::store

#endif  // KELP_STORE_LAYOUT_H_
