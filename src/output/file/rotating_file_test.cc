#include "output/file/rotating_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "output/file/failing_files.h"

namespace kelp::output {
namespace {

class RotatingFileTest : public ::testing::Test {
 protected:
  RotatingFileTest() {
    dir_ = ::testing::TempDir() + "kelp_rotating_file_" + std::to_string(::getpid());
    std::filesystem::remove_all(dir_);
  }
  ~RotatingFileTest() override { std::filesystem::remove_all(dir_); }

  std::string Path(const std::string& name = "out.log") const { return dir_ + "/" + name; }
  static std::string Read(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }
  void Put(const std::string& text) {
    std::filesystem::create_directories(dir_);
    std::ofstream(Path(), std::ios::binary) << text;
  }
  RotatingFile Make(RotatingFileOptions options = {}) {
    options.path = Path();
    return RotatingFile(std::move(options), files_, RealEnv().clock());
  }

  std::string dir_;
  testing::FailingFiles files_{RealEnv().files()};
};

TEST_F(RotatingFileTest, MakesDirectoriesAndAppends) {
  RotatingFile file = Make();
  ASSERT_TRUE(file.Append("a\n").ok());
  ASSERT_TRUE(file.Append("b\n").ok());
  EXPECT_EQ(Read(Path()), "a\nb\n");
}

TEST_F(RotatingFileTest, AppendsToWhatIsThere) {
  Put("old\n");
  RotatingFile file = Make();
  ASSERT_TRUE(file.Append("new\n").ok());
  EXPECT_EQ(Read(Path()), "old\nnew\n");
}

TEST_F(RotatingFileTest, KeepsTheNewestFilesWhenItRotates) {
  RotatingFile file = Make({.rotate_size = 4_B, .rotate_keep = 2});
  for (const char* text : {"1\n", "2\n", "3\n", "4\n", "5\n", "6\n", "7\n"}) {
    ASSERT_TRUE(file.Append(text).ok());
  }
  EXPECT_EQ(Read(Path()), "7\n");
  EXPECT_EQ(Read(Path("out.log.1")), "5\n6\n");
  EXPECT_EQ(Read(Path("out.log.2")), "3\n4\n");
  EXPECT_FALSE(std::filesystem::exists(Path("out.log.3")));
  EXPECT_EQ(file.rotations(), 3u);
}

TEST_F(RotatingFileTest, WritesAnAppendLargerThanTheLimitWhole) {
  RotatingFile file = Make({.rotate_size = 4_B});
  ASSERT_TRUE(file.Append("0123456789\n").ok());
  ASSERT_TRUE(file.Append("x\n").ok());
  EXPECT_EQ(Read(Path("out.log.1")), "0123456789\n");
  EXPECT_EQ(Read(Path()), "x\n");
}

TEST_F(RotatingFileTest, GrowsOnWhenRotationFails) {
  RotatingFile file = Make({.rotate_size = 2_B});
  ASSERT_TRUE(file.Append("a\n").ok());
  files_.fail_rename = true;
  ASSERT_TRUE(file.Append("b\n").ok());
  EXPECT_EQ(Read(Path()), "a\nb\n");
  EXPECT_FALSE(file.rotate_status().ok());
}

TEST_F(RotatingFileTest, LeavesNoPartialLineAfterAFailedWrite) {
  RotatingFile file = Make();
  ASSERT_TRUE(file.Append("whole\n").ok());
  files_.append_fails_after = 3;
  const Status status = file.Append("half a line\n");
  EXPECT_EQ(status.code(), Code::kResourceExhausted) << status.ToString();
  EXPECT_NE(status.message().find(Path()), std::string_view::npos);
  EXPECT_EQ(Read(Path()), "whole\n");
  files_.append_fails_after.reset();
  ASSERT_TRUE(file.Append("half a line\n").ok());
  EXPECT_EQ(Read(Path()), "whole\nhalf a line\n");
}

TEST_F(RotatingFileTest, MendsThePartialLineLaterWhenItCannotBeCutOffAtOnce) {
  RotatingFile file = Make({.own_line_start = "{\"time\":"});
  ASSERT_TRUE(file.Append("{\"time\":1}\n").ok());
  files_.append_fails_after = 5;
  files_.fail_truncate = true;
  EXPECT_FALSE(file.Append("{\"time\":2}\n").ok());
  files_.append_fails_after.reset();
  EXPECT_FALSE(file.Append("{\"time\":2}\n").ok());  // Opening fails at the repair.
  files_.fail_truncate = false;
  ASSERT_TRUE(file.Append("{\"time\":2}\n").ok());
  EXPECT_EQ(Read(Path()), "{\"time\":1}\n{\"time\":2}\n");
}

TEST_F(RotatingFileTest, CutsOffItsOwnUnfinishedLineAtStart) {
  Put("{\"time\":1}\n{\"tim");
  RotatingFile file = Make({.own_line_start = "{\"time\":"});
  ASSERT_TRUE(file.Append("{\"time\":2}\n").ok());
  EXPECT_EQ(Read(Path()), "{\"time\":1}\n{\"time\":2}\n");
}

TEST_F(RotatingFileTest, EndsAnUnfinishedLineThatMayBeSomebodyElses) {
  Put("notes without a newline");
  RotatingFile json = Make({.own_line_start = "{\"time\":"});
  ASSERT_TRUE(json.Append("x\n").ok());
  EXPECT_EQ(Read(Path()), "notes without a newline\nx\n");
}

TEST_F(RotatingFileTest, MakesTheFileAnewWhenItWasMovedAway) {
  testing::StepClock clock;
  RotatingFile file({.path = Path()}, files_, clock);
  ASSERT_TRUE(file.Append("a\n").ok());
  std::filesystem::rename(Path(), Path("moved"));
  clock.now = clock.now.load() + 2s;
  ASSERT_TRUE(file.Append("b\n").ok());
  EXPECT_EQ(Read(Path("moved")), "a\n");
  EXPECT_EQ(Read(Path()), "b\n");
}

TEST_F(RotatingFileTest, SaysThatThePathIsADirectory) {
  std::filesystem::create_directories(Path());
  RotatingFile file = Make();
  const Status status = file.Open();
  EXPECT_FALSE(status.ok());
  EXPECT_NE(status.message().find(Path()), std::string_view::npos) << status.message();
}

}  // namespace
}  // namespace kelp::output
