// Fields, patterns, context, explain, progress and several logstores at once, over HTTP.
#include <simdjson.h>

#include <future>

#include "codec/kelp_batch.h"
#include "server/test_server.h"
#include "sql/sql.h"

namespace kelp::server {
namespace {

using simdjson::dom::element;

class InsightTest : public ServerTest {
 protected:
  // The answer's JSON, which stays until the next call; the status must be `status`.
  element Get(const std::string& target, int status = 200) {
    const net::HttpResponse response = Call("GET", target);
    EXPECT_EQ(response.status, status) << target << "\n" << response.body;
    element value;
    EXPECT_EQ(parser_.parse(response.body).get(value), simdjson::SUCCESS) << response.body;
    return value;
  }
  void Post(const std::string& logstore, const std::string& lines) {
    const auto stored =
        Call("POST", "/api/v1/projects/default/logstores/" + logstore + "/rows", lines);
    ASSERT_EQ(stored.status, 200) << stored.body;
  }
  void PostOrigin(const OriginId& origin, int rows) {
    auto batch = BatchPool::Shared().Get();
    batch->origin = origin;
    for (int i = 0; i < rows; ++i) {
      const auto at = static_cast<uint64_t>(i) * 10;
      batch->AddRow(batch->Copy("line " + std::to_string(i)), at, at + 10, RealEnv().clock().Now());
    }
    codec::BatchSetEncoder encoder;
    encoder.Add(*batch, 0);
    ASSERT_EQ(Call("POST", std::string(kLogs) + "/batches", encoder.Finish()).status, 200);
  }
  static std::string Text(element e) { return std::string(std::string_view(e)); }

