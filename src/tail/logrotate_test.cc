// The real logrotate, in the ways that it is used.
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "tail/tail_fixture.h"

namespace kelp::tail {
namespace {

using testing::Bodies;

class LogrotateTest : public testing::TailTest {
 protected:
  void SetUp() override {
    if (::access("/usr/sbin/logrotate", X_OK) != 0) GTEST_SKIP() << "logrotate is not installed";
  }
  void Rotate(const std::string& how) {
    dir_.Write("conf", (dir_ / "a.log") + " {\n  rotate 20\n  su root root\n  " + how + "\n}\n");
    ASSERT_EQ(::chmod((dir_ / "conf").c_str(), 0644), 0);
    const std::string command =
        "/usr/sbin/logrotate -f -s " + (dir_ / "state") + " " + (dir_ / "conf");
    ASSERT_EQ(::system(command.c_str()), 0) << how;  // NOLINT(concurrency-mt-unsafe)
  }
  void Start() { TailTest::Start(options_); }
  // Writes, rotates and restarts in turn; each line comes once and, if `ordered`, in order.
  void Run(const std::string& how, bool ordered = true) {
    std::vector<std::string> expected;
    std::vector<std::string> got;
    const auto write = [&](int lines) {
      for (int i = 0; i < lines; ++i) {
        expected.push_back("line " + std::to_string(expected.size()));
        dir_.Append("a.log", expected.back() + "\n");
      }
    };
    const auto take = [&] {
      for (const testing::ReadRow& row : host_->rows) got.push_back(row.body);
      host_->rows.clear();
    };
    write(3);
    Start();
    for (int round = 0; round < 8; ++round) {
      write(1 + round % 3);
      if (round % 2 == 0) Settle();
      Rotate(how);
      write(2);
      if (round % 3 != 1) Pass(1s);
      if (round % 4 == 3) {
        Settle();
        take();
        AckAndStore();
        Stop();
        write(2);
        Rotate(how);
        write(1);
        if (round == 7) Rotate(how);
        write(1);
        Start();
      }
    }
    Pass(5s);
    take();
    if (!ordered) {
      std::sort(got.begin(), got.end());
      std::sort(expected.begin(), expected.end());
    }
    EXPECT_EQ(got, expected)
        << how << " at "
        << std::mismatch(got.begin(), got.end(), expected.begin(), expected.end()).first -
               got.begin()
        << " of " << got.size() << " and " << expected.size();
    EXPECT_TRUE(host_->losses.empty());
    Stop();
  }

  FollowOptions options_ = Options();
};

TEST_F(LogrotateTest, Renames) { Run("create"); }
TEST_F(LogrotateTest, RenamesAndCompressesLater) { Run("create\n  compress\n  delaycompress"); }
TEST_F(LogrotateTest, RenamesAndCompresses) { Run("create\n  compress"); }

TEST_F(LogrotateTest, RenamesIntoAnotherDirectoryThatIsFollowedToo) {
  ASSERT_EQ(::mkdir((dir_ / "old").c_str(), 0755), 0);
  options_.include.Add(*Glob::Parse(dir_ / "old/*"));
  // Files that were never seen under their first name have no place among those that were.
  Run("create\n  olddir " + (dir_ / "old"), /*ordered=*/false);
}

// While the agent runs it needs no pattern for that directory.
TEST_F(LogrotateTest, RenamesIntoAnotherDirectory) {
  ASSERT_EQ(::mkdir((dir_ / "old").c_str(), 0755), 0);
  Start();
  Bodies expected;
  for (int round = 0; round < 4; ++round) {
    expected.push_back("line " + std::to_string(round));
    dir_.Append("a.log", expected.back() + "\n");
    Settle();
    dir_.Append("a.log", expected.emplace_back("late " + std::to_string(round)) + "\n");
    Rotate("create\n  olddir " + (dir_ / "old"));
    Pass(2s);
  }
  EXPECT_EQ(host_->Bodies(), expected);
  EXPECT_TRUE(host_->losses.empty());
}

TEST_F(LogrotateTest, Copies) { Run("copytruncate"); }
TEST_F(LogrotateTest, CopiesAndCompressesLater) {
  Run("copytruncate\n  compress\n  delaycompress");
}
TEST_F(LogrotateTest, CopiesAndCompresses) { Run("copytruncate\n  compress"); }

}  // namespace
}  // namespace kelp::tail
