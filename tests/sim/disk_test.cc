// The simulated machine against the real one: the same random calls in a temporary directory and on
// a Disk give the same errors, the same bytes and sizes, the same links, and the same inotify
// events.
#include "disk.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>

#include "sim_env.h"

namespace kelp::sim {
namespace {

constexpr int kActions = 400;

int ErrnoOf(int result) { return result < 0 ? errno : 0; }

// A file that both machines have open.
struct OpenBoth {
  int fd = -1;
  std::unique_ptr<Handle> handle;
};

class Machines {
 public:
  explicit Machines(uint64_t seed) : chance_(seed), disk_(clock_, {}) {
    char name[] = "/tmp/kelp_sim_XXXXXX";
    CHECK(::mkdtemp(name) != nullptr, "no temporary directory");
    root_ = name;
    CHECK(disk_.MakeDir("/tmp") == 0 && disk_.MakeDir(root_) == 0, "no directory");
    MakeDir(root_ + "/d");
    real_watcher_ = RealEnv().NewFileWatcher().value();
    sim_watcher_ = std::make_unique<SimFileWatcher>(disk_, WatcherLimits());
    for (const std::string& dir : {root_, root_ + "/d"}) {
      watched_[real_watcher_->AddDir(dir).value()] = dir;
      sim_watched_[sim_watcher_->AddDir(dir).value()] = dir;
    }
  }
  ~Machines() {
    for (OpenBoth& open : open_) ::close(open.fd);
    RealEnv().files().RemoveTree(root_).IgnoreError();
  }

  void Act() {
    clock_.MoveTo(clock_.Monotonic() + 1ms);
    const std::string a = Path();
    const std::string b = Path();
    switch (chance_.Below(12)) {
      case 0:
      case 1:
        return Open(a);
      case 2:
      case 3:
        return Append();
      case 4:
        return Truncate();
      case 5:
      case 6:
        return Same("rename " + a + " " + b, ErrnoOf(::rename(a.c_str(), b.c_str())),
                    disk_.Rename(a, b));
      case 7:
        return Remove(a);
      case 8:
        return Same("link", ErrnoOf(::link(a.c_str(), b.c_str())), disk_.Link(a, b));
      case 9:
        return Same("symlink", ErrnoOf(::symlink(a.c_str(), b.c_str())), disk_.Symlink(a, b));
      case 10:
        return MakeDir(a);
      case 11:
        return Close();
    }
  }

  void Compare() {
    std::map<uint64_t, uint64_t> inodes;
    CompareDir(root_, inodes);
    for (OpenBoth& open : open_) {
      struct stat s;
      ASSERT_EQ(::fstat(open.fd, &s), 0);
      EXPECT_EQ(static_cast<uint64_t>(s.st_nlink), open.handle->node().links);
      EXPECT_EQ(static_cast<uint64_t>(s.st_size), open.handle->node().data.size());
    }
    CompareEvents();
  }

 private:
  std::string Path() {
    static const char* const names[] = {"/a", "/b", "/c", "/d", "/d/a", "/d/b", "/d/c"};
    return root_ + names[chance_.Below(7)];
  }
  static void Same(const std::string& what, int real, int sim) {
    EXPECT_EQ(real, sim) << what << ": " << strerror(real) << " / " << strerror(sim);
  }
  void MakeDir(const std::string& path) {
    Same("mkdir " + path, ErrnoOf(::mkdir(path.c_str(), 0755)), disk_.MakeDir(path));
  }
  void Remove(const std::string& path) {
    int real = ErrnoOf(::unlink(path.c_str()));
    if (real == EISDIR) real = ErrnoOf(::rmdir(path.c_str()));
    Same("remove " + path, real, disk_.Remove(path));
  }
  void Open(const std::string& path) {
    struct stat s;
    if (::stat(path.c_str(), &s) == 0 && S_ISDIR(s.st_mode)) return;
    // O_CREAT through a link that leads nowhere would make its target: not modelled, not needed.
    if (::lstat(path.c_str(), &s) == 0 && S_ISLNK(s.st_mode) && ::stat(path.c_str(), &s) != 0) {
      return;
    }
    OpenBoth open;
    open.fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND, 0644);
    const int real = ErrnoOf(open.fd);
    Same("open " + path, real, disk_.Open(path, true, open.handle));
    if (real == 0) open_.push_back(std::move(open));
  }
  void Append() {
    if (open_.empty()) return;
    OpenBoth& open = open_[chance_.Below(open_.size())];
    const std::string text(1 + chance_.Below(20), static_cast<char>('a' + chance_.Below(26)));
    const ssize_t n = ::write(open.fd, text.data(), text.size());
    ASSERT_EQ(n, static_cast<ssize_t>(text.size()));
    EXPECT_EQ(disk_.Append(*open.handle, text), 0);
  }
  void Truncate() {
    if (open_.empty()) return;
    OpenBoth& open = open_[chance_.Below(open_.size())];
    const uint64_t size = chance_.Below(40);  // less, or more with a hole
    Same("truncate", ErrnoOf(::ftruncate(open.fd, static_cast<off_t>(size))),
         disk_.Truncate(*open.handle, size));
  }
  void Close() {
    if (open_.empty()) return;
    const size_t i = chance_.Below(open_.size());
    ::close(open_[i].fd);
    open_.erase(open_.begin() + static_cast<ptrdiff_t>(i));
  }

