// KelpOutput against a real HTTP server on the loopback interface.
#include <gtest/gtest.h>

#include "codec/kelp_batch.h"
#include "net/http_server.h"
#include "output/common/testing.h"
#include "output/kelp/kelp_output.h"

namespace kelp::output {
namespace {

using testing::Eventually;
using testing::NewAck;
using testing::NewBatch;

class KelpServerTest : public ::testing::Test {
 protected:
  void StartServer(net::Handler handler, const std::string& listen = "127.0.0.1:0") {
    net::HttpServerOptions options;
    options.listen = listen;
    options.body_bytes_max = 16_MiB;
    auto server = net::HttpServer::Start(options, std::move(handler));
    ASSERT_TRUE(server.ok()) << server.status().ToString();
    server_ = std::move(server).value();
  }
  void StartOutput() {
    config_.url = "http://" + server_->address();
    config_.batch_interval = 1ms;
    output_ = std::make_unique<KelpOutput>(config_, fixture_.Context());
    ASSERT_TRUE(output_->Start(fixture_.host).ok());
  }
  static net::HttpResponse Stored(const net::HttpRequest& request) {
    auto parts = codec::DecodeBatchSet(request.body);
    if (!parts.ok()) return net::Error(parts.status());
    uint64_t rows = 0;
    for (const BatchPtr& part : *parts) rows += part->rows();
    return net::Json(200, "{\"accepted\":" + std::to_string(rows) + ",\"duplicate\":0}");
  }

  testing::Fixture fixture_;
  KelpOutputConfig config_;
  std::unique_ptr<net::HttpServer> server_;
  std::unique_ptr<KelpOutput> output_;
};

TEST_F(KelpServerTest, DeliversThroughARealConnection) {
  std::atomic<int> requests{0};
  StartServer([&](net::HttpRequest request, std::shared_ptr<net::Responder> responder) {
    EXPECT_EQ(request.path, "/api/v1/projects/default/logstores/logs/batches");
    const std::string_view agent = request.headers.Get("Kelp-Agent");
    EXPECT_TRUE(agent.starts_with("host=")) << agent;
    EXPECT_NE(agent.find("; pipeline="), agent.npos) << agent;
    if (requests++ % 3 == 0) {
      net::HttpResponse busy = net::Error(503, "busy");
      responder->Send(std::move(busy));
    } else {
      responder->Send(Stored(request));
    }
  });
  StartOutput();
  for (uint64_t i = 0; i < 20; ++i) {
    output_->Write(NewBatch({"a", "b"}, 1 + i % 4, 1 + 2 * i), NewAck(fixture_.acks));
  }
  EXPECT_TRUE(Eventually([&] { return fixture_.acks->done == 20; }));
  EXPECT_EQ(fixture_.Metric("output_sent_rows_total"), 40);
}

TEST_F(KelpServerTest, GoesOnWhenTheServerComesBack) {
  const auto handler = [](net::HttpRequest request, std::shared_ptr<net::Responder> responder) {
    responder->Send(Stored(request));
  };
  StartServer(handler);
  StartOutput();
  output_->Write(NewBatch({"a"}, 1, 1), NewAck(fixture_.acks));
  ASSERT_TRUE(Eventually([&] { return fixture_.acks->done == 1; }));
  const std::string address = server_->address();
  server_.reset();
  output_->Write(NewBatch({"b"}, 1, 2), NewAck(fixture_.acks));
  ASSERT_TRUE(Eventually([&] {
    return fixture_.Metric("output_retries_total", {{"reason", "network"}}) > 0;
  }));
  StartServer(handler, address);
  EXPECT_TRUE(Eventually([&] { return fixture_.acks->done == 2; }));
}

TEST_F(KelpServerTest, StopInterruptsARequestThatHangs) {
  std::vector<std::shared_ptr<net::Responder>> kept;
  Mutex mu;
  StartServer([&](net::HttpRequest, std::shared_ptr<net::Responder> responder) {
    MutexLock lock(mu);
    kept.push_back(std::move(responder));
  });
  StartOutput();
  output_->Write(NewBatch({"a"}), NewAck(fixture_.acks));
  ASSERT_TRUE(Eventually([&] {
    MutexLock lock(mu);
    return kept.size() == 1;
  }));
  output_->Stop(10ms);  // Far below the request's timeout of 30 s, which would fail the test.
  EXPECT_EQ(fixture_.acks->lost, 1);
  server_->Shutdown(0s);
}

}  // namespace
}  // namespace kelp::output
