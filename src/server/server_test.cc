#include "server/server.h"

#include <future>
#include <thread>

#include "codec/kelp_batch.h"
#include "domain/domain.h"
#include "server/running_queries.h"
#include "server/test_server.h"
#include "sql/sql.h"

namespace kelp::server {
namespace {

using net::HttpResponse;

bool Has(const HttpResponse& response, std::string_view text) {
  return response.body.find(text) != std::string::npos;
}

// How often `text` stands in `body`.
int CountOf(std::string_view text, std::string_view body) {
  int count = 0;
  for (size_t at = 0; (at = body.find(text, at)) != body.npos; at += text.size()) ++count;
  return count;
}

std::string BatchBody(const OriginId& origin, int first, int rows) {
  auto batch = BatchPool::Shared().Get();
  batch->origin = origin;
  batch->set_resource(
      std::make_shared<const Resource>(std::vector<Resource::Tag>{{"k8s.namespace.name", "shop"}}));
  for (int i = first; i < first + rows; ++i) {
    const auto at = static_cast<uint64_t>(i) * 10;
    batch->AddRow(batch->Copy("batch row " + std::to_string(i)), at, at + 10,
                  RealEnv().clock().Now() - 1'000'000'000);
  }
  codec::BatchSetEncoder encoder;
  encoder.Add(*batch, 0);
  return encoder.Finish();
}

TEST_F(ServerTest, PreparesItselfAtTheFirstStart) {
  Start();
  using std::filesystem::perms;
  for (const char* file : {"/admin.token", "/agent.token", "/domain.db"}) {
    EXPECT_EQ(std::filesystem::status(config_.data_dir + file).permissions() & perms::all,
              perms::owner_read | perms::owner_write)
        << file;
  }
  EXPECT_EQ(Call("GET", "/api/v1/projects").body,
            "{\"projects\":[{\"name\":\"default\",\"logstores\":1}]}");
  EXPECT_TRUE(Has(Call("GET", kLogs), "\"retention\":\"30d\""));
  const std::string before = admin_;
  Restart();
  EXPECT_EQ(admin_, before);
}

TEST_F(ServerTest, AnswersForHealthAndMetricsToAnyone) {
  Start();
  EXPECT_EQ(CallAs("", "GET", "/healthz").status, 200);
  EXPECT_EQ(CallAs("", "GET", "/readyz").status, 200);
  const HttpResponse metrics = CallAs("", "GET", "/metrics");
  EXPECT_TRUE(Has(metrics, "kelp_http_answers_total{status=\"2xx\"}"));
  EXPECT_TRUE(Has(metrics, "kelp_store_rows_total"));
}

TEST_F(ServerTest, FindsRowsThatCameAsJsonLines) {
  Start();
  const HttpResponse stored =
      CallAs(agent_, "POST", std::string(kLogs) + "/rows",
             "{\"body\":\"payment failed\",\"resource\":{\"pod\":\"a\"},\"code\":7,\"ok\":false}\n"
             "\n{\"body\":\"payment done\",\"time\":\"2000-01-01T00:00:00Z\"}\n");
  EXPECT_EQ(stored.status, 200);
  EXPECT_EQ(stored.body, "{\"accepted\":2}");
  const HttpResponse found = Call("GET", std::string(kLogs) + "/search?q=payment");
  EXPECT_EQ(found.status, 200);
  EXPECT_TRUE(Has(found,
                  "\"body\":\"payment failed\",\"fields\":{\"code\":7,\"ok\":false},"
                  "\"resource\":{\"pod\":\"a\"}"))
      << found.body;
  EXPECT_EQ(CountOf("\"body\"", found.body), 1);  // the other row is older than an hour
  const HttpResponse all =
      Call("GET", std::string(kLogs) + "/search?q=payment&from=1999-12-31T00:00:00Z");
  EXPECT_EQ(CountOf("\"body\"", all.body), 2) << all.body;
}

TEST_F(ServerTest, StoresABatchOnce) {
  Start();
  const std::string target = std::string(kLogs) + "/batches";
  const OriginId origin{1, 2};
  EXPECT_EQ(CallAs(agent_, "POST", target, BatchBody(origin, 0, 10)).body,
            "{\"accepted\":10,\"duplicate\":0}");
  EXPECT_EQ(CallAs(agent_, "POST", target, BatchBody(origin, 5, 10)).body,
            "{\"accepted\":5,\"duplicate\":5}");
  Restart();
  EXPECT_EQ(CallAs(agent_, "POST", target, BatchBody(origin, 0, 15)).body,
            "{\"accepted\":0,\"duplicate\":15}");
  const HttpResponse found = Call("GET", std::string(kLogs) + "/search?q=batch&limit=1000");
  EXPECT_EQ(CountOf("batch row", found.body), 15);
  EXPECT_TRUE(Has(found, "\"k8s.namespace.name\":\"shop\""));
}

TEST_F(ServerTest, RefusesBodiesThatAreWrong) {
  config_.http.body_bytes_max = 64_KiB;
  Start();
  const std::string rows = std::string(kLogs) + "/rows";
  const HttpResponse bad_line = Call("POST", rows, "{\"body\":\"a\"}\n{\"body\":7}\n");
  EXPECT_EQ(bad_line.status, 400);
  EXPECT_TRUE(Has(bad_line, "line 2")) << bad_line.body;
  const HttpResponse bad_batch = Call("POST", std::string(kLogs) + "/batches", "not a batch");
  EXPECT_EQ(bad_batch.status, 400);
  EXPECT_TRUE(Has(bad_batch, "\"code\":\"invalid_argument\""));
  EXPECT_EQ(Call("POST", rows, std::string(65 << 10, 'x')).status, 413);
  EXPECT_EQ(CallAs(admin_, "POST", rows, "x", {{"Content-Encoding", "gzip"}}).status, 415);
  EXPECT_EQ(Call("POST", "/api/v1/projects/default/logstores/none/rows", "{}").status, 404);
  EXPECT_EQ(CountOf("\"body\"", Call("GET", std::string(kLogs) + "/search").body), 0);
}

TEST_F(ServerTest, RefusesRowsPolitelyWhenTheDiskIsLow) {
  config_.store.disk_free_min = ByteSize{1ull << 60};
  Start();
  const HttpResponse refused = Call("POST", std::string(kLogs) + "/rows", "{\"body\":\"a\"}");
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.headers.Get("Retry-After"), "30");
  EXPECT_EQ(Call("GET", std::string(kLogs) + "/search").status, 200);
}

TEST_F(ServerTest, AsksForPatienceWhenTooMuchWaitsToBeStored) {
  config_.store.queue_bytes_max = ByteSize{1};
  config_.store.commit_interval = 100ms;
  Start();
  HttpResponse refused{0, {}, ""};
  const auto post = [&] { return Call("POST", std::string(kLogs) + "/rows", "{\"body\":\"a\"}"); };
  // Of two requests in one commit interval, the second finds the queue full.
  for (int round = 0; round < 100 && refused.status != 429; ++round) {
    auto first = std::async(std::launch::async, post);
    refused = post();
    const HttpResponse other = first.get();
    if (other.status == 429) refused = other;
  }
  EXPECT_EQ(refused.status, 429) << refused.body;
  EXPECT_EQ(refused.headers.Get("Retry-After"), "2");
}

TEST_F(ServerTest, PagesThroughRowsWithACursor) {
  Start();
  std::string lines;
  for (int i = 0; i < 250; ++i) lines += "{\"body\":\"n" + std::to_string(i) + "\"}\n";
  ASSERT_EQ(Call("POST", std::string(kLogs) + "/rows", lines).status, 200);
  std::string cursor;
  int rows = 0;
  int pages = 0;
  do {
    const HttpResponse page =
        Call("GET", std::string(kLogs) + "/search?limit=100&from=-1h&to=%2B1h&cursor=" + cursor);
    ASSERT_EQ(page.status, 200) << page.body;
    rows += CountOf("\"body\"", page.body);
    const size_t at = page.body.find("\"cursor\":\"");
    cursor = at == std::string::npos
                 ? ""
                 : page.body.substr(at + 10, page.body.find('"', at + 10) - at - 10);
    ++pages;
  } while (!cursor.empty() && pages < 10);
  EXPECT_EQ(rows, 250);
}

TEST_F(ServerTest, CountsRowsOverTime) {
  Start();
  Call("POST", std::string(kLogs) + "/rows",
       "{\"body\":\"x\",\"time\":1000000005}\n{\"body\":\"x\",\"time\":1000000015}\n"
       "{\"body\":\"y\",\"time\":1000000015}\n");
  const HttpResponse counts = Call("GET", std::string(kLogs) +
                                              "/histogram?q=x&from=1000000000000000000"
                                              "&to=1000000020000000000&buckets=2");
  EXPECT_TRUE(Has(counts, "\"step_ns\":10000000000,\"total\":2,\"counts\":[1,1]")) << counts.body;
  EXPECT_TRUE(Has(counts, "\"from\":\"2001-09-09T01:46:40.000000000Z\""));
}

TEST_F(ServerTest, PointsAtTheWrongCharacterOfAQuery) {
  Start();
  for (const char* call : {"/search", "/histogram", "/tail"}) {
    const HttpResponse refused = Call("GET", std::string(kLogs) + call + "?q=level%3A%20(");
    EXPECT_EQ(refused.status, 400);
    EXPECT_TRUE(Has(refused, "\"position\":")) << refused.body;
  }
  // Counted in characters: two of three bytes each, a space, and the quote that never ends.
  const HttpResponse refused =
      Call("GET", std::string(kLogs) + "/search?q=%E6%94%AF%E4%BB%98%20%22open");
  EXPECT_TRUE(Has(refused, "\"position\":3")) << refused.body;
  for (const char* params : {"?limit=0", "?limit=1001", "?limit=x", "?from=yesterday",
                             "?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "?cursor=x"}) {
    EXPECT_EQ(Call("GET", std::string(kLogs) + "/search" + params).status, 400) << params;
  }
  EXPECT_EQ(Call("GET", std::string(kLogs) + "/histogram?buckets=5000").status, 400);
}

TEST_F(ServerTest, LetsEachRoleDoItsWork) {
  Start();
  EXPECT_EQ(CallAs("", "GET", "/api/v1/projects").status, 401);
  EXPECT_EQ(CallAs("wrong", "GET", "/api/v1/projects").status, 401);
  EXPECT_EQ(CallAs(agent_, "GET", "/api/v1/projects").status, 403);
  EXPECT_EQ(CallAs(agent_, "GET", std::string(kLogs) + "/search").status, 403);
  EXPECT_EQ(CallAs(agent_, "POST", "/api/v1/projects", "{\"name\":\"x\"}").status, 403);
  EXPECT_TRUE(Has(CallAs(agent_, "GET", "/api/v1/session"), "\"role\":\"ingest\""));
}

TEST_F(ServerTest, ManagesProjectsAndLogstores) {
  Start();
  EXPECT_EQ(Call("POST", "/api/v1/projects", "{\"name\":\"web\"}").status, 201);
  EXPECT_EQ(Call("POST", "/api/v1/projects", "{\"name\":\"web\"}").status, 409);
  EXPECT_EQ(Call("POST", "/api/v1/projects", "{\"name\":\"No Name\"}").status, 400);
  EXPECT_EQ(Call("POST", "/api/v1/projects", "{\"nmae\":\"web\"}").status, 400);
  const std::string logstores = "/api/v1/projects/web/logstores";
  const HttpResponse made = Call(
      "POST", logstores, "{\"name\":\"audit\",\"retention\":\"7d\",\"retention_size\":\"10GiB\"}");
  EXPECT_EQ(made.status, 201);
  EXPECT_TRUE(
      Has(made,
          "\"name\":\"audit\",\"retention\":\"7d\",\"retention_size\":\"10GiB\","
          "\"rows\":0,\"bytes\":0,\"raw_bytes\":0,\"compression\":null,"
          "\"rows_per_second\":0.00,\"bytes_per_second\":0,\"oldest\":null,\"newest\":null"))
      << made.body;
  const HttpResponse changed = Call("PATCH", logstores + "/audit", "{\"retention\":null}");
  EXPECT_TRUE(Has(changed, "\"retention\":null,\"retention_size\":\"10GiB\"")) << changed.body;
  EXPECT_EQ(Call("PATCH", logstores + "/audit", "{\"retention\":\"long\"}").status, 400);
  EXPECT_EQ(Call("PATCH", logstores + "/audit", "{\"retention\":\"0s\"}").status, 400);
  EXPECT_EQ(Call("POST", logstores + "/audit/rows", "{\"body\":\"x\"}").status, 200);
  Restart();
  EXPECT_TRUE(Has(Call("GET", logstores + "/audit"), "\"rows\":1"));
  EXPECT_EQ(Call("DELETE", logstores + "/audit").status, 204);
  EXPECT_EQ(Call("GET", logstores + "/audit").status, 404);
  EXPECT_EQ(Call("GET", logstores + "/audit/search").status, 404);
  EXPECT_EQ(Call("POST", logstores, "{\"name\":\"logs\"}").status, 201);
  EXPECT_EQ(Call("DELETE", "/api/v1/projects/web").status, 204);
  EXPECT_EQ(Call("GET", logstores).status, 404);
}

TEST_F(ServerTest, SignsInWithACodeOnceAndOutAgain) {
  Start();
  auto access = *domain::Domain::Open(RealEnv(), config_.DomainPath());
  const std::string body =
      "{\"code\":\"" + *access->CreateSignInCode(domain::Role::kViewer) + "\"}";
  const HttpResponse in = CallAs("", "POST", "/api/v1/sign-in", body);
  EXPECT_EQ(in.status, 200);
  EXPECT_EQ(in.body, "{\"role\":\"viewer\"}");
  const std::string cookie(in.headers.Get("Set-Cookie"));
  EXPECT_NE(cookie.find("; HttpOnly; SameSite=Strict"), std::string::npos) << cookie;
  const net::HttpHeaders session{{"Cookie", cookie.substr(0, cookie.find(';'))}};
  EXPECT_EQ(CallAs("", "GET", "/api/v1/projects", "", session).status, 200);
  EXPECT_EQ(CallAs("", "POST", "/api/v1/projects", "{\"name\":\"x\"}", session).status, 403);
  EXPECT_EQ(CallAs("", "POST", "/api/v1/sign-in", body).status, 401);
  EXPECT_EQ(CallAs("", "POST", "/api/v1/sign-out", "", session).status, 204);
  EXPECT_EQ(CallAs("", "GET", "/api/v1/projects", "", session).status, 401);
}

TEST_F(ServerTest, SignsInWithAToken) {
  Start();
  const HttpResponse in = CallAs("", "POST", "/api/v1/sign-in", "{\"token\":\"" + admin_ + "\"}");
  EXPECT_EQ(in.body, "{\"role\":\"admin\"}");
  EXPECT_EQ(CallAs("", "POST", "/api/v1/sign-in", "{\"token\":\"x\"}").status, 401);
  EXPECT_EQ(CallAs("", "POST", "/api/v1/sign-in", "{}").status, 400);
  EXPECT_EQ(CallAs("", "POST", "/api/v1/sign-in", "[]").status, 400);
}

TEST_F(ServerTest, FollowsRowsLive) {
  Start();
  std::promise<void> following;
  std::string seen;
  net::HttpClientRequest request;
  request.url = "http://" + server_->address() + kLogs + "/tail?q=wanted";
  request.headers.Set("Authorization", "Bearer " + admin_);
  auto tail = std::async(std::launch::async, [&] {
    return client_.SendStreaming(request, [&](std::string_view chunk) {
      if (seen.empty()) following.set_value();
      seen += chunk;
      return seen.find("last") == std::string::npos;
    });
  });
  following.get_future().wait();
  Call("POST", std::string(kLogs) + "/rows",
       "{\"body\":\"wanted first\"}\n{\"body\":\"other\"}\n{\"body\":\"wanted last\"}\n");
  EXPECT_TRUE(tail.get().ok());
  EXPECT_NE(seen.find("event: row\ndata: {\"time\":"), std::string::npos) << seen;
  EXPECT_NE(seen.find("wanted first"), std::string::npos);
  EXPECT_EQ(seen.find("other"), std::string::npos);
}

TEST_F(ServerTest, EndsTailsWhenTheirLogstoreOrTheServerGoes) {
  config_.query.tails_max = 1;
  Start();
  for (const bool drop : {true, false}) {
    std::promise<void> following;
    std::atomic<bool> begun{false};
    net::HttpClientRequest request;
    request.url = "http://" + server_->address() + kLogs + "/tail";
    request.headers.Set("Authorization", "Bearer " + admin_);
    auto tail = std::async(std::launch::async, [&] {
      return client_.SendStreaming(request, [&](std::string_view) {
        if (!begun.exchange(true)) following.set_value();
        return true;
      });
    });
    following.get_future().wait();
    EXPECT_EQ(Call("GET", std::string(kLogs) + "/tail").status, 503);
    if (drop) {
      EXPECT_EQ(Call("DELETE", kLogs).status, 204);
      EXPECT_TRUE(tail.get().ok());
      Call("POST", "/api/v1/projects/default/logstores", "{\"name\":\"logs\"}");
    } else {
      server_->Stop();
      EXPECT_TRUE(tail.get().ok());
    }
  }
}

TEST_F(ServerTest, ServesTheConsoleOrSaysThatItIsMissing) {
  Start();
  const HttpResponse page = CallAs("", "GET", "/");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.headers.Get("Content-Type"), "text/html; charset=utf-8");
  EXPECT_TRUE(page.headers.Get("Content-Security-Policy").starts_with("default-src 'self'"));
  const std::string etag(page.headers.Get("ETag"));
  EXPECT_EQ(CallAs("", "GET", "/", "", {{"If-None-Match", etag}}).status, 304);
  EXPECT_EQ(CallAs("", "GET", "/some/page").body, page.body);
  EXPECT_EQ(CallAs("", "GET", "/missing.js").status, 404);
  EXPECT_EQ(CallAs("", "GET", "/api/v2/x").status, 404);
  EXPECT_EQ(CallAs("", "POST", "/").status, 405);
  EXPECT_EQ(Call("PUT", "/api/v1/projects").headers.Get("Allow"), "GET, HEAD, POST");
}

TEST_F(ServerTest, RefusesToShareAPortOrADirectory) {
  Start();
  ServerConfig same_port = config_;
  same_port.data_dir = dir_ + "/other";
  same_port.http.listen = server_->address();
  const Status port = Server::Start(RealEnv(), same_port).status();
  EXPECT_EQ(port.code(), Code::kAlreadyExists);
  EXPECT_NE(port.message().find(server_->address()), std::string_view::npos);
  const Status directory = Server::Start(RealEnv(), config_).status();
  EXPECT_EQ(directory.code(), Code::kAlreadyExists);
  EXPECT_NE(directory.message().find(config_.data_dir), std::string_view::npos);
}

TEST_F(ServerTest, SaysNoToStoppingAQueryThatDoesNotRun) {
  Start();
  EXPECT_EQ(Call("DELETE", "/api/v1/queries/none").status, 404);
}

TEST(RunningQueries, StopsAllOfOneId) {
  RunningQueries queries;
  const auto a = queries.Add("x", "p");
  auto b = queries.Add("x", "p");
  const auto other = queries.Add("y", "p");
  EXPECT_TRUE(queries.Cancel("x", ""));
  EXPECT_TRUE(a->state()->cancelled && b->state()->cancelled);
  EXPECT_FALSE(other->state()->cancelled);
  EXPECT_FALSE(queries.Cancel("none", ""));
  queries.Stop();
  EXPECT_TRUE(other->state()->cancelled);
  EXPECT_TRUE(queries.Add("z", "p")->state()->cancelled);
}

TEST(RunningQueries, SumsUpWhatQueriesOfOneIdDid) {
  RunningQueries queries;
  EXPECT_FALSE(queries.Progress("x", ""));
  const auto a = queries.Add("x", "p");
  {
    const auto b = queries.Add("x", "p");
    b->state()->progress.AddBlock(10, 2, 100);
    a->state()->progress.AddBlock(1, 1, 1);
    a->state()->progress.blocks = 4;
    const auto figures = queries.Progress("x", "");
    ASSERT_TRUE(figures);
    EXPECT_EQ(figures->rows_scanned, 11u);
    EXPECT_EQ(figures->rows, 3u);
    EXPECT_EQ(figures->bytes, 101u);
    EXPECT_EQ(figures->blocks, 4u);
    EXPECT_EQ(figures->blocks_done, 2u);
  }
  EXPECT_EQ(queries.Progress("x", "")->rows_scanned, 1u);
}

TEST(RunningQueries, OneProjectNeitherSeesNorStopsThoseOfAnother) {
  RunningQueries queries;
  const auto mine = queries.Add("x", "mine");
  const auto theirs = queries.Add("x", "theirs");
  mine->state()->progress.AddBlock(1, 1, 1);
  theirs->state()->progress.AddBlock(10, 2, 100);
  EXPECT_EQ(queries.Progress("x", "mine")->rows_scanned, 1u);
  EXPECT_EQ(queries.Progress("x", "")->rows_scanned, 11u);
  EXPECT_FALSE(queries.Progress("x", "none"));
  EXPECT_FALSE(queries.Cancel("x", "none"));
  EXPECT_TRUE(queries.Cancel("x", "mine"));
  EXPECT_TRUE(mine->state()->cancelled);
  EXPECT_FALSE(theirs->state()->cancelled);
}

TEST(RunningQueries, TheEndOfAQueryIsTheSecretOfItsProject) {
  RunningQueries queries;
  queries.Add("x", "theirs")->End("", "no such field");
  EXPECT_FALSE(queries.Progress("x", "mine"));
  EXPECT_EQ(queries.Progress("x", "theirs")->error, "no such field");
  EXPECT_EQ(queries.Progress("x", "")->error, "no such field");
}

TEST_F(ServerTest, SqlRunsBehindASearch) {
  Start();
  if (!sql::Engine({}).Available().ok()) GTEST_SKIP() << "without DuckDB there is no SQL";
  const std::string sql = std::string(kLogs) + "/sql?q=";
  ASSERT_EQ(Call("POST", std::string(kLogs) + "/rows",
                 "{\"body\":\"a\",\"level\":\"info\",\"took\":1.5}\n"
                 "{\"body\":\"b\",\"level\":\"error\",\"took\":2}\n")
                .status,
            200);
  const auto counted =
      Call("GET", sql + net::UrlEncode("* | SELECT level, sum(took) AS s GROUP BY 1 ORDER BY 1"));
  EXPECT_EQ(counted.status, 200) << counted.body;
  EXPECT_NE(counted.body.find("\"rows\":[[\"error\",2],[\"info\",1.5]],\"more\":false"),
            std::string::npos)
      << counted.body;
  const auto piped = Call("GET", sql + net::UrlEncode("level:info | stats count() by level"));
  EXPECT_NE(piped.body.find("[[\"info\",1]]"), std::string::npos) << piped.body;
  const auto wrong = Call("GET", sql + net::UrlEncode("\xE4\xB8\xAD OR * | SELECT levle"));
  EXPECT_EQ(wrong.status, 400);
  EXPECT_NE(wrong.body.find("did you mean level?"), std::string::npos) << wrong.body;
  EXPECT_NE(wrong.body.find("\"position\":16"), std::string::npos) << wrong.body;
  EXPECT_EQ(Call("GET", sql + net::UrlEncode("* | SELECT * FROM read_csv('/x')")).status, 400);
}

// In a process of its own: the library stays loaded once another test has used it.
TEST_F(ServerTest, WithoutItsLibrarySqlSaysWhatToInstall) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto ask = [&] {
    config_.sql.library = "/nowhere/libduckdb.so";
    Start();
    const auto answer = Call("GET", std::string(kLogs) + "/sql?q=*%7CSELECT%201");
    const bool said =
        answer.status == 501 && answer.body.find("tools/get_duckdb") != std::string::npos;
    const bool searches = Call("GET", std::string(kLogs) + "/search?q=x").status == 200;
    std::_Exit(said && searches ? 0 : 1);
  };
  EXPECT_EXIT(ask(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace kelp::server
