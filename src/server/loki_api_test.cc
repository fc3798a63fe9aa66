// The Loki API of a running server, asked as Grafana and logcli ask (recorded request shapes).
#include "loki/ast.h"
#include "net/test_socket.h"
#include "net/websocket.h"
#include "server/test_server.h"

namespace kelp::server {
namespace {

class LokiApiTest : public ServerTest {
 protected:
  static constexpr const char* kV1 = "/loki/api/v1";

  void SetUp() override {
    Start();
    // 2026-01-01T00:00:00Z and the seconds after it.
    std::string rows;
    for (int i = 0; i < 60; ++i) {
      const bool error = i % 10 == 0;
      rows += "{\"time\":" + std::to_string(1767225600 + i) + ",\"body\":\"request " +
              std::to_string(i) + (error ? " failed" : " done") + " in " + std::to_string(i) +
              "ms\",\"level\":\"" + (error ? "error" : "info") +
              "\",\"took\":" + std::to_string(i) + ",\"resource\":{\"app\":\"" +
              (i % 2 == 0 ? "web" : "db") + "\",\"k8s.pod.name\":\"pod-" + std::to_string(i % 3) +
              "\"}}\n";
    }
    ASSERT_EQ(Call("POST", std::string(kLogs) + "/rows", rows).status, 200);
  }

