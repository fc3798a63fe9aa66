// Exports over HTTP: formats, cancellation, readers that stop.
#include <simdjson.h>

#include <future>
#include <set>
#include <sstream>

#include "server/test_server.h"
#include "sql/sql.h"

namespace kelp::server {
namespace {

class ExportTest : public ServerTest {
 protected:
  void Post(const std::string& lines, const std::string& logstore = "logs") {
    const auto stored =
        Call("POST", "/api/v1/projects/default/logstores/" + logstore + "/rows", lines);
    ASSERT_EQ(stored.status, 200) << stored.body;
  }
  // `rows` of about `bytes` each, at different times.
  void PostMany(int rows, size_t bytes) {
    std::string lines;
    const std::string filling(bytes, 'x');
    const UnixNanos begin = RealEnv().clock().Now() - 1'000'000'000'000;
    for (int i = 0; i < rows; ++i) {
      lines += "{\"body\":\"" + std::to_string(i) + " " + filling +
               "\",\"time\":" + std::to_string(begin + i * int64_t{1'000'000}) + "}\n";
      if (lines.size() < (8 << 20) && i + 1 < rows) continue;
      Post(lines);
      lines.clear();
    }
  }
  static bool HasSql() { return sql::Engine({}).Available().ok(); }

  const std::string export_ = std::string(kLogs) + "/export";
};

TEST_F(ExportTest, GivesRowsAsJsonLinesAndCsv) {
  Start();
  Post(
      "{\"body\":\"first, "
      "\\\"quoted\\\"\",\"time\":1000000001,\"n\":1,\"resource\":{\"pod\":\"p\"}}\n"
      "{\"body\":\"second\",\"time\":1000000002,\"who\":\"ann\"}\n");
  const std::string span = "&from=2001-01-01T00:00:00Z";
  const net::HttpResponse json = Call("GET", export_ + "?q=*" + span);
  EXPECT_EQ(json.status, 200);
  EXPECT_EQ(json.headers.Get("Content-Type"), "application/x-ndjson");
  EXPECT_TRUE(json.headers.Get("Content-Disposition").starts_with("attachment; filename=\"logs-2"));
  EXPECT_TRUE(
      json.body.starts_with("{\"time\":\"2001-09-09T01:46:42.000000000Z\",\"body\":\"second\""))
      << json.body;
  EXPECT_EQ(Call("GET", export_ + "?q=first&fields=n,body" + span).body,
            "{\"n\":1,\"body\":\"first, \\\"quoted\\\"\"}\n");
  const net::HttpResponse csv = Call("GET", export_ + "?format=csv" + span);
  EXPECT_EQ(csv.headers.Get("Content-Type"), "text/csv; charset=utf-8");
  EXPECT_TRUE(
      csv.body.starts_with("time,body,pod,n,who,origin,offset\n"
                           "2001-09-09T01:46:42.000000000Z,second,,,ann,"))
      << csv.body;
  EXPECT_NE(csv.body.find("\"first, \"\"quoted\"\"\",p,1,,"), std::string::npos) << csv.body;
  EXPECT_EQ(Call("GET", export_ + "?q=none" + span).body, "");
}

TEST_F(ExportTest, GivesResultsOfStatements) {
  Start();
  if (!HasSql()) GTEST_SKIP() << "without DuckDB there is no SQL";
  Post("{\"body\":\"a\",\"n\":1}\n{\"body\":\"b\",\"n\":2}\n");
  const std::string q = net::UrlEncode("* | SELECT body, n, NULL AS nothing ORDER BY n");
  EXPECT_EQ(Call("GET", export_ + "?format=csv&q=" + q).body, "body,n,nothing\na,1,\nb,2,\n");
  EXPECT_EQ(
      Call("GET", export_ + "?q=" + q).body,
      "{\"body\":\"a\",\"n\":1,\"nothing\":null}\n{\"body\":\"b\",\"n\":2,\"nothing\":null}\n");
  const auto wrong = Call("GET", export_ + "?q=" + net::UrlEncode("* | SELECT bdoy"));
  EXPECT_EQ(wrong.status, 400);
  EXPECT_NE(wrong.body.find("\"position\":11"), std::string::npos) << wrong.body;
  EXPECT_EQ(Call("GET", export_ + "?fields=a&q=" + q).status, 400);
}

TEST_F(ExportTest, WritesParquet) {
  Start();
  PostMany(100, 10);
  const net::HttpResponse file = Call("GET", export_ + "?format=parquet");
  if (!HasSql()) {
    EXPECT_EQ(file.status, 501);
    return;
  }
  ASSERT_EQ(file.status, 200) << file.body;
  EXPECT_TRUE(file.body.starts_with("PAR1") && file.body.ends_with("PAR1"));
  const auto two = Call("GET", export_ + "?format=parquet&fields=time,body");
  EXPECT_LT(two.body.size(), file.body.size());
  EXPECT_EQ(Call("GET", export_ + "?format=parquet&fields=none").status, 400);
  EXPECT_EQ(Call("GET", export_ + "?format=parquet&q=" + net::UrlEncode("* | SELECT count(*) AS n"))
                .status,
            200);
  // Nothing is left behind.
  EXPECT_TRUE(std::filesystem::is_empty(config_.ExportDir()));
}

TEST_F(ExportTest, GoesOnOverManyPagesInOrder) {
  Start();
  PostMany(25'000, 20);
  const net::HttpResponse all = Call("GET", export_ + "?fields=body");
  size_t at = 0;
  for (int i = 24'999; i >= 0; --i) {
    const std::string expected = "{\"body\":\"" + std::to_string(i) + " ";
    ASSERT_EQ(all.body.compare(at, expected.size(), expected), 0) << i;
    at = all.body.find('\n', at) + 1;
  }
  EXPECT_EQ(at, all.body.size());
}

TEST_F(ExportTest, NeedsNoOrder) {
  Start();
  PostMany(25'000, 20);
  const net::HttpResponse all = Call("GET", export_ + "?fields=body&order=any&id=any");
  std::set<std::string> lines;
  std::istringstream in(all.body);
  for (std::string line; std::getline(in, line);) lines.insert(line);
  EXPECT_EQ(lines.size(), 25'000u);
  EXPECT_EQ(Call("GET", export_ + "?fields=offset&order=any&q=24999").body.size(),
            Call("GET", export_ + "?fields=offset&q=24999").body.size());
  EXPECT_EQ(Call("GET", export_ + "?order=time").status, 400);
}

TEST_F(ExportTest, SaysHowItEnded) {
  Start();
  PostMany(10, 10);
  EXPECT_EQ(Call("GET", export_ + "?id=mine").status, 200);
  // The last bytes may be here before the server has noted the end.
  std::string body;
  for (int i = 0; i < 1000 && body.find("\"ended\"") == body.npos; ++i) {
    body = Call("GET", "/api/v1/queries/mine").body;
  }
  EXPECT_NE(body.find("\"state\":\"ended\""), std::string::npos) << body;
  EXPECT_NE(body.find("\"rows\":10,"), std::string::npos) << body;
  EXPECT_NE(body.find("\"partial\":null,\"error\":null"), std::string::npos) << body;
}

TEST_F(ExportTest, IsCutOffWhenCancelled) {
  Start();
  PostMany(40'000, 400);
  net::HttpClientRequest request;
  request.url = "http://" + server_->address() + export_ + "?id=x";
  request.headers.Set("Authorization", "Bearer " + admin_);
  bool cancelled = false;
  const auto response = client_.SendStreaming(request, [&](std::string_view) {
    // The rest does not fit into what may be queued.
    if (!cancelled) {
      net::HttpClient other;
      net::HttpClientRequest cancel;
      cancel.method = "DELETE";
      cancel.url = "http://" + server_->address() + "/api/v1/queries/x";
      cancel.headers.Set("Authorization", "Bearer " + admin_);
      cancelled = other.Send(cancel)->status == 204;
    }
    return true;
  });
  EXPECT_TRUE(cancelled);
  EXPECT_FALSE(response.ok());
}

TEST_F(ExportTest, AReaderThatGoesFreesItsThread) {
  Start();
  PostMany(40'000, 400);
  for (int i = 0; i < 12; ++i) {
    net::HttpClient client;
    net::HttpClientRequest request;
    request.url = "http://" + server_->address() + export_ + "?id=r" + std::to_string(i);
    request.headers.Set("Authorization", "Bearer " + admin_);
    const auto response = client.SendStreaming(request, [](std::string_view) { return false; });
    EXPECT_TRUE(!response.ok() || response->status == 200);
  }
  // More than run and wait at once; each was let go.
  EXPECT_EQ(Call("GET", export_ + "?q=none").status, 200);
}

TEST_F(ExportTest, RefusesWhatIsWrong) {
  Start();
  EXPECT_EQ(Call("GET", export_ + "?format=xml").status, 400);
  EXPECT_EQ(Call("GET", export_ + "?q=(").status, 400);
  EXPECT_EQ(Call("GET", export_ + "?from=now&to=-1h").status, 400);
  std::string many = "a";
  for (int i = 0; i < 1000; ++i) many += ",a";
  EXPECT_EQ(Call("GET", export_ + "?fields=" + many).status, 400);
}

}  // namespace
}  // namespace kelp::server
