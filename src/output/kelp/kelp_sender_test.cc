#include "output/kelp/kelp_sender.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <memory>

#include "output/common/testing.h"
#include "output/kelp/fake_server.h"

namespace kelp::output {
namespace {

using testing::NewBatch;

EncodedSet Encode(const std::vector<SharedBatch>& batches) {
  codec::BatchSetEncoder encoder;
  for (const SharedBatch& batch : batches) encoder.Add(*batch, 0);
  EncodedSet set;
  set.rows = encoder.rows();
  set.body = encoder.Finish();
  return set;
}

net::HttpResponse Answer(int status, const std::string& message = "no",
                         const std::string& retry_after = "") {
  net::HttpResponse response = net::Error(status, message);
  if (!retry_after.empty()) response.headers.Set("Retry-After", retry_after);
  return response;
}

bool Holds(const BatchPtr& part, std::string_view body) {
  bool found = false;
  part->ForEach([&](uint32_t row) { found |= part->body().Get(row).text() == body; });
  return found;
}

class KelpSenderTest : public ::testing::Test {
 protected:
  KelpSenderTest() {
    config_.url = "http://server:7700/";
    config_.project = "shop";
    config_.logstore = "web logs";
    config_.token = "secret";
  }
  bool Send(EncodedSet set) {
    target_ = std::make_unique<KelpTarget>(config_, RealEnv().files());
    KelpSender sender(
        *target_, server_, RealEnv(), metrics_, limit_, 1,
        [this](Duration wait) {
          waits_.push_back(wait);
          return waits_.size() > stop_after_ ? std::nullopt : std::optional<Duration>(30s);
        },
        [this](const EncodedSet& given_up, std::string_view reason) {
          dropped_[std::string(reason)] += given_up.rows;
          given_up_.push_back(given_up);
        });
    return sender.Send(std::move(set));
  }
  uint64_t Dropped(const std::string& reason) { return dropped_[reason]; }
  double Retries(const std::string& reason) const {
    return fixture_.Metric("output_retries_total", {{"reason", reason}});
  }

