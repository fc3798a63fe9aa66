// A whole server in the test's process, on a port of its own, in a directory of its own.
#ifndef KELP_SERVER_TEST_SERVER_H_
#define KELP_SERVER_TEST_SERVER_H_

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>

#include "net/http_client.h"
#include "server/server.h"

namespace kelp::server {

class ServerTest : public testing::Test {
 protected:
  ServerTest() {
    char dir[] = "/tmp/kelp_server_XXXXXX";
    dir_ = mkdtemp(dir);
    config_.data_dir = dir_ + "/data";
    config_.http.listen = "127.0.0.1:0";
    config_.store.commit_interval = Duration(0);
    config_.store.disk_free_min = 1_MiB;
    config_.shutdown_grace = 1s;
  }
  ~ServerTest() override {
    server_.reset();
    std::filesystem::remove_all(dir_);
  }

  void Start() {
    auto server = Server::Start(RealEnv(), config_);
    ASSERT_TRUE(server.ok()) << server.status().ToString();
    server_ = *std::move(server);
    admin_ = Token("admin.token");
    agent_ = Token("agent.token");
  }
  void Restart() {
    server_.reset();
    Start();
  }
  std::string Token(const std::string& file) {
    std::string token = *ReadFile(RealEnv().files(), config_.data_dir + "/" + file);
    token.pop_back();
    return token;
  }

  // A call of the API as the administrator, unless `token` says otherwise ("" is nobody).
  net::HttpResponse Call(const std::string& method, const std::string& target,
                         const std::string& body = "") {
    return CallAs(admin_, method, target, body);
  }
  net::HttpResponse CallAs(const std::string& token, const std::string& method,
                           const std::string& target, const std::string& body = "",
                           net::HttpHeaders headers = {}) {
    if (!token.empty()) headers.Set("Authorization", "Bearer " + token);
    net::HttpClientRequest request;
    request.method = method;
    request.url = "http://" + server_->address() + target;
    request.headers = std::move(headers);
    request.body = {body};
    const auto response = client_.Send(request);
    EXPECT_TRUE(response.ok()) << method << " " << target << ": " << response.status().ToString();
    return response.ok() ? *response : net::HttpResponse{0, {}, ""};
  }

  static constexpr const char* kLogs = "/api/v1/projects/default/logstores/logs";

  std::string dir_;
  ServerConfig config_;
  std::unique_ptr<Server> server_;
  std::string admin_;
  std::string agent_;
  net::HttpClient client_;
};

}  // namespace kelp::server

#endif  // KELP_SERVER_TEST_SERVER_H_
