#include "net/http_server.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <future>
#include <thread>

#include "net/http_client.h"
#include "net/router.h"
#include "net/test_socket.h"

namespace kelp::net {
namespace {

using Answering = std::shared_ptr<Responder>;

std::unique_ptr<HttpServer> StartServer(HttpServerOptions options, Handler handler) {
  auto server = HttpServer::Start(std::move(options), std::move(handler));
  CHECK(server.ok(), server.status().ToString());
  return *std::move(server);
}

// Says back what it got.
void Echo(HttpRequest request, const Answering& responder) {
  HttpResponse response = Text(200, request.method + " " + request.path + " " + request.body);
  response.headers.Set("X-Query", request.query);
  responder->Send(std::move(response));
}

std::string UrlOf(const HttpServer& server, const std::string& target) {
  return "http://" + server.address() + target;
}

TEST(HttpServer, AnswersRequests) {
  const auto server = StartServer({}, Echo);
  HttpClient client;
  const auto answer = client.Send(
      {.method = "POST", .url = UrlOf(*server, "/a%20b?x=1"), .body = {"one", "", "two"}});
  ASSERT_TRUE(answer.ok()) << answer.status().ToString();
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "POST /a b onetwo");
  EXPECT_EQ(answer->headers.Get("x-query"), "x=1");
}

TEST(HttpServer, RunsHandlersOnTheIoThreadWhenAsked) {
  const auto server = StartServer({.handler_threads = 0}, Echo);
  HttpClient client;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(client.Send({.url = UrlOf(*server, "/x")})->body, "GET /x ");
  }
}

TEST(HttpServer, KeepsConnectionsAndAnswersPipelinedRequestsInOrder) {
  const auto server = StartServer({}, Echo);
  TestSocket socket(server->port());
  std::string requests;
  for (int i = 0; i < 50; ++i) {
    requests +=
        "POST /" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc";
  }
  requests += "GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
  ASSERT_TRUE(socket.Send(requests));
  const std::string answers = socket.ReadToEnd();
  size_t at = 0;
  for (int i = 0; i < 50; ++i) {
    at = answers.find("POST /" + std::to_string(i) + " abc", at);
    ASSERT_NE(at, std::string::npos) << i;
  }
  EXPECT_NE(answers.find("GET /last ", at), std::string::npos);
}

