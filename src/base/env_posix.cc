// RealEnv(): the Env of a Linux machine.
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstring>
#include <ctime>
#include <map>

#include "base/env.h"

namespace kelp {
namespace {

int64_t NanosOf(clockid_t id) {
  timespec ts;
  clock_gettime(id, &ts);
  return static_cast<int64_t>(ts.tv_sec) * 1000000000 + ts.tv_nsec;
}

class RealClock final : public Clock {
 public:
  UnixNanos Now() override { return NanosOf(CLOCK_REALTIME); }
  Duration Monotonic() override { return Duration(NanosOf(CLOCK_MONOTONIC)); }
};

class RealRandom final : public Random {
 public:
  uint64_t Next() override {
    uint64_t value = 0;
    ssize_t n;
    do {
      n = getrandom(&value, sizeof value, 0);
    } while (n < 0 && errno == EINTR);
    CHECK(n == sizeof value, "getrandom failed");
    return value;
  }
};

// Where an open file is now, for messages. Nobody keeps its path: an agent holds thousands.
std::string NameOf(int fd) {
  std::string name(PATH_MAX, '\0');
  const ssize_t n =
      ::readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), name.data(), PATH_MAX);
  if (n <= 0) return "an open file";
  name.resize(static_cast<size_t>(n));
  return name;
}

Status FdError(const char* what, int fd) {
  const int error = errno;
  return ErrnoError(what + NameOf(fd), error);
}

Result<FileInfo> StatAt(int dir, const char* path, int flags) {
  struct statx x;
  if (statx(dir, path, flags, STATX_BASIC_STATS | STATX_BTIME, &x) != 0) {
    return *path == '\0' ? FdError("cannot stat ", dir)
                         : ErrnoError("cannot stat " + std::string(path));
  }
  FileInfo info;
  info.device = makedev(x.stx_dev_major, x.stx_dev_minor);
  info.inode = x.stx_ino;
  info.size = x.stx_size;
  info.modified = x.stx_mtime.tv_sec * 1000000000 + x.stx_mtime.tv_nsec;
  if (x.stx_mask & STATX_BTIME) {
    info.born = x.stx_btime.tv_sec * 1000000000 + x.stx_btime.tv_nsec;
  }
  info.links = x.stx_nlink;
  info.type = S_ISREG(x.stx_mode)   ? FileType::kRegular
              : S_ISDIR(x.stx_mode) ? FileType::kDirectory
              : S_ISLNK(x.stx_mode) ? FileType::kSymlink
                                    : FileType::kOther;
  return info;
}

class RealFile final : public File {
 public:
  explicit RealFile(int fd) : fd_(fd) {}
  ~RealFile() override { ::close(fd_); }

