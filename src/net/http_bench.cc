// CPU per request of HttpServer over loopback: small GETs and 256 KiB POSTs, keep-alive.
//   kelp_http_bench        one JSON line per case
#include <fmt/core.h>
#include <sys/resource.h>
#include <time.h>

#include <atomic>
#include <thread>
#include <vector>

#include "net/http_server.h"
#include "net/test_socket.h"

namespace kelp::net {
namespace {

double ProcessCpu() {
  timespec ts;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
  return static_cast<double>(ts.tv_sec) + static_cast<double>(ts.tv_nsec) / 1e9;
}

double ThreadCpu() {
  timespec ts;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
  return static_cast<double>(ts.tv_sec) + static_cast<double>(ts.tv_nsec) / 1e9;
}

void Run(const char* name, int handler_threads, const std::string& request, size_t body_bytes,
         int rounds) {
  constexpr int kClients = 8;
  auto server = HttpServer::Start(
      {.handler_threads = handler_threads, .body_bytes_max = 64_MiB},
      [](HttpRequest, std::shared_ptr<Responder> responder) { responder->Send(Text(200, "ok")); });
  CHECK(server.ok(), server.status().ToString());
  const double before = ProcessCpu();
  std::atomic<double> clients{0};
  std::vector<std::thread> threads;
  for (int c = 0; c < kClients; ++c) {
    threads.emplace_back([&] {
      TestSocket socket((*server)->port());
      for (int i = 0; i < rounds; ++i) {
        socket.Send(request);
        socket.ReadUntil("\r\n\r\nok");
        socket.Forget();
      }
      clients.fetch_add(ThreadCpu());
    });
  }
  for (auto& thread : threads) thread.join();
  const double cpu = ProcessCpu() - before - clients;
  const double requests = static_cast<double>(kClients) * rounds;
  fmt::print("{{\"case\":\"{}\",\"handler_threads\":{},\"us_per_request\":{:.1f}", name,
             handler_threads, cpu / requests * 1e6);
  if (body_bytes != 0) {
    fmt::print(",\"gb_per_cpu_s\":{:.2f}", requests * static_cast<double>(body_bytes) / cpu / 1e9);
  }
  fmt::print("}}\n");
}

}  // namespace
}  // namespace kelp::net

int main() {
  const std::string get = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n";
  const size_t size = 256 << 10;
  const std::string post =
      "POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(size) +
      "\r\n\r\n" + std::string(size, 'x');
  for (const int handler_threads : {0, 2}) {
    kelp::net::Run("http_get", handler_threads, get, 0, 20000);
    kelp::net::Run("http_post_256k", handler_threads, post, size, 2000);
  }
  return 0;
}
