// Streams over loopback: order, back-pressure, peers that go away.
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "net/http_client.h"
#include "net/http_server.h"
#include "net/test_socket.h"

namespace kelp::net {
namespace {

using Answering = std::shared_ptr<Responder>;

std::unique_ptr<HttpServer> StartServer(HttpServerOptions options, Handler handler) {
  auto server = HttpServer::Start(std::move(options), std::move(handler));
  CHECK(server.ok(), server.status().ToString());
  return *std::move(server);
}

// A server that hands its one stream to the test.
struct StreamServer {
  explicit StreamServer(HttpServerOptions options = {}) {
    server =
        StartServer(std::move(options), [this](const HttpRequest&, const Answering& responder) {
          responder->StartStream(200, {{"Content-Type", "text/event-stream"}});
          stream.set_value(responder);
        });
  }
  Answering Get() { return stream.get_future().get(); }
  std::string Url() const { return "http://" + server->address() + "/tail"; }

  std::promise<Answering> stream;
  std::unique_ptr<HttpServer> server;
};

TEST(Stream, ArrivesPieceByPieceAndInOrder) {
  StreamServer server;
  HttpClient client;
  std::promise<void> first_seen;
  std::string got;
  auto reading = std::async(std::launch::async, [&] {
    return client.SendStreaming({.url = server.Url()}, [&](std::string_view chunk) {
      if (got.empty()) first_seen.set_value();
      got += chunk;
      return true;
    });
  });
  const Answering stream = server.Get();
  EXPECT_TRUE(stream->Write("one "));
  first_seen.get_future().wait();  // it came before the stream ended
  std::string expected = "one ";
  for (int i = 0; i < 1000; ++i) {
    const std::string piece = std::to_string(i) + " ";
    expected += piece;
    ASSERT_TRUE(stream->Write(piece));
  }
  stream->Finish();
  const auto answer = reading.get();
  ASSERT_TRUE(answer.ok()) << answer.status().ToString();
  EXPECT_EQ(answer->headers.Get("Content-Type"), "text/event-stream");
  EXPECT_EQ(got, expected);
}

TEST(Stream, StopsWhenTheReaderHasEnough) {
  StreamServer server;
  HttpClient client;
  auto reading = std::async(std::launch::async, [&] {
    return client.SendStreaming({.url = server.Url()}, [&](std::string_view) { return false; });
  });
  const Answering stream = server.Get();
  std::promise<void> closed;
  stream->OnClose([&] { closed.set_value(); });
  stream->Write("x");
  EXPECT_TRUE(reading.get().ok());
  closed.get_future().wait();
  EXPECT_FALSE(stream->Write("y"));
}

TEST(Stream, NoticesAPeerThatGoesAwayWhileNothingIsWritten) {
  StreamServer server;
  TestSocket socket(server.server->port());
  socket.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  const Answering stream = server.Get();
  std::promise<void> closed;
  stream->OnClose([&] { closed.set_value(); });
  socket.ReadUntil("\r\n\r\n");
  socket.Reset();
  closed.get_future().wait();
  EXPECT_FALSE(stream->Write("x"));
}

TEST(Stream, NoticesAPeerThatGoesAwayBeforeAnAnswer) {
  std::promise<void> closed;
  std::promise<void> entered;
  const auto server = StartServer({}, [&](const HttpRequest&, const Answering& responder) {
    responder->OnClose([&closed, responder] { closed.set_value(); });
    entered.set_value();
  });
  TestSocket socket(server->port());
  socket.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  entered.get_future().wait();
  socket.Close();
  closed.get_future().wait();
}

TEST(Stream, CutsOffAReaderThatDoesNotRead) {
  MetricRegistry metrics;
  StreamServer server({.stream_queue_bytes_max = 256_KiB, .metrics = &metrics});
  TestSocket socket(server.server->port(), 4096);
  socket.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  const Answering stream = server.Get();
  std::promise<void> closed;
  stream->OnClose([&] { closed.set_value(); });
  const std::string piece(64 << 10, 'x');
  size_t written = 0;
  while (stream->Write(piece)) written += piece.size();
  closed.get_future().wait();
  EXPECT_LT(written, 64u << 20);  // the systems' socket buffers and the queue, no more
  EXPECT_EQ(metrics.Value("http_streams_cut_total"), 1);
}

TEST(Stream, HoldsBackAProducerThatWaits) {
  StreamServer server({.stream_queue_bytes_max = 256_KiB});
  HttpClient client;
  size_t got = 0;
  auto reading = std::async(std::launch::async, [&] {
    return client.SendStreaming({.url = server.Url()}, [&](std::string_view chunk) {
      got += chunk.size();
      return true;
    });
  });
  const Answering stream = server.Get();
  constexpr size_t kTotal = 32 << 20;
  for (size_t sent = 0; sent < kTotal; sent += 64 << 10) {
    ASSERT_TRUE(stream->WaitDrained(128 << 10, 1h));
    ASSERT_TRUE(stream->Write(std::string(64 << 10, 'x')));
  }
  stream->Finish();
  EXPECT_TRUE(reading.get().ok());
  EXPECT_EQ(got, kTotal);
}

TEST(Stream, ClosesAStreamWhosePeerTakesNothing) {
  StreamServer server({.write_timeout = 50ms});
  TestSocket socket(server.server->port(), 4096);
  socket.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  const Answering stream = server.Get();
  std::promise<void> closed;
  stream->OnClose([&] { closed.set_value(); });
  ASSERT_TRUE(stream->Write(std::string(32 << 20, 'x')));
  closed.get_future().wait();
}

TEST(Stream, TellsTheReaderThatItIsIncomplete) {
  StreamServer server;
  HttpClient client;
  auto reading = std::async(std::launch::async, [&] { return client.Send({.url = server.Url()}); });
  Answering stream = server.Get();
  stream->Write("part");
  server.stream = {};
  stream.reset();
  const auto answer = reading.get();
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.status().code(), Code::kUnavailable);
}

TEST(Stream, EndsWithTheConnectionForHttp10) {
  StreamServer server;
  TestSocket socket(server.server->port());
  socket.Send("GET / HTTP/1.0\r\n\r\n");
  const Answering stream = server.Get();
  stream->Write("abc");
  stream->Finish();
  const std::string answer = socket.ReadToEnd();
  EXPECT_TRUE(answer.ends_with("\r\n\r\nabc")) << answer;
  EXPECT_EQ(answer.find("chunked"), std::string::npos);
}

TEST(Stream, EndsWithItsHeadForHead) {
  StreamServer server;
  HttpClient client;
  const auto answer = client.Send({.method = "HEAD", .url = server.Url()});
  ASSERT_TRUE(answer.ok()) << answer.status().ToString();
  EXPECT_EQ(answer->headers.Get("Content-Type"), "text/event-stream");
}

TEST(Stream, EndsWhenTheServerDoes) {
  StreamServer server;
  TestSocket socket(server.server->port());
  socket.Send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
  const Answering stream = server.Get();
  std::promise<void> closed;
  stream->OnClose([&] { closed.set_value(); });
  server.server->Shutdown(Duration(0));
  closed.get_future().wait();
  EXPECT_FALSE(stream->Write("x"));
}

TEST(Stream, GoesOnWithTheNextRequestAfterItsEnd) {
  std::atomic<int> calls{0};
  const auto server = StartServer({}, [&](const HttpRequest&, const Answering& responder) {
    responder->StartStream(200, {});
    responder->Write("s" + std::to_string(++calls));
    responder->Finish();
  });
  HttpClient client;
  const std::string url = "http://" + server->address() + "/";
  EXPECT_EQ(client.Send({.url = url})->body, "s1");
  EXPECT_EQ(client.Send({.url = url})->body, "s2");
}

}  // namespace
}  // namespace kelp::net
