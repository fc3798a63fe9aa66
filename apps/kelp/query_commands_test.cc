// kelp sql, kelp export and kelp analyze against a server.
#include <gtest/gtest.h>

#include "json_slice.h"
#include "query_options.h"
#include "server/server.h"
#include "sql/sql.h"
#include "test_context.h"

namespace kelp::cli {
namespace {

using testing::TempDir;
using testing::TestContext;

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class QueryCommandsTest : public ::testing::Test {
 protected:
  QueryCommandsTest() {
    server::ServerConfig config;
    config.data_dir = dir_.path() + "/data";
    config.http.listen = "127.0.0.1:0";
    config.store.commit_interval = Duration(0);
    config.store.disk_free_min = 1_MiB;
    auto server = server::Server::Start(RealEnv(), config);
    EXPECT_TRUE(server.ok()) << server.status().ToString();
    server_ = *std::move(server);
    const std::string token = *ReadFile(RealEnv().files(), config.AdminTokenPath());
    t_.variables["KELP_SERVER"] = server_->address();
    t_.variables["KELP_TOKEN"] = token.substr(0, token.size() - 1);
  }
  void Post(const std::string& lines) {
    net::HttpClient client;
    net::HttpClientRequest request;
    request.method = "POST";
    request.url = "http://" + server_->address() + "/api/v1/projects/default/logstores/logs/rows";
    request.headers.Set("Authorization", "Bearer " + t_.variables["KELP_TOKEN"]);
    request.body = {lines};
    const auto answer = client.Send(request);
    ASSERT_TRUE(answer.ok() && answer->ok());
  }
  static bool HasSql() { return sql::Engine({}).Available().ok(); }
  const std::string& out() const { return t_.printer.out; }
  const std::string& err() const { return t_.printer.err; }

  TestContext t_;
  TempDir dir_;
  std::unique_ptr<server::Server> server_;
};

TEST_F(QueryCommandsTest, SqlShowsResults) {
  if (!HasSql()) GTEST_SKIP() << "without DuckDB there is no SQL";
  Post("{\"body\":\"a, \\\"b\\\"\",\"n\":1}\n{\"body\":\"c\",\"n\":2}\n");
  EXPECT_EQ(t_.Run({"sql", "* | SELECT n, body, NULL AS x ORDER BY n"}), kExitOk) << err();
  EXPECT_EQ(out(), "n  body    x\n1  a, \"b\"\n2  c\n");
  EXPECT_EQ(t_.Run({"sql", "SELECT n, body ORDER BY n", "-o", "jsonl"}), kExitOk) << err();
  EXPECT_EQ(out(), "{\"n\":1,\"body\":\"a, \\\"b\\\"\"}\n{\"n\":2,\"body\":\"c\"}\n");
  EXPECT_EQ(t_.Run({"sql", "n:1 | SELECT body, NULL AS x", "-o", "csv"}), kExitOk) << err();
  EXPECT_EQ(out(), "body,x\n\"a, \"\"b\"\"\",\n");
  EXPECT_EQ(t_.Run({"sql", "* | stats count()", "-o", "json"}), kExitOk) << err();
  EXPECT_TRUE(Contains(out(), "\"rows\":[[2]]")) << out();
  EXPECT_EQ(t_.Run({"sql", "* | SELECT n", "-n", "1"}), kExitOk);
  EXPECT_TRUE(Contains(err(), "there are more rows")) << err();
}

TEST_F(QueryCommandsTest, SqlPointsAtMistakes) {
  if (!HasSql()) GTEST_SKIP() << "without DuckDB there is no SQL";
  Post("{\"body\":\"a\"}\n");
  EXPECT_EQ(t_.Run({"sql", "SELECT bdoy"}), kExitData);
  EXPECT_TRUE(Contains(err(), "  * | SELECT bdoy\n             ^")) << err();
  EXPECT_EQ(t_.Run({"sql"}), kExitUsage);
  EXPECT_EQ(t_.Run({"sql", "x", "--since", "yesterday"}), kExitUsage);
}

TEST_F(QueryCommandsTest, ExportWritesAWholeFileOrNone) {
  Post("{\"body\":\"one\",\"n\":1}\n{\"body\":\"two\",\"n\":2}\n");
  const std::string file = dir_.path() + "/rows.csv";
  EXPECT_EQ(t_.Run({"export", "n:2", "-o", file, "-F", "n,body"}), kExitOk) << err();
  EXPECT_EQ(*ReadFile(RealEnv().files(), file), "n,body\n2,two\n");
  EXPECT_EQ(t_.Run({"export", "*", "-F", "body"}), kExitOk) << err();
  EXPECT_TRUE(out() == "{\"body\":\"two\"}\n{\"body\":\"one\"}\n" ||
              out() == "{\"body\":\"one\"}\n{\"body\":\"two\"}\n")
      << out();
  const std::string none = dir_.path() + "/none.jsonl";
  EXPECT_EQ(t_.Run({"export", "(", "-o", none}), kExitData);
  EXPECT_TRUE(Contains(err(), "\n  (\n")) << err();
  for (const char* ending : {"", ".part"}) {
    EXPECT_FALSE(RealEnv().files().Stat(none + ending).ok()) << ending;
  }
  EXPECT_EQ(t_.Run({"export", "-o", dir_.path() + "/no/such/place"}), kExitData);
}

TEST_F(QueryCommandsTest, ExportTakesTheFormatFromTheName) {
  if (!HasSql()) GTEST_SKIP() << "without DuckDB there is no Parquet";
  Post("{\"body\":\"one\"}\n");
  const std::string file = dir_.path() + "/rows.parquet";
  EXPECT_EQ(t_.Run({"export", "-o", file}), kExitOk) << err();
  EXPECT_TRUE(ReadFile(RealEnv().files(), file)->starts_with("PAR1"));
}

TEST_F(QueryCommandsTest, AnalyzeShowsFieldsPatternsAndPlans) {
  Post(
      "{\"body\":\"user 7 came\",\"level\":\"info\",\"n\":1}\n"
      "{\"body\":\"user 8 came\",\"level\":\"warn\"}\n");
  EXPECT_EQ(t_.Run({"analyze", "fields"}), kExitOk) << err();
  EXPECT_EQ(out(),
            "2 rows\nFIELD  KIND     COVERAGE  VALUES  TOP\n"
            "level  text     100.0 %   2       info (1), warn (1)\n"
            "n      integer  50.0 %    1       1 (1)\n");
  EXPECT_EQ(t_.Run({"analyze", "fields", "level:warn", "-F", "level"}), kExitOk) << err();
  EXPECT_EQ(out(), "ROWS  VALUE\n1     warn\n");
  EXPECT_EQ(t_.Run({"analyze", "fields", "-F", "n"}), kExitOk) << err();
  EXPECT_TRUE(Contains(out(), "min 1, mean 1, p50 1")) << out();
  EXPECT_EQ(t_.Run({"analyze", "patterns"}), kExitOk) << err();
  EXPECT_TRUE(Contains(out(), "2     100.0 %    user <num> came")) << out();
  EXPECT_EQ(t_.Run({"analyze", "patterns", "--compare-since", "3h", "--compare-until", "2h"}),
            kExitOk);
  EXPECT_TRUE(Contains(out(), "new")) << out();
  EXPECT_EQ(t_.Run({"analyze", "explain", "absent"}), kExitOk) << err();
  EXPECT_TRUE(Contains(out(), "\nwords        1      2\n")) << out();
  EXPECT_EQ(t_.Run({"analyze", "fields", "-o", "json"}), kExitOk);
  EXPECT_TRUE(out().starts_with("{\"rows\":2,")) << out();
}

TEST_F(QueryCommandsTest, AnalyzeContextNeedsARow) {
  EXPECT_EQ(t_.Run({"analyze", "context", "--offset", "1"}), kExitUsage);
  EXPECT_TRUE(Contains(err(), "--origin is missing")) << err();
  EXPECT_EQ(t_.Run({"analyze", "context", "--offset", "1", "--time", "now", "--origin",
                    "00000000000000010000000000000002"}),
            kExitOk)
      << err();
  EXPECT_EQ(out(), "");
}

TEST(QueryOptions, NameSeveralLogstores) {
  const auto arguments =
      ParseArguments(SqlCommand(), {"a b", "--logstore", "x,y", "--since", "2h", "--project", "p"});
  ASSERT_TRUE(arguments.ok()) << arguments.status().ToString();
  EXPECT_EQ(MakeCall(*arguments)->Target("sql", {{"limit", "5"}}),
            "/api/v1/projects/p/logstores/x,y/sql?q=a%20b&from=-2h&limit=5");
}

}  // namespace
}  // namespace kelp::cli
