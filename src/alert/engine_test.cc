// The engine without its threads: a clock of the test's own, a query and a receiver that do as
// told.
#include "alert/engine.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <set>

#include "domain/domain.h"
#include "domain/sqlite.h"

namespace kelp::alert {
namespace {

class FakeClock final : public Clock {
 public:
  UnixNanos Now() override { return now; }
  Duration Monotonic() override { return Duration(now); }
  UnixNanos now = 1'000'000'000'000'000'000;
};

class FakeBackend final : public Backend {
 public:
  Result<std::vector<Finding>> Evaluate(const Alert&, UnixNanos) override {
    ++runs;
    if (!error.ok()) return error;
    return std::vector<Finding>{{{{"pod", "a"}}, value}};
  }
  Status StoreRow(const std::string&, const std::string& key, const std::string& row) override {
    if (!store_error.ok()) return store_error;
    // A key that is there is not stored again.
    if (keys.insert(key).second) rows.push_back(row);
    return OkStatus();
  }
  double value = 0;
  int runs = 0;
  Status error;
  Status store_error;
  std::set<std::string> keys;
  std::vector<std::string> rows;
};

class FakeTransport final : public net::HttpTransport {
 public:
  Result<net::HttpResponse> Send(const net::HttpClientRequest& request) override {
    keys.emplace_back(request.headers.Get("Idempotency-Key"));
    bodies.emplace_back(request.body[0]);
    secret = request.headers.Get("Authorization");
    if (crash) return CancelledError("the program ends");
    if (status == 0) return UnavailableError("nobody listens");
    return net::HttpResponse{status, {}, ""};
  }
  int status = 200;
  bool crash = false;
  std::vector<std::string> keys;
  std::vector<std::string> bodies;
  std::string secret;
};

class EngineTest : public testing::Test {
 protected:
  EngineTest() {
    char dir[] = "/tmp/kelp_engine_XXXXXX";
    dir_ = mkdtemp(dir);
    domain_ = *domain::Domain::Open(RealEnv(), dir_ + "/domain.db");
    EXPECT_TRUE(domain_->CreateProject("shop").ok());
    store_ = *domain::AlertStore::Open(dir_ + "/domain.db");
    Restart();
  }
  ~EngineTest() override {
    engine_.reset();
    std::filesystem::remove_all(dir_);
  }

  void Restart() {
    engine_.reset();
    metrics_ = std::make_unique<MetricRegistry>();
    engine_ = std::make_unique<AlertEngine>(clock_, *store_, backend_, transport_, *metrics_);
    ASSERT_TRUE(engine_->Load().ok());
  }
  Status Put(const std::string& more = "") {
    return engine_->Put(*ParseAlert(
        "shop", "errors",
        R"({"logstores":["logs"],"q":"*","every":"1m","condition":{"op":">","value":10},)"
        R"("webhook":{"url":"http://hook/","headers":{"Authorization":"Bearer x"},"body":"{{state}}"})" +
            more + "}"));
  }
  void Pass(Duration time) { clock_.now += time.count(); }
  std::string State() { return *engine_->Get("shop", "errors", Show::kEditor); }

