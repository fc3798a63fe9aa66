#include "server/server_config.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "server/json_text.h"
#include "server/time_param.h"

namespace kelp::server {
namespace {

class ServerConfigTest : public testing::Test {
 protected:
  ServerConfigTest() {
    char dir[] = "/tmp/kelp_server_config_XXXXXX";
    dir_ = mkdtemp(dir);
  }
  ~ServerConfigTest() override { std::filesystem::remove_all(dir_); }
  Result<ServerConfig> Load(const std::string& text) {
    std::ofstream(dir_ + "/server.yaml") << text;
    return LoadServerConfig(RealEnv().files(), dir_ + "/server.yaml");
  }
  std::string dir_;
};

TEST_F(ServerConfigTest, ReadsItsKeys) {
  const auto config = Load(
      "data_dir: /data\nhttp: {listen: ':1', body_bytes_max: 8MiB}\nquery: {time_max: 5s}\n"
      "store: {hot_bytes_max: 1MiB}\nlog: {level: debug, format: json}\n");
  ASSERT_TRUE(config.ok()) << config.status().ToString();
  EXPECT_EQ(config->StoreDir(), "/data/store");
  EXPECT_EQ(config->http.listen, ":1");
  EXPECT_EQ(config->http.body_bytes_max, 8_MiB);
  EXPECT_EQ(config->query.time_max, Duration(5s));
  EXPECT_EQ(config->ToStoreOptions().hot_bytes_max, 1_MiB);
  EXPECT_EQ(config->ToLogOptions().level, LogLevel::kDebug);
  EXPECT_EQ(config->ToLogOptions().format, LogFormat::kJson);
}

TEST_F(ServerConfigTest, TellsEverythingThatIsWrong) {
  const auto config = Load("dta_dir: /x\nquery: {time_max: soon}\nhttp: {tls: {key_file: k}}\n");
  ASSERT_FALSE(config.ok());
  EXPECT_EQ(config.status().code(), Code::kInvalidArgument);
  for (const char* text : {"server.yaml:1:1", "data_dir", "soon", "cert_file and key_file"}) {
    EXPECT_NE(config.status().message().find(text), std::string_view::npos)
        << text << " in " << config.status().message();
  }
}

TEST_F(ServerConfigTest, SaysWhichFileIsMissing) {
  const auto config = LoadServerConfig(RealEnv().files(), "/nowhere/server.yaml");
  EXPECT_EQ(config.status().code(), Code::kInvalidArgument);
  EXPECT_NE(config.status().message().find("/nowhere/server.yaml"), std::string_view::npos);
}

TEST(TimeParam, TakesEveryForm) {
  constexpr UnixNanos kNow = 1'800'000'000'000'000'000;
  EXPECT_EQ(*ParseTimeParam("now", kNow), kNow);
  EXPECT_EQ(*ParseTimeParam("-1h", kNow), kNow - 3600 * 1'000'000'000ll);
  EXPECT_EQ(*ParseTimeParam("+90s", kNow), kNow + 90'000'000'000);
  EXPECT_EQ(*ParseTimeParam("1700000000000000001", kNow), 1700000000000000001);
  EXPECT_EQ(*ParseTimeParam("-5", kNow), -5);
  EXPECT_EQ(*ParseTimeParam("1970-01-01T00:00:01Z", kNow), 1'000'000'000);
  EXPECT_EQ(*ParseTimeParam("1970-01-01T02:00:01+02:00", kNow), 1'000'000'000);
  EXPECT_EQ(*ParseTimeParam("1970-01-01T02:00:01 02:00", kNow), 1'000'000'000);
}

TEST(TimeParam, RefusesTheRest) {
  for (const char* bad : {"", "-", "1h", "yesterday", "-1x", "99999999999999999999", "-300000000h",
                          "2026-13-01T00:00:00Z"}) {
    EXPECT_EQ(ParseTimeParam(bad, 0).status().code(), Code::kInvalidArgument) << bad;
  }
}

TEST(JsonText, ReadsRequestObjects) {
  const auto members =
      ParseRequestObject(" {\"name\":\"a\\u0062\",\"retention\":null} ", {"name", "retention"});
  ASSERT_TRUE(members.ok()) << members.status().ToString();
  EXPECT_EQ(members->at("name").text, "ab");
  EXPECT_TRUE(members->at("retention").is_null);
}

TEST(JsonText, RefusesWhatACallDoesNotTake) {
  for (const char* bad : {"", "[]", "{", "{\"name\":1}", "{\"other\":\"x\"}", "{} x"}) {
    EXPECT_EQ(ParseRequestObject(bad, {"name"}).status().code(), Code::kInvalidArgument) << bad;
  }
}

}  // namespace
}  // namespace kelp::server
