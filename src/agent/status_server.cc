#include "agent/status_server.h"

#include <fmt/core.h>

#include <algorithm>

#include "agent/ledger_json.h"
#include "codec/byte_buffer.h"
#include "codec/json_print.h"
#include "net/http_server.h"
#include "net/router.h"

namespace kelp::agent {
namespace {

// A tap is for eyes: more rows a second than this cannot be read, and must not cost a pipeline.
constexpr int kTapRateDefault = 50;
constexpr int kTapRateMax = 1000;
// A reader of a tap that is slower than this loses rows, counted, and never holds a pipeline.
constexpr size_t kTapQueueBytesMax = 1u << 20;
// So much of a scrape waits for its reader.
constexpr size_t kScrapeQueueBytesMax = 256u << 10;
// Two: probes are answered beside a slow scrape.
constexpr int kHandlerThreads = 2;

// One `kelp tap`: a stream of rows at a bounded rate.
//
// Threads: Show comes from workers.
class TapStream {
 public:
  TapStream(std::shared_ptr<net::Responder> out, Clock& clock, int rate)
      : out_(std::move(out)), clock_(clock), rate_(rate) {}

  void Show(const Batch& batch) {
    MutexLock lock(mu_);
    ShowIn(window_, batch);
  }

 private:
  // The second that runs, and what rows are printed with.
  struct Window {
    Duration begin{0};
    int shown = 0;
    uint64_t withheld = 0;
    codec::RowPrinter printer;
    codec::ByteBuffer text;
  };

  // Under mu_. Not in Show: of a lambda the analysis cannot say which locks are held.
  void ShowIn(Window& window, const Batch& batch) {
    const Duration now = clock_.Monotonic();
    if (now - window.begin >= 1s) {
      ReportWithheld(window);
      window.begin = now;
      window.shown = 0;
    }
    bool started = false;
    batch.ForEach([&](uint32_t row) {
      if (window.shown >= rate_ || out_->queued_bytes() > kTapQueueBytesMax) {
        ++window.withheld;
        return;
      }
      if (!started) window.printer.Start(batch);
      started = true;
      ++window.shown;
      window.text.Clear();
      window.printer.Append(window.text, row);
      out_->Write(net::SseEvent("row", window.text.view()));
    });
  }

  void ReportWithheld(Window& window) {
    if (window.withheld == 0) return;
    out_->Write(net::SseEvent("dropped", fmt::format("{{\"rows\":{}}}", window.withheld)));
    window.withheld = 0;
  }

  const std::shared_ptr<net::Responder> out_;
  Clock& clock_;
  const int rate_;
  Mutex mu_;
  Window window_ GUARDED_BY(mu_);
};

std::string StatusJson(const pipeline::Engine& engine, const std::string& data_dir) {
  std::string out = "{\"data_dir\":";
  net::AppendJsonString(out, data_dir);
  out += ",\"pipelines\":[";
  bool first = true;
  for (const pipeline::PipelineStatus& p : engine.Statuses()) {
    if (!first) out += ',';
    first = false;
    out += "{\"name\":";
    net::AppendJsonString(out, p.name);
    out += fmt::format(",\"state\":\"{}\",\"message\":", pipeline::PipelineStateName(p.state));
    net::AppendJsonString(out, p.message);
    out += fmt::format(
        ",\"rows_in\":{},\"rows_out\":{},\"origins\":{},\"bytes_held\":{},\"output_full\":{}}}",
        p.rows_in, p.rows_out, p.origins, p.bytes_held, p.output_full);
  }
  out += fmt::format("],\"memory\":{{\"used\":{},\"peak\":{},\"limit\":{}}}}}\n",
                     engine.memory().used(), engine.memory().peak(), engine.memory().limit());
  return out;
}

class Server final : public StatusServer {
 public:
  Server(Env& env, pipeline::Engine& engine, MetricRegistry& metrics, std::string data_dir)
      : env_(env), engine_(engine), metrics_(metrics), data_dir_(std::move(data_dir)) {}
  ~Server() override {
    if (http_ != nullptr) http_->Shutdown(Duration(0));
  }

  Status Listen(const std::string& listen) {
    net::Router router;
    AddRoutes(router);
    net::HttpServerOptions options;
    options.listen = listen;
    options.handler_threads = kHandlerThreads;
    options.connections_max = 128;
    options.body_bytes_max = ByteSize{0};
    ASSIGN_OR_RETURN(http_, net::HttpServer::Start(options, router));
    return OkStatus();
  }
  const std::string& address() const override { return http_->address(); }

