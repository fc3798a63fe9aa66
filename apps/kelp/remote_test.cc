#include "remote.h"

#include <gtest/gtest.h>

#include <atomic>

#include "logs.h"
#include "net/http_server.h"
#include "test_context.h"
#include "up.h"

namespace kelp::cli {
namespace {

using testing::TempDir;
using testing::TestContext;

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string RowJson(int n) {
  return "{\"time\":\"2026-11-20T23:49:" + std::string(n < 10 ? "0" : "") + std::to_string(n) +
         ".000000000Z\",\"body\":\"row " + std::to_string(n) +
         "\",\"fields\":{},\"resource\":{},\"origin\":{\"id\":\"0f\",\"offset\":" +
         std::to_string(n) + "}}";
}

// A real HTTP server with answers from a function.
class FakeServer {
 public:
  explicit FakeServer(net::Handler handler) {
    auto server = net::HttpServer::Start({}, std::move(handler));
    EXPECT_TRUE(server.ok()) << server.status().ToString();
    server_ = std::move(server).value();
  }
  std::string url() const { return "http://" + server_->address(); }

 private:
  std::unique_ptr<net::HttpServer> server_;
};

TEST(Remote, TheServerComesFromOptionVariableOrDefault) {
  TestContext t;
  const auto resolve = [&](const std::vector<std::string>& words) {
    return ResolveServer(*ParseArguments(LogsCommand(), words), t.context);
  };
  EXPECT_EQ(resolve({})->url, kServerDefault);
  t.variables["KELP_SERVER"] = "logs.example:7700/";
  EXPECT_EQ(resolve({})->url, "http://logs.example:7700");
  EXPECT_EQ(resolve({"--server", "https://a"})->url, "https://a");
  EXPECT_FALSE(resolve({"--server", "ftp://a"}).ok());
}

TEST(Remote, TheTokenComesFromFileVariableOrHome) {
  TestContext t;
  const TempDir home;
  t.variables["HOME"] = home.path();
  t.variables["XDG_DATA_HOME"] = home.path() + "/data";
  const auto resolve = [&](const std::vector<std::string>& words) {
    return ResolveServer(*ParseArguments(LogsCommand(), words), t.context);
  };
  EXPECT_EQ(resolve({})->token, "");
  FileSystem& files = t.context.env.files();
  ASSERT_TRUE(files.MakeDirs(home.path() + "/data/kelp/server").ok());
  home.Write("data/kelp/server/admin.token", "up\n");
  EXPECT_EQ(resolve({})->token, "up");
  EXPECT_EQ(resolve({"--server", "http://elsewhere:1"})->token, "");
  ASSERT_TRUE(files.MakeDirs(home.path() + "/.config/kelp").ok());
  home.Write(".config/kelp/token", "  home\n");
  EXPECT_EQ(resolve({})->token, "home");
  t.variables["KELP_TOKEN"] = "variable";
  EXPECT_EQ(resolve({})->token, "variable");
  const std::string file = home.Write("t", "file\n");
  EXPECT_EQ(resolve({"--token-file", file})->token, "file");
  EXPECT_FALSE(resolve({"--token-file", file + "none"}).ok());
}

TEST(Remote, ErrorsPointIntoTheQuery) {
  EXPECT_EQ(ErrorMessage(R"({"error":{"code":"x","message":"expected a value","position":6}})",
                         "level:)"),
            "expected a value\n  level:)\n        ^");
  EXPECT_EQ(ErrorMessage(R"({"error":{"message":"m","position":3}})", "é中:("),
            "m\n  é中:(\n      ^");
  EXPECT_EQ(ErrorMessage(R"({"error":{"message":"m","position":99}})", "ab"), "m\n  ab\n    ^");
  EXPECT_EQ(ErrorMessage(R"({"error":{"message":"m"}})"), "m");
  EXPECT_EQ(ErrorMessage("<html>"), "the answer was: <html>");
}

TEST(Remote, QueryStringsAreEncoded) {
  EXPECT_EQ(QueryString({{"q", "a b&c"}, {"to", ""}, {"n", "1"}}), "?q=a%20b%26c&n=1");
}

TEST(Logs, PagesThroughACursorAndPrintsTheOldestFirst) {
  std::string first_query;
  FakeServer server([&](net::HttpRequest request, std::shared_ptr<net::Responder> answer) {
    const auto cursor = request.QueryParam("cursor");
    if (!cursor) {
      first_query = request.path + "?" + request.query;
      EXPECT_EQ(request.BearerToken(), "secret");
      answer->Send(net::Json(200, "{\"rows\":[" + RowJson(3) + "," + RowJson(2) +
                                      "],\"cursor\":\"next\",\"partial\":null}"));
    } else {
      answer->Send(net::Json(
          200, "{\"rows\":[" + RowJson(1) + "],\"cursor\":null,\"partial\":\"time limit\"}"));
    }
  });
  TestContext t;
  t.variables["KELP_TOKEN"] = "secret";
  EXPECT_EQ(t.Run({"logs", "level:error", "--server", server.url(), "-o", "raw", "--since", "15m"}),
            kExitOk)
      << t.printer.err;
  EXPECT_EQ(t.printer.out, "row 1\nrow 2\nrow 3\n");
  EXPECT_TRUE(Contains(t.printer.err, "not complete: time limit"));
  EXPECT_EQ(first_query,
            "/api/v1/projects/default/logstores/logs/search?q=level%3Aerror&from=-15m&limit=100");
  EXPECT_EQ(t.Run({"logs", "--server", server.url(), "-o", "raw", "--newest-first"}), kExitOk);
  EXPECT_EQ(t.printer.out, "row 3\nrow 2\nrow 1\n");
}

TEST(Logs, EndsWithACodeThatTellsWhatIsWrong) {
  FakeServer server([&](net::HttpRequest request, std::shared_ptr<net::Responder> answer) {
    const std::string query = request.QueryParam("q").value_or("");
    if (query == "bad(") {
      answer->Send(net::Json(
          400, "{\"error\":{\"code\":\"x\",\"message\":\"unclosed group\",\"position\":4}}"));
    } else if (query == "odd") {
      answer->Send(net::Json(200, "[]"));
    } else {
      answer->Send(net::Error(401, "who are you"));
    }
  });
  TestContext t;
  const std::vector<std::string> to = {"--server", server.url()};
  EXPECT_EQ(t.Run({"logs", "bad(", to[0], to[1]}), kExitData);
  EXPECT_EQ(t.printer.err, "kelp: unclosed group\n  bad(\n      ^\n");
  EXPECT_EQ(t.Run({"logs", "odd", to[0], to[1]}), kExitData);
  EXPECT_EQ(t.Run({"logs", "x", to[0], to[1]}), kExitNoPermission);
  EXPECT_TRUE(Contains(t.printer.err, "no token was given")) << t.printer.err;
  EXPECT_EQ(t.Run({"logs", "x", "--server", "http://127.0.0.1:1"}), kExitUnavailable);
  EXPECT_TRUE(Contains(t.printer.err, "Is it running at http://127.0.0.1:1?")) << t.printer.err;
  EXPECT_EQ(t.Run({"logs", "x", "--since", "yesterday"}), kExitUsage);
  EXPECT_EQ(t.Run({"logs", "x", "-n", "many"}), kExitUsage);
  EXPECT_EQ(t.Run({"logs", "x", "-n", "1000000"}), kExitUsage);
  EXPECT_EQ(t.Run({"logs", "x", "-f", "--until", "1h"}), kExitUsage);
}

// Rows 1 to 3 are stored before the stream opens; 4 comes while it opens; 5 comes live.
TEST(Logs, FollowingShowsEachRowOnce) {
  std::atomic<int> searches = 0;
  std::atomic<int> streams = 0;
  FakeServer server([&](net::HttpRequest request, std::shared_ptr<net::Responder> answer) {
    if (request.path.ends_with("/search")) {
      const bool first = searches++ == 0;
      // Row 0 is older than what the first search showed.
      answer->Send(net::Json(200, first ? "{\"rows\":[" + RowJson(3) + "," + RowJson(2) + "," +
                                              RowJson(1) + "],\"cursor\":null,\"partial\":null}"
                                        : "{\"rows\":[" + RowJson(4) + "," + RowJson(3) + "," +
                                              RowJson(0) + "],\"cursor\":null,\"partial\":null}"));
      return;
    }
    answer->StartStream(200, {{"Content-Type", "text/event-stream"}});
    if (streams++ == 0) {
      answer->Write(": hello\n\n" + net::SseEvent("row", RowJson(4)) +
                    net::SseEvent("dropped", "{\"rows\":9}"));
      answer->Finish();  // breaks; the client comes again
    } else {
      answer->Write(net::SseEvent("row", RowJson(5)));
      answer->Finish();
    }
  });
  TestContext t;
  RemoteClient client({server.url(), ""}, "");
  LogsRequest request;
  request.query = "*";
  request.project = kProjectDefault;
  request.logstore = kLogstoreDefault;
  request.rows_max = 3;
  LogSearch search(client, t.context.env.clock(), request);
  std::string seen;
  std::string notes;
  const Status status = search.Follow(
      [&](const Row& row) {
        seen += row.body + ";";
        return row.body != "row 5";
      },
      [&](const std::string& text) { notes += text + "\n"; });
  EXPECT_TRUE(status.ok()) << status.ToString();
  EXPECT_EQ(seen, "row 1;row 2;row 3;row 4;row 5;");
  EXPECT_TRUE(Contains(notes, "9 rows came faster")) << notes;
  EXPECT_TRUE(Contains(notes, "trying again")) << notes;
}

TEST(Logs, RecentRowsForgetsTheOldest) {
  RecentRows recent;
  for (size_t i = 0; i <= RecentRows::kRemembered; ++i) {
    Row row;
    row.position = std::to_string(i);
    EXPECT_TRUE(recent.Add(row));
    EXPECT_FALSE(recent.Add(row));
  }
  Row first;
  first.position = "0";
  EXPECT_TRUE(recent.Add(first));
}

TEST(Tap, ShowsRowsUpToItsLimit) {
  std::string query;
  FakeServer server([&](net::HttpRequest request, std::shared_ptr<net::Responder> answer) {
    query = request.path + "?" + request.query;
    if (request.QueryParam("pipeline") != "web") {
      answer->Send(net::Error(404, "there is no pipeline \"wep\""));
      return;
    }
    answer->StartStream(200, {{"Content-Type", "text/event-stream"}});
    for (int i = 1; i < 9; ++i) answer->Write(net::SseEvent("row", RowJson(i)));
    answer->Finish();
  });
  TestContext t;
  EXPECT_EQ(t.Run({"tap", "web", "--agent", server.url(), "-n", "2", "-o", "raw"}), kExitOk)
      << t.printer.err;
  EXPECT_EQ(t.printer.out, "row 1\nrow 2\n");
  EXPECT_EQ(query, "/api/v1/tap?pipeline=web&rate=20");
  EXPECT_EQ(t.Run({"tap", "wep", "--agent", server.url()}), kExitData);
  EXPECT_TRUE(Contains(t.printer.err, "there is no pipeline")) << t.printer.err;
  EXPECT_EQ(t.Run({"tap", "web", "--rate", "fast"}), kExitUsage);
}

}  // namespace
}  // namespace kelp::cli
