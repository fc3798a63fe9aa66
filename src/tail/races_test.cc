// What rotation does between two looks at a file. The simulation's scenarios with `races` in their
// names find such; here is one of each kind.
#include <unistd.h>

#include <algorithm>

#include "tail/packing.h"
#include "tail/passing_files.h"
#include "tail/tail_fixture.h"

namespace kelp::tail {
namespace {

using testing::Bodies;

// Something happens before a file is opened or after, or before a directory is listed.
class EventfulFiles final : public testing::PassingFiles {
 public:
  Result<std::unique_ptr<File>> OpenForRead(const std::string& path) override {
    Tell(before_open, path);
    Result<std::unique_ptr<File>> file = PassingFiles::OpenForRead(path);
    Tell(after_open, path);
    return file;
  }
  Result<std::vector<DirEntry>> ListDir(const std::string& path) override {
    Tell(before_list, path);
    return PassingFiles::ListDir(path);
  }

  using Event = std::function<void(const std::string& path)>;
  Event before_open;
  Event after_open;
  Event before_list;

 private:
  // A copy: what happens may be replaced by what happens next.
  static void Tell(Event event, const std::string& path) {
    if (event != nullptr) event(path);
  }
};

class RacesTest : public testing::TailTest {
 protected:
  RacesTest() { env_.other_files = &files_; }
  ~RacesTest() override { Stop(); }

  std::string Text(const std::string& name) {
    const Result<std::string> text = ReadFile(RealEnv().files(), dir_ / name);
    return text.ok() ? *text : "";
  }
  void Copy(const std::string& from, const std::string& to) { dir_.Write(to, Text(from)); }
  void Empty(const std::string& name) { ASSERT_EQ(::truncate((dir_ / name).c_str(), 0), 0); }
  void Gzip(const std::string& name) {
    dir_.Write(name + ".gz", testing::Gzip(Text(name)));
    ASSERT_EQ(::unlink((dir_ / name).c_str()), 0);
  }
  // `what` happens once, after the first time that this is opened.
  void OnceOpened(const std::string& name, std::function<void()> what) {
    files_.after_open = [this, name, what = std::move(what)](const std::string& path) {
      if (path != dir_ / name) return;
      files_.after_open = nullptr;
      what();
    };
  }

  // What is in a.log was read, and a copy of it is there that nobody saw yet.
  void StartBeforeCopy(FollowOptions options) {
    dir_.Append("a.log", "one\n");
    Start(std::move(options));
    Copy("a.log", "a.log.1");
  }
  // That what was read of a.log is not read again, and what comes is.
  void ExpectOnce() {
    Settle();
    dir_.Append("a.log", "two\n");
    Pass(2s);
    EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two"}));
  }

  EventfulFiles files_;
};

TEST_F(RacesTest, ACopyThatIsCompressedWhileItIsLookedAtIsReadOnce) {
  StartBeforeCopy(Options("a.log*"));
  OnceOpened("a.log.1", [this] {
    Empty("a.log");
    Gzip("a.log.1");
  });
  ExpectOnce();
}

TEST_F(RacesTest, ACopyThatIsCompressedAndRotatedOnWhileItIsLookedAtIsReadOnce) {
  StartBeforeCopy(Options("a.log*"));
  OnceOpened("a.log.1", [this] {
    Empty("a.log");
    Gzip("a.log.1");
    OnceOpened("a.log.1.gz", [this] { dir_.Rename("a.log.1.gz", "a.log.2.gz"); });
  });
  ExpectOnce();
}

TEST_F(RacesTest, AFileThatIsEmptiedWhileItIsComparedIsNotReadAgainInItsCopy) {
  StartBeforeCopy(Options());
  OnceOpened("a.log.1", [this] { Empty("a.log"); });
  ExpectOnce();
}

TEST_F(RacesTest, AFileThatIsEmptiedWhileItsCopiesAreSoughtIsReadOnce) {
  dir_.Append("a.log", "one\n");
  Start();
  AckAndStore();
  Stop();
  LetATickPass();
  Copy("a.log", "a.log.1");
  Empty("a.log");
  dir_.Append("a.log", "two\n");
  OnceOpened("a.log", [this] {
    files_.before_list = [this](const std::string&) {
      files_.before_list = nullptr;
      dir_.Rename("a.log.1", "a.log.2");
      Copy("a.log", "a.log.1");
      Empty("a.log");
    };
  });
  Start();
  dir_.Append("a.log", "three\n");
  Pass(5s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"two", "three"}));
  EXPECT_TRUE(host_->losses.empty());
}

TEST_F(RacesTest, AMissedCopyThatIsRotatedOnIsNotTakenForTheNext) {
  dir_.Append("a.log", "one\n");
  Start();
  AckAndStore();
  Stop();
  LetATickPass();
  dir_.Rename("a.log", "a.log.2");
  dir_.Append("a.log", "two\n");
  Start();
  AckAndStore();
  Stop();
  LetATickPass();
  Empty("a.log");
  dir_.Append("a.log.1", "three\n");
  dir_.Append("a.log", "four\n");
  // Once when it is judged, and again when it is begun.
  int opens = 0;
  files_.before_open = [&](const std::string& path) {
    if (path != dir_ / "a.log.1" || ++opens != 3) return;
    dir_.Rename("a.log.2", "a.log.3");
    dir_.Rename("a.log.1", "a.log.2");
    Copy("a.log", "a.log.1");
  };
  Start();
  EXPECT_GE(opens, 3);
  Pass(5s);
  Bodies bodies = host_->Bodies();
  std::sort(bodies.begin(), bodies.end());
  EXPECT_EQ(bodies, (Bodies{"four", "three"}));
}

TEST_F(RacesTest, AFileThatWasCompressedUnseenIsReadThoughItsNameMatches) {
  dir_.Append("a.log", "one\n");
  Start(Options("a.log*"));
  dir_.Rename("a.log", "a.log-1");
  dir_.Append("a.log", "two\n");
  dir_.Rename("a.log", "a.log-2");
  Gzip("a.log-2");
  dir_.Append("a.log", "three\n");
  Settle();
  Pass(2s);
  Bodies bodies = host_->Bodies();
  std::sort(bodies.begin(), bodies.end());
  EXPECT_EQ(bodies, (Bodies{"one", "three", "two"}));
  Restart(Options("a.log*"));
  EXPECT_EQ(host_->Bodies(), Bodies{});
}

TEST_F(RacesTest, ACompressedFileIsLookedAtAgainWhenItsPlainFormIsGone) {
  dir_.Append("a.log", "one\n");
  Start(Options("a.log*"));
  dir_.Write("a.log-1.gz", testing::Gzip("two\n"));
  OnceOpened("a.log-1.gz", [this] {
    dir_.Append("a.log-1", "two\n");
    files_.before_open = [this](const std::string& path) {
      if (path != dir_ / "a.log-1") return;
      files_.before_open = nullptr;
      dir_.Remove("a.log-1");
    };
  });
  Settle();
  Pass(5s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two"}));
}

TEST_F(RacesTest, AnEmptyFileThatWasRotatedUnseenIsReadWhenSomethingIsInIt) {
  dir_.Append("a.log", "one\n");
  Start();
  dir_.Rename("a.log", "a.log.2");
  dir_.Append("a.log.1", "");
  dir_.Append("a.log", "");
  Settle();
  // Whoever had it open under its first name.
  dir_.Append("a.log.1", "two\n");
  Pass(2s);
  EXPECT_EQ(host_->Bodies(), (Bodies{"one", "two"}));
}

}  // namespace
}  // namespace kelp::tail
