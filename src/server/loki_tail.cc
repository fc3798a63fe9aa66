#include "server/loki_tail.h"

#include <algorithm>
#include <atomic>
#include <set>
#include <utility>

#include "net/websocket.h"
#include "server/loki_json.h"
#include "server/tail_hub.h"

namespace kelp::server {
namespace {

// How often pings and reports of dropped rows are looked at.
constexpr Duration kTick = 1s;
// Lines that may come in while the rows from before are being read.
constexpr size_t kWaitingLinesMax = 5'000;

}  // namespace

// One client. Feed is called by the store's commit thread; the rest by the hub's.
class LokiTails::Tail {
 public:
  Tail(Clock& clock, Request request, std::shared_ptr<net::Responder> responder,
       size_t queue_bytes_max, Counter& dropped)
      : clock_(clock),
        request_(std::move(request)),
        filter_(*request_.expr),
        responder_(std::move(responder)),
        queue_bytes_max_(queue_bytes_max),
        dropped_total_(dropped) {}

  Status Subscribe(store::Store& store) {
    for (const store::LogstoreName& name : request_.logstores) {
      ASSIGN_OR_RETURN(auto subscription,
                       store.Subscribe(name, [this, logstore = name.logstore](const Batch& batch) {
                         Feed(batch, logstore);
                       }));
      subscriptions_.push_back(std::move(subscription));
    }
    return OkStatus();
  }

  // Sends what was there before, and what came in meanwhile and is not among it.
  void Begin() {
    std::vector<loki::LogLine> lines;
    if (request_.earlier) lines = request_.earlier();
    using Key = std::pair<UnixNanos, std::string>;
    std::set<Key> known;
    for (const loki::LogLine& line : lines) known.insert(Key(line.time, line.line));
    MutexLock lock(mu_);
    for (loki::LogLine& line : waiting_) {
      if (known.count(Key(line.time, line.line)) == 0) lines.push_back(std::move(line));
    }
    waiting_.clear();
    live_ = true;
    if (!lines.empty()) Send(lines);
  }

  void Feed(const Batch& batch, const std::string& logstore) EXCLUDES(mu_) {
    if (closed_ || !filter_.MayTake(*batch.resource(), logstore)) return;
    std::vector<loki::LogLine> lines;
    batch.ForEach([&](uint32_t row) {
      if (!TakeTurn()) return Drop();
      query::Row full = query::RowOf(batch, row);
      full.logstore = logstore;
      if (auto line = filter_.Take(full)) lines.push_back(*std::move(line));
    });
    if (lines.empty()) return;
    MutexLock lock(mu_);
    if (live_) return Send(lines);
    for (loki::LogLine& line : lines) {
      if (waiting_.size() >= kWaitingLinesMax) {
        Drop();
      } else {
        waiting_.push_back(std::move(line));
      }
    }
  }

  // Reports what was dropped; says that the stream is alive when it has been silent.
  void Tick() {
    MutexLock lock(mu_);
    if (!live_) return;
    if (dropped_ != 0) return Send({});
    if (clock_.Monotonic() - last_sent_ < kTailHeartbeat) return;
    last_sent_ = clock_.Monotonic();
    if (!responder_->Write(net::WebSocket::Ping())) closed_ = true;
  }

  void Close() { closed_ = true; }
  bool closed() const { return closed_; }

  // Waits for a running Feed.
  void End() {
    subscriptions_.clear();
    responder_->Write(net::WebSocket::Close(1000, ""));
    responder_->Finish();
  }

 private:
  void Drop() {
    ++dropped_;
    dropped_total_.Add();
  }

  void Send(const std::vector<loki::LogLine>& lines) REQUIRES(mu_) {
    last_sent_ = clock_.Monotonic();
    const std::string json =
        LokiTailMessage(lines, request_.categorize, dropped_.exchange(0), clock_.Now());
    if (!responder_->Write(net::WebSocket::Text(json))) closed_ = true;
  }

