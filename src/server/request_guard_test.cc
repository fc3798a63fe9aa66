#include "server/request_guard.h"

#include <gtest/gtest.h>

#include "server/test_server.h"

namespace kelp::server {
namespace {

class HandClock final : public Clock {
 public:
  UnixNanos Now() override { return 0; }
  Duration Monotonic() override { return now; }
  Duration now{1h};
};

net::HttpRequest RequestWith(std::string method, net::HttpHeaders headers) {
  net::HttpRequest request;
  request.method = std::move(method);
  request.headers = std::move(headers);
  request.headers.Set("Host", "kelp.example:7700");
  return request;
}

TEST(ComesFromAnotherSite, ComparesTheOriginWithTheHost) {
  const auto foreign = [](net::HttpHeaders headers) {
    return ComesFromAnotherSite(RequestWith("POST", std::move(headers)));
  };
  EXPECT_FALSE(foreign({}));
  EXPECT_FALSE(foreign({{"Origin", "http://kelp.example:7700"}}));
  EXPECT_FALSE(foreign({{"Origin", "https://KELP.example:7700"}}));
  EXPECT_FALSE(foreign({{"Origin", "https://logs.example"}, {"X-Forwarded-Host", "logs.example"}}));
  EXPECT_FALSE(foreign({{"Origin", "http://evil.example"}, {"Authorization", "Bearer x"}}));
  EXPECT_TRUE(foreign({{"Origin", "http://evil.example"}}));
  EXPECT_TRUE(foreign({{"Origin", "http://kelp.example:8080"}}));
  EXPECT_TRUE(foreign({{"Origin", "http://kelp.example:7700.evil.example"}}));
  EXPECT_TRUE(foreign({{"Origin", "null"}}));
  EXPECT_TRUE(foreign({{"Origin", "http://"}}));
}

TEST(ComesFromAnotherSite, BelievesTheBrowserWhereItSaysMore) {
  for (const auto& [site, foreign] : std::map<std::string, bool>{
           {"same-origin", false}, {"none", false}, {"same-site", true}, {"cross-site", true}}) {
    EXPECT_EQ(ComesFromAnotherSite(RequestWith("DELETE", {{"Sec-Fetch-Site", site}})), foreign);
  }
}

TEST(ComesFromAnotherSite, LooksAtReadsOnlyWhenTheyOpenAWebSocket) {
  EXPECT_FALSE(ComesFromAnotherSite(RequestWith("GET", {{"Origin", "http://evil.example"}})));
  EXPECT_TRUE(ComesFromAnotherSite(
      RequestWith("GET", {{"Origin", "http://evil.example"}, {"Upgrade", "websocket"}})));
  EXPECT_TRUE(ComesFromAnotherSite(RequestWith("GET", {{"Origin", "http://evil.example"},
                                                       {"Upgrade", "websocket"},
                                                       {"Authorization", "Basic eDp5"}})));
  EXPECT_FALSE(ComesFromAnotherSite(RequestWith("GET", {{"Origin", "http://evil.example"},
                                                        {"Upgrade", "websocket"},
                                                        {"Authorization", "Bearer x"}})));
}

TEST(SignInGuard, HoldsAnAddressBackUntilItsWindowEnds) {
  HandClock clock;
  MetricRegistry metrics;
  SignInGuard guard(clock, metrics);
  for (int i = 0; i < SignInGuard::kFailuresMax; ++i) {
    EXPECT_FALSE(guard.MustWait("10.0.0.7:100"));
    guard.Failed("10.0.0.7:" + std::to_string(100 + i));
  }
  clock.now += 10s;
  EXPECT_EQ(guard.MustWait("10.0.0.7:9"), SignInGuard::kWindow - 10s);
  EXPECT_FALSE(guard.MustWait("10.0.0.8:9"));
  clock.now += 50s;
  EXPECT_FALSE(guard.MustWait("10.0.0.7:9"));
  guard.Failed("10.0.0.7:9");
  EXPECT_FALSE(guard.MustWait("10.0.0.7:9"));
}

TEST(SignInGuard, TakesANetworkOfIpv6AsOne) {
  HandClock clock;
  MetricRegistry metrics;
  SignInGuard guard(clock, metrics);
  for (int i = 0; i < SignInGuard::kFailuresMax; ++i) {
    guard.Failed("[2001:db8::" + std::to_string(i) + "]:80");
  }
  EXPECT_TRUE(guard.MustWait("[2001:db8::ffff]:80"));
  EXPECT_FALSE(guard.MustWait("[2001:db8:0:1::1]:80"));
}

TEST(SignInGuard, RemembersABoundedNumberOfAddresses) {
  HandClock clock;
  MetricRegistry metrics;
  SignInGuard guard(clock, metrics);
  const auto address = [](size_t i) { return "host" + std::to_string(i) + ":1"; };
  for (size_t i = 0; i < SignInGuard::kAddressesMax; ++i) guard.Failed(address(i));
  for (size_t i = 0; i < SignInGuard::kFailuresMax; ++i) {
    guard.Failed(address(SignInGuard::kAddressesMax + i));
  }
  EXPECT_TRUE(guard.MustWait("one more:1"));
  EXPECT_FALSE(guard.MustWait(address(0)));
  clock.now += SignInGuard::kWindow;
  EXPECT_FALSE(guard.MustWait("one more:1"));
}

TEST_F(ServerTest, SaysWhenToTrySigningInAgain) {
  Start();
  for (int i = 0; i < SignInGuard::kFailuresMax; ++i) {
    EXPECT_EQ(CallAs("", "POST", "/api/v1/sign-in", "{\"code\":\"guess\"}").status, 401);
  }
  const auto held = CallAs("", "POST", "/api/v1/sign-in", "{\"token\":\"" + admin_ + "\"}");
  EXPECT_EQ(held.status, 429);
  EXPECT_FALSE(held.headers.Get("Retry-After").empty());
  // Only signing in: those who are in work on.
  EXPECT_EQ(Call("GET", "/api/v1/tokens").status, 200);
}

TEST_F(ServerTest, ASessionIsNotUsedByPagesOfOtherOrigins) {
  Start();
  const auto in = CallAs("", "POST", "/api/v1/sign-in", "{\"token\":\"" + admin_ + "\"}");
  const std::string cookie(
      in.headers.Get("Set-Cookie").substr(0, in.headers.Get("Set-Cookie").find(';')));
  const auto create = [&](const std::string& name, const std::string& origin) {
    return CallAs("", "POST", "/api/v1/projects", "{\"name\":\"" + name + "\"}",
                  {{"Cookie", cookie}, {"Origin", origin}})
        .status;
  };
  EXPECT_EQ(create("mine", "http://" + server_->address()), 201);
  EXPECT_EQ(create("theirs", "http://evil.example"), 403);
  EXPECT_EQ(CallAs("", "POST", "/api/v1/sign-in", "{}", {{"Origin", "http://evil.example"}}).status,
            403);
  EXPECT_EQ(CallAs("", "GET", "/api/v1/projects", "",
                   {{"Cookie", cookie}, {"Origin", "http://evil.example"}})
                .status,
            200);
}

}  // namespace
}  // namespace kelp::server
