// PassingFiles: the real file system, for tests that change some of what it says.
#ifndef KELP_TAIL_PASSING_FILES_H_
#define KELP_TAIL_PASSING_FILES_H_

#include <memory>
#include <string>
#include <vector>

#include "base/env.h"

namespace kelp::tail::testing {

class PassingFiles : public FileSystem {
 public:
  Result<std::unique_ptr<File>> OpenForRead(const std::string& path) override {
    return real_.OpenForRead(path);
  }
  Result<std::unique_ptr<File>> OpenForWrite(const std::string& path, bool truncate,
                                             uint32_t mode) override {
    return real_.OpenForWrite(path, truncate, mode);
  }
  Result<FileInfo> Stat(const std::string& path, bool follow_symlink) override {
    return real_.Stat(path, follow_symlink);
  }
  Result<std::vector<DirEntry>> ListDir(const std::string& path) override {
    return real_.ListDir(path);
  }
  Result<std::string> ReadLink(const std::string& path) override { return real_.ReadLink(path); }
  Status MakeDirs(const std::string& path, uint32_t mode) override {
    return real_.MakeDirs(path, mode);
  }
  Status Rename(const std::string& from, const std::string& to) override {
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
  FileSystem& real_ = RealEnv().files();
};

}  // namespace kelp::tail::testing

#endif  // KELP_TAIL_PASSING_FILES_H_
