#include "output/kelp/kelp_output.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "output/common/testing.h"
#include "output/kelp/fake_server.h"

namespace kelp::output {
namespace {

using testing::Eventually;
using testing::FakeServer;
using testing::NewAck;
using testing::NewBatch;

class KelpOutputTest : public ::testing::Test {
 protected:
  KelpOutputTest() {
    config_.url = "http://server:7700";
    config_.batch_interval = 1ms;
  }
  void Start() {
    pipeline::ComponentContext context = fixture_.Context();
    context.services.http = &server_;
    output_ = std::make_unique<KelpOutput>(config_, context);
    ASSERT_TRUE(output_->Start(fixture_.host).ok());
  }

  FakeServer server_;
  testing::Fixture fixture_;
  KelpOutputConfig config_;
  std::unique_ptr<KelpOutput> output_;
};

TEST_F(KelpOutputTest, AcknowledgesWhenTheServerHasTheRows) {
  Start();
  output_->Write(NewBatch({"a", "b"}), NewAck(fixture_.acks));
  EXPECT_TRUE(Eventually([&] { return fixture_.acks->done == 1; }));
  EXPECT_EQ(server_.Bodies(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(fixture_.Metric("output_queue_bytes"), 0);
}

TEST_F(KelpOutputTest, GathersBatchesWhileARequestIsNotDue) {
  config_.batch_interval = 1h;
  config_.concurrency_max = 1;
  Start();
  output_->Write(NewBatch({"first"}, 1), NewAck(fixture_.acks));
  ASSERT_TRUE(Eventually([&] { return fixture_.acks->done == 1; }));
  for (uint64_t i = 0; i < 10; ++i) {
    output_->Write(NewBatch({"more"}, 2 + i), NewAck(fixture_.acks));
  }
  EXPECT_EQ(server_.request_count(), 1u);
  output_->Stop(10s);
  EXPECT_EQ(server_.request_count(), 2u);
  EXPECT_EQ(fixture_.acks->done, 11);
}

TEST_F(KelpOutputTest, SendsAFullBatchSetBeforeItsTime) {
  config_.batch_interval = 1h;
  config_.batch_bytes = 64_KiB;
  config_.concurrency_max = 1;
  Start();
  output_->Write(NewBatch({"first"}, 1, 1), NewAck(fixture_.acks));
  ASSERT_TRUE(Eventually([&] { return fixture_.acks->done == 1; }));
  output_->Write(NewBatch({std::string(70000, 'x')}, 1, 2), NewAck(fixture_.acks));
  EXPECT_TRUE(Eventually([&] { return fixture_.acks->done == 2; }));
}

TEST_F(KelpOutputTest, SendsWhenMemoryIsTightBeforeASetIsFull) {
  config_.batch_interval = 1h;
  config_.batch_bytes = 1_MiB;
  config_.queue_bytes_max = 1_MiB;
  config_.concurrency_max = 1;
  Start();
  output_->Write(NewBatch({"first"}, 1, 1), NewAck(fixture_.acks));
  ASSERT_TRUE(Eventually([&] { return fixture_.acks->done == 1; }));
  output_->Write(NewBatch({std::string(600000, 'x')}, 1, 2), NewAck(fixture_.acks));
  EXPECT_TRUE(Eventually([&] { return fixture_.acks->done == 2; }));
}

TEST_F(KelpOutputTest, HasNoRoomWhileTheServerIsDown) {
  config_.queue_bytes_max = 1_MiB;
  config_.batch_bytes = 64_KiB;
  config_.concurrency_max = 1;
  std::vector<FakeServer::Step> script(3, {.error = UnavailableError("down")});
  server_.Script(std::move(script));
  Start();
  int written = 0;
  while (output_->HasRoom() && written < 1000) {
    ++written;
    output_->Write(NewBatch({std::string(50000, 'x')}, 1, static_cast<uint64_t>(written)),
                   NewAck(fixture_.acks));
  }
  EXPECT_LT(written, 1000);
  EXPECT_TRUE(Eventually([&] { return fixture_.acks->done == written; }));
  EXPECT_TRUE(output_->HasRoom());
  EXPECT_GE(fixture_.host.room_available, 1);
}

TEST_F(KelpOutputTest, CountsWhatIsUnderWayInTheMemoryBudget) {
  MemoryBudget budget(1_MiB);
  pipeline::ComponentContext context = fixture_.Context();
  context.services.http = &server_;
  context.services.memory = &budget;
  std::atomic<bool> answers{false};
  server_.SetRule([&](const std::vector<BatchPtr>&) {
    return answers ? net::HttpResponse{.status = 0} : net::Error(503, "busy");
  });
  output_ = std::make_unique<KelpOutput>(config_, context);
  ASSERT_TRUE(output_->Start(fixture_.host).ok());
  std::string text(100000, ' ');
  Random& random = RealEnv().random();
  for (char& c : text) c = static_cast<char>(random.Next() % 128);  // does not compress much
  output_->Write(NewBatch({text}), NewAck(fixture_.acks));
  ASSERT_TRUE(Eventually([&] { return server_.request_count() > 0; }));
  EXPECT_GT(budget.used(), 50000u);
  answers = true;
  ASSERT_TRUE(Eventually([&] { return fixture_.acks->done == 1; }));
  EXPECT_TRUE(Eventually([&] { return budget.used() == 0; }));
  output_.reset();
}

TEST_F(KelpOutputTest, KeepsEachOriginsOrderThroughFailures) {
  config_.concurrency_max = 3;
  config_.batch_bytes = 64_KiB;
  std::vector<FakeServer::Step> script;
  for (int i = 0; i < 12; ++i) {
    script.push_back({.error = DeadlineExceededError("slow"), .store_first = i % 2 == 0});
  }
  server_.Script(std::move(script));
  Start();
  constexpr uint64_t kOrigins = 8, kBatches = 50;
  std::vector<std::thread> writers;
  for (uint64_t w = 0; w < 2; ++w) {
    writers.emplace_back([&, w] {
      for (uint64_t i = 0; i < kBatches; ++i) {
        for (uint64_t origin = w; origin < kOrigins; origin += 2) {
          output_->Write(NewBatch({std::to_string(origin) + " " + std::to_string(2 * i),
                                   std::to_string(origin) + " " + std::to_string(2 * i + 1)},
                                  origin + 1, 2 * i + 1),
                         NewAck(fixture_.acks));
        }
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  ASSERT_TRUE(Eventually([&] { return fixture_.acks->done == kOrigins * kBatches; }));
  std::vector<uint64_t> next(kOrigins, 0);
  const std::vector<std::string> bodies = server_.Bodies();
  EXPECT_EQ(bodies.size(), kOrigins * kBatches * 2);
  for (const std::string& body : bodies) {
    const size_t space = body.find(' ');
    const uint64_t origin = std::stoull(body.substr(0, space));
    EXPECT_EQ(std::stoull(body.substr(space + 1)), next[origin]++) << body;
  }
}

TEST_F(KelpOutputTest, AcknowledgesOnceWhenASetIsTakenApart) {
  config_.batch_interval = 1h;
  config_.concurrency_max = 1;
  Start();
  output_->Write(NewBatch({"first"}, 1), NewAck(fixture_.acks));
  ASSERT_TRUE(Eventually([&] { return fixture_.acks->done == 1; }));
  server_.SetRule([](const std::vector<BatchPtr>& parts) {
    const bool bad = std::any_of(parts.begin(), parts.end(), [](const BatchPtr& part) {
      return part->body().Get(0).text() == "bad";
    });
    return bad ? net::Error(400, "bad") : net::HttpResponse{.status = 0};
  });
  output_->Write(NewBatch({"good"}, 2), NewAck(fixture_.acks));
  output_->Write(NewBatch({"bad"}, 3), NewAck(fixture_.acks));
  output_->Write(NewBatch({"good too"}, 4), NewAck(fixture_.acks));
  output_->Stop(10s);
  EXPECT_EQ(fixture_.acks->done, 4);
  EXPECT_EQ(server_.Bodies(), (std::vector<std::string>{"first", "good", "good too"}));
  EXPECT_EQ(fixture_.Metric("output_dropped_rows_total", {{"reason", "refused"}}), 1);
}

TEST_F(KelpOutputTest, BooksGivenUpRowsUnderTheirOwnNumbers) {
  config_.batch_interval = 1h;
  config_.concurrency_max = 1;
  Start();
  output_->Write(NewBatch({"first"}, 1), NewAck(fixture_.acks));
  ASSERT_TRUE(Eventually([&] { return fixture_.acks->done == 1; }));
  server_.SetRule([](const std::vector<BatchPtr>& parts) {
    size_t bytes = 0;
    for (const BatchPtr& part : parts) bytes += part->body_bytes();
    return bytes > 100 ? net::Error(413, "too large") : net::HttpResponse{.status = 0};
  });
  const std::string huge(200, 'x');
  BatchPtr batch = BatchPool::Shared().Get();
  batch->origin = OriginId{0, 2};
  for (const std::string& body : std::vector<std::string>{"filtered", "a", huge, "b", huge}) {
    const uint64_t end = batch->rows() + 1;
    batch->AddRow(batch->Copy(body), end - 1, end, 1000);
  }
  batch->Select([](uint32_t row) { return row != 0; });
  output_->Write(std::move(batch), NewAck(fixture_.acks));
  output_->Stop(10s);
  EXPECT_EQ(fixture_.acks->done, 2);
  EXPECT_EQ(server_.Bodies(), (std::vector<std::string>{"first", "a", "b"}));
  MutexLock lock(fixture_.acks->mu);
  EXPECT_EQ(fixture_.acks->booked, (std::vector<uint32_t>{2, 4}));
}

TEST_F(KelpOutputTest, AnOutputWhoseServerIsDownDoesNotDisturbAnother) {
  FakeServer down;
  down.SetRule([](const std::vector<BatchPtr>&) { return net::Error(503, "down"); });
  pipeline::ComponentContext context = fixture_.Context();
  context.services.http = &down;
  KelpOutput other(config_, context);
  ASSERT_TRUE(other.Start(fixture_.host).ok());
  Start();
  for (uint64_t i = 0; i < 20; ++i) {
    other.Write(NewBatch({"x"}, 1 + i), pipeline::Ack());
    output_->Write(NewBatch({"x"}, 1 + i), NewAck(fixture_.acks));
  }
  EXPECT_TRUE(Eventually([&] { return fixture_.acks->done == 20; }));
  EXPECT_TRUE(down.Bodies().empty());
  other.Stop(0s);
}

TEST_F(KelpOutputTest, LetsGoUnacknowledgedWhatItCannotSendWithinTheGrace) {
  std::vector<FakeServer::Step> script(100, {.error = UnavailableError("down")});
  server_.Script(std::move(script));
  Start();
  output_->Write(NewBatch({"a"}, 1), NewAck(fixture_.acks));
  output_->Write(NewBatch({"b"}, 2), NewAck(fixture_.acks));
  output_->Stop(20ms);
  EXPECT_EQ(fixture_.acks->done, 0);
  EXPECT_EQ(fixture_.acks->lost, 2);
  EXPECT_EQ(fixture_.Metric("output_queue_bytes"), 0);
}

TEST_F(KelpOutputTest, TriesOnceMoreWhenAStopEndsAWait) {
  server_.Script(
      {{.answer = net::HttpResponse{.status = 503, .headers = {{"Retry-After", "300"}}}}});
  Start();
  output_->Write(NewBatch({"a"}), NewAck(fixture_.acks));
  ASSERT_TRUE(Eventually([&] { return server_.request_count() == 1; }));
  output_->Stop(10s);
  EXPECT_EQ(fixture_.acks->done, 1);
}

TEST_F(KelpOutputTest, StartsAgainAfterAStop) {
  Start();
  output_->Write(NewBatch({"a"}, 1, 1), NewAck(fixture_.acks));
  output_->Stop(10s);
  ASSERT_TRUE(output_->Start(fixture_.host).ok());
  output_->Write(NewBatch({"b"}, 1, 2), NewAck(fixture_.acks));
  output_->Stop(10s);
  EXPECT_EQ(fixture_.acks->done, 2);
}

TEST(KelpOutputConfig, ReadsAllKeys) {
  const auto config = KelpOutput::ConfigSchema().ParseText(
      "url: https://logs.example:7700\nproject: shop\nlogstore: web\ntoken: t\nbatch_bytes: 1MiB\n"
      "batch_interval: 1s\nconcurrency_max: 4\nzstd_level: 3\ntimeout: 10s\nconnect_timeout: 1s\n"
      "queue_bytes_max: 8MiB\ntls: {ca_file: /ca.pem}");
  ASSERT_TRUE(config.ok()) << config.status().ToString();
  EXPECT_EQ(config->concurrency_max, 4u);
  EXPECT_EQ(config->tls.ca_file, "/ca.pem");
}

TEST(KelpOutputConfig, RefusesWhatCannotWork) {
  for (const char* text : {"url: nonsense", "url: ftp://h", "project: p", "url: http://h?x=1",
                           "url: http://h\ntoken: a\n"
                           "token_file: /b",
                           "url: http://h\nlanes: 0", "url: http://h\nproject: ''",
                           "url: http://h\nbatch_bytes: 4MiB\nqueue_bytes_max: 1MiB",
                           "url: http://h\ntls: {cert_file: /c}"}) {
    EXPECT_FALSE(KelpOutput::ConfigSchema().ParseText(text).ok()) << text;
  }
}

TEST(KelpOutputConfig, NeverShowsTheToken) {
  const auto config = KelpOutput::ConfigSchema().ParseText("url: http://h\ntoken: [hunter2]");
  ASSERT_FALSE(config.ok());
  EXPECT_EQ(config.status().message().find("hunter2"), std::string_view::npos)
      << config.status().message();
}

}  // namespace
}  // namespace kelp::output