  simdjson::dom::parser parser_;
};

TEST_F(InsightTest, ListsFieldsWithTheirValues) {
  Start();
  Post("logs",
       "{\"body\":\"a\",\"level\":\"info\",\"took\":1}\n{\"body\":\"b\",\"level\":\"info\","
       "\"took\":3}\n"
       "{\"body\":\"c\",\"level\":\"error\",\"k8s.pod\":\"x\"}\n");
  element all = Get(std::string(kLogs) + "/fields");
  EXPECT_EQ(int64_t(all["rows"]), 3);
  EXPECT_FALSE(bool(all["sampled"]));
  const element level = all["fields"].at(0);
  EXPECT_EQ(Text(level["name"]), "level");
  EXPECT_EQ(Text(level["kind"]), "text");
  EXPECT_EQ(int64_t(level["top"].at(0)["rows"]), 2);
  const element took = all["fields"].at(1);
  EXPECT_EQ(Text(took["kind"]), "integer");
  EXPECT_EQ(double(took["numbers"]["mean"]), 2);
  EXPECT_EQ(int64_t(took["numbers"]["histogram"].at(19)["rows"]), 1);
  EXPECT_EQ(int64_t(Get(std::string(kLogs) + "/fields?q=level:error")["rows"]), 1);

  element one = Get(std::string(kLogs) + "/fields/level?prefix=ERR");
  EXPECT_EQ(simdjson::minify(one["top"]), "[{\"value\":\"error\",\"rows\":1}]");
  EXPECT_EQ(int64_t(one["distinct"]), 2);
  EXPECT_EQ(int64_t(one["rows_looked_at"]), 3);
  EXPECT_EQ(int64_t(Get(std::string(kLogs) + "/fields/none")["rows"]), 0);
}

TEST_F(InsightTest, GroupsLinesIntoPatternsThatCanBeSearched) {
  Start();
  std::string lines;
  for (int i = 0; i < 20; ++i) {
    lines += "{\"body\":\"user " + std::to_string(i) + " logged in\"}\n";
  }
  Post("logs", lines + "{\"body\":\"started\"}\n");
  element found = Get(std::string(kLogs) + "/patterns");
  const element first = found["patterns"].at(0);
  EXPECT_EQ(Text(first["template"]), "user <num> logged in");
  EXPECT_EQ(int64_t(first["rows"]), 20);
  EXPECT_TRUE(first["before"].is_null());
  const std::string query = net::UrlEncode(Text(first["query"]));
  EXPECT_EQ(int64_t(Get(std::string(kLogs) + "/histogram?q=" + query)["total"]), 20);
  // Compared with itself, nothing has changed; with the time before, all is new.
  found = Get(std::string(kLogs) + "/patterns?compare_from=-1h&compare_to=%2B1h");
  EXPECT_EQ(int64_t(found["patterns"].at(0)["before"]), 20);
  EXPECT_EQ(double(found["patterns"].at(0)["change"]), 1);
  found = Get(std::string(kLogs) + "/patterns?compare_from=-3h&compare_to=-2h");
  EXPECT_EQ(int64_t(found["patterns"].at(0)["before"]), 0);
  EXPECT_TRUE(found["patterns"].at(0)["change"].is_null());
  Get(std::string(kLogs) + "/patterns?compare_from=-1h&compare_to=-2h", 400);
}

TEST_F(InsightTest, GivesTheRowsAroundOne) {
  Start();
  const OriginId origin{1, 2};
  PostOrigin(origin, 10);
  PostOrigin({3, 4}, 10);
  const std::string call = std::string(kLogs) + "/context?time=now&origin=" + origin.ToString();
  element found = Get(call + "&offset=50&before=2&after=3");
  EXPECT_EQ(found["rows"].get_array().size(), 6u);
  EXPECT_EQ(int64_t(found["at"]), 2);
  EXPECT_EQ(Text(found["rows"].at(2)["body"]), "line 5");
  EXPECT_TRUE(bool(found["more_before"]));
  EXPECT_TRUE(bool(found["more_after"]));
  found = Get(call + "&offset=90&before=0");
  EXPECT_EQ(found["rows"].get_array().size(), 1u);
  EXPECT_TRUE(bool(found["more_before"]));
  EXPECT_FALSE(bool(found["more_after"]));
  EXPECT_TRUE(Get(call + "&offset=7")["at"].is_null());
  for (const char* wrong : {"?origin=1&offset=0&time=now", "?time=now&offset=1"}) {
    Get(std::string(kLogs) + "/context" + wrong, 400);
  }
  Get(call, 400);
  Get(call + "&offset=-1", 400);
  Get(call + "&offset=0&after=1000", 400);
}

TEST_F(InsightTest, ExplainsWhatASearchSkipped) {
  Start();
  Post("logs", "{\"body\":\"present\"}\n");
  element skipped = Get(std::string(kLogs) + "/explain?q=absent");
  EXPECT_EQ(int64_t(skipped["fates"]["words"]["blocks"]), 1) << simdjson::minify(skipped);
  EXPECT_EQ(int64_t(skipped["terms"].at(0)["ruled_out"]), 1);
  element counted = Get(std::string(kLogs) + "/explain?of=histogram");
  EXPECT_EQ(int64_t(counted["rows_matched"]), 1);
  Get(std::string(kLogs) + "/explain?q=%28", 400);
}

TEST_F(InsightTest, ReadsSeveralLogstoresAtOnce) {
  Start();
  ASSERT_EQ(Call("POST", "/api/v1/projects/default/logstores", "{\"name\":\"db\"}").status, 201);
  Post("logs", "{\"body\":\"from logs\",\"n\":1}\n");
  Post("db", "{\"body\":\"from db\",\"n\":2}\n");
  const std::string both = std::string(kLogs) + ",db";
  element found = Get(both + "/search");
  ASSERT_EQ(found["rows"].get_array().size(), 2u);
  EXPECT_EQ(Text(found["rows"].at(0)["logstore"]), "db");
  EXPECT_EQ(Text(found["rows"].at(1)["logstore"]), "logs");
  EXPECT_EQ(int64_t(Get(both + "/histogram?q=from")["total"]), 2);
  EXPECT_EQ(int64_t(Get(both + "/fields")["rows"]), 2);
  EXPECT_EQ(int64_t(Get(both + "/patterns")["rows"]), 2);
  if (sql::Engine({}).Available().ok()) {
    found = Get(both + "/sql?q=" + net::UrlEncode("* | SELECT sum(n)"));
    EXPECT_EQ(simdjson::minify(found["rows"]), "[[3]]");
  }
  Get(both + ",db/search", 400);
  Get(both + ",none/search", 404);
  Get(std::string(kLogs) + ",/search", 404);
  std::string many = kLogs;
  for (int i = 0; i < 16; ++i) {
    const std::string name = "s" + std::to_string(i);
    Call("POST", "/api/v1/projects/default/logstores", "{\"name\":\"" + name + "\"}");
    many += "," + name;
  }
  Get(many + "/search", 400);
  // What is of one logstore alone takes no list.
  EXPECT_EQ(Call("DELETE", both).status, 404);
}

TEST_F(InsightTest, FollowsSeveralLogstoresLive) {
  Start();
  ASSERT_EQ(Call("POST", "/api/v1/projects/default/logstores", "{\"name\":\"db\"}").status, 201);
  std::promise<void> following;
  std::string seen;
  net::HttpClientRequest request;
  request.url = "http://" + server_->address() + kLogs + ",db/tail";
  request.headers.Set("Authorization", "Bearer " + admin_);
  auto tail = std::async(std::launch::async, [&] {
    return client_.SendStreaming(request, [&](std::string_view chunk) {
      if (seen.empty()) following.set_value();
      seen += chunk;
      return seen.find("last") == std::string::npos;
    });
  });
  following.get_future().wait();
  Post("logs", "{\"body\":\"first\"}\n");
  Post("db", "{\"body\":\"last\"}\n");
  EXPECT_TRUE(tail.get().ok());
  EXPECT_NE(seen.find("\"logstore\":\"logs\""), std::string::npos) << seen;
  EXPECT_NE(seen.find("\"logstore\":\"db\""), std::string::npos) << seen;
}

}  // namespace
}  // namespace kelp::server