TEST(HttpServer, KeepsAPipelinedRequestThatArrivesWhileAHandlerWaits) {
  std::promise<Answering> first;
  std::atomic<int> calls{0};
  const auto server = StartServer({}, [&](HttpRequest request, const Answering& responder) {
    if (calls++ != 0) return Echo(std::move(request), responder);
    responder->OnClose([] {});  // starts the watch on the connection
    first.set_value(responder);
  });
  TestSocket socket(server->port());
  socket.Send("GET /1 HTTP/1.1\r\nHost: h\r\n\r\n");
  const Answering held = first.get_future().get();
  socket.Send("GET /2 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  held->Send(Text(200, "held"));
  const std::string answers = socket.ReadToEnd();
  EXPECT_LT(answers.find("held"), answers.find("GET /2 "));
  EXPECT_NE(answers.find("GET /2 "), std::string::npos);
}

TEST(HttpServer, SendsOnlyTheHeaderForHead) {
  const auto server = StartServer({}, Echo);
  TestSocket socket(server->port());
  socket.Send("HEAD /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  const std::string answer = socket.ReadToEnd();
  EXPECT_NE(answer.find("Content-Length: 8\r\n"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST(HttpServer, SpeaksHttp10) {
  const auto server = StartServer({}, Echo);
  TestSocket socket(server->port());
  socket.Send("GET /old HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(socket.ReadToEnd().ends_with("GET /old "));
}

TEST(HttpServer, ReadsChunkedBodies) {
  const auto server = StartServer({}, Echo);
  TestSocket socket(server->port());
  socket.Send(
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
  socket.Send("3\r\nabc\r\n5;ext=1\r\nde");
  socket.Send("fgh\r\n0\r\n\r\n");
  EXPECT_TRUE(socket.ReadToEnd().ends_with("POST / abcdefgh"));
}

TEST(HttpServer, InvitesBodiesThatWaitForIt) {
  const auto server = StartServer({}, Echo);
  TestSocket socket(server->port());
  socket.Send(
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nExpect: 100-continue\r\n"
      "Connection: close\r\n\r\n");
  EXPECT_EQ(socket.ReadUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  socket.Send("ok");
  EXPECT_TRUE(socket.ReadToEnd().ends_with("POST / ok"));
}

TEST(HttpServer, RefusesABodyOverTheLimitBeforeReadingIt) {
  MetricRegistry metrics;
  const auto server = StartServer({.body_bytes_max = 1_KiB, .metrics = &metrics}, Echo);
  TestSocket socket(server->port());
  socket.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1025\r\n\r\n");
  const std::string answer = socket.ReadUntil("}}");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 413 ")) << answer;
  EXPECT_NE(answer.find("larger than 1KiB"), std::string::npos);
  EXPECT_EQ(metrics.Value("http_refused_total", {{"reason", "body_size"}}), 1);
}

TEST(HttpServer, LetsAClientReadTheRefusalOfABodyItIsStillSending) {
  const auto server = StartServer({.body_bytes_max = 1_KiB}, Echo);
  HttpClient client;
  const std::string big(8 << 20, 'x');
  const auto answer = client.Send({.method = "POST", .url = UrlOf(*server, "/"), .body = {big}});
  ASSERT_TRUE(answer.ok()) << answer.status().ToString();
  EXPECT_EQ(answer->status, 413);
}

TEST(HttpServer, BoundsChunkedBodies) {
  const auto server = StartServer({.body_bytes_max = 8_B}, Echo);
  TestSocket socket(server->port());
  socket.Send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
  socket.Send("5\r\nabcde\r\n5\r\nabcde\r\n0\r\n\r\n");
  EXPECT_TRUE(socket.ReadUntil("}}").starts_with("HTTP/1.1 413 "));
}

TEST(HttpServer, AsksTheRouteForItsBodyLimit) {
  const auto server = StartServer(
      {.body_limit = [](const HttpRequest& head) { return head.path == "/big" ? 1_MiB : 1_B; }},
      Echo);
  HttpClient client;
  const std::string body(1000, 'x');
  EXPECT_EQ(client.Send({.method = "PUT", .url = UrlOf(*server, "/big"), .body = {body}})->status,
            200);
  EXPECT_EQ(client.Send({.method = "PUT", .url = UrlOf(*server, "/"), .body = {body}})->status,
            413);
}

TEST(HttpServer, BoundsTheMemoryOfAllBodies) {
  const auto server = StartServer({.bodies_bytes_max = 100_B, .retry_after = 1500ms}, Echo);
  HttpClient client;
  const std::string body(101, 'x');
  const auto answer = client.Send({.method = "PUT", .url = UrlOf(*server, "/"), .body = {body}});
  EXPECT_EQ(answer->status, 503);
  EXPECT_EQ(answer->headers.Get("Retry-After"), "2");
}

TEST(HttpServer, BoundsTheMemoryOfAnswersThatNobodyTakes) {
  // More than the system takes for a connection, so that it stays with the server.
  const auto server =
      StartServer({.answers_bytes_max = 1_MiB},
                  [](const HttpRequest& request, const std::shared_ptr<Responder>& answer) {
                    const size_t size = request.path == "/big" ? 48 << 20 : 1000;
                    answer->Send(Text(200, std::string(size, 'x')));
                  });
  HttpClient client;
  const auto status = [&](const std::string& path) {
    const auto answer = client.Send({.method = "GET", .url = UrlOf(*server, path)});
    return answer.ok() ? answer->status : 0;
  };
  {
    TestSocket stopped(server->port());
    stopped.Send("GET /big HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_TRUE(stopped.ReadUntil("\r\n\r\n").starts_with("HTTP/1.1 200 "));
    EXPECT_EQ(status("/big"), 503);
    EXPECT_EQ(status("/"), 200);
  }
  int after = 503;
  for (int i = 0; i < 1000 && after == 503; ++i) after = status("/big");
  EXPECT_EQ(after, 200);
}

TEST(HttpServer, RefusesWhatIsNotHttp) {
  const auto server = StartServer({}, Echo);
  for (const char* request :
       {"nonsense\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    TestSocket socket(server->port());
    socket.Send(request);
    const std::string answer = socket.ReadUntil("}}");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 400 ")) << request << "\n" << answer;
  }
}

TEST(HttpServer, RefusesAHeaderOverTheLimit) {
  const auto server = StartServer({.header_bytes_max = 1_KiB}, Echo);
  TestSocket socket(server->port());
  socket.Send("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(5000, 'x') + "\r\n\r\n");
  EXPECT_TRUE(socket.ReadUntil("}}").starts_with("HTTP/1.1 431 "));
}

TEST(HttpServer, RefusesConnectionsOverTheLimit) {
  const auto server = StartServer({.connections_max = 1}, Echo);
  TestSocket kept(server->port());
  kept.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  kept.ReadUntil("GET / ");
  {
    TestSocket refused(server->port());
    refused.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    const std::string answer = refused.ReadUntil("}}");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 503 ")) << answer;
    EXPECT_NE(answer.find("Retry-After: 1\r\n"), std::string::npos);
  }
  kept.Send("GET /again HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_NE(kept.ReadUntil("GET /again").find("GET /again"), std::string::npos);
}

TEST(HttpServer, RefusesRequestsWhenTheHandlerQueueIsFull) {
  std::promise<void> entered;
  std::promise<void> release;
  std::atomic<int> calls{0};
  auto released = release.get_future().share();
  const auto server = StartServer({.handler_threads = 1, .handler_queue_max = 1},
                                  [&](HttpRequest request, const Answering& responder) {
                                    if (calls++ == 0) {
                                      entered.set_value();
                                      released.wait();
                                    }
                                    Echo(std::move(request), responder);
                                  });
  HttpClient client;
  auto ask = [&] { return client.Send({.url = UrlOf(*server, "/")}); };
  auto running = std::async(std::launch::async, ask);
  entered.get_future().wait();
  // Of the next two, one waits in the queue and the other finds it full.
  auto a = std::async(std::launch::async, ask);
  auto b = std::async(std::launch::async, ask);
  while (a.wait_for(1ms) != std::future_status::ready &&
         b.wait_for(1ms) != std::future_status::ready) {
  }
  release.set_value();
  std::vector<int> statuses = {a.get()->status, b.get()->status};
  std::sort(statuses.begin(), statuses.end());
  EXPECT_EQ(statuses, (std::vector<int>{200, 503}));
  EXPECT_EQ(running.get()->status, 200);
}

TEST(HttpServer, AnswersForAHandlerThatForgot) {
  const auto server = StartServer({}, [](const HttpRequest&, const Answering&) {});
  HttpClient client;
  EXPECT_EQ(client.Send({.url = UrlOf(*server, "/")})->status, 500);
}

TEST(HttpServer, TakesAnAnswerFromAnotherThreadLater) {
  std::vector<std::thread> threads;
  Mutex mu;
  {
    const auto server = StartServer({}, [&](HttpRequest request, const Answering& responder) {
      MutexLock lock(mu);
      threads.emplace_back([request = std::move(request), responder] { Echo(request, responder); });
    });
    HttpClient client;
    EXPECT_EQ(client.Send({.url = UrlOf(*server, "/later")})->body, "GET /later ");
  }
  for (auto& thread : threads) thread.join();
}

TEST(HttpServer, IgnoresAnAnswerThatComesAfterTheServerEnded) {
  Answering kept;
  std::promise<void> entered;
  auto server = StartServer({}, [&](const HttpRequest&, const Answering& responder) {
    kept = responder;
    entered.set_value();
  });
  TestSocket socket(server->port());
  socket.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  entered.get_future().wait();
  server.reset();
  kept->Send(Text(200, "too late"));
  EXPECT_EQ(socket.ReadToEnd(), "");
}

TEST(HttpServer, DropsAHeaderThatDoesNotArriveInTime) {
  MetricRegistry metrics;
  const auto server = StartServer({.read_timeout = 50ms, .metrics = &metrics}, Echo);
  TestSocket socket(server->port());
  socket.Send("GET / HT");
  EXPECT_TRUE(socket.ReadToEnd().starts_with("HTTP/1.1 408 "));
  EXPECT_GE(metrics.Value("http_timeouts_total"), 1);
}

TEST(HttpServer, DropsABodyThatDoesNotArriveInTime) {
  const auto server = StartServer({.read_timeout = 50ms}, Echo);
  TestSocket socket(server->port());
  socket.Send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab");
  EXPECT_EQ(socket.ReadToEnd(), "");
}

TEST(HttpServer, ClosesIdleConnections) {
  const auto server = StartServer({.idle_timeout = 50ms}, Echo);
  TestSocket socket(server->port());
  socket.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(socket.ReadToEnd().ends_with("GET / "));
}

TEST(HttpServer, CutsOffAPeerThatTakesAnAnswerByTheSpoonful) {
  MetricRegistry metrics;
  // Each spoonful comes long before the time-out; all of them would take minutes.
  const auto server =
      StartServer({.write_timeout = 300ms, .bytes_per_second_min = 1_GiB, .metrics = &metrics},
                  [](const HttpRequest&, const Answering& responder) {
                    responder->Send(Text(200, std::string(48 << 20, 'x')));
                  });
  TestSocket socket(server->port(), 4096);
  socket.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  size_t taken = 0;
  const auto cut = [&] { return metrics.Value("http_timeouts_total") == 1; };
  while (!cut() && socket.ReadPiece()) {
    taken += 4096;
    ::poll(nullptr, 0, 10);
  }
  EXPECT_TRUE(cut());
  EXPECT_LT(taken, 24u << 20);
}

TEST(HttpServer, CleansAwayHeaderInjection) {
  const auto server = StartServer({}, [](const HttpRequest&, const Answering& responder) {
    HttpResponse response = Text(200, "");
    response.headers.Set("X-Name", "a\r\nX-Evil: 1");
    responder->Send(std::move(response));
  });
  HttpClient client;
  const auto answer = client.Send({.url = UrlOf(*server, "/")});
  EXPECT_FALSE(answer->headers.Has("X-Evil"));
  EXPECT_EQ(answer->headers.Get("X-Name"), "a  X-Evil: 1");
}

TEST(HttpServer, SaysWhenThePortIsInUse) {
  const auto server = StartServer({}, Echo);
  const auto second = HttpServer::Start({.listen = server->address()}, Echo);
  EXPECT_EQ(second.status().code(), Code::kAlreadyExists);
  EXPECT_NE(second.status().message().find(server->address()), std::string_view::npos);
}

TEST(HttpServer, RefusesABadListenAddress) {
  for (const char* listen : {"", "7700", "300.0.0.1.5:x", "127.0.0.1:99999"}) {
    EXPECT_EQ(HttpServer::Start({.listen = listen}, Echo).status().code(), Code::kInvalidArgument)
        << listen;
  }
}

TEST(HttpServer, ServesManyConnectionsFromSeveralThreads) {
  const auto server = StartServer({.threads = 2, .handler_threads = 2}, Echo);
  HttpClient client;
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        const std::string body(static_cast<size_t>(i) * 997, 'b');
        const auto answer =
            client.Send({.method = "POST", .url = UrlOf(*server, "/m"), .body = {body}});
        if (answer.ok() && answer->body == "POST /m " + body) ++good;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, 400);
}

TEST(HttpServer, FinishesRequestsUnderWayBeforeItStops) {
  std::promise<Answering> held;
  auto server = StartServer(
      {}, [&](const HttpRequest&, const Answering& responder) { held.set_value(responder); });
  TestSocket idle(server->port());
  TestSocket busy(server->port());
  busy.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  const Answering responder = held.get_future().get();
  std::thread stopper([&] { server->Shutdown(1h); });
  EXPECT_EQ(idle.ReadToEnd(), "");  // closed at once: the shutdown has begun
  responder->Send(Text(200, "done"));
  const std::string answer = busy.ReadToEnd();
  EXPECT_TRUE(answer.ends_with("done"));
  EXPECT_NE(answer.find("Connection: close"), std::string::npos);
  stopper.join();
  EXPECT_FALSE(TestSocket(server->port()).connected());
}

}  // namespace
}  // namespace kelp::net