  testing::Fixture fixture_;
  KelpOutputConfig config_;
  KelpOutputMetrics metrics_{fixture_.Context()};
  ConcurrencyLimit limit_{4, metrics_.concurrency};
  testing::FakeServer server_;
  std::unique_ptr<KelpTarget> target_;
  std::map<std::string, uint64_t> dropped_;
  std::vector<EncodedSet> given_up_;
  std::vector<Duration> waits_;
  size_t stop_after_ = 1000;
};

TEST_F(KelpSenderTest, SendsWhereAndAsWhatTheApiSays) {
  EXPECT_TRUE(Send(Encode({NewBatch({"a", "b"})})));
  ASSERT_EQ(server_.request_count(), 1u);
  const net::HttpClientRequest request = server_.Requests()[0];
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, "http://server:7700/api/v1/projects/shop/logstores/web%20logs/batches");
  EXPECT_EQ(request.headers.Get("Content-Type"), "application/x-kelp-batch");
  EXPECT_EQ(request.headers.Get("Authorization"), "Bearer secret");
  EXPECT_TRUE(request.repeatable);
  EXPECT_EQ(fixture_.Metric("output_sent_rows_total"), 2);
  EXPECT_GT(fixture_.Metric("output_sent_bytes_total"), 0);
  EXPECT_EQ(fixture_.Metric("output_requests_total"), 1);
}

TEST_F(KelpSenderTest, TriesAgainAfterEveryStatusThatMayPass) {
  std::vector<testing::FakeServer::Step> script;
  const std::vector<int> statuses = {302, 401, 403, 404, 405, 408, 409, 429, 500, 502, 503, 504};
  for (const int status : statuses) script.push_back({.answer = Answer(status)});
  server_.Script(std::move(script));
  EXPECT_TRUE(Send(Encode({NewBatch({"a"})})));
  EXPECT_EQ(server_.Bodies(), std::vector<std::string>{"a"});
  for (const int status : statuses) EXPECT_EQ(Retries(std::to_string(status)), 1) << status;
  EXPECT_EQ(waits_.size(), statuses.size() + 1);
}

TEST_F(KelpSenderTest, TriesAgainAfterNetworkErrorsAndTimeouts) {
  server_.Script({{.error = UnavailableError("refused")},
                  {.error = DeadlineExceededError("too slow"), .store_first = true},
                  {.error = CancelledError("cancelled")}});
  EXPECT_TRUE(Send(Encode({NewBatch({"a", "b"})})));
  EXPECT_EQ(server_.Bodies(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(Retries("network"), 2);
  EXPECT_EQ(Retries("timeout"), 1);
  EXPECT_EQ(fixture_.Metric("output_duplicate_rows_total"), 2);
}

TEST_F(KelpSenderTest, WaitsLongerEachTimeUpToThirtySeconds) {
  stop_after_ = 14;
  std::vector<testing::FakeServer::Step> script(20, {.error = UnavailableError("refused")});
  server_.Script(std::move(script));
  EXPECT_FALSE(Send(Encode({NewBatch({"a"})})));
  ASSERT_EQ(waits_.size(), 15u);
  EXPECT_EQ(waits_[0], 0s);
  Duration longest = 200ms;
  for (size_t i = 1; i < waits_.size(); ++i, longest = std::min<Duration>(longest * 2, 30s)) {
    EXPECT_LE(waits_[i], longest) << i;
    EXPECT_GT(waits_[i], 0s) << i;
  }
}

TEST_F(KelpSenderTest, HonoursRetryAfter) {
  server_.Script({{.answer = Answer(429, "busy", "7")},
                  {.answer = Answer(503, "low disk", "40")},
                  {.answer = Answer(500, "oops", "9")},
                  {.answer = Answer(429, "busy", "a day")}});
  EXPECT_TRUE(Send(Encode({NewBatch({"a"})})));
  ASSERT_EQ(waits_.size(), 5u);
  EXPECT_GE(waits_[1], 7s);
  EXPECT_LE(waits_[1], 9s);
  EXPECT_GE(waits_[2], 40s);
  EXPECT_LE(waits_[2], 50s);
  EXPECT_LT(waits_[3], 2s);
  EXPECT_LT(waits_[4], 2s);
}

TEST_F(KelpSenderTest, DoesNotTakeAnotherProgramsAnswerForSuccess) {
  server_.Script({{.answer = net::Text(200, "<html>welcome</html>")}});
  EXPECT_TRUE(Send(Encode({NewBatch({"a"})})));
  EXPECT_EQ(Retries("200"), 1);
  EXPECT_EQ(server_.Bodies(), std::vector<std::string>{"a"});
}

TEST_F(KelpSenderTest, GivesUpOnlyThePartThatTheServerRefuses) {
  server_.SetRule([](const std::vector<BatchPtr>& parts) {
    for (const BatchPtr& part : parts) {
      if (Holds(part, "bad")) return Answer(400, "part 3 is odd");
    }
    return net::HttpResponse{.status = 0};
  });
  std::vector<SharedBatch> batches;
  for (uint64_t i = 0; i < 7; ++i) {
    batches.push_back(i == 3 ? NewBatch({"bad", "worse"}, 10 + i)
                             : NewBatch({"row " + std::to_string(i)}, 10 + i));
  }
  EXPECT_TRUE(Send(Encode(batches)));
  EXPECT_EQ(server_.Bodies(),
            (std::vector<std::string>{"row 0", "row 1", "row 2", "row 4", "row 5", "row 6"}));
  EXPECT_EQ(Dropped("refused"), 2u);
  ASSERT_EQ(given_up_.size(), 1u);
  EXPECT_EQ(given_up_[0].first_part, 3u);
  EXPECT_EQ(fixture_.Metric("output_sent_rows_total"), 6);
}

TEST_F(KelpSenderTest, NeverGivesUpRowsForAnotherProgramsRefusal) {
  server_.Script({{.answer = net::Text(400, "<html>plain HTTP sent to an HTTPS port</html>")},
                  {.answer = net::Text(422, "what?")},
                  {.answer = net::Text(410, "gone")}});
  EXPECT_TRUE(Send(Encode({NewBatch({"a"})})));
  EXPECT_TRUE(given_up_.empty());
  EXPECT_EQ(Retries("400"), 1);
  EXPECT_EQ(server_.Bodies(), std::vector<std::string>{"a"});
}

TEST_F(KelpSenderTest, SendsLessAtOnceWhileTheServerIsOverloaded) {
  server_.Script({{.answer = Answer(429)}});
  EXPECT_TRUE(Send(Encode({NewBatch({"a"})})));
  EXPECT_EQ(limit_.limit(), 1);
  EXPECT_EQ(fixture_.Metric("output_concurrency_limit"), 1);
}

TEST_F(KelpSenderTest, KeepsTheOrderOfAnOriginWhenItTakesASetApart) {
  server_.SetRule([](const std::vector<BatchPtr>& parts) {
    return parts.size() > 1 ? Answer(413) : net::HttpResponse{.status = 0};
  });
  std::vector<SharedBatch> batches;
  std::vector<std::string> expected;
  for (uint64_t i = 0; i < 5; ++i) {
    const std::string row = std::to_string(i);
    batches.push_back(NewBatch({row + "a", row + "b"}, 1, 1 + 2 * i));
    expected.insert(expected.end(), {row + "a", row + "b"});
  }
  EXPECT_TRUE(Send(Encode(batches)));
  EXPECT_EQ(server_.Bodies(), expected);
  EXPECT_EQ(Dropped("too_large"), 0u);
}

TEST_F(KelpSenderTest, HalvesATooLargePartByRowsAndGivesUpOneRow) {
  const std::string huge(1000, 'x');
  server_.SetRule([](const std::vector<BatchPtr>& parts) {
    size_t bytes = 0;
    for (const BatchPtr& part : parts) bytes += part->body_bytes();
    return bytes > 100 ? Answer(413, "too large") : net::HttpResponse{.status = 0};
  });
  EXPECT_TRUE(
      Send(Encode({NewBatch({"a", "b", huge, "c", std::string(60, 'y'), std::string(60, 'z')})})));
  EXPECT_EQ(server_.Bodies(),
            (std::vector<std::string>{"a", "b", "c", std::string(60, 'y'), std::string(60, 'z')}));
  EXPECT_EQ(Dropped("too_large"), 1u);
  ASSERT_EQ(given_up_.size(), 1u);
  EXPECT_EQ(given_up_[0].first_row, 2u);
}

TEST_F(KelpSenderTest, RetriesWithinATakenApartSetToo) {
  server_.Script({{.answer = Answer(413)},
                  {.error = UnavailableError("gone"), .store_first = true},
                  {.answer = Answer(503)}});
  EXPECT_TRUE(Send(Encode({NewBatch({"a"}, 1), NewBatch({"b"}, 2)})));
  EXPECT_EQ(server_.Bodies(), (std::vector<std::string>{"a", "b"}));
}

TEST_F(KelpSenderTest, ReadsTheTokenFileAgainWhenTheTokenIsRefused) {
  const std::string path = ::testing::TempDir() + "kelp_sender_token_" + std::to_string(::getpid());
  std::ofstream(path) << "  fresh-token\n";
  config_.token.clear();
  config_.token_file = path;
  server_.Script({{.answer = Answer(401)}});
  EXPECT_TRUE(Send(Encode({NewBatch({"a"})})));
  EXPECT_FALSE(server_.Requests()[0].headers.Has("Authorization"));
  EXPECT_EQ(server_.Requests()[1].headers.Get("Authorization"), "Bearer fresh-token");
  ::unlink(path.c_str());
}

TEST(KelpTarget, RefusesATokenFileThatHoldsNoToken) {
  const std::string path = ::testing::TempDir() + "kelp_target_" + std::to_string(::getpid());
  KelpOutputConfig config;
  config.url = "http://h";
  config.token_file = path;
  KelpTarget target(config, RealEnv().files());
  EXPECT_EQ(target.ReloadToken().code(), Code::kNotFound);
  std::ofstream(path) << "\n";
  EXPECT_FALSE(target.ReloadToken().ok());
  std::ofstream(path) << "two words";
  EXPECT_FALSE(target.ReloadToken().ok());
  std::ofstream(path) << "one-word";
  EXPECT_TRUE(target.ReloadToken().ok());
  ::unlink(path.c_str());
}

TEST(KelpSenderText, FindsTheServersMessage) {
  EXPECT_EQ(ErrorMessage(net::Error(404, "no \"such\" logstore")), "no \"such\" logstore");
  EXPECT_EQ(ErrorMessage(net::Text(502, "bad\ngateway")), "bad gateway");
  EXPECT_EQ(ErrorMessage(net::Text(404, "")), "Not Found");
  EXPECT_EQ(ErrorMessage(net::Text(400, "{\"message\":\"cut")), "{\"message\":\"cut");
}

TEST(KelpSenderText, ReadsCounts) {
  EXPECT_EQ(JsonCount("{\"accepted\":5,\"duplicate\": 7}", "accepted"), 5u);
  EXPECT_EQ(JsonCount("{\"accepted\":5,\"duplicate\": 7}", "duplicate"), 7u);
  EXPECT_EQ(JsonCount("{\"accepted\":\"x\"}", "accepted"), std::nullopt);
  EXPECT_EQ(JsonCount("", "accepted"), std::nullopt);
}

}  // namespace
}  // namespace kelp::output