  // False when the row must be dropped: too many in this second, or the reader is too slow.
  bool TakeTurn() {
    const Duration now = clock_.Monotonic();
    if (now - second_ >= 1s) {
      second_ = now;
      rows_in_second_ = 0;
    }
    if (rows_in_second_ >= kTailRowsPerSecondMax) return false;
    if (responder_->queued_bytes() > queue_bytes_max_) return false;
    ++rows_in_second_;
    return true;
  }

  Clock& clock_;
  const Request request_;
  loki::RowFilter filter_;
  const std::shared_ptr<net::Responder> responder_;
  const size_t queue_bytes_max_;
  Counter& dropped_total_;
  std::atomic<bool> closed_{false};
  std::atomic<uint64_t> dropped_{0};
  Duration second_{0};
  int64_t rows_in_second_ = 0;
  Mutex mu_;
  bool live_ GUARDED_BY(mu_) = false;
  Duration last_sent_ GUARDED_BY(mu_){0};
  std::vector<loki::LogLine> waiting_ GUARDED_BY(mu_);
  // Last: they end first, and wait for a running Feed, which uses the others.
  std::vector<std::shared_ptr<void>> subscriptions_;
};

LokiTails::LokiTails(Clock& clock, store::Store& store, MetricRegistry& metrics, int tails_max)
    : clock_(clock),
      store_(store),
      tails_max_(static_cast<size_t>(tails_max)),
      dropped_rows_(metrics.AddCounter("server_loki_tail_dropped_rows_total",
                                       "Rows that tails of the Loki API did not get.")),
      refused_(metrics.AddCounter("server_loki_tails_refused_total",
                                  "Tails refused, as query.tails_max were being served.")),
      open_(metrics.AddGauge("server_loki_tails", "Live tails of the Loki API being served.")),
      thread_([this] { Run(); }) {}

Status LokiTails::Add(Request tail, const net::HttpRequest& request,
                      const std::shared_ptr<net::Responder>& responder) {
  {
    MutexLock lock(mu_);
    if (stop_) return UnavailableError("the server is stopping");
    if (tails_.size() >= tails_max_) {
      refused_.Add();
      return UnavailableError("the server follows " + std::to_string(tails_max_) +
                              " live tails already");
    }
  }
  auto added = std::make_shared<Tail>(clock_, std::move(tail), responder,
                                      TailQueueBytes(tails_max_), dropped_rows_);
  RETURN_IF_ERROR(added->Subscribe(store_));
  RETURN_IF_ERROR(net::WebSocket::Accept(request, responder));
  responder->OnClose([weak = std::weak_ptr<Tail>(added)] {
    if (const auto closed = weak.lock()) closed->Close();
  });
  added->Begin();
  MutexLock lock(mu_);
  if (stop_) {
    added->End();
  } else {
    tails_.push_back(std::move(added));
    open_.Set(static_cast<int64_t>(tails_.size()));
  }
  return OkStatus();
}

std::vector<std::shared_ptr<LokiTails::Tail>> LokiTails::All() {
  MutexLock lock(mu_);
  return tails_;
}

void LokiTails::Stop() {
  {
    MutexLock lock(mu_);
    if (stop_ && !thread_.joinable()) return;
    stop_ = true;
  }
  wake_.NotifyAll();
  if (thread_.joinable()) thread_.join();
  for (const auto& tail : All()) tail->End();
  MutexLock lock(mu_);
  tails_.clear();
  open_.Set(0);
}

void LokiTails::Run() {
  while (true) {
    {
      MutexLock lock(mu_);
      if (!stop_) wake_.WaitFor(mu_, kTick);
      if (stop_) return;
    }
    std::vector<std::shared_ptr<Tail>> ended;
    for (const auto& tail : All()) {
      tail->Tick();
      if (tail->closed()) ended.push_back(tail);
    }
    for (const auto& tail : ended) tail->End();
    MutexLock lock(mu_);
    std::erase_if(tails_, [](const auto& tail) { return tail->closed(); });
    open_.Set(static_cast<int64_t>(tails_.size()));
  }
}

}  // namespace kelp::server
