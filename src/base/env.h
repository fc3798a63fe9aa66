// Env: the seams through which files, time and chance reach Kelp, so that a whole agent can run in
// a simulation. Code that does I/O takes an `Env&` in its constructor; only RealEnv() and the
// simulation implement it. The network seam is net/http_client.h (HttpTransport).
//
// Owns:     an Env outlives everything that borrows it.
// Threads:  Clock, FileSystem and Random are thread-safe. A File is thread-compatible, but ReadAt
//           may be called from several threads at once. A FileWatcher is confined to one thread,
//           except Wake().
// Errors:   Status with the path in the message; see ErrnoError for the codes.
#ifndef KELP_BASE_ENV_H_
#define KELP_BASE_ENV_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/units.h"

namespace kelp {

class Clock {
 public:
  virtual ~Clock() = default;
  // Wall-clock time. May jump.
  virtual UnixNanos Now() = 0;
  // Never goes back; meaningful only as a difference.
  virtual Duration Monotonic() = 0;
};

class Random {
 public:
  virtual ~Random() = default;
  virtual uint64_t Next() = 0;
};

enum class FileType : uint8_t { kRegular, kDirectory, kSymlink, kOther };

struct FileInfo {
  uint64_t device = 0;
  uint64_t inode = 0;
  uint64_t size = 0;
  UnixNanos modified = kNoTime;
  UnixNanos born = kNoTime;  // kNoTime where the file system does not say
  uint32_t links = 0;        // 0: deleted, alive only through a descriptor
  FileType type = FileType::kOther;
};

// An open file.
class File {
 public:
  virtual ~File() = default;  // closes
  // Reads up to `size` bytes at `offset`; fewer only at the end of the file (0: at or past it).
  virtual Result<size_t> ReadAt(uint64_t offset, char* buffer, size_t size) = 0;
  // Writes all of `data` at the end, or fails; after a failure the end may hold a part of it.
  virtual Status Append(std::string_view data) = 0;
  // As Append, for several pieces in one system call where the system can.
  virtual Status AppendAll(std::span<const std::string_view> pieces) = 0;
  // Makes data and size durable (fdatasync).
  virtual Status Sync() = 0;
  virtual Status Truncate(uint64_t size) = 0;
  virtual Result<FileInfo> Stat() = 0;
  // The raw descriptor for mmap, or -1 where there is none (simulation).
  virtual int descriptor() const { return -1; }
};

// An exclusive lock on a path, held until destroyed.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

struct DirEntry {
  std::string name;
  FileType type = FileType::kOther;  // of the entry itself: a symbolic link is kSymlink
};

struct DiskSpace {
  ByteSize free;  // for this process
  ByteSize total;
};

class FileSystem {
 public:
  virtual ~FileSystem() = default;
  // Opens for reading without blocking (a FIFO opens at once); regular files and directories only
  // are of use. Symbolic links are followed.
  virtual Result<std::unique_ptr<File>> OpenForRead(const std::string& path) = 0;
  // Opens for Append, creating it with `mode`; `truncate` empties it first.
  virtual Result<std::unique_ptr<File>> OpenForWrite(const std::string& path, bool truncate,
                                                     uint32_t mode = 0644) = 0;
  virtual Result<FileInfo> Stat(const std::string& path, bool follow_symlink = true) = 0;
  virtual Result<std::vector<DirEntry>> ListDir(const std::string& path) = 0;
  virtual Result<std::string> ReadLink(const std::string& path) = 0;
  // mkdir -p.
  virtual Status MakeDirs(const std::string& path, uint32_t mode = 0755) = 0;
  virtual Status Rename(const std::string& from, const std::string& to) = 0;
  // Removes a file or an empty directory. kNotFound when there is none.
  virtual Status Remove(const std::string& path) = 0;
  virtual Status RemoveTree(const std::string& path) = 0;
  // Makes creations, renames and removals in a directory durable.
  virtual Status SyncDir(const std::string& path) = 0;
  // kAlreadyExists when another process holds the lock; the message names its pid where known.
  virtual Result<std::unique_ptr<FileLock>> Lock(const std::string& path) = 0;
  virtual Result<DiskSpace> Space(const std::string& path) = 0;
};

// Tells that something happened in watched directories. One instance serves the whole process.
class FileWatcher {
 public:
  struct Event {
    int watch = -1;         // as AddDir returned; -1 with `overflow`
    std::string name;       // entry in the directory; empty: the directory itself
    bool modified = false;  // content was written
    bool created = false;   // came into being, or was renamed to here
    bool gone = false;      // deleted, or renamed away
    bool overflow = false;  // events were lost: look at everything again
  };
  virtual ~FileWatcher() = default;
  // Watches the entries of a directory. The same directory gives the same id. Errors:
  // kResourceExhausted when the system's limit is reached (fall back to scanning, and say so).
  virtual Result<int> AddDir(const std::string& path) = 0;
  virtual void Remove(int watch) = 0;
  // Waits up to `timeout` and gives what happened, duplicates folded. Empty on time-out or Wake().
  virtual std::vector<Event> Wait(Duration timeout) = 0;
  // Ends the current or next Wait early. Any thread.
  virtual void Wake() = 0;
};

class Env {
 public:
  virtual ~Env() = default;
  virtual Clock& clock() = 0;
  virtual FileSystem& files() = 0;
  virtual Random& random() = 0;
  virtual Result<std::unique_ptr<FileWatcher>> NewFileWatcher() = 0;
};

// The real machine. Lives for the whole process.
Env& RealEnv();

// Conveniences over FileSystem.
// REQUIRES nothing; a file over `limit` is kResourceExhausted.
Result<std::string> ReadFile(FileSystem& files, const std::string& path,
                             ByteSize limit = ByteSize{64u << 20});
// Writes a temporary sibling, syncs it, renames it over `path`, syncs the directory.
Status WriteFileAtomically(FileSystem& files, const std::string& path, std::string_view data,
                           uint32_t mode = 0644);

std::string JoinPath(std::string_view dir, std::string_view name);
// Everything before the last '/', "." when there is none, "/" for the root.
std::string DirName(std::string_view path);
std::string BaseName(std::string_view path);

}  // namespace kelp

#endif  // KELP_BASE_ENV_H_
