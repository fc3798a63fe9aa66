// What is wrong about a request is said, and what is damaged in the store is left out and said.
#include <simdjson.h>

#include <fstream>

#include "server/test_server.h"
#include "sql/sql.h"

namespace kelp::server {
namespace {

class BadInputTest : public ServerTest {
 protected:
  // What the answer says is wrong, or "" when it is 200.
  std::string Error(const std::string& target, int status = 400) {
    const net::HttpResponse response = Call("GET", target);
    EXPECT_EQ(response.status, status) << target << "\n" << response.body;
    simdjson::dom::parser parser;
    std::string_view message;
    if (parser.parse(response.body).at_pointer("/error/message").get(message) !=
        simdjson::SUCCESS) {
      return "";
    }
    return std::string(message);
  }
  static bool HasSql() { return sql::Engine({}).Available().ok(); }
};

TEST_F(BadInputTest, TimesTheWrongWayRoundAreRefused) {
  Start();
  for (const std::string call :
       {"search", "histogram", "sql", "explain", "fields", "fields/a", "patterns", "export"}) {
    const std::string q = call == "sql" ? "&q=*%7CSELECT%201" : "";
    const std::string target = std::string(kLogs) + "/" + call + "?from=";
    EXPECT_EQ(Error(target + "now&to=-1h" + q), "\"from\" must be earlier than \"to\"") << call;
    EXPECT_EQ(Error(target + "-1h&to=-1h" + q), "\"from\" must be earlier than \"to\"") << call;
    EXPECT_NE(Error(target + "soon" + q).find("\"soon\" is no time"), std::string::npos) << call;
    // A century past and to come, and the ends of what a clock can say.
    for (const char* far : {"-900000h", "-9223372036854775807", "1900-01-01T00:00:00Z"}) {
      const bool absent = call == "sql" && !HasSql();
      const std::string error =
          Error(target + far + "&to=9223372036854775807" + q, absent ? 501 : 200);
      EXPECT_EQ(error.empty(), !absent) << call << far << error;
    }
    EXPECT_NE(Error(target + "-99999999999999999999" + q).find("is no time"), std::string::npos);
  }
}

TEST_F(BadInputTest, LimitsOutOfBoundsAreRefusedWithTheBounds) {
  Start();
  const std::map<std::string, std::string> bounds = {
      {"search?limit=", "from 1 to 1000"},
      {"histogram?buckets=", "from 1 to 1000"},
      {"sql?q=*%7CSELECT%201&limit=", "from 1 to 10000"},
      {"explain?limit=", "from 1 to 10000"},
      {"fields?rows=", "from 1 to 100000000"},
      {"fields?top=", "from 1 to 100"},
      {"fields/a?top=", "from 1 to 1000"},
      {"patterns?rows=", "from 1 to 10000000"},
      {"patterns?limit=", "from 1 to 1000"},
      {"context?time=now&offset=0&origin=00000000000000010000000000000002&after=", "from 0 to 999"},
  };
  for (const auto& [call, bound] : bounds) {
    for (const char* number :
         {"-1", "4294967296", "99999999999999999999999", "1e3", "1.5", "x", "0x10",
          "%20"
          "1"}) {
      const std::string error = Error(std::string(kLogs) + "/" + call + number);
      EXPECT_NE(error.find(bound), std::string::npos) << call << number << ": " << error;
    }
  }
}

TEST_F(BadInputTest, EnormousQueriesAreRefused) {
  Start();
  EXPECT_NE(Error(std::string(kLogs) + "/search?id=" + std::string(129, 'x')).find("\"id\""),
            std::string::npos);
  // 16 KiB of query; the head of a request has its own limit.
  const std::string q = net::UrlEncode(std::string(10 << 10, '('));
  const net::HttpResponse deep = Call("GET", std::string(kLogs) + "/search?q=" + q.substr(0, 9000));
  EXPECT_EQ(deep.status, 400) << deep.body;
  EXPECT_EQ(Call("GET", std::string(kLogs) + "/search?q=" + std::string(17 << 10, 'x')).status,
            431);
}

// The rows of one day are a segment; a byte of its data is flipped while the server is stopped.
TEST_F(BadInputTest, DamagedBlocksAreLeftOutAndSaid) {
  Start();
  std::string lines;
  for (int i = 0; i < 2000; ++i) {
    lines += "{\"body\":\"number " + std::to_string(i * 7919 % 100'003) + " of many\"}\n";
  }
  ASSERT_EQ(Call("POST", std::string(kLogs) + "/rows", lines).status, 200);
  server_->Stop();
  server_.reset();
  size_t segments = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(config_.StoreDir())) {
    if (entry.path().extension() != ".seg") continue;
    ++segments;
    std::fstream file(entry.path(), std::ios::binary | std::ios::in | std::ios::out);
    // Behind the head of the file, in the data of the first column that is decoded.
    for (int at = 64; at < 4096; at += 64) {
      file.seekg(at);
      const char byte = static_cast<char>(file.get() ^ 0x55);
      file.seekp(at);
      file.put(byte);
    }
  }
  ASSERT_EQ(segments, 1u);
  Start();
  // Rows that are whole, beside them.
  ASSERT_EQ(Call("POST", std::string(kLogs) + "/rows", "{\"body\":\"number fresh\"}\n").status,
            200);
  for (const std::string call : {"search?q=number", "histogram?q=many%20OR%20fresh", "fields/body",
                                 "patterns", "sql?q=*%7CSELECT%20count(body)"}) {
    if (call.starts_with("sql") && !HasSql()) continue;
    const net::HttpResponse answer = Call("GET", std::string(kLogs) + "/" + call);
    EXPECT_EQ(answer.status, 200) << call << answer.body;
    EXPECT_NE(answer.body.find("\"partial\":\""), std::string::npos) << call << "\n" << answer.body;
    EXPECT_NE(answer.body.find(".seg"), std::string::npos) << call << "\n" << answer.body;
  }
  EXPECT_NE(Call("GET", std::string(kLogs) + "/search?q=number").body.find("number fresh"),
            std::string::npos);
  EXPECT_EQ(Call("GET", std::string(kLogs) + "/export?id=e").status, 200);
  std::string end;
  for (int i = 0; i < 1000 && end.find("\"ended\"") == end.npos; ++i) {
    end = Call("GET", "/api/v1/queries/e").body;
  }
  EXPECT_NE(end.find(".seg"), std::string::npos) << end;
}

}  // namespace
}  // namespace kelp::server
