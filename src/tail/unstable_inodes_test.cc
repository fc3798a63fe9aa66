// File systems that make inode numbers up and forget them: FAT, many in user space, some remote.

#include "tail/passing_files.h"
#include "tail/tail_fixture.h"

namespace kelp::tail {
namespace {

using testing::Bodies;

// A file whose number was made up when it was opened.
class RenumberedFile final : public File {
 public:
  RenumberedFile(std::unique_ptr<File> file, uint64_t salt) : file_(std::move(file)), salt_(salt) {}
  Result<size_t> ReadAt(uint64_t offset, char* buffer, size_t size) override {
    return file_->ReadAt(offset, buffer, size);
  }
  Result<FileInfo> Stat() override {
    ASSIGN_OR_RETURN(FileInfo info, file_->Stat());
    info.inode ^= salt_;
    return info;
  }
  Status Append(std::string_view data) override { return file_->Append(data); }
  Status AppendAll(std::span<const std::string_view> pieces) override {
    return file_->AppendAll(pieces);
  }
  Status Sync() override { return file_->Sync(); }
  Status Truncate(uint64_t size) override { return file_->Truncate(size); }

 private:
  const std::unique_ptr<File> file_;
  const uint64_t salt_;
};

// The real file system with other inode numbers after each Renumber().
class RenumberingFiles final : public testing::PassingFiles {
 public:
  void Renumber() { salt_ += uint64_t{1} << 40; }

  Result<std::unique_ptr<File>> OpenForRead(const std::string& path) override {
    ASSIGN_OR_RETURN(std::unique_ptr<File> file, PassingFiles::OpenForRead(path));
    return std::unique_ptr<File>(std::make_unique<RenumberedFile>(std::move(file), salt_));
  }
  Result<FileInfo> Stat(const std::string& path, bool follow_symlink) override {
    ASSIGN_OR_RETURN(FileInfo info, PassingFiles::Stat(path, follow_symlink));
    info.inode ^= salt_;
    return info;
  }

 private:
  uint64_t salt_ = 0;
};

class UnstableInodesTest : public testing::TailTest {
 protected:
  UnstableInodesTest() { env_.other_files = &files_; }
  ~UnstableInodesTest() override { Stop(); }
  void Renumber() {
    files_.Renumber();
    Pass(2s);
  }

  RenumberingFiles files_;
};

TEST_F(UnstableInodesTest, AFileKeepsItsPlace) {
  dir_.Append("a.log", "one\n");
  Start();
  for (int i = 0; i < 3; ++i) {
    Renumber();
    dir_.Append("a.log", "line " + std::to_string(i) + "\n");
    Pass(2s);
  }
  Pass(60s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "line 0", "line 1", "line 2"}));
  EXPECT_TRUE(host_->losses.empty());
  EXPECT_EQ(rotated_.value() + truncated_.value(), 0u);
}

TEST_F(UnstableInodesTest, AFileKeepsItsPlaceAcrossRestarts) {
  dir_.Append("a.log", "one\n");
  Start();
  for (int i = 0; i < 3; ++i) {
    AckAndStore();
    Stop();
    files_.Renumber();
    dir_.Append("a.log", "line " + std::to_string(i) + "\n");
    Start();
    EXPECT_EQ(host_->Bodies(), (Bodies{"line " + std::to_string(i)}));
  }
}

TEST_F(UnstableInodesTest, ClosedFilesKeepTheirPlace) {
  tail_options_.open_files_max = 1;
  Start();
  for (const char* name : {"a.log", "b.log", "c.log"}) dir_.Append(name, "one\n");
  Pass(2s);
  Renumber();
  for (const char* name : {"a.log", "b.log", "c.log"}) dir_.Append(name, "two\n");
  Pass(10s);
  EXPECT_EQ(host_->rows.size(), 6u);
  EXPECT_TRUE(host_->losses.empty());
}

TEST_F(UnstableInodesTest, ReplacedFilesAreNotTakenForRenumberedOnes) {
  dir_.Append("a.log", "one\n");
  Start();
  dir_.Rename("a.log", "a.log.1");
  LetATickPass();
  dir_.Append("a.log", "one\n");
  Pass(2s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "one"}));
  EXPECT_NE(host_->rows[0].origin, host_->rows[1].origin);
  EXPECT_EQ(rotated_.value(), 1u);
}

}  // namespace
}  // namespace kelp::tail