  std::string dir_;
  FakeClock clock_;
  FakeBackend backend_;
  FakeTransport transport_;
  std::unique_ptr<domain::Domain> domain_;
  std::unique_ptr<domain::AlertStore> store_;
  std::unique_ptr<MetricRegistry> metrics_;
  std::unique_ptr<AlertEngine> engine_;
};

TEST_F(EngineTest, RunsOnScheduleAndTellsOnce) {
  ASSERT_TRUE(Put().ok());
  backend_.value = 11;
  EXPECT_EQ(engine_->RunDue(), 1min);
  EXPECT_EQ(engine_->RunDue(), 1min);
  EXPECT_EQ(backend_.runs, 1);
  engine_->SendDue();
  engine_->SendDue();
  EXPECT_EQ(transport_.bodies, std::vector<std::string>{"firing"});
  EXPECT_EQ(transport_.secret, "Bearer x");
  ASSERT_EQ(backend_.rows.size(), 1u);
  EXPECT_NE(backend_.rows[0].find("\"state\":\"firing\""), std::string::npos);
  Pass(1min);
  backend_.value = 0;
  engine_->RunDue();
  engine_->SendDue();
  EXPECT_EQ(transport_.bodies.back(), "resolved");
  EXPECT_EQ(backend_.runs, 2);
}

TEST_F(EngineTest, ARestartSendsNothingTwice) {
  ASSERT_TRUE(Put().ok());
  backend_.value = 11;
  engine_->RunDue();
  engine_->SendDue();
  Restart();
  engine_->RunDue();
  engine_->SendDue();
  Pass(1min);
  engine_->RunDue();
  engine_->SendDue();
  EXPECT_EQ(transport_.bodies.size(), 1u);
  EXPECT_EQ(backend_.rows.size(), 1u);
  EXPECT_NE(State().find("\"state\":\"firing\""), std::string::npos) << State();
}

TEST_F(EngineTest, WhatWasNotSentBeforeARestartIsSentAfterIt) {
  ASSERT_TRUE(Put().ok());
  backend_.value = 11;
  engine_->RunDue();
  Restart();
  engine_->SendDue();
  EXPECT_EQ(transport_.bodies, std::vector<std::string>{"firing"});
}

TEST_F(EngineTest, ACrashWhileSendingRepeatsTheSameKey) {
  ASSERT_TRUE(Put().ok());
  backend_.value = 11;
  engine_->RunDue();
  // The receiver has it, but the program ends before it learns so.
  transport_.crash = true;
  engine_->SendDue();
  transport_.crash = false;
  Restart();
  engine_->SendDue();
  ASSERT_EQ(transport_.keys.size(), 2u);
  EXPECT_EQ(transport_.keys[0], transport_.keys[1]);
  EXPECT_FALSE(transport_.keys[0].empty());
  EXPECT_EQ(backend_.rows.size(), 1u);
}

TEST_F(EngineTest, AReceiverThatIsAwayIsAskedAgainWithLongerPauses) {
  ASSERT_TRUE(Put().ok());
  backend_.value = 11;
  transport_.status = 0;
  engine_->RunDue();
  EXPECT_EQ(engine_->SendDue(), kPauseFirst);
  EXPECT_EQ(engine_->SendDue(), kPauseFirst);
  EXPECT_EQ(transport_.bodies.size(), 1u);
  Pass(kPauseFirst);
  EXPECT_EQ(engine_->SendDue(), 2 * kPauseFirst);
  Pass(2 * kPauseFirst);
  transport_.status = 503;
  EXPECT_EQ(engine_->SendDue(), 4 * kPauseFirst);
  Pass(4 * kPauseFirst);
  transport_.status = 204;
  engine_->SendDue();
  Pass(1h);
  engine_->SendDue();
  EXPECT_EQ(transport_.bodies.size(), 4u);
  // The row did not wait for the webhook, and was stored once.
  EXPECT_EQ(backend_.rows.size(), 1u);
}

TEST_F(EngineTest, AMessageThatIsRefusedIsNotSentAgain) {
  ASSERT_TRUE(Put().ok());
  backend_.value = 11;
  transport_.status = 400;
  engine_->RunDue();
  engine_->SendDue();
  Pass(1h);
  engine_->SendDue();
  EXPECT_EQ(transport_.bodies.size(), 1u);
  EXPECT_NE(State().find("\"error\":\"webhook: the webhook answered 400\""), std::string::npos)
      << State();
}

TEST_F(EngineTest, AlertsEndWithTheirProject) {
  ASSERT_TRUE(Put().ok());
  ASSERT_TRUE(domain_->DeleteProject("shop").ok());
  engine_->RunDue();
  EXPECT_EQ(*engine_->List("shop", Show::kViewer), "{\"alerts\":[]}");
}

TEST_F(EngineTest, IsGivenUpAfterManyAttempts) {
  ASSERT_TRUE(Put().ok());
  backend_.value = 11;
  transport_.status = 500;
  engine_->RunDue();
  for (uint32_t i = 0; i < kAttemptsMax + 5; ++i) {
    engine_->SendDue();
    Pass(kPauseMax);
  }
  EXPECT_EQ(transport_.bodies.size(), kAttemptsMax);
}

TEST_F(EngineTest, ErrorsOfTheQueryAreVisibleAndStoredOnce) {
  ASSERT_TRUE(Put().ok());
  backend_.error = InvalidArgumentError("there is no column n");
  for (int i = 0; i < 3; ++i) {
    engine_->RunDue();
    engine_->SendDue();
    Pass(1min);
  }
  EXPECT_EQ(backend_.rows.size(), 1u);
  EXPECT_TRUE(transport_.bodies.empty());
  EXPECT_NE(State().find("\"error\":\"there is no column n\""), std::string::npos) << State();
}

TEST_F(EngineTest, SilenceIsKeptAcrossARestartAndAChange) {
  ASSERT_TRUE(Put().ok());
  ASSERT_TRUE(engine_->Silence("shop", "errors", clock_.now + Duration(5min).count()).ok());
  ASSERT_TRUE(Put().ok());
  Restart();
  backend_.value = 11;
  engine_->RunDue();
  engine_->SendDue();
  EXPECT_TRUE(transport_.bodies.empty());
  Pass(5min);
  engine_->RunDue();
  engine_->SendDue();
  EXPECT_EQ(transport_.bodies, std::vector<std::string>{"firing"});
}

TEST_F(EngineTest, HiddenHeadersAreKeptForTheSameReceiverOnly) {
  ASSERT_TRUE(Put().ok());
  auto changed = *ParseAlert("shop", "errors", State());
  EXPECT_EQ(changed.webhook->headers[0].second, kHiddenValue);
  ASSERT_TRUE(engine_->Put(changed).ok());
  backend_.value = 11;
  engine_->RunDue();
  engine_->SendDue();
  EXPECT_EQ(transport_.secret, "Bearer x");
  changed.webhook->url = "http://elsewhere/";
  EXPECT_EQ(engine_->Put(changed).code(), Code::kInvalidArgument);
}

TEST_F(EngineTest, MissedRunsAreNotMadeUpForAndAClockSetBackDoesNotStopIt) {
  ASSERT_TRUE(Put().ok());
  engine_->RunDue();
  Pass(1h);
  engine_->RunDue();
  EXPECT_EQ(backend_.runs, 2);
  Pass(-30min);
  engine_->RunDue();
  EXPECT_EQ(backend_.runs, 3);
}

TEST_F(EngineTest, DisabledAndDeletedAlertsDoNotRun) {
  ASSERT_TRUE(Put(",\"enabled\":false").ok());
  engine_->RunDue();
  EXPECT_EQ(backend_.runs, 0);
  ASSERT_TRUE(Put().ok());
  ASSERT_TRUE(engine_->Delete("shop", "errors").ok());
  engine_->RunDue();
  EXPECT_EQ(backend_.runs, 0);
  EXPECT_EQ(engine_->Delete("shop", "errors").code(), Code::kNotFound);
  EXPECT_EQ(*engine_->List("shop", Show::kViewer), "{\"alerts\":[]}");
}

TEST_F(EngineTest, AReceiverThatAnswers499IsNotAskedAgainAtOnce) {
  ASSERT_TRUE(Put().ok());
  backend_.value = 11;
  transport_.status = 499;
  engine_->RunDue();
  engine_->SendDue();
  engine_->SendDue();
  EXPECT_EQ(transport_.bodies.size(), 1u);
  Pass(kPauseFirst);
  engine_->SendDue();
  EXPECT_EQ(transport_.bodies.size(), 2u);
}

TEST_F(EngineTest, AStateThatCannotBeKeptIsNotEvaluatedAgainAtOnce) {
  ASSERT_TRUE(Put().ok());
  backend_.value = 11;
  auto file = *sqlite::Database::Open(dir_ + "/domain.db");
  ASSERT_TRUE(file->ExecuteAll("CREATE TRIGGER full BEFORE UPDATE ON alerts BEGIN "
                               "SELECT RAISE(ABORT, 'disk full'); END")
                  .ok());
  EXPECT_EQ(engine_->RunDue(), kEveryMin);
  engine_->RunDue();
  EXPECT_EQ(backend_.runs, 1);
  EXPECT_EQ(engine_->SendDue(), kEveryMax);
  ASSERT_TRUE(file->ExecuteAll("DROP TRIGGER full").ok());
  Pass(kEveryMin);
  EXPECT_EQ(engine_->RunDue(), 1min);
  engine_->SendDue();
  EXPECT_EQ(transport_.bodies, std::vector<std::string>{"firing"});
}

TEST_F(EngineTest, ItsThreadsRunAndEnd) {
  ASSERT_TRUE(Put().ok());
  engine_->Start();
  engine_->Stop();
  EXPECT_LE(backend_.runs, 1);
}

}  // namespace
}  // namespace kelp::alert