 private:
  void AddRoutes(net::Router& router) {
    router.Add("GET", "/healthz", [](net::HttpRequest, std::shared_ptr<net::Responder> out) {
      out->Send(net::Text(200, "ok\n"));
    });
    router.Add("GET", "/readyz",
               [this](net::HttpRequest, std::shared_ptr<net::Responder> out) { SendReady(*out); });
    router.Add("GET", "/metrics", [this](net::HttpRequest, std::shared_ptr<net::Responder> out) {
      SendScrape(metrics_, env_.clock(), *out);
    });
    router.Add("GET", "/api/v1/status",
               [this](net::HttpRequest, std::shared_ptr<net::Responder> out) {
                 out->Send(net::Json(200, StatusJson(engine_, data_dir_)));
               });
    router.Add("GET", "/api/v1/ledger",
               [this](net::HttpRequest request, std::shared_ptr<net::Responder> out) {
                 SendLedger(request, *out);
               });
    router.Add("GET", "/api/v1/tap",
               [this](net::HttpRequest request, std::shared_ptr<net::Responder> out) {
                 Tap(request, std::move(out));
               });
  }

  void SendReady(net::Responder& out) const {
    if (engine_.Ready()) {
      out.Send(net::Text(200, "ready\n"));
      return;
    }
    std::string body = "not ready\n";
    for (const pipeline::PipelineStatus& p : engine_.Statuses()) {
      if (p.state == pipeline::PipelineState::kRunning) continue;
      body += fmt::format("{}: {} {}\n", p.name, pipeline::PipelineStateName(p.state), p.message);
    }
    out.Send(net::Text(503, std::move(body)));
  }

  void SendLedger(const net::HttpRequest& request, net::Responder& out) const {
    const auto pipeline = request.QueryParam("pipeline");
    if (!pipeline) {
      out.Send(net::Json(200, LedgerJson(engine_.Ledger())));
      return;
    }
    const auto entries = engine_.Ledger(*pipeline);
    out.Send(entries.ok() ? net::Json(200, LedgerJson(*entries)) : net::Error(entries.status()));
  }

  void Tap(const net::HttpRequest& request, std::shared_ptr<net::Responder> out) {
    const std::string name = request.QueryParam("pipeline").value_or("");
    int rate = kTapRateDefault;
    if (const auto text = request.QueryParam("rate")) {
      rate = std::clamp(std::atoi(text->c_str()), 1, kTapRateMax);
    }
    const auto stream = std::make_shared<TapStream>(out, env_.clock(), rate);
    auto tap = engine_.Tap(name, [stream](const Batch& batch) { stream->Show(batch); });
    if (!tap.ok()) {
      out->Send(net::Error(tap.status()));
      return;
    }
    out->StartStream(200, {{"Content-Type", "text/event-stream"}, {"Cache-Control", "no-cache"}});
    out->Write(": rows of pipeline " + name + "\n\n");
    // The tap lives until the peer goes away.
    out->OnClose([handle = std::move(tap).value()]() mutable { handle.reset(); });
  }

  Env& env_;
  pipeline::Engine& engine_;
  MetricRegistry& metrics_;
  const std::string data_dir_;
  std::unique_ptr<net::HttpServer> http_;
};

}  // namespace

void SendScrape(const MetricRegistry& metrics, Clock& clock, net::Responder& out) {
  out.StartStream(200, {{"Content-Type", "text/plain; version=0.0.4; charset=utf-8"}});
  const Duration end = clock.Monotonic() + kScrapeTime;
  bool taken = true;
  metrics.Print([&](std::string piece) {
    const Duration left = std::max(Duration(0), end - clock.Monotonic());
    taken = out.Write(std::move(piece)) && out.WaitDrained(kScrapeQueueBytesMax, left);
    return taken;
  });
  // Without an end a peer that was too slow does not take it for complete.
  if (taken) out.Finish();
}

Result<std::unique_ptr<StatusServer>> StatusServer::Start(const std::string& listen, Env& env,
                                                          pipeline::Engine& engine,
                                                          MetricRegistry& metrics,
                                                          std::string data_dir) {
  auto server = std::make_unique<Server>(env, engine, metrics, std::move(data_dir));
  RETURN_IF_ERROR(server->Listen(listen));
  return std::unique_ptr<StatusServer>(std::move(server));
}

}  // namespace kelp::agent