  void CompareDir(const std::string& dir, std::map<uint64_t, uint64_t>& inodes) {
    SimEnv env(clock_, disk_, Chance(1), {}, nullptr);
    const auto entries = RealEnv().files().ListDir(dir);
    const auto sim_entries = env.files().ListDir(dir);
    ASSERT_TRUE(entries.ok() && sim_entries.ok());
    std::set<std::string> names, sim_names;
    for (const DirEntry& entry : *entries) names.insert(entry.name);
    for (const DirEntry& entry : *sim_entries) sim_names.insert(entry.name);
    ASSERT_EQ(names, sim_names) << dir;
    for (const std::string& name : names) {
      const std::string path = JoinPath(dir, name);
      const FileInfo real = *RealEnv().files().Stat(path, false);
      const FileInfo sim = *env.files().Stat(path, false);
      EXPECT_EQ(real.type, sim.type) << path;
      const auto [it, fresh] = inodes.try_emplace(real.inode, sim.inode);
      EXPECT_EQ(it->second, sim.inode) << path << ": the same file there, not here";
      if (real.type == FileType::kDirectory) {
        CompareDir(path, inodes);
      } else if (real.type == FileType::kRegular) {
        EXPECT_EQ(real.links, sim.links) << path;
        EXPECT_EQ(*ReadFile(RealEnv().files(), path), *ReadFile(env.files(), path)) << path;
      } else if (real.type == FileType::kSymlink) {
        EXPECT_EQ(*RealEnv().files().ReadLink(path), *env.files().ReadLink(path));
        EXPECT_EQ(RealEnv().files().Stat(path).status().code(),
                  env.files().Stat(path, true).status().code());
      }
    }
  }

  using Events = std::map<std::pair<std::string, std::string>, std::string>;
  static Events Folded(FileWatcher& watcher, const std::map<int, std::string>& watched) {
    Events events;
    for (const FileWatcher::Event& event : watcher.Wait(Duration(0))) {
      const auto it = watched.find(event.watch);
      if (it == watched.end()) continue;
      std::string& flags = events[{it->second, event.name}];
      // Attributes and content are one to us, and a removal changes attributes, too.
      if (event.created) flags += "created ";
      if (event.gone) flags += "gone ";
      if (event.modified && !event.name.empty() && flags.empty()) flags = "modified";
    }
    std::erase_if(events, [](const auto& entry) { return entry.second.empty(); });
    return events;
  }
  void CompareEvents() {
    EXPECT_EQ(Folded(*real_watcher_, watched_), Folded(*sim_watcher_, sim_watched_));
  }

