#include "net/http_client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <future>
#include <thread>

#include "net/http_server.h"
#include "net/public_address.h"

namespace kelp::net {
namespace {

// A listening socket that the test plays a server on, byte by byte.
class FakeServer {
 public:
  FakeServer() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(::bind(fd_, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0, "bind");
    CHECK(::listen(fd_, 8) == 0, "listen");
    socklen_t size = sizeof at;
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size);
    port_ = ntohs(at.sin_port);
  }
  ~FakeServer() { ::close(fd_); }
  std::string Url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/"; }
  uint16_t port() const { return port_; }

  // Accepts, waits for a whole head, answers with `text`, gives the connection.
  int AnswerOne(const std::string& text) {
    const int connection = ::accept(fd_, nullptr, nullptr);
    Answer(connection, text);
    return connection;
  }
  static void Answer(int connection, const std::string& text) {
    std::string head;
    char byte;
    while (!head.ends_with("\r\n\r\n") && ::recv(connection, &byte, 1, 0) == 1) head += byte;
    (void)!::send(connection, text.data(), text.size(), MSG_NOSIGNAL);
  }

 private:
  int fd_;
  uint16_t port_;
};

TEST(HttpClient, SaysWhoRefused) {
  uint16_t port;
  {
    const FakeServer gone;
    port = gone.port();
  }
  HttpClient client;
  const auto answer = client.Send({.url = "http://127.0.0.1:" + std::to_string(port) + "/"});
  EXPECT_EQ(answer.status().code(), Code::kUnavailable);
  EXPECT_EQ(answer.status().message(),
            "cannot connect to 127.0.0.1:" + std::to_string(port) + ": Connection refused");
}

TEST(HttpClient, SaysWhenAHostIsUnknown) {
  HttpClient client;
  const auto answer = client.Send({.url = "http://no-such-host.invalid/"});
  EXPECT_EQ(answer.status().code(), Code::kUnavailable);
  EXPECT_NE(answer.status().message().find("no-such-host.invalid"), std::string_view::npos);
}

TEST(HttpClient, GivesUpAtTheDeadline) {
  const FakeServer silent;
  HttpClient client;
  const auto answer = client.Send({.url = silent.Url(), .timeout = 30ms});
  EXPECT_EQ(answer.status().code(), Code::kDeadlineExceeded);
}

TEST(HttpClient, IsCancelledFromAnotherThread) {
  FakeServer silent;
  HttpClient client;
  auto waiting = std::async(std::launch::async, [&] { return client.Send({.url = silent.Url()}); });
  const int connection = silent.AnswerOne("");  // the request is there, the answer never comes
  client.Cancel();
  EXPECT_EQ(waiting.get().status().code(), Code::kCancelled);
  EXPECT_EQ(client.Send({.url = silent.Url()}).status().code(), Code::kCancelled);
  ::close(connection);
}

TEST(HttpClient, ReusesConnections) {
  FakeServer server;
  HttpClient client;
  const std::string text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  auto serving = std::async(std::launch::async, [&] {
    const int connection = server.AnswerOne(text);
    FakeServer::Answer(connection, text);
    return connection;
  });
  EXPECT_EQ(client.Send({.url = server.Url()})->body, "ok");
  EXPECT_EQ(client.Send({.url = server.Url()})->body, "ok");
  ::close(serving.get());
}

TEST(HttpClient, OpensANewConnectionWhenTheKeptOneWasClosed) {
  FakeServer server;
  HttpClient client;
  const std::string text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  auto first = std::async(std::launch::async, [&] { ::close(server.AnswerOne(text)); });
  EXPECT_TRUE(client.Send({.url = server.Url()}).ok());
  first.get();
  auto second = std::async(std::launch::async, [&] { ::close(server.AnswerOne(text)); });
  EXPECT_TRUE(client.Send({.method = "POST", .url = server.Url()}).ok());
}

TEST(HttpClient, RepeatsOnlyWhatMayBeRepeated) {
  FakeServer server;
  const std::string text = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
  for (const bool repeatable : {true, false}) {
    HttpClient client;
    auto serving = std::async(std::launch::async, [&] {
      const int connection = server.AnswerOne(text);
      FakeServer::Answer(connection, "");  // takes the second request, then closes without a word
      ::close(connection);
      if (repeatable) ::close(server.AnswerOne(text));
    });
    EXPECT_TRUE(client.Send({.url = server.Url()}).ok());
    const auto second =
        client.Send({.method = "POST", .url = server.Url(), .repeatable = repeatable});
    EXPECT_EQ(second.ok(), repeatable);
    serving.get();
  }
}

TEST(HttpClient, BoundsTheAnswer) {
  FakeServer server;
  HttpClient client;
  auto serving = std::async(std::launch::async, [&] {
    ::close(
        server.AnswerOne("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + std::string(100, 'x')));
  });
  const auto answer = client.Send({.url = server.Url(), .response_bytes_max = 99_B});
  EXPECT_EQ(answer.status().code(), Code::kResourceExhausted);
}

TEST(HttpClient, ReportsBrokenAnswers) {
  for (const char* text :
       {"", "HTT", "not http\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"}) {
    FakeServer server;
    HttpClient client;
    auto serving = std::async(std::launch::async, [&] { ::close(server.AnswerOne(text)); });
    const auto answer = client.Send({.url = server.Url()});
    EXPECT_EQ(answer.status().code(), Code::kUnavailable) << text;
  }
}

TEST(HttpClient, ReadsAnswersWithoutALength) {
  FakeServer server;
  HttpClient client;
  auto serving = std::async(std::launch::async, [&] {
    ::close(server.AnswerOne("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 OK\r\n\r\nto the end"));
  });
  EXPECT_EQ(client.Send({.url = server.Url()})->body, "to the end");
}

TEST(HttpClient, ReadsAHeadAnswerWithoutABody) {
  FakeServer server;
  HttpClient client;
  auto serving = std::async(std::launch::async, [&] {
    ::close(server.AnswerOne("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"));
  });
  const auto answer = client.Send({.method = "HEAD", .url = server.Url()});
  ASSERT_TRUE(answer.ok()) << answer.status().ToString();
  EXPECT_EQ(answer->headers.Get("Content-Length"), "10");
}

TEST(HttpClient, RefusesRequestsThatCouldSmuggleAnother) {
  HttpClient client;
  EXPECT_EQ(client.Send({.url = "http://h/", .headers = {{"X", "a\r\nY: b"}}}).status().code(),
            Code::kInvalidArgument);
  EXPECT_EQ(client.Send({.method = "GET /x HTTP/1.1\r\n", .url = "http://h/"}).status().code(),
            Code::kInvalidArgument);
  EXPECT_EQ(client.Send({.url = "http://h/a b"}).status().code(), Code::kInvalidArgument);
}

TEST(HttpClient, GathersTheBodyOfARefusedStream) {
  FakeServer server;
  HttpClient client;
  auto serving = std::async(std::launch::async, [&] {
    ::close(server.AnswerOne("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"));
  });
  const auto answer = client.SendStreaming({.url = server.Url()}, [](std::string_view) {
    ADD_FAILURE() << "not for an error";
    return true;
  });
  EXPECT_EQ(answer->body, "no");
}

TEST(HttpClient, EndsAStreamThatFallsSilent) {
  FakeServer server;
  HttpClient client;
  auto serving = std::async(std::launch::async, [&] {
    return server.AnswerOne("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx");
  });
  std::string got;
  const auto answer = client.SendStreaming(
      {.url = server.Url()},
      [&](std::string_view chunk) {
        got += chunk;
        return true;
      },
      30ms);
  EXPECT_EQ(answer.status().code(), Code::kDeadlineExceeded);
  EXPECT_EQ(got, "x");
  ::close(serving.get());
}

sockaddr_storage AddressOf(const std::string& text) {
  sockaddr_storage out{};
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  if (inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    std::memcpy(&out, &v4, sizeof v4);
  } else if (inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) {
    std::memcpy(&out, &v6, sizeof v6);
  }
  return out;
}

TEST(PublicAddress, TellsTheOpenInternetFromEverythingElse) {
  for (const char* text : {"1.1.1.1", "8.8.8.8", "172.32.0.1", "168.63.129.17", "100.128.0.1",
                           "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"}) {
    EXPECT_TRUE(IsPublicAddress(AddressOf(text))) << text;
  }
  for (const char* text : {"127.0.0.1",
                           "127.9.9.9",
                           "10.0.0.1",
                           "172.16.0.1",
                           "172.31.255.255",
                           "192.168.1.1",
                           "169.254.169.254",
                           "168.63.129.16",
                           "100.64.0.1",
                           "0.0.0.0",
                           "224.0.0.1",
                           "255.255.255.255",
                           "::1",
                           "::",
                           "fe80::1",
                           "fd00::1",
                           "ff02::1",
                           "::ffff:127.0.0.1",
                           "::ffff:10.0.0.1",
                           "64:ff9b::7f00:1",
                           "2002:7f00:1::1",
                           "2001::1",
                           ""}) {
    EXPECT_FALSE(IsPublicAddress(AddressOf(text))) << text;
  }
}

TEST(HttpClient, CanKeepOutOfPrivateNetworks) {
  HttpClient client({.public_addresses_only = true});
  for (const char* url : {"http://127.0.0.1:9/", "http://localhost:9/", "http://[::1]:9/",
                          "http://0x7f.1:9/", "http://2130706433:9/"}) {
    const auto answer = client.Send({.url = url});
    ASSERT_FALSE(answer.ok()) << url;
    EXPECT_EQ(answer.status().code(), Code::kInvalidArgument) << url << answer.status().ToString();
  }
}

}  // namespace
}  // namespace kelp::net
