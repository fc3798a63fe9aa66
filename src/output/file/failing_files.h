// A file system whose writes, renames and truncations fail on demand; for tests.
#ifndef KELP_OUTPUT_FILE_FAILING_FILES_H_
#define KELP_OUTPUT_FILE_FAILING_FILES_H_

#include <atomic>
#include <cerrno>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/env.h"

namespace kelp::output::testing {

// Time that stands still until it is told to move on.
class StepClock final : public Clock {
 public:
  UnixNanos Now() override { return 1700000000000000000 + now.load().count(); }
  Duration Monotonic() override { return now; }
  std::atomic<Duration> now{Duration(1h)};
};

// Passes everything on to the real file system, but for what a test switches off.
//
// Threads: thread-safe as far as the switches are.
class FailingFiles final : public FileSystem {
 public:
  explicit FailingFiles(FileSystem& real) : real_(real) {}

  // Every append writes this many bytes and then finds the disk full.
  struct Bytes {
    std::atomic<int64_t> value{-1};
    Bytes& operator=(size_t n) {
      value = static_cast<int64_t>(n);
      return *this;
    }
    void reset() { value = -1; }
  } append_fails_after;
  std::atomic<bool> fail_truncate{false};
  std::atomic<bool> fail_rename{false};
  std::atomic<bool> fail_sync{false};
  std::atomic<int> syncs{0};

  Result<std::unique_ptr<File>> OpenForRead(const std::string& path) override {
    return real_.OpenForRead(path);
  }
  Result<std::unique_ptr<File>> OpenForWrite(const std::string& path, bool truncate,
                                             uint32_t mode) override {
    ASSIGN_OR_RETURN(auto file, real_.OpenForWrite(path, truncate, mode));
    return std::unique_ptr<File>(std::make_unique<FailingFile>(*this, path, std::move(file)));
  }
  Result<FileInfo> Stat(const std::string& path, bool follow) override {
    return real_.Stat(path, follow);
  }
  Result<std::vector<DirEntry>> ListDir(const std::string& path) override {
    return real_.ListDir(path);
  }
  Result<std::string> ReadLink(const std::string& path) override { return real_.ReadLink(path); }
  Status MakeDirs(const std::string& path, uint32_t mode) override {
    return real_.MakeDirs(path, mode);
  }
  Status Rename(const std::string& from, const std::string& to) override {
    if (fail_rename) return ErrnoError("cannot rename " + from, EACCES);
    return real_.Rename(from, to);
  }
  Status Remove(const std::string& path) override { return real_.Remove(path); }
  Status RemoveTree(const std::string& path) override { return real_.RemoveTree(path); }
  Status SyncDir(const std::string& path) override { return real_.SyncDir(path); }
  Result<std::unique_ptr<FileLock>> Lock(const std::string& path) override {
    return real_.Lock(path);
  }
  Result<DiskSpace> Space(const std::string& path) override { return real_.Space(path); }

 private:
  class FailingFile final : public File {
   public:
    FailingFile(FailingFiles& files, std::string path, std::unique_ptr<File> real)
        : files_(files), path_(std::move(path)), real_(std::move(real)) {}
    Result<size_t> ReadAt(uint64_t offset, char* buffer, size_t size) override {
      return real_->ReadAt(offset, buffer, size);
    }
    Status Append(std::string_view data) override {
      const int64_t limit = files_.append_fails_after.value;
      if (limit < 0) return real_->Append(data);
      real_->Append(data.substr(0, static_cast<size_t>(limit))).IgnoreError();
      return ErrnoError("cannot write " + path_, ENOSPC);
    }
    Status AppendAll(std::span<const std::string_view> pieces) override {
      return real_->AppendAll(pieces);
    }
    Status Sync() override {
      ++files_.syncs;
      if (files_.fail_sync) return ErrnoError("cannot sync " + path_, EIO);
      return real_->Sync();
    }
    Status Truncate(uint64_t size) override {
      if (files_.fail_truncate) return ErrnoError("cannot truncate " + path_, EIO);
      return real_->Truncate(size);
    }
    Result<FileInfo> Stat() override { return real_->Stat(); }

   private:
    FailingFiles& files_;
    const std::string path_;
    std::unique_ptr<File> real_;
  };

  FileSystem& real_;
};

// The real machine with these files.
class FailingEnv final : public Env {
 public:
  Clock& clock() override { return RealEnv().clock(); }
  FileSystem& files() override { return failing; }
  Random& random() override { return RealEnv().random(); }
  Result<std::unique_ptr<FileWatcher>> NewFileWatcher() override {
    return RealEnv().NewFileWatcher();
  }
  FailingFiles failing{RealEnv().files()};
};

}  // namespace kelp::output::testing

#endif  // KELP_OUTPUT_FILE_FAILING_FILES_H_
