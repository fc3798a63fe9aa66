#include "config/load.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

namespace kelp::config {
namespace {

class LoadTest : public testing::Test {
 protected:
  LoadTest() {
    char name[] = "/tmp/kelp_load_XXXXXX";
    dir_ = mkdtemp(name);
  }
  ~LoadTest() override { std::filesystem::remove_all(dir_); }

  void Write(const std::string& name, const std::string& text) {
    ASSERT_TRUE(WriteFileAtomically(files_, JoinPath(dir_, name), text).ok());
  }

  FileSystem& files_ = RealEnv().files();
  std::string dir_;
  Problems problems_;
};

TEST_F(LoadTest, ADirectoryGivesItsYamlFilesSorted) {
  Write("b.yaml", "n: 2");
  Write("a.yml", "n: 1");
  Write("notes.txt", "[");
  Write(".hidden.yaml", "[");
  std::filesystem::create_directory(dir_ + "/sub.yaml");
  Write("target", "n: 3");
  std::filesystem::create_symlink(dir_ + "/target", dir_ + "/c.yaml");
  const auto loaded = LoadPath(files_, dir_, {}, problems_);
  EXPECT_TRUE(problems_.empty()) << problems_.ToString();
  ASSERT_EQ(loaded.size(), 3u);
  EXPECT_EQ(loaded[0].path, dir_ + "/a.yml");
  EXPECT_EQ(loaded[2].root.Find("n")->text(), "3");
}

TEST_F(LoadTest, OneBadFileDoesNotHideTheOthers) {
  Write("a.yaml", "n: [1");
  Write("b.yaml", "n: 2");
  std::filesystem::create_symlink(dir_ + "/nowhere", dir_ + "/c.yaml");
  const auto loaded = LoadPath(files_, dir_, {}, problems_);
  ASSERT_EQ(loaded.size(), 1u);
  EXPECT_EQ(loaded[0].path, dir_ + "/b.yaml");
  EXPECT_EQ(problems_.size(), 2u) << problems_.ToString();
}

TEST_F(LoadTest, AMissingPathIsAProblemThatNamesIt) {
  EXPECT_TRUE(LoadPath(files_, dir_ + "/none.yaml", {}, problems_).empty());
  EXPECT_NE(problems_.ToString().find("none.yaml"), std::string::npos);
}

}  // namespace
}  // namespace kelp::config