  Result<size_t> ReadAt(uint64_t offset, char* buffer, size_t size) override {
    size_t done = 0;
    while (done < size) {
      const ssize_t n = ::pread(fd_, buffer + done, size - done, static_cast<off_t>(offset + done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return FdError("cannot read ", fd_);
      if (n == 0) break;
      done += static_cast<size_t>(n);
    }
    return done;
  }

  Status Append(std::string_view data) override {
    return AppendAll(std::span<const std::string_view>(&data, 1));
  }

  Status AppendAll(std::span<const std::string_view> pieces) override {
    std::array<iovec, 64> vec;
    size_t at = 0;    // piece
    size_t skip = 0;  // bytes of it already written
    while (at < pieces.size()) {
      int count = 0;
      for (size_t i = at; i < pieces.size() && count < static_cast<int>(vec.size()); ++i) {
        const size_t from = i == at ? skip : 0;
        vec[static_cast<size_t>(count++)] = {const_cast<char*>(pieces[i].data()) + from,
                                             pieces[i].size() - from};
      }
      ssize_t n = ::writev(fd_, vec.data(), count);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return FdError("cannot write ", fd_);
      while (at < pieces.size() && static_cast<size_t>(n) >= pieces[at].size() - skip) {
        n -= static_cast<ssize_t>(pieces[at].size() - skip);
        skip = 0;
        ++at;
      }
      skip += static_cast<size_t>(n);
    }
    return OkStatus();
  }

  Status Sync() override {
    return ::fdatasync(fd_) == 0 ? OkStatus() : FdError("cannot sync ", fd_);
  }
  Status Truncate(uint64_t size) override {
    return ::ftruncate(fd_, static_cast<off_t>(size)) == 0 ? OkStatus()
                                                           : FdError("cannot truncate ", fd_);
  }
  Result<FileInfo> Stat() override { return StatAt(fd_, "", AT_EMPTY_PATH); }
  int descriptor() const override { return fd_; }

 private:
  const int fd_;
};

class RealLock final : public FileLock {
 public:
  explicit RealLock(int fd) : fd_(fd) {}
  ~RealLock() override { ::close(fd_); }

 private:
  const int fd_;
};

class RealFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> OpenForRead(const std::string& path) override {
    return OpenFile(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
  }
  Result<std::unique_ptr<File>> OpenForWrite(const std::string& path, bool truncate,
                                             uint32_t mode) override {
    return OpenFile(path, O_RDWR | O_CREAT | O_APPEND | (truncate ? O_TRUNC : 0), mode);
  }
  Result<FileInfo> Stat(const std::string& path, bool follow) override {
    return StatAt(AT_FDCWD, path.c_str(), follow ? 0 : AT_SYMLINK_NOFOLLOW);
  }

  Result<std::vector<DirEntry>> ListDir(const std::string& path) override {
    DIR* dir = ::opendir(path.c_str());
    if (dir == nullptr) return ErrnoError("cannot list " + path);
    std::vector<DirEntry> entries;
    errno = 0;
    while (const dirent* entry = ::readdir(dir)) {
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      FileType type = FileType::kOther;
      switch (entry->d_type) {
        case DT_REG:
          type = FileType::kRegular;
          break;
        case DT_DIR:
          type = FileType::kDirectory;
          break;
        case DT_LNK:
          type = FileType::kSymlink;
          break;
        case DT_UNKNOWN: {
          const Result<FileInfo> info = Stat(JoinPath(path, name), false);
          if (info.ok()) type = info->type;
          break;
        }
        default:
          break;
      }
      entries.push_back({std::string(name), type});
      errno = 0;
    }
    const int error = errno;
    ::closedir(dir);
    if (error != 0) return ErrnoError("cannot list " + path, error);
    return entries;
  }

  Result<std::string> ReadLink(const std::string& path) override {
    std::string target(4096, '\0');
    const ssize_t n = ::readlink(path.c_str(), target.data(), target.size());
    if (n < 0) return ErrnoError("cannot read the link " + path);
    target.resize(static_cast<size_t>(n));
    return target;
  }

  Status MakeDirs(const std::string& path, uint32_t mode) override {
    for (size_t at = 1; at <= path.size(); ++at) {
      if (at != path.size() && path[at] != '/') continue;
      const std::string part = path.substr(0, at);
      if (::mkdir(part.c_str(), mode) != 0 && errno != EEXIST) {
        return ErrnoError("cannot create the directory " + part);
      }
    }
    ASSIGN_OR_RETURN(const FileInfo info, Stat(path, true));
    if (info.type != FileType::kDirectory) return ErrnoError(path, ENOTDIR);
    return OkStatus();
  }

  Status Rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) == 0) return OkStatus();
    return ErrnoError("cannot rename " + from + " to " + to);
  }
  Status Remove(const std::string& path) override {
    if (::unlink(path.c_str()) == 0) return OkStatus();
    if ((errno == EISDIR || errno == EPERM) && ::rmdir(path.c_str()) == 0) return OkStatus();
    return ErrnoError("cannot remove " + path);
  }
  Status RemoveTree(const std::string& path) override {
    const Result<FileInfo> info = Stat(path, false);
    if (!info.ok()) {
      return info.status().code() == Code::kNotFound ? OkStatus() : info.status();
    }
    if (info->type == FileType::kDirectory) {
      ASSIGN_OR_RETURN(const std::vector<DirEntry> entries, ListDir(path));
      for (const DirEntry& entry : entries) {
        RETURN_IF_ERROR(RemoveTree(JoinPath(path, entry.name)));
      }
    }
    return Remove(path);
  }
  Status SyncDir(const std::string& path) override {
    const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return ErrnoError("cannot open the directory " + path);
    const Status status =
        ::fsync(fd) == 0 ? OkStatus() : ErrnoError("cannot sync the directory " + path);
    ::close(fd);
    return status;
  }

  Result<std::unique_ptr<FileLock>> Lock(const std::string& path) override {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) return ErrnoError("cannot open the lock " + path);
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
      const int error = errno;
      char holder[32] = {};
      const ssize_t n = ::pread(fd, holder, sizeof holder - 1, 0);
      ::close(fd);
      if (error != EWOULDBLOCK) return ErrnoError("cannot lock " + path, error);
      return AlreadyExistsError(path + " is locked by another process" +
                                (n > 0 ? " (pid " + std::string(holder) + ")" : ""));
    }
    const std::string pid = std::to_string(::getpid());
    if (::ftruncate(fd, 0) != 0 ||
        ::pwrite(fd, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
      // The pid only makes a message better; the lock itself holds. A full disk must not stop us.
    }
    return std::unique_ptr<FileLock>(new RealLock(fd));
  }

  Result<DiskSpace> Space(const std::string& path) override {
    struct statvfs v;
    if (::statvfs(path.c_str(), &v) != 0)
      return ErrnoError("cannot read the free space of " + path);
    return DiskSpace{{static_cast<uint64_t>(v.f_bavail) * v.f_frsize},
                     {static_cast<uint64_t>(v.f_blocks) * v.f_frsize}};
  }

 private:
  static Result<std::unique_ptr<File>> OpenFile(const std::string& path, int flags, uint32_t mode) {
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
    if (fd < 0) return ErrnoError("cannot open " + path);
    return std::unique_ptr<File>(new RealFile(fd));
  }
};

