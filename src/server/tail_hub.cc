#include "server/tail_hub.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <utility>
#include <vector>

namespace kelp::server {
namespace {

using SteadyClock = std::chrono::steady_clock;
// How often heartbeats and reports of dropped rows are looked at.
constexpr Duration kTick = 500ms;

}  // namespace

// One client. Feed is called by the store's commit thread only; the rest by the hub's.
class TailHub::Tail {
 public:
  Tail(std::vector<store::LogstoreName> names, std::shared_ptr<const query::Query> query,
       std::shared_ptr<net::Responder> responder, size_t queue_bytes_max, Counter& dropped_rows)
      : names_(std::move(names)),
        matcher_(std::move(query)),
        responder_(std::move(responder)),
        queue_bytes_max_(queue_bytes_max),
        dropped_total_(dropped_rows) {}

  void AddSubscription(std::shared_ptr<void> subscription) {
    subscriptions_.push_back(std::move(subscription));
  }
  const std::vector<store::LogstoreName>& names() const { return names_; }
  std::atomic<bool>& closed() { return closed_; }
  void Begin() {
    responder_->StartStream(200, {{"Content-Type", "text/event-stream"},
                                  {"Cache-Control", "no-cache"},
                                  {"X-Accel-Buffering", "no"}});
    responder_->Write(": following\n\n");
    begun_ = true;
  }

  // Of names()[source].
  void Feed(const Batch& batch, size_t source) {
    if (!begun_ || closed_) return;
    events_.clear();
    matcher_.Match(batch, [&](uint32_t row) {
      if (!TakeTurn()) {
        ++dropped_;
        dropped_total_.Add();
        return;
      }
      json_.clear();
      query::Row found = query::RowOf(batch, row);
      if (names_.size() > 1) found.logstore = names_[source].logstore;
      query::PrintRowJson(found, json_);
      events_ += net::SseEvent("row", json_);
    });
    if (events_.empty()) return;
    silent_since_ = SteadyClock::now().time_since_epoch().count();
    if (!responder_->Write(std::move(events_))) closed_ = true;
    events_ = {};
  }

  // Reports what was dropped; says that the stream is alive when it has been silent.
  void Tick() {
    const auto now = SteadyClock::now().time_since_epoch();
    std::string text;
    if (const uint64_t rows = dropped_.exchange(0); rows != 0) {
      text = net::SseEvent("dropped", "{\"rows\":" + std::to_string(rows) + "}");
    } else if (now - SteadyClock::duration(silent_since_.load()) >= kTailHeartbeat) {
      text = ": still here\n\n";
    }
    if (text.empty()) return;
    silent_since_ = now.count();
    if (!responder_->Write(std::move(text))) closed_ = true;
  }

  // Waits for a running Feed.
  void End() {
    subscriptions_.clear();
    responder_->Finish();
  }

 private:
  // False when the row must be dropped: too many in this second, or the reader is too slow.
  bool TakeTurn() {
    const auto now = SteadyClock::now();
    if (now - second_ >= std::chrono::seconds(1)) {
      second_ = now;
      rows_in_second_ = 0;
    }
    if (rows_in_second_ >= kTailRowsPerSecondMax) return false;
    if (responder_->queued_bytes() + events_.size() > queue_bytes_max_) return false;
    ++rows_in_second_;
    return true;
  }

