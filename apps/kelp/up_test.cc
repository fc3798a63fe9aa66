#include "up.h"

#include <gtest/gtest.h>

#include "agent/agent_config.h"
#include "config/yaml.h"
#include "process.h"
#include "test_context.h"

namespace kelp::cli {
namespace {

using testing::TempDir;
using testing::TestContext;

UpOptions Options() {
  UpOptions options;
  options.data_dir = "/data/a $dir: x";
  options.include = {"/srv/*.log"};
  options.pod_logs = true;
  return options;
}

TEST(Up, GeneratedConfigurationsReadBack) {
  const Result<config::ConfigNode> server = config::ParseYaml(ServerYaml(Options()), "s");
  ASSERT_TRUE(server.ok()) << server.status().ToString();
  EXPECT_EQ(server->Find("data_dir")->text(), "/data/a $dir: x/server");
  EXPECT_EQ(server->Find("http")->Find("listen")->text(), "127.0.0.1:7700");

  const Result<agent::AgentConfig> agent =
      agent::AgentConfig::ConfigSchema().ParseText(AgentYaml(Options()), "a");
  ASSERT_TRUE(agent.ok()) << agent.status().ToString();
  EXPECT_EQ(agent->pipelines_dir, "/data/a $dir: x/pipelines.d");
  ASSERT_EQ(agent->pipelines.size(), 2u);
  const config::ConfigNode& machine = agent->pipelines[0];
  EXPECT_EQ(machine.Find("inputs")->items()[0].Find("include")->items().back().text(),
            "/srv/*.log");
  const config::ConfigNode& output = machine.Find("outputs")->items()[0];
  EXPECT_EQ(output.Find("url")->text(), "http://127.0.0.1:7700");
  EXPECT_EQ(output.Find("logstore")->text(), kLogstoreDefault);
  EXPECT_EQ(output.Find("token_file")->text(), "/data/a $dir: x/server/agent.token");
}

TEST(Up, ReachesAServerThatListensEverywhereOverLoopback) {
  UpOptions options;
  options.listen = "0.0.0.0:80";
  EXPECT_EQ(options.ServerUrl(), "http://127.0.0.1:80");
  options.listen = "[::]:80";
  EXPECT_EQ(options.ServerUrl(), "http://127.0.0.1:80");
  options.listen = "[::1]:80";
  EXPECT_EQ(options.ServerUrl(), "http://[::1]:80");
  options.listen = "10.0.0.1:80";
  EXPECT_EQ(options.ServerUrl(), "http://10.0.0.1:80");
}

TEST(Up, KeepsItsDataWhereTheUserCanWrite) {
  TestContext t;
  t.variables["XDG_DATA_HOME"] = "/x";
  EXPECT_EQ(DefaultDataDir(t.context), "/x/kelp");
}

TEST(Up, EndsWhenAProgramIsMissingAndSaysWhich) {
  TestContext t;
  const TempDir dir;
  EXPECT_NE(t.Run({"up", "--data-dir", dir.path()}), kExitOk);
  EXPECT_NE(t.printer.err.find("/nowhere/kelp-server"), std::string::npos) << t.printer.err;
  EXPECT_EQ(t.Run({"up", "--listen", "nonsense"}), kExitUsage);
  EXPECT_EQ(t.Run({"up", "--listen", "127.0.0.1:0"}), kExitUsage);
}

// The two programs as shell scripts beside each other.
TEST(Up, EndsWhenAChildDiesAndShowsItsLastLines) {
  TestContext t;
  const TempDir dir;
  const std::string script =
      dir.Write("kelp-server", "#!/bin/sh\necho 'the port is in use'\nexit 69\n");
  ASSERT_EQ(chmod(script.c_str(), 0755), 0);
  t.context.program_dir = dir.path();
  EXPECT_EQ(t.Run({"up", "--data-dir", dir.path() + "/data", "--listen", "127.0.0.1:1"}),
            kExitUnavailable);
  EXPECT_NE(t.printer.err.find("kelp-server ended (exit code 69)"), std::string::npos)
      << t.printer.err;
  EXPECT_NE(t.printer.err.find("the port is in use"), std::string::npos) << t.printer.err;
}

TEST(Up, RefusesADataDirectoryThatAnotherOneHolds) {
  TestContext t;
  const TempDir dir;
  const auto lock = t.context.env.files().Lock(dir.path() + "/up.lock");
  ASSERT_TRUE(lock.ok());
  EXPECT_NE(t.Run({"up", "--data-dir", dir.path()}), kExitOk);
  EXPECT_NE(t.printer.err.find("up.lock"), std::string::npos) << t.printer.err;
}

TEST(Process, RunsAndStopsAChild) {
  const TempDir dir;
  auto child =
      Child::Start("sleeper", {"/bin/sh", "-c", "echo up; exec sleep 1000"}, dir.path() + "/log");
  ASSERT_TRUE(child.ok()) << child.status().ToString();
  EXPECT_TRUE(child->Running());
  child->Stop(10s);
  EXPECT_FALSE(child->Running());
  EXPECT_EQ(child->Ending(), "killed by signal 15");
}

TEST(Process, KillsAChildThatDoesNotStop) {
  const TempDir dir;
  auto child = Child::Start(
      "stubborn", {"/bin/sh", "-c", "trap '' TERM; echo deaf; while :; do sleep 0.01; done"},
      dir.path() + "/log");
  ASSERT_TRUE(child.ok());
  while (child->LastLines(RealEnv().files(), 1) != "deaf\n") {
  }
  child->Stop(Duration(0));
  EXPECT_EQ(child->Ending(), "killed by signal 9");
}

TEST(Process, KeepsTheLastLines) {
  const TempDir dir;
  auto child = Child::Start("talker", {"/bin/sh", "-c", "echo 1; echo 2; echo 3 >&2; exit 3"},
                            dir.path() + "/log");
  ASSERT_TRUE(child.ok());
  while (child->Running()) {
  }
  EXPECT_EQ(child->Ending(), "exit code 3");
  EXPECT_EQ(child->LastLines(RealEnv().files(), 2), "2\n3\n");
  EXPECT_EQ(child->LastLines(RealEnv().files(), 9), "1\n2\n3\n");
}

TEST(Process, ReadsWhatAProgramPrints) {
  EXPECT_EQ(*RunAndRead({"/bin/sh", "-c", "echo code"}), "code\n");
  const auto failed = RunAndRead({"/bin/sh", "-c", "echo why >&2; exit 2"});
  EXPECT_EQ(failed.status().code(), Code::kUnavailable);
  EXPECT_NE(failed.status().message().find("why"), std::string::npos);
  EXPECT_FALSE(RunAndRead({"/nowhere/program"}).ok());
  EXPECT_FALSE(Child::Start("none", {"/nowhere/program"}, "/tmp/x").ok());
}

}  // namespace
}  // namespace kelp::cli