class InotifyWatcher final : public FileWatcher {
 public:
  InotifyWatcher(int fd, int wake) : fd_(fd), wake_(wake) {}
  ~InotifyWatcher() override {
    ::close(fd_);
    ::close(wake_);
  }

  Result<int> AddDir(const std::string& path) override {
    const int watch =
        inotify_add_watch(fd_, path.c_str(),
                          IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
                              IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB | IN_ONLYDIR);
    if (watch >= 0) return watch;
    if (errno == ENOSPC) {
      return ResourceExhaustedError("cannot watch " + path +
                                    ": the limit of inotify watches is reached (raise "
                                    "fs.inotify.max_user_watches)");
    }
    return ErrnoError("cannot watch " + path);
  }
  void Remove(int watch) override { inotify_rm_watch(fd_, watch); }

  std::vector<Event> Wait(Duration timeout) override {
    pollfd fds[2] = {{fd_, POLLIN, 0}, {wake_, POLLIN, 0}};
    const int64_t ms = std::clamp<int64_t>((timeout.count() + 999999) / 1000000, 0, INT32_MAX);
    std::vector<Event> events;
    if (::poll(fds, 2, static_cast<int>(ms)) <= 0) return events;
    if (fds[1].revents != 0) {
      uint64_t ignored;
      [[maybe_unused]] const ssize_t n = ::read(wake_, &ignored, sizeof ignored);
    }
    if (fds[0].revents != 0) ReadAll(events);
    return events;
  }

  void Wake() override {
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t n = ::write(wake_, &one, sizeof one);
  }

 private:
  void ReadAll(std::vector<Event>& events) {
    alignas(inotify_event) char buffer[16384];
    std::map<std::pair<int, std::string>, size_t> seen;
    for (int rounds = 0; rounds < 64; ++rounds) {
      const ssize_t n = ::read(fd_, buffer, sizeof buffer);
      if (n <= 0) return;
      for (ssize_t at = 0; at < n;) {
        const auto* raw = reinterpret_cast<const inotify_event*>(buffer + at);
        at += static_cast<ssize_t>(sizeof(inotify_event) + raw->len);
        Event event;
        event.watch = raw->wd;
        event.overflow = (raw->mask & IN_Q_OVERFLOW) != 0;
        if (raw->len != 0) event.name = raw->name;
        event.modified = (raw->mask & (IN_MODIFY | IN_ATTRIB)) != 0;
        event.created = (raw->mask & (IN_CREATE | IN_MOVED_TO)) != 0;
        event.gone = (raw->mask & (IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF | IN_MOVE_SELF |
                                   IN_IGNORED)) != 0;
        const auto [it, fresh] = seen.try_emplace({event.watch, event.name}, events.size());
        if (fresh) {
          events.push_back(std::move(event));
        } else {
          Event& old = events[it->second];
          old.modified |= event.modified;
          old.created |= event.created;
          old.gone |= event.gone;
        }
      }
    }
  }

  const int fd_;
  const int wake_;
};

class PosixEnv final : public Env {
 public:
  Clock& clock() override { return clock_; }
  FileSystem& files() override { return files_; }
  Random& random() override { return random_; }
  Result<std::unique_ptr<FileWatcher>> NewFileWatcher() override {
    const int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0) {
      return ErrnoError(
          "cannot use inotify (raise fs.inotify.max_user_instances if the limit is reached)");
    }
    const int wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (wake < 0) {
      const Status status = ErrnoError("cannot make an eventfd");
      ::close(fd);
      return status;
    }
    return std::unique_ptr<FileWatcher>(new InotifyWatcher(fd, wake));
  }

 private:
  RealClock clock_;
  RealFileSystem files_;
  RealRandom random_;
};

}  // namespace

Env& RealEnv() {
  static PosixEnv* env = new PosixEnv;
  return *env;
}

}  // namespace kelp