  const std::vector<store::LogstoreName> names_;
  query::LiveMatcher matcher_;
  const std::shared_ptr<net::Responder> responder_;
  const size_t queue_bytes_max_;
  Counter& dropped_total_;
  std::atomic<bool> begun_{false};
  std::atomic<bool> closed_{false};
  std::atomic<uint64_t> dropped_{0};
  std::atomic<int64_t> silent_since_{SteadyClock::now().time_since_epoch().count()};
  SteadyClock::time_point second_;
  int64_t rows_in_second_ = 0;
  std::string events_;
  std::string json_;
  // Last: they end first, and wait for a running Feed, which uses the others.
  std::vector<std::shared_ptr<void>> subscriptions_;
};

TailHub::TailHub(store::Store& store, MetricRegistry& metrics, int tails_max)
    : store_(store),
      tails_max_(tails_max),
      dropped_rows_(metrics.AddCounter("server_tail_dropped_rows_total",
                                       "Rows that live tails did not get for being too slow.")),
      refused_(metrics.AddCounter("server_tails_refused_total",
                                  "Live tails refused, as query.tails_max were being served.")),
      open_(metrics.AddGauge("server_tails", "Live tails being served.")),
      thread_([this] { Run(); }) {}

Status TailHub::Subscribe(Tail& tail) {
  for (size_t i = 0; i < tail.names().size(); ++i) {
    ASSIGN_OR_RETURN(auto subscription,
                     store_.Subscribe(tail.names()[i], [raw = &tail, i](const Batch& batch) {
                       raw->Feed(batch, i);
                     }));
    tail.AddSubscription(std::move(subscription));
  }
  return OkStatus();
}

void TailHub::Forget(uint64_t id) {
  MutexLock lock(mu_);
  tails_.erase(id);
  open_.Set(static_cast<int64_t>(tails_.size()));
}

Status TailHub::Add(std::vector<store::LogstoreName> names,
                    std::shared_ptr<const query::Query> query,
                    const std::shared_ptr<net::Responder>& responder) {
  auto tail =
      std::make_shared<Tail>(std::move(names), std::move(query), responder,
                             TailQueueBytes(static_cast<size_t>(tails_max_)), dropped_rows_);
  uint64_t id;
  {
    MutexLock lock(mu_);
    if (stop_) return UnavailableError("the server is stopping");
    if (tails_.size() >= static_cast<size_t>(tails_max_)) {
      refused_.Add();
      return UnavailableError("the server follows " + std::to_string(tails_max_) +
                              " live tails already");
    }
    id = next_id_++;
    tails_[id] = nullptr;  // holds the place
    open_.Set(static_cast<int64_t>(tails_.size()));
  }
  if (Status status = Subscribe(*tail); !status.ok()) {
    Forget(id);
    return status;
  }
  tail->Begin();
  // The hub may be gone when the connection closes; the tail itself is not.
  responder->OnClose([weak = std::weak_ptr<Tail>(tail)] {
    if (const auto closed = weak.lock()) closed->closed() = true;
  });
  {
    MutexLock lock(mu_);
    if (!stop_) {
      tails_[id] = std::move(tail);
      return OkStatus();
    }
  }
  Forget(id);
  tail->End();
  return OkStatus();
}

template <typename F>
void TailHub::RemoveIf(F&& condition) {
  std::vector<std::shared_ptr<Tail>> ended;
  {
    MutexLock lock(mu_);
    for (auto it = tails_.begin(); it != tails_.end();) {
      if (it->second != nullptr && condition(*it->second)) {
        ended.push_back(std::move(it->second));
        it = tails_.erase(it);
      } else {
        ++it;
      }
    }
    open_.Set(static_cast<int64_t>(tails_.size()));
  }
  for (const auto& tail : ended) tail->End();
}

void TailHub::End(const store::LogstoreName& name) {
  RemoveIf([&](const Tail& tail) {
    return std::find(tail.names().begin(), tail.names().end(), name) != tail.names().end();
  });
}

void TailHub::Stop() {
  {
    MutexLock lock(mu_);
    if (stop_ && !thread_.joinable()) return;
    stop_ = true;
  }
  wake_.NotifyAll();
  if (thread_.joinable()) thread_.join();
  RemoveIf([](const Tail&) { return true; });
}

void TailHub::Run() {
  while (true) {
    std::vector<std::shared_ptr<Tail>> tails;
    {
      MutexLock lock(mu_);
      if (!stop_) wake_.WaitFor(mu_, kTick);
      if (stop_) return;
      for (const auto& [id, tail] : tails_) {
        if (tail != nullptr) tails.push_back(tail);
      }
    }
    for (const auto& tail : tails) tail->Tick();
    tails.clear();
    RemoveIf([](Tail& tail) { return tail.closed().load(); });
  }
}

}  // namespace kelp::server
