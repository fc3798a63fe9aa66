// Alerts of a running server: from a row to a webhook and a row in the logstore `alerts`.
#include <future>

#include "domain/domain.h"
#include "net/http_server.h"
#include "server/test_server.h"
#include "sql/sql.h"

namespace kelp::server {
namespace {

// What a webhook received, one after the other.
class Receiver {
 public:
  Receiver() {
    server_ = *net::HttpServer::Start(
        {}, [this](const net::HttpRequest& request, const std::shared_ptr<net::Responder>& answer) {
          MutexLock lock(mu_);
          requests_.push_back(request);
          answer->Send({204, {}, ""});
          arrived_.NotifyAll();
        });
  }
  net::HttpRequest Get(size_t index) {
    MutexLock lock(mu_);
    while (requests_.size() <= index) arrived_.Wait(mu_);
    return requests_[index];
  }
  size_t count() {
    MutexLock lock(mu_);
    return requests_.size();
  }
  std::string url() const { return "http://" + server_->address() + "/hook"; }

 private:
  Mutex mu_;
  CondVar arrived_;
  std::vector<net::HttpRequest> requests_ GUARDED_BY(mu_);
  std::unique_ptr<net::HttpServer> server_;
};

class AlertApiTest : public ServerTest {
 protected:
  static constexpr const char* kAlerts = "/api/v1/projects/default/alerts";

  void SetUp() override {
    config_.alerts.private_webhooks = true;
    Start();
    ASSERT_EQ(Call("POST", std::string(kLogs) + "/rows",
                   "{\"body\":\"a\",\"level\":\"error\",\"app\":\"web\"}\n"
                   "{\"body\":\"b\",\"level\":\"error\",\"app\":\"web\"}\n"
                   "{\"body\":\"c\",\"level\":\"error\",\"app\":\"db\"}\n")
                  .status,
              200);
  }
  std::string Definition(const std::string& q, const std::string& more) const {
    return R"({"logstores":["logs"],"q":")" + q + R"(","every":"1h",)" + more +
           R"("webhook":{"url":")" + receiver_.url() +
           R"(","headers":{"X-Secret":"s3"},"body":"{\"text\":\"{{alert}} {{value}} {{labels.app}}\"}"}})";
  }

  Receiver receiver_;
};

TEST_F(AlertApiTest, TellsAWebhookAndTheLogstoreAndNotTwice) {
  const std::string one = std::string(kAlerts) + "/errors";
  const auto put =
      Call("PUT", one, Definition("level:error", R"("condition":{"op":">","value":2},)"));
  ASSERT_EQ(put.status, 200) << put.body;
  EXPECT_EQ(put.body.find("s3"), std::string::npos);
  EXPECT_NE(put.body.find("/hook"), std::string::npos);
  auto access = *domain::Domain::Open(RealEnv(), config_.DomainPath());
  ASSERT_TRUE(access->AddToken("a-viewer", domain::Role::kViewer, "").ok());
  EXPECT_EQ(CallAs("a-viewer", "GET", one).body.find("/hook"), std::string::npos);
  const net::HttpRequest hook = receiver_.Get(0);
  EXPECT_EQ(hook.method, "POST");
  EXPECT_EQ(hook.body, "{\"text\":\"errors 3 \"}");
  EXPECT_EQ(hook.headers.Get("X-Secret"), "s3");
  EXPECT_FALSE(hook.headers.Get("Idempotency-Key").empty());
  // The row goes before the webhook.
  const auto rows =
      Call("GET", "/api/v1/projects/default/logstores/alerts/search?q=alert:errors%20state:firing");
  EXPECT_NE(rows.body.find("alert errors firing: 3 (value > 2)"), std::string::npos) << rows.body;
  Restart();
  const auto state = Call("GET", one);
  EXPECT_NE(state.body.find("\"state\":\"firing\""), std::string::npos) << state.body;
  EXPECT_EQ(receiver_.count(), 1u);
}

TEST_F(AlertApiTest, GroupsAreThoseOfAStatement) {
  if (!sql::Engine({}).Available().ok()) GTEST_SKIP() << "DuckDB is not installed";
  const auto put =
      Call("PUT", std::string(kAlerts) + "/by-app",
           Definition("level:error | stats count() as n by app",
                      R"("group_by":["app"],"condition":{"column":"n","op":">=","value":2},)"));
  ASSERT_EQ(put.status, 200) << put.body;
  EXPECT_EQ(receiver_.Get(0).body, "{\"text\":\"by-app 2 web\"}");
  EXPECT_EQ(receiver_.count(), 1u);
}

TEST_F(AlertApiTest, MistakesAreSaidWhenItIsMade) {
  const std::string one = std::string(kAlerts) + "/errors";
  const auto put = [&](const std::string& body) { return Call("PUT", one, body); };
  const std::string condition = R"("condition":{"op":">","value":2},)";
  EXPECT_EQ(put(Definition("level:(", condition)).status, 400);
  EXPECT_EQ(put(Definition("*", R"("group_by":["app"],)" + condition)).status, 400);
  EXPECT_EQ(put("{\"logstores\":[\"none\"],\"condition\":{\"op\":\">\",\"value\":2}}").status, 404);
  EXPECT_EQ(put("[]").status, 400);
  EXPECT_EQ(CallAs(agent_, "GET", kAlerts).status, 403);
  EXPECT_EQ(Call("GET", one).status, 404);
}

TEST_F(AlertApiTest, IsSilencedUntilATime) {
  const std::string one = std::string(kAlerts) + "/errors";
  ASSERT_EQ(
      Call("PUT", one, Definition("level:never", R"("condition":{"op":">","value":2},)")).status,
      200);
  const auto silence = [&](const std::string& until) {
    return Call("POST", one + "/silence", "{\"until\":" + until + "}").body;
  };
  EXPECT_NE(silence("17").find("\"silenced_until\":17,"), std::string::npos);
  EXPECT_NE(silence("\"2030-01-01T00:00:00Z\"").find("\"silenced_until\":1893456000000000000,"),
            std::string::npos);
  EXPECT_NE(silence("null").find("\"silenced_until\":null,"), std::string::npos);
}

}  // namespace
}  // namespace kelp::server
