// The whole agent on the real machine, reloading.
#include "agent/agent.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/ids.h"
#include "components.h"

namespace kelp::agent {
namespace {

class AgentTest : public testing::Test {
 protected:
  AgentTest() : dir_(testing::TempDir() + "kelp_agent_" + RandomHex(RealEnv().random(), 8)) {}
  void SetUp() override { ASSERT_TRUE(files_.MakeDirs(dir_).ok()); }
  void TearDown() override { ASSERT_TRUE(files_.RemoveTree(dir_).ok()); }

  void Write(const std::string& pipelines) {
    ASSERT_TRUE(WriteFileAtomically(files_, dir_ + "/agent.yaml",
                                    "data_dir: " + dir_ +
                                        "/data\nhttp: {listen: ''}\npipelines: " + pipelines + "\n")
                    .ok());
  }
  std::string Pipeline(const std::string& name) {
    return "{name: " + name + ", inputs: [{type: file, include: [" + dir_ +
           "/*.log]}], outputs: [{type: blackhole}]}";
  }

  FileSystem& files_ = RealEnv().files();
  const std::string dir_;
};

TEST_F(AgentTest, AReloadThatLeavesNoPipelineSaysSo) {
  Write("[" + Pipeline("a") + ", " + Pipeline("b") + "]");
  Agent agent(RealEnv(), Components(), dir_ + "/agent.yaml");
  const Status started = agent.Start();
  ASSERT_TRUE(started.ok()) << started.ToString();
  testing::internal::CaptureStderr();
  std::thread runs([&] { agent.Run(); });
  const auto reload_until = [&](size_t pipelines) {
    agent.RequestReload();
    while (agent.engine()->Statuses().size() != pipelines) std::this_thread::yield();
  };
  Write("[" + Pipeline("b") + "]");
  reload_until(1);
  Write("[]");
  reload_until(0);
  agent.RequestStop();
  runs.join();
  const std::string log = testing::internal::GetCapturedStderr();
  const std::string path = dir_ + "/agent.yaml";
  const std::string said =
      path + " and its pipelines_dir name no pipeline any more; the 1 that ran are stopped";
  EXPECT_NE(log.find(said), std::string::npos) << log;
  EXPECT_EQ(log.find("no pipeline any more"), log.rfind("no pipeline any more")) << log;
  agent.Stop();
}

}  // namespace
}  // namespace kelp::agent
