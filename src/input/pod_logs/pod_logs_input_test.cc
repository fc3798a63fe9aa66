#include "input/pod_logs/pod_logs_input.h"

#include <gtest/gtest.h>

namespace kelp::input {
namespace {

constexpr char kRoot[] = "/var/log/pods";
constexpr char kFile[] =
    "/var/log/pods/shop_web-7d9c_0b2c3d4e-0000-4000-8000-000000000001/app/12.log";

TEST(PodLogPathTest, ReadsTheKubeletsPath) {
  const auto path = PodLogPath::Parse(kRoot, kFile);
  ASSERT_TRUE(path.has_value());
  EXPECT_EQ(path->namespace_name, "shop");
  EXPECT_EQ(path->pod_name, "web-7d9c");
  EXPECT_EQ(path->pod_uid, "0b2c3d4e-0000-4000-8000-000000000001");
  EXPECT_EQ(path->container_name, "app");
  EXPECT_EQ(path->restart_count, "12");
}

TEST(PodLogPathTest, ReadsDirectories) {
  const auto pod = PodLogPath::Parse(kRoot, "/var/log/pods/a_b_c");
  ASSERT_TRUE(pod.has_value());
  EXPECT_EQ(pod->container_name, "");
  const auto container = PodLogPath::Parse(kRoot, "/var/log/pods/a_b_c/d");
  ASSERT_TRUE(container.has_value());
  EXPECT_EQ(container->container_name, "d");
}

TEST(PodLogPathTest, RefusesOtherShapes) {
  for (const char* path :
       {"/var/log/pods", "/var/log/podsx/a_b_c", "/var/log/pods/a_b/c/0.log",
        "/var/log/pods/a_b_c_d/c/0.log", "/var/log/pods/a_b_c/d/x.log",
        "/var/log/pods/a_b_c/d/.log", "/var/log/pods/a_b_c/d/0.log.20261121-001230",
        "/var/log/pods/a_b_c/d/e/0.log"}) {
    EXPECT_FALSE(PodLogPath::Parse(kRoot, path).has_value()) << path;
  }
}

TEST(PodSelectorTest, AllListsMustMatch) {
  const auto path = *PodLogPath::Parse(kRoot, kFile);
  EXPECT_TRUE((PodSelector{{"sh*"}, {"web-*"}, {"app"}}).Matches(path));
  EXPECT_TRUE((PodSelector{{}, {}, {}}).Matches(path));
  EXPECT_FALSE((PodSelector{{"sh*"}, {"db-*"}, {}}).Matches(path));
  EXPECT_FALSE((PodSelector{{}, {}, {"sidecar"}}).Matches(path));
  EXPECT_TRUE((PodSelector{{"x", "shop"}, {}, {}}).Matches(path));
}

TEST(PodLogsInputTest, TagsFollowTheConventions) {
  const ResourcePtr resource = PodLogsInput::ResourceOf(kRoot, kFile, "node-1");
  EXPECT_EQ(resource->Get("k8s.namespace.name"), "shop");
  EXPECT_EQ(resource->Get("k8s.pod.name"), "web-7d9c");
  EXPECT_EQ(resource->Get("k8s.pod.uid"), "0b2c3d4e-0000-4000-8000-000000000001");
  EXPECT_EQ(resource->Get("k8s.container.name"), "app");
  EXPECT_EQ(resource->Get("k8s.container.restart_count"), "12");
  EXPECT_EQ(resource->Get("log.file.path"), kFile);
  EXPECT_EQ(resource->Get("host.name"), "node-1");
}

TEST(PodLogsInputTest, RefusesARelativeRoot) {
  const auto config = PodLogsInputConfig::ConfigSchema().ParseText("root: var/log");
  ASSERT_FALSE(config.ok());
  EXPECT_NE(config.status().message().find("absolute path"), std::string::npos);
}

}  // namespace
}  // namespace kelp::input
