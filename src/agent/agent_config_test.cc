#include "agent/agent_config.h"

#include <gtest/gtest.h>

#include "base/ids.h"
#include "components.h"

namespace kelp::agent {
namespace {

class ConfigLoaderTest : public testing::Test {
 protected:
  ConfigLoaderTest()
      : dir_(testing::TempDir() + "kelp_agent_config_" + RandomHex(RealEnv().random(), 8)),
        loader_(RealEnv(), Components(), dir_ + "/agent.yaml") {}
  void SetUp() override { ASSERT_TRUE(files_.MakeDirs(dir_ + "/p.d").ok()); }
  void TearDown() override { ASSERT_TRUE(files_.RemoveTree(dir_).ok()); }

  void Write(const std::string& name, const std::string& text) {
    ASSERT_TRUE(WriteFileAtomically(files_, dir_ + "/" + name, text).ok());
  }
  static std::string PipelineText(const std::string& name, const std::string& path = "/tmp/x") {
    return "name: " + name + "\ninputs: [{type: file, include: [" + path +
           "]}]\noutputs: [{type: blackhole}]\n";
  }
  // The names of the pipelines of a load, in order; its problems go to problems_.
  std::string Names() {
    config::Problems problems;
    const auto loaded = loader_.Load(problems);
    problems_ = problems.ToString();
    std::string names;
    for (const auto& pipeline : loaded.pipelines) names += pipeline->name + " ";
    return names;
  }

  FileSystem& files_ = RealEnv().files();
  const std::string dir_;
  ConfigLoader loader_;
  std::string problems_;
};

TEST_F(ConfigLoaderTest, ReadsTheMainFileAndTheDirectoryBesideIt) {
  Write("agent.yaml",
        "data_dir: /x\npipelines_dir: p.d\nmemory_limit: 32MiB\npipelines:\n"
        "  - {name: main, inputs: [{type: file, include: [/a]}], outputs: [{type: stdout}]}\n");
  Write("p.d/b.yaml", PipelineText("b"));
  Write("p.d/a.yaml",
        "pipelines:\n  - {name: a1, inputs: [{type: file, include: [/a]}], "
        "outputs: [{type: stdout}]}\n");
  EXPECT_EQ(Names(), "main a1 b ");
  EXPECT_EQ(problems_, "");
  EXPECT_EQ(loader_.Directories(), (std::vector<std::string>{dir_, dir_ + "/p.d"}));
}

TEST_F(ConfigLoaderTest, ReadsTheCeilingsOnHeldFilesAndRefusesOnesThatHoldNothing) {
  Write("agent.yaml", "held_files_max: 2\nheld_bytes_max: 1MiB\nheld_age_max: 90s\n");
  config::Problems problems;
  const AgentConfig agent = loader_.Load(problems).agent;
  EXPECT_EQ(problems.ToString(), "");
  EXPECT_EQ(agent.held_files_max, 2);
  EXPECT_EQ(agent.held_bytes_max, 1_MiB);
  EXPECT_EQ(agent.held_age_max, Duration(90s));
  Write("agent.yaml", "held_files_max: 0\nheld_age_max: 0s\n");
  EXPECT_EQ(Names(), "");
  EXPECT_NE(problems_.find(":1:17: \"0\" is below the minimum"), std::string::npos) << problems_;
  EXPECT_NE(problems_.find(":2:15: \"0s\" is below the minimum"), std::string::npos) << problems_;
}

TEST_F(ConfigLoaderTest, ABadFileKeepsItsLastGoodPipelinesAndTouchesNoOther) {
  Write("agent.yaml", "pipelines_dir: p.d\n");
  Write("p.d/a.yaml", PipelineText("a"));
  Write("p.d/b.yaml", PipelineText("b"));
  EXPECT_EQ(Names(), "a b ");
  Write("p.d/a.yaml", "name: a\ninputs: [{type: fle}]\noutputs: [{type: stdout}]\n");
  Write("p.d/b.yaml", PipelineText("b2"));
  EXPECT_EQ(Names(), "a b2 ");
  EXPECT_NE(problems_.find("a.yaml:2:"), std::string::npos) << problems_;
  EXPECT_NE(problems_.find("did you mean \"file\"?"), std::string::npos) << problems_;
}

TEST_F(ConfigLoaderTest, ABadMainFileKeepsEverything) {
  Write("agent.yaml", "pipelines_dir: p.d\n");
  Write("p.d/a.yaml", PipelineText("a"));
  EXPECT_EQ(Names(), "a ");
  Write("agent.yaml", "pipelines_dir: p.d\nmemory_limti: 1GiB\n");
  EXPECT_EQ(Names(), "a ");
  EXPECT_NE(problems_.find("agent.yaml:2:1: "), std::string::npos) << problems_;
  EXPECT_NE(problems_.find("memory_limit"), std::string::npos) << problems_;
}

TEST_F(ConfigLoaderTest, AnEmptyFileIsRefusedAndKeepsWhatItHad) {
  Write("agent.yaml",
        "pipelines_dir: p.d\npipelines:\n  - {name: main, inputs: [{type: file, "
        "include: [/a]}], outputs: [{type: stdout}]}\n");
  Write("p.d/a.yaml", PipelineText("a"));
  EXPECT_EQ(Names(), "main a ");
  for (const char* empty : {"", "\n", "# all gone\n", "---\n", "{}\n"}) {
    Write("agent.yaml", empty);
    Write("p.d/a.yaml", empty);
    EXPECT_EQ(Names(), "main a ") << empty;
    EXPECT_NE(problems_.find(dir_ + "/agent.yaml: the file is empty"), std::string::npos)
        << empty << problems_;
    EXPECT_NE(problems_.find(dir_ + "/p.d/a.yaml: the file is empty"), std::string::npos)
        << empty << problems_;
  }
  Write("agent.yaml", "pipelines_dir: p.d\npipelines: []\n");
  Write("p.d/a.yaml", "pipelines: []\n");
  EXPECT_EQ(Names(), "") << "said in so many words";
  EXPECT_EQ(problems_, "");
}

TEST_F(ConfigLoaderTest, AnEmptyFileIsRefusedAtTheFirstLoadToo) {
  Write("agent.yaml", "");
  config::Problems problems;
  EXPECT_FALSE(loader_.Load(problems).main_ok);
  EXPECT_EQ(problems.size(), 1u);
}

TEST_F(ConfigLoaderTest, ANameDefinedTwiceIsRefusedWithBothPlaces) {
  Write("agent.yaml", "pipelines_dir: p.d\n");
  Write("p.d/a.yaml", PipelineText("same", "/one"));
  Write("p.d/b.yaml", PipelineText("same", "/two"));
  EXPECT_EQ(Names(), "same ");
  EXPECT_NE(problems_.find("b.yaml:"), std::string::npos) << problems_;
  EXPECT_NE(problems_.find("a.yaml already"), std::string::npos) << problems_;
}

TEST_F(ConfigLoaderTest, ARemovedFileTakesItsPipelinesAway) {
  Write("agent.yaml", "pipelines_dir: p.d\n");
  Write("p.d/a.yaml", PipelineText("a"));
  EXPECT_EQ(Names(), "a ");
  ASSERT_TRUE(files_.Remove(dir_ + "/p.d/a.yaml").ok());
  EXPECT_EQ(Names(), "");
}

}  // namespace
}  // namespace kelp::agent