  // The body of a call of which the answer is 200.
  std::string Get(const std::string& path, const std::string& query = "") {
    const auto answer = Call("GET", kV1 + path + "?" + query);
    EXPECT_EQ(answer.status, 200) << path << "?" << query << ": " << answer.body;
    EXPECT_EQ(answer.headers.Get("Content-Type"), "application/json");
    // What it cost differs from call to call.
    const size_t stats = answer.body.find(",\"stats\":");
    return answer.body.substr(0, stats);
  }
  static std::string Q(const std::string& query) { return "query=" + net::UrlEncode(query); }
  static constexpr const char* kSpan = "&start=1767225600000000000&end=1767225660000000000";
};

TEST_F(LokiApiTest, TheHealthCheckOfGrafanaPasses) {
  EXPECT_EQ(
      Get("/query", "query=vector(1)%2Bvector(1)&time=4000000000&direction=backward"),
      "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[{\"metric\":{},"
      "\"value\":[4000000000,\"2\"]}]");
}

TEST_F(LokiApiTest, LabelsAreThoseOfTheResource) {
  EXPECT_EQ(Get("/labels", std::string(kSpan).substr(1)),
            "{\"status\":\"success\",\"data\":[\"app\",\"k8s_pod_name\",\"logstore\","
            "\"service_name\"]}");
  EXPECT_EQ(Get("/label/app/values", std::string(kSpan).substr(1)),
            "{\"status\":\"success\",\"data\":[\"db\",\"web\"]}");
  EXPECT_EQ(Get("/label/k8s_pod_name/values", Q("{app=\"db\", k8s_pod_name!=\"pod-0\"}") + kSpan),
            "{\"status\":\"success\",\"data\":[\"pod-1\",\"pod-2\"]}");
  EXPECT_EQ(Get("/label/service_name/values", std::string(kSpan).substr(1)),
            "{\"status\":\"success\",\"data\":[\"db\",\"web\"]}");
}

TEST_F(LokiApiTest, SeriesAreTheStreamsThatMatch) {
  EXPECT_EQ(Get("/series", "match%5B%5D=" + net::UrlEncode("{k8s_pod_name=\"pod-2\"}") + kSpan),
            "{\"status\":\"success\",\"data\":["
            "{\"app\":\"db\",\"k8s_pod_name\":\"pod-2\",\"logstore\":\"logs\",\"service_name\":"
            "\"db\"},{\"app\":\"web\",\"k8s_pod_name\":\"pod-2\",\"logstore\":\"logs\","
            "\"service_name\":\"web\"}]}");
}

TEST_F(LokiApiTest, LinesComeNewestFirstOrOldestFirst) {
  const std::string query = Q("{app=\"web\"} |= \"failed\"") + kSpan;
  EXPECT_NE(Get("/query_range", query + "&limit=1&direction=backward")
                .find("[[\"1767225650000000000\",\"request 50 failed in 50ms\"]]"),
            std::string::npos);
  EXPECT_NE(Get("/query_range", query + "&limit=1&direction=forward")
                .find("[[\"1767225600000000000\",\"request 0 failed in 0ms\"]]"),
            std::string::npos);
}

TEST_F(LokiApiTest, LabelsAreCategorizedWhenTheClientAsks) {
  const std::string target = std::string(kV1) + "/query_range?" +
                             Q("{app=\"web\"} |= \"request 50\" | pattern \"<_> in <ms>ms\"") +
                             kSpan;
  const auto answer =
      CallAs(admin_, "GET", target, "", {{"X-Loki-Response-Encoding-Flags", "categorize-labels"}});
  EXPECT_EQ(answer.body.substr(0, answer.body.find(",\"stats\"")),
            "{\"status\":\"success\",\"data\":{\"resultType\":\"streams\",\"encodingFlags\":["
            "\"categorize-labels\"],\"result\":[{\"stream\":{\"app\":\"web\",\"k8s_pod_name\":"
            "\"pod-2\",\"logstore\":\"logs\",\"service_name\":\"web\"},\"values\":[["
            "\"1767225650000000000\",\"request 50 failed in 50ms\",{\"structuredMetadata\":{"
            "\"detected_level\":\"error\",\"level\":\"error\",\"took\":\"50\"},\"parsed\":{\"ms\":"
            "\"50\"}}]]}]");
}

TEST_F(LokiApiTest, LogVolumeIsAMatrixByLevel) {
  const std::string query =
      Q("sum by (level, detected_level) (count_over_time({app=~\".+\"} [30s]))") +
      "&start=1767225629&end=1767225659&step=30000ms";
  EXPECT_EQ(Get("/query_range", query),
            "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":["
            "{\"metric\":{\"detected_level\":\"error\",\"level\":\"error\"},\"values\":[["
            "1767225629,\"3\"],[1767225659,\"3\"]]},{\"metric\":{\"detected_level\":\"info\","
            "\"level\":\"info\"},\"values\":[[1767225629,\"27\"],[1767225659,\"27\"]]}]");
}

TEST_F(LokiApiTest, TimesAtTheEdgesDoNotOverflow) {
  const std::string call = std::string(kV1) + "/query_range?" + Q("rate({app=\"db\"}[1h])");
  // Clocks of the far past and future, as numbers, nanoseconds and text.
  for (const char* time : {"-4000000001", "9223372036854775807", "1677-09-21T00:12:44Z"}) {
    const auto answer = CallAs(admin_, "GET", call + "&end=" + time);
    EXPECT_EQ(answer.status, 400) << time << answer.body;
    const auto moment =
        CallAs(admin_, "GET",
               std::string(kV1) + "/query?" + Q("rate({app=\"db\"}[1h])") + "&time=" + time);
    EXPECT_EQ(moment.status, 400) << time << moment.body;
  }
  for (const char* span :
       {"&end=-4000000000&since=4000000000s", "&start=-4000000000&end=4000000000",
        "&start=-4000000000&end=4000000000&step=1000000000",
        "&start=-4000000000&end=4000000000&step=365d"}) {
    EXPECT_EQ(CallAs(admin_, "GET", call + span).status, 200) << span;
    EXPECT_EQ(
        CallAs(admin_, "GET", std::string(kV1) + "/index/volume_range?" + Q("{app=\"db\"}") + span)
            .status,
        200)
        << span;
  }
}

TEST_F(LokiApiTest, FormsAreTakenAsQueriesAre) {
  const auto answer = CallAs(admin_, "POST", std::string(kV1) + "/query",
                             Q("sum(count_over_time({app=\"db\"}[1m]))") + "&time=1767225659",
                             {{"Content-Type", "application/x-www-form-urlencoded"}});
  EXPECT_NE(answer.body.find("\"value\":[1767225659,\"30\"]"), std::string::npos) << answer.body;
}

TEST_F(LokiApiTest, DrilldownGetsWhatItAsksFor) {
  EXPECT_NE(Get("/index/stats", Q("{app=\"web\"}") + kSpan).find("\"streams\":3,"),
            std::string::npos);
  EXPECT_NE(Get("/index/volume", Q("{app=~\".+\"}") + kSpan + "&targetLabels=app&limit=1")
                .find("\"result\":[{\"metric\":{\"app\":"),
            std::string::npos);
  EXPECT_NE(Get("/index/volume_range", Q("{app=\"web\"}") + kSpan + "&step=30s")
                .find("\"resultType\":\"matrix\""),
            std::string::npos);
  EXPECT_NE(Get("/detected_labels", std::string(kSpan).substr(1))
                .find("{\"label\":\"k8s_pod_name\",\"cardinality\":3}"),
            std::string::npos);
  EXPECT_NE(Get("/detected_fields", Q("{app=\"web\"}") + kSpan)
                .find("{\"label\":\"took\",\"type\":\"int\",\"cardinality\":30,\"parsers\":null}"),
            std::string::npos);
  EXPECT_NE(Get("/detected_field/level/values", Q("{app=\"web\"}") + kSpan)
                .find("\"values\":[\"error\",\"info\"]"),
            std::string::npos);
  EXPECT_NE(Get("/patterns", Q("{app=\"web\"}") + kSpan).find("request <_>"), std::string::npos);
  EXPECT_NE(Get("/drilldown-limits").find("\"pattern_ingester_enabled\":true"), std::string::npos);
  EXPECT_NE(Get("/status/buildinfo").find("\"version\":\"3."), std::string::npos);
  EXPECT_EQ(Get("/format_query", Q("{ app = \"x\" }|=`y`")),
            "{\"status\":\"success\",\"data\":\"{app=\\\"x\\\"} |= \\\"y\\\"\"}");
}

TEST_F(LokiApiTest, ErrorsSayWhereAndAreJson) {
  const auto bad = Call("GET", std::string(kV1) + "/query_range?" + Q("{app=\"web\"} |= oops"));
  EXPECT_EQ(bad.status, 400);
  EXPECT_NE(bad.body.find("\"message\":\"parse error at line 1, col 16: "), std::string::npos)
      << bad.body;
  const auto unknown = Call("GET", "/loki/api/v1/rules");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_NE(unknown.body.find("\"message\":"), std::string::npos);
  EXPECT_EQ(unknown.headers.Get("Content-Type"), "application/json");
}

TEST_F(LokiApiTest, TheTenantHeaderNamesProjectAndLogstore) {
  ASSERT_EQ(Call("POST", "/api/v1/projects", "{\"name\":\"shop\"}").status, 201);
  const std::string target = std::string(kV1) + "/labels" + "?" + std::string(kSpan).substr(1);
  const auto labels = [&](const std::string& tenant) {
    return CallAs(admin_, "GET", target, "", {{"X-Scope-OrgID", tenant}});
  };
  EXPECT_EQ(labels("shop").body, "{\"status\":\"success\",\"data\":[]}");
  EXPECT_EQ(labels("default/logs").status, 200);
  EXPECT_NE(labels("default/logs").body.find("app"), std::string::npos);
  EXPECT_EQ(labels("default/none").status, 404);
  EXPECT_EQ(labels("none").status, 404);
}

TEST_F(LokiApiTest, AsksForATokenInEitherForm) {
  const std::string target = std::string(kV1) + "/labels";
  EXPECT_EQ(CallAs("", "GET", target).status, 401);
  EXPECT_EQ(CallAs(agent_, "GET", target).status, 403);
  // "grafana:" and the token, in Base64.
  std::string pair = "grafana:" + admin_;
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  while (pair.size() % 3 != 0) pair = "x" + pair;
  std::string base64;
  for (size_t i = 0; i < pair.size(); i += 3) {
    const uint32_t bits = static_cast<uint32_t>(static_cast<unsigned char>(pair[i])) << 16 |
                          static_cast<uint32_t>(static_cast<unsigned char>(pair[i + 1])) << 8 |
                          static_cast<unsigned char>(pair[i + 2]);
    for (int shift = 18; shift >= 0; shift -= 6) base64 += kDigits[bits >> shift & 63];
  }
  EXPECT_EQ(CallAs("", "GET", target, "", {{"Authorization", "Basic " + base64}}).status, 200);
  EXPECT_EQ(CallAs("", "GET", target, "", {{"Authorization", "Basic e"}}).status, 401);
}

TEST_F(LokiApiTest, TailGivesEarlierRowsAndThenNewOnes) {
  const std::string port = server_->address().substr(server_->address().rfind(':') + 1);
  net::TestSocket socket(static_cast<uint16_t>(std::stoi(port)));
  ASSERT_TRUE(socket.Send(
      "GET /loki/api/v1/tail?" + Q("{app=\"web\"} |= \"failed\"") +
      "&start=1767225640000000000&limit=10 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + admin_ +
      "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"));
  const std::string head = socket.ReadUntil("request 50 failed in 50ms");
  EXPECT_TRUE(head.starts_with("HTTP/1.1 101 Switching Protocols\r\n")) << head;
  EXPECT_NE(head.find("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), std::string::npos);
  EXPECT_EQ(head.find("Transfer-Encoding"), std::string::npos);
  ASSERT_EQ(Call("POST", std::string(kLogs) + "/rows",
                 "{\"body\":\"it failed again\",\"resource\":{\"app\":\"web\"}}\n"
                 "{\"body\":\"it failed elsewhere\",\"resource\":{\"app\":\"db\"}}\n")
                .status,
            200);
  const std::string live = socket.ReadUntil("it failed again");
  EXPECT_EQ(live.find("elsewhere"), std::string::npos);
  EXPECT_NE(live.find("{\"streams\":[{\"stream\":{\"app\":\"web\",\"detected_level\":\"unknown\","),
            std::string::npos)
      << live;
  socket.Forget();
  // A masked close: it is answered by one, and the connection ends.
  ASSERT_TRUE(socket.Send(std::string("\x88\x82\0\0\0\0\x03\xe8", 8)));
  EXPECT_EQ(socket.ReadToEnd(), std::string("\x88\x02\x03\xe8", 4));
}

TEST_F(LokiApiTest, TailWithoutAWebSocketIsRefused) {
  EXPECT_EQ(Call("GET", std::string(kV1) + "/tail?" + Q("{app=\"web\"}")).status, 400);
  EXPECT_EQ(Call("GET", std::string(kV1) + "/tail?" + Q("rate({app=\"web\"}[1m])")).status, 400);
}

}  // namespace
}  // namespace kelp::server