  Chance chance_;
  SimClock clock_;
  Disk disk_;
  std::string root_;
  std::vector<OpenBoth> open_;
  std::unique_ptr<FileWatcher> real_watcher_;
  std::unique_ptr<SimFileWatcher> sim_watcher_;
  std::map<int, std::string> watched_, sim_watched_;
};

TEST(DiskTest, BehavesAsTheRealFileSystem) {
  for (uint64_t seed = 1; seed <= 40 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Machines machines(seed);
    for (int i = 0; i < kActions && !testing::Test::HasFailure(); ++i) {
      SCOPED_TRACE("action " + std::to_string(i));
      machines.Act();
      machines.Compare();
    }
  }
}

class SimDiskTest : public testing::Test {
 protected:
  std::unique_ptr<Handle> Make(const std::string& path, std::string_view text) {
    std::unique_ptr<Handle> handle;
    EXPECT_EQ(disk_.Open(path, true, handle), 0);
    EXPECT_EQ(disk_.Append(*handle, text), 0);
    return handle;
  }
  SimClock clock_;
  Disk disk_{clock_, {}};
  SimEnv env_{clock_, disk_, Chance(1), {}, nullptr};
};

TEST_F(SimDiskTest, AnInodeIsUsedAgainOnceNoDescriptorHasIt) {
  auto held = Make("/a", "1");
  const uint64_t number = held->node().number;
  EXPECT_EQ(disk_.Remove("/a"), 0);
  EXPECT_NE(Make("/b", "2")->node().number, number);
  EXPECT_EQ(held->node().data, "1");
  held.reset();
  EXPECT_EQ(Make("/c", "3")->node().number, number);
}

TEST_F(SimDiskTest, BirthTimesTick) {
  const UnixNanos a = Make("/a", "")->node().born;
  clock_.MoveTo(clock_.Monotonic() + 1ms);
  EXPECT_EQ(Make("/b", "")->node().born, a);
  clock_.MoveTo(clock_.Monotonic() + 4ms);
  EXPECT_GT(Make("/c", "")->node().born, a);
}

TEST_F(SimDiskTest, WritingBehindTheEndLeavesAHole) {
  auto file = Make("/a", "x");
  EXPECT_EQ(disk_.WriteAt(*file, 3, "y"), 0);
  EXPECT_EQ(file->node().data, std::string("x\0\0y", 4));
}

TEST_F(SimDiskTest, AFullDiskTakesAPart) {
  disk_.set_space(3);
  std::unique_ptr<Handle> file;
  ASSERT_EQ(disk_.Open("/a", true, file), 0);
  EXPECT_EQ(disk_.Append(*file, "abcdef"), ENOSPC);
  EXPECT_EQ(file->node().data, "abc");
}

TEST_F(SimDiskTest, APowerCutTakesWhatWasNotSynced) {
  auto file = env_.files().OpenForWrite("/a", false, 0644).value();
  ASSERT_TRUE(file->Append("synced").ok());
  ASSERT_TRUE(file->Sync().ok());
  ASSERT_TRUE(env_.files().SyncDir("/").ok());
  ASSERT_TRUE(file->Append("lost").ok());
  ASSERT_TRUE(WriteFileAtomically(env_.files(), "/b", "whole").ok());
  file.reset();
  std::set<std::string> seen;
  Chance chance(7);
  disk_.PowerCut("/", chance);
  const std::string a = ReadFile(env_.files(), "/a").value();
  EXPECT_EQ(a, std::string("syncedlost").substr(0, a.size()));
  EXPECT_GE(a.size(), 6u);
  EXPECT_EQ(ReadFile(env_.files(), "/b").value(), "whole");
}

TEST_F(SimDiskTest, AFullQueueEndsInOneOverflow) {
  SimFileWatcher watcher(disk_, {.queued_max = 2});
  ASSERT_TRUE(watcher.AddDir("/").ok());
  for (const char* path : {"/a", "/b", "/c", "/d"}) Make(path, "");
  const auto events = watcher.Wait(Duration(0));
  ASSERT_EQ(events.size(), 3u);
  EXPECT_TRUE(events[2].overflow);
  EXPECT_FALSE(watcher.pending());
}

TEST_F(SimDiskTest, ADeadProcessChangesNothing) {
  auto file = env_.files().OpenForWrite("/a", false, 0644).value();
  env_.sim_files().Die();
  EXPECT_FALSE(file->Append("late").ok());
  EXPECT_FALSE(env_.files().Rename("/a", "/b").ok());
  EXPECT_FALSE(env_.files().Stat("/a", true).ok());
  EXPECT_EQ(env_.sim_files().open_descriptors(), 1u);
  file.reset();
  EXPECT_EQ(env_.sim_files().open_descriptors(), 0u);
}

TEST_F(SimDiskTest, DescriptorsRunOut) {
  env_.sim_files().faults.descriptors_max = 1;
  Make("/a", "");
  auto first = env_.files().OpenForRead("/a").value();
  EXPECT_EQ(env_.files().OpenForRead("/a").status().code(), Code::kResourceExhausted);
  first.reset();
  EXPECT_TRUE(env_.files().OpenForRead("/a").ok());
}

}  // namespace
}  // namespace kelp::sim
