#include "agent/status_server.h"

#include <gtest/gtest.h>

#include "net/http_client.h"

namespace kelp::agent {
namespace {

// A peer that takes each piece in `pace`, and the clock beside it.
class PacedReader final : public net::Responder, public Clock {
 public:
  explicit PacedReader(Duration pace) : pace_(pace) {}
  UnixNanos Now() override { return 0; }
  Duration Monotonic() override { return now; }
  void Send(net::HttpResponse) override {}
  void StartStream(int, net::HttpHeaders) override {}
  bool Write(std::string chunk) override {
    text += chunk;
    return true;
  }
  size_t queued_bytes() const override { return 0; }
  bool WaitDrained(size_t, Duration timeout) override {
    now += std::min(pace_, timeout);
    return pace_ <= timeout;
  }
  void Finish() override { finished = true; }
  void OnClose(std::function<void()>) override {}

  std::string text;
  bool finished = false;
  Duration now{0};

 private:
  const Duration pace_;
};

TEST(StatusServerTest, CutsOffAScrapeThatTakesTooLongInAll) {
  MetricRegistry metrics;
  for (int i = 0; i < 10000; ++i) {
    metrics.AddCounter("rows_total", "Rows.", {{"pipeline", std::to_string(i)}});
  }
  PacedReader quick(100ms);
  SendScrape(metrics, quick, quick);
  EXPECT_TRUE(quick.finished);
  EXPECT_NE(quick.text.find("\nkelp_rows_total{pipeline=\"9999\"} 0\n"), std::string::npos);
  PacedReader slow(kScrapeTime * 2 / 5);
  SendScrape(metrics, slow, slow);
  EXPECT_FALSE(slow.finished);
  EXPECT_EQ(slow.now, kScrapeTime);
}

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
