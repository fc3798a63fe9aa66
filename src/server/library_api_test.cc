// Saved searches, dashboards, history, tokens, agents and figures of logstores, over HTTP.
#include <simdjson.h>

#include "codec/kelp_batch.h"
#include "domain/domain.h"
#include "server/document.h"
#include "server/test_server.h"
#include "sql/sql.h"

namespace kelp::server {
namespace {

constexpr const char* kProject = "/api/v1/projects/default";

class LibraryApiTest : public ServerTest {
 protected:
  void Start() {
    ServerTest::Start();
    viewer_ = NewToken("viewer");
  }
  std::string NewToken(const std::string& role, const std::string& project = "") {
    const net::HttpResponse made =
        Call("POST", "/api/v1/tokens",
             "{\"name\":\"of a test\",\"role\":\"" + role + "\"" +
                 (project.empty() ? "" : ",\"project\":\"" + project + "\"") + "}");
    EXPECT_EQ(made.status, 201) << made.body;
    return Member(made, "token");
  }
  static std::string Member(const net::HttpResponse& response, const std::string& key) {
    simdjson::dom::parser parser;
    simdjson::dom::element value;
    if (parser.parse(response.body).at_key(key).get(value) != simdjson::SUCCESS) return "(none)";
    return value.is_string() ? std::string(std::string_view(value)) : simdjson::minify(value);
  }
  std::string viewer_;
};

TEST_F(LibraryApiTest, KeepsSavedSearches) {
  Start();
  const std::string all = std::string(kProject) + "/saved-searches";
  EXPECT_EQ(Call("GET", all).body, "{\"saved_searches\":[]}");
  const std::string one = all + "/" + net::UrlEncode("失败 of today");
  const net::HttpResponse saved = CallAs(
      viewer_, "PUT", one,
      "{\"name\":\"ignored\",\"q\":\"level:error\",\"logstores\":[\"logs\"],\"from\":\"-1d\","
      "\"view\":{\"columns\":[1,2]},\"to\":null,\"updated\":5}");
  EXPECT_EQ(saved.status, 200) << saved.body;
  EXPECT_EQ(Member(saved, "name"), "失败 of today");
  EXPECT_EQ(Member(saved, "q"), "level:error");
  EXPECT_EQ(Member(saved, "view"), "{\"columns\":[1,2]}");
  EXPECT_EQ(Member(saved, "editable"), "true");
  EXPECT_EQ(Member(Call("GET", one), "updated"), Member(saved, "updated"));
  // Another viewer sees it, and may not change it; an administrator may.
  const std::string other = NewToken("viewer");
  EXPECT_EQ(Member(CallAs(other, "GET", one), "editable"), "false");
  EXPECT_EQ(CallAs(other, "PUT", one, "{}").status, 403);
  EXPECT_EQ(CallAs(other, "DELETE", one).status, 403);
  EXPECT_EQ(CallAs(agent_, "GET", one).status, 403);
  EXPECT_EQ(Call("PUT", one, "{\"q\":\"x\"}").status, 200);
  Restart();
  EXPECT_EQ(Member(Call("GET", one), "q"), "x");
  EXPECT_EQ(CallAs(viewer_, "DELETE", one).status, 204);
  EXPECT_EQ(Call("GET", one).status, 404);
  EXPECT_EQ(Call("DELETE", one).status, 404);
  EXPECT_EQ(Call("GET", "/api/v1/projects/none/saved-searches").status, 404);
}

TEST_F(LibraryApiTest, KeepsDashboards) {
  Start();
  const std::string one = std::string(kProject) + "/dashboards/shop";
  const std::string body =
      "{\"title\":\"Shop\",\"panels\":[{\"title\":\"Errors\",\"logstores\":[\"logs\"],"
      "\"q\":\"* | stats count()\",\"chart\":\"line\",\"width\":6},{\"chart\":\"pie\"}]}";
  EXPECT_EQ(Call("PUT", one, body).status, 200);
  const net::HttpResponse list = Call("GET", std::string(kProject) + "/dashboards");
  EXPECT_EQ(list.body.find("{\"dashboards\":[{\"name\":\"shop\",\"title\":\"Shop\",\"panels\":[{"),
            0u)
      << list.body;
  EXPECT_EQ(Call("PUT", one, std::string(300 << 10, ' ')).status, 413);
}

TEST(ReadDocument, SaysWhatIsWrong) {
  const std::vector<std::pair<std::string, std::string>> wrong = {
      {"", "a JSON object"},
      {"[]", "a JSON object"},
      {"{\"q\":1}", "\"q\" must be a text"},
      {"{\"q\":\"" + std::string(17 << 10, 'x') + "\"}", "\"q\" must be a text of at most 16384"},
      {"{\"Q\":\"x\"}", "unknown key \"Q\""},
      {"{\"q\":\"x\",\"q\":\"x\"}", "stands twice"},
      {"{\"q\":\"\xff\"}", "not UTF-8"},
      {"{\"logstores\":\"a\"}", "a list of at most 16"},
      {"{\"logstores\":[\"\"]}", "a list of at most 16"},
      {"{\"logstores\":[1,2]}", "a list of at most 16"},
      {"{\"view\":\"" + std::string(65 << 10, 'x') + "\"}", "at most 65536"},
  };
  for (const auto& [body, message] : wrong) {
    const auto read = ReadDocument(SavedSearchKind(), body);
    EXPECT_NE(read.status().message().find(message), std::string_view::npos)
        << body.substr(0, 100) << ": " << read.status().message();
  }
  std::string many = "{\"panels\":[{}";
  for (int i = 0; i < 50; ++i) many += ",{}";
  for (const auto& [body, message] : std::vector<std::pair<std::string, std::string>>{
           {"{\"panels\":[{},{\"width\":13}]}", "panel 2: \"width\" must be a number from 1 to 12"},
           {"{\"panels\":[{\"chart\":\"3d\"}]}", "one of bar, line, pie, table, value"},
           {"{\"panels\":[3]}", "panel 1"},
           {"{\"panels\":{}}", "a list of at most 50"},
           {many + "]}", "a list of at most 50"}}) {
    const auto read = ReadDocument(DashboardKind(), body);
    EXPECT_NE(read.status().message().find(message), std::string_view::npos)
        << body << ": " << read.status().message();
  }
  EXPECT_EQ(*ReadDocument(DashboardKind(), " { \"from\" : \"-1h\" , \"panels\" : [ ] } "),
            "{\"from\":\"-1h\",\"panels\":[ ]}");
}

TEST_F(LibraryApiTest, RemembersQueriesWhenAsked) {
  Start();
  const std::string history = std::string(kProject) + "/history";
  Call("POST", std::string(kLogs) + "/rows", "{\"body\":\"x\"}\n");
  CallAs(viewer_, "GET", std::string(kLogs) + "/search?q=x");
  EXPECT_EQ(CallAs(viewer_, "GET", history).body, "{\"queries\":[]}");
  CallAs(viewer_, "GET", std::string(kLogs) + "/search?q=x&history=1&from=-2h");
  CallAs(viewer_, "GET", std::string(kLogs) + "/search?q=x&history=1&from=-3h");
  CallAs(viewer_, "GET", std::string(kLogs) + "/search?q=(&history=1");
  // It is kept after the answer went out.
  for (int i = 0; i < 1000 && Member(CallAs(viewer_, "GET", history), "queries") == "[]"; ++i) {
  }
  const net::HttpResponse kept = CallAs(viewer_, "GET", history);
  EXPECT_NE(kept.body.find(
                "{\"q\":\"x\",\"logstores\":[\"logs\"],\"from\":\"-3h\",\"to\":null,\"at\":\"2"),
            std::string::npos)
      << kept.body;
  EXPECT_EQ(Call("GET", history).body, "{\"queries\":[]}");
  EXPECT_EQ(CallAs(viewer_, "DELETE", history).status, 204);
  EXPECT_EQ(CallAs(viewer_, "GET", history).body, "{\"queries\":[]}");
  EXPECT_EQ(Call("GET", history + "?limit=1001").status, 400);
}

TEST_F(LibraryApiTest, MakesAndEndsTokens) {
  Start();
  const net::HttpResponse made =
      Call("POST", "/api/v1/tokens", "{\"name\":\"grafana\",\"role\":\"viewer\",\"project\":null}");
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(made.headers.Get("Cache-Control"), "no-store");
  const std::string secret = Member(made, "token");
  EXPECT_EQ(CallAs(secret, "GET", "/api/v1/projects").status, 200);
  EXPECT_EQ(CallAs(secret, "GET", "/api/v1/tokens").status, 403);
  const net::HttpResponse list = Call("GET", "/api/v1/tokens");
  EXPECT_NE(
      list.body.find("\"name\":\"grafana\",\"role\":\"viewer\",\"project\":null,\"created\":\"2"),
      std::string::npos)
      << list.body;
  EXPECT_EQ(list.body.find(secret), std::string::npos);
  const std::string one = "/api/v1/tokens/" + Member(made, "id");
  EXPECT_EQ(Call("DELETE", one).status, 204);
  EXPECT_EQ(CallAs(secret, "GET", "/api/v1/projects").status, 401);
  EXPECT_EQ(Call("DELETE", one).status, 404);
  for (const char* body : {"{}", "{\"name\":\"x\"}", "{\"name\":\"x\",\"role\":\"root\"}",
                           "{\"name\":\"x\",\"role\":\"viewer\",\"scope\":\"y\"}"}) {
    EXPECT_EQ(Call("POST", "/api/v1/tokens", body).status, 400) << body;
  }
  EXPECT_EQ(
      Call("POST", "/api/v1/tokens", "{\"name\":\"x\",\"role\":\"viewer\",\"project\":\"none\"}")
          .status,
      404);
  // Without it, nobody could come in any more.
  const std::string admin_id = domain::Domain::IdOfToken(admin_);
  EXPECT_EQ(Call("DELETE", "/api/v1/tokens/" + admin_id).status, 400);
}

TEST_F(LibraryApiTest, ATokenOfAProjectSeesOnlyThat) {
  Start();
  ASSERT_EQ(Call("POST", "/api/v1/projects", "{\"name\":\"web\"}").status, 201);
  ASSERT_EQ(Call("POST", "/api/v1/projects/web/logstores", "{\"name\":\"logs\"}").status, 201);
  const std::string scoped = NewToken("admin", "web");
  EXPECT_EQ(CallAs(scoped, "GET", "/api/v1/projects/web/logstores/logs/search").status, 200);
  EXPECT_EQ(CallAs(scoped, "GET", std::string(kLogs) + "/search").status, 403);
  EXPECT_EQ(CallAs(scoped, "POST", std::string(kLogs) + "/rows", "{}").status, 403);
  EXPECT_EQ(CallAs(scoped, "GET", "/api/v1/projects").body,
            "{\"projects\":[{\"name\":\"web\",\"logstores\":1}]}");
  EXPECT_EQ(CallAs(scoped, "GET", "/api/v1/tokens").status, 403);
  EXPECT_EQ(CallAs(scoped, "POST", "/api/v1/projects", "{\"name\":\"x\"}").status, 403);
  EXPECT_EQ(Member(CallAs(scoped, "GET", "/api/v1/session"), "project"), "web");
  const net::HttpResponse in =
      CallAs("", "POST", "/api/v1/sign-in", "{\"token\":\"" + scoped + "\"}");
  const std::string cookie(in.headers.Get("Set-Cookie"));
  const net::HttpHeaders session{{"Cookie", cookie.substr(0, cookie.find(';'))}};
  EXPECT_EQ(CallAs("", "GET", std::string(kLogs) + "/search", "", session).status, 403);
  EXPECT_EQ(CallAs("", "GET", "/api/v1/projects/web/logstores/logs/search", "", session).status,
            200);
}

TEST_F(LibraryApiTest, AQueryIsFollowedAndStoppedOnlyByThoseOfItsProject) {
  Start();
  ASSERT_EQ(Call("POST", "/api/v1/projects", "{\"name\":\"web\"}").status, 201);
  ASSERT_EQ(Call("GET", std::string(kLogs) + "/export?id=nightly").status, 200);
  const std::string query = "/api/v1/queries/nightly";
  // The last bytes may be here before the server has noted the end.
  for (int i = 0; i < 1000 && Call("GET", query).status != 200; ++i) {
  }
  EXPECT_EQ(Call("GET", query).status, 200);
  EXPECT_EQ(CallAs(viewer_, "GET", query).status, 200) << "it may see all projects";
  EXPECT_EQ(CallAs(NewToken("viewer", "default"), "GET", query).status, 200);
  const std::string other = NewToken("admin", "web");
  const net::HttpResponse hidden = CallAs(other, "GET", query);
  EXPECT_EQ(hidden.status, 404);
  EXPECT_EQ(hidden.body, Call("DELETE", query).body) << "as of one that does not run";
  EXPECT_EQ(CallAs(other, "DELETE", query).status, 404);
}

// One batch of one row of the node.
std::string BatchOf(const std::string& host, const std::string& body) {
  const auto batch = BatchPool::Shared().Get();
  batch->set_resource(
      std::make_shared<const Resource>(std::vector<Resource::Tag>{{"host.name", host}}));
  batch->AddRow(body, 0, body.size(), RealEnv().clock().Now());
  codec::BatchSetEncoder encoder;
  encoder.Add(*batch, 0);
  return encoder.Finish();
}

TEST_F(LibraryApiTest, OfAnAgentOfTwoProjectsEachSeesItsOwn) {
  Start();
  ASSERT_EQ(Call("POST", "/api/v1/projects", "{\"name\":\"web\"}").status, 201);
  ASSERT_EQ(Call("POST", "/api/v1/projects/web/logstores", "{\"name\":\"logs\"}").status, 201);
  ASSERT_EQ(CallAs(agent_, "POST", std::string(kLogs) + "/batches", BatchOf("node-1", "hello"),
                   {{"Kelp-Agent", "host=node-1; version=1.0; pipeline=secret"}})
                .status,
            200);
  ASSERT_EQ(CallAs(agent_, "POST", "/api/v1/projects/web/logstores/logs/batches",
                   BatchOf("node-1", "hi"), {{"Kelp-Agent", "host=node-1; pipeline=web"}})
                .status,
            200);
  const std::string web = CallAs(NewToken("viewer", "web"), "GET", "/api/v1/agents").body;
  EXPECT_NE(web.find("\"rows\":1,\"bytes\":2,\"pipelines\":[\"web\"],\"logstores\":[\"web/logs\"]"),
            std::string::npos)
      << web;
  const std::string all = Call("GET", "/api/v1/agents").body;
  EXPECT_NE(all.find("\"rows\":2,\"bytes\":7,\"pipelines\":[\"secret\",\"web\"],"),
            std::string::npos)
      << all;
}

TEST_F(LibraryApiTest, ListsAgentsThatSent) {
  Start();
  const std::string body = BatchOf("node-1", "hello");
  ASSERT_EQ(CallAs(agent_, "POST", std::string(kLogs) + "/batches", body).status, 200);
  const net::HttpResponse list = Call("GET", "/api/v1/agents");
  EXPECT_NE(list.body.find("{\"id\":\"node-1\",\"host\":\"node-1\",\"version\":null,\"address\":"
                           "\"127.0.0.1\",\"last_seen\":\"2"),
            std::string::npos)
      << list.body;
  EXPECT_NE(
      list.body.find("\"rows\":1,\"bytes\":5,\"pipelines\":[],\"logstores\":[\"default/logs\"]"),
      std::string::npos)
      << list.body;
  ASSERT_EQ(Call("POST", "/api/v1/projects", "{\"name\":\"web\"}").status, 201);
  EXPECT_EQ(CallAs(NewToken("viewer", "web"), "GET", "/api/v1/agents").body, "{\"agents\":[]}");
}

TEST_F(LibraryApiTest, LogstoresSayHowFastAndHowSmall) {
  Start();
  std::string lines;
  for (int i = 0; i < 1000; ++i) lines += "{\"body\":\"the same text again and again\"}\n";
  ASSERT_EQ(Call("POST", std::string(kLogs) + "/rows", lines).status, 200);
  const net::HttpResponse hot = Call("GET", kLogs);
  EXPECT_EQ(Member(hot, "compression"), "null");
  EXPECT_GT(std::stoull(Member(hot, "raw_bytes")), 29'000u);
  EXPECT_GT(std::stod(Member(hot, "rows_per_second")), 1);
  Restart();  // writes a segment
  const net::HttpResponse cold = Call("GET", kLogs);
  EXPECT_GT(std::stod(Member(cold, "compression")), 2) << cold.body;
  EXPECT_GT(std::stoull(Member(cold, "raw_bytes")), 29'000u);
  EXPECT_EQ(std::stod(Member(cold, "rows_per_second")), 0);
}

}  // namespace
}  // namespace kelp::server
