#include "agent/status_server.h"

#include <gtest/gtest.h>

#include "net/http_client.h"

namespace kelp::agent {
namespace {

TEST(StatusServerTest, AnswersMetricsAndTheLedgerOfAllAndRefusesAnUnknownPipeline) {
  MetricRegistry metrics;
  pipeline::Engine engine({.env = &RealEnv(), .metrics = &metrics}, {});
  const auto server = StatusServer::Start("127.0.0.1:0", RealEnv(), engine, metrics, "/data");
  ASSERT_TRUE(server.ok()) << server.status().ToString();
  net::HttpClient client{net::HttpClientOptions{}};
  const auto get = [&](const std::string& target) {
    net::HttpClientRequest request;
    request.url = "http://" + (*server)->address() + target;
    return client.Send(request);
  };
  const auto all = get("/api/v1/ledger");
  ASSERT_TRUE(all.ok()) << all.status().ToString();
  EXPECT_EQ(all->status, 200);
  EXPECT_NE(all->body.find("{\"adds_up\":true,\"totals\":{\"read_rows\":0"), std::string::npos)
      << all->body;
  const auto status = get("/api/v1/status");
  ASSERT_TRUE(status.ok());
  EXPECT_EQ(status->body.find("{\"data_dir\":\"/data\",\"pipelines\":[]"), 0u) << status->body;
  const auto metric = get("/metrics");
  ASSERT_TRUE(metric.ok());
  EXPECT_NE(metric->body.find("\nkelp_memory_used_bytes 0\n"), std::string::npos) << metric->body;
  const auto none = get("/api/v1/ledger?pipeline=none");
  ASSERT_TRUE(none.ok());
  EXPECT_EQ(none->status, 404);
}

}  // namespace
}  // namespace kelp::agent
