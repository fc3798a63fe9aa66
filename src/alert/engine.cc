#include "alert/engine.h"

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace kelp::alert {
namespace {

// How long the threads sleep at most: changes wake them anyway.
constexpr Duration kRestMax = 30s;

// No receiver's page is larger; more counts as a failure.
constexpr ByteSize kAnswerBytesMax = 4_MiB;

Status NoAlert(const std::string& project, const std::string& name) {
  return NotFoundError("the project \"" + project + "\" has no alert \"" + name + "\"");
}

Duration PauseAfter(uint32_t attempts) {
  Duration pause = kPauseFirst;
  for (uint32_t i = 1; i < attempts && pause < kPauseMax; ++i) pause *= 2;
  return std::min(pause, kPauseMax);
}

// A receiver that says that the message itself is wrong says so every time.
bool IsFinal(const Status& status) {
  return status.code() == Code::kInvalidArgument || status.code() == Code::kNotFound ||
         status.code() == Code::kUnimplemented;
}

}  // namespace

AlertEngine::AlertEngine(Clock& clock, domain::AlertStore& store, Backend& backend,
                         net::HttpTransport& transport, MetricRegistry& metrics)
    : clock_(clock),
      store_(store),
      backend_(backend),
      transport_(transport),
      evaluations_(metrics.AddCounter("alert_evaluations_total", "Alerts evaluated.")),
      failed_evaluations_(
          metrics.AddCounter("alert_evaluation_errors_total", "Evaluations that failed.")),
      sent_(metrics.AddCounter("alert_messages_sent_total", "Messages that a webhook took.")),
      failed_sends_(metrics.AddCounter("alert_messages_failed_total",
                                       "Attempts that a webhook did not take.")),
      given_up_(metrics.AddCounter("alert_messages_given_up_total",
                                   "Messages that were dropped without being taken.")),
      firing_(metrics.AddGauge("alert_firing_groups", "Groups of alerts that fire.")) {}

Status AlertEngine::Load() {
  ASSIGN_OR_RETURN(const auto stored, store_.All());
  MutexLock lock(mu_);
  for (const domain::StoredAlert& one : stored) {
    Result<Alert> alert = ParseAlert(one.project, one.name, one.definition);
    if (!alert.ok()) {
      LOG(kError, "the alert {}/{} cannot be read and does not run: {}", one.project, one.name,
          alert.status().message());
      continue;
    }
    Result<State> state = ParseState(one.state);
    if (!state.ok()) {
      LOG(kError, "the alert {}/{} begins anew: {}", one.project, one.name,
          state.status().message());
    }
    entries_[{one.project, one.name}] = {*std::move(alert),
                                         state.ok() ? *std::move(state) : State(), next_version_++};
  }
  CountFiring();
  return OkStatus();
}

void AlertEngine::Start() {
  const auto loop = [this](Duration (AlertEngine::*step)()) {
    while (true) {
      const Duration rest = (this->*step)();
      MutexLock lock(mu_);
      if (!stop_) wake_.WaitFor(mu_, std::clamp<Duration>(rest, 10ms, kRestMax));
      if (stop_) return;
    }
  };
  threads_.emplace_back(loop, &AlertEngine::RunDue);
  threads_.emplace_back(loop, &AlertEngine::SendDue);
}

void AlertEngine::Stop() {
  {
    MutexLock lock(mu_);
    stop_ = true;
  }
  wake_.NotifyAll();
  transport_.Cancel();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

std::string AlertEngine::Print(const Entry& entry, Show show) const {
  return "{" + PrintAlert(entry.alert, show) + "," + PrintStateForApi(entry.state) + "}";
}

Result<std::string> AlertEngine::List(const std::string& project, Show show) {
  MutexLock lock(mu_);
  std::string out = "{\"alerts\":[";
  for (const auto& [key, entry] : entries_) {
    if (key.first != project) continue;
    if (out.back() != '[') out += ',';
    out += Print(entry, show);
  }
  return out + "]}";
}

Result<std::string> AlertEngine::Get(const std::string& project, const std::string& name,
                                     Show show) {
  MutexLock lock(mu_);
  const auto found = entries_.find({project, name});
  if (found == entries_.end()) return NoAlert(project, name);
  return Print(found->second, show);
}

Status AlertEngine::Put(Alert alert) {
  MutexLock lock(mu_);
  const Key key{alert.project, alert.name};
  const auto old = entries_.find(key);
  if (alert.webhook && old != entries_.end() && old->second.alert.webhook) {
    // Only for the same receiver: else a secret could be sent to whoever changes the address.
    const Webhook& before = *old->second.alert.webhook;
    for (auto& [name, value] : alert.webhook->headers) {
      if (value != kHiddenValue || before.url != alert.webhook->url) continue;
      for (const auto& [other, kept] : before.headers) {
        if (other == name) value = kept;
      }
    }
  }
  for (const auto& [name, value] : alert.webhook ? alert.webhook->headers : Labels()) {
    if (value != kHiddenValue) continue;
    return InvalidArgumentError("the header " + name + " has no value: give it anew");
  }
  Entry entry;
  entry.alert = std::move(alert);
  entry.version = next_version_++;
  // The silence stays; groups begin anew, since they may mean something else now.
  if (old != entries_.end()) entry.state.silenced_until = old->second.state.silenced_until;
  RETURN_IF_ERROR(
      store_.Put({key.first, key.second, "{" + PrintAlert(entry.alert, Show::kAll) + "}",
                  PrintState(entry.state)}));
  entries_[key] = std::move(entry);
  CountFiring();
  wake_.NotifyAll();
  return OkStatus();
}

Status AlertEngine::Delete(const std::string& project, const std::string& name) {
  MutexLock lock(mu_);
  const auto found = entries_.find({project, name});
  if (found == entries_.end()) return NoAlert(project, name);
  // Of one that cannot be taken out of the file, the next start would make an alert again.
  const Status deleted = store_.Delete(project, name);
  if (!deleted.ok() && deleted.code() != Code::kNotFound) return deleted;
  entries_.erase(found);
  CountFiring();
  return OkStatus();
}

Status AlertEngine::Silence(const std::string& project, const std::string& name, UnixNanos until) {
  MutexLock lock(mu_);
  const auto found = entries_.find({project, name});
  if (found == entries_.end()) return NoAlert(project, name);
  found->second.state.silenced_until = until;
  return Save(found->first, found->second);
}

Status AlertEngine::Save(const Key& key, const Entry& entry) {
  return store_.SaveState(key.first, key.second, PrintState(entry.state));
}

void AlertEngine::CountFiring() {
  int64_t firing = 0;
  for (const auto& [key, entry] : entries_) {
    firing += std::count_if(entry.state.groups.begin(), entry.state.groups.end(),
                            [](const Group& group) { return group.firing; });
  }
  firing_.Set(firing);
}

// Runs that were missed are not made up for: one is made for all of them.
UnixNanos AlertEngine::NextRun(const Entry& entry) {
  const UnixNanos next =
      entry.state.last_run == 0 ? 0 : entry.state.last_run + entry.alert.every.count();
  return std::max(next, entry.not_before);
}

Duration AlertEngine::RunDue() {
  const UnixNanos now = clock_.Now();
  std::vector<Key> due;
  {
    MutexLock lock(mu_);
    for (const auto& [key, entry] : entries_) {
      // A clock that was set back must not stop an alert.
      const bool ahead = entry.state.last_run > now;
      if (entry.alert.enabled && (ahead || NextRun(entry) <= now)) due.push_back(key);
    }
  }
  for (const Key& key : due) RunOne(key, now);
  MutexLock lock(mu_);
  Duration rest = kEveryMax;
  for (const auto& [key, entry] : entries_) {
    if (entry.alert.enabled) rest = std::min(rest, Duration(NextRun(entry) - clock_.Now()));
  }
  return std::max(rest, Duration(0));
}

void AlertEngine::RunOne(const Key& key, UnixNanos now) {
  Alert alert;
  uint64_t version = 0;
  {
    MutexLock lock(mu_);
    const auto found = entries_.find(key);
    if (stop_ || found == entries_.end()) return;
    alert = found->second.alert;
    version = found->second.version;
  }
  evaluations_.Add();
  Evaluation evaluation;
  Result<std::vector<Finding>> findings = backend_.Evaluate(alert, now);
  if (findings.ok()) {
    evaluation.findings = *std::move(findings);
  } else {
    // A stop is no fault of the query.
    if (findings.status().code() == Code::kCancelled) return;
    failed_evaluations_.Add();
    evaluation.error = findings.status().message();
  }
  MutexLock lock(mu_);
  const auto found = entries_.find(key);
  if (found == entries_.end() || found->second.version != version) return;
  Entry next = found->second;
  const uint64_t given_up = next.state.given_up;
  Advance(alert, evaluation, now, next.state);
  given_up_.Add(next.state.given_up - given_up);
  const Status saved = Save(key, next);
  if (saved.code() == Code::kNotFound) {
    // It went with its project.
    entries_.erase(found);
    return CountFiring();
  }
  if (!saved.ok()) {
    // Nothing is sent that is not kept; the run is made again, but not at once: a full disk stays
    // full for a while, and the query costs the same each time.
    found->second.not_before = clock_.Now() + kEveryMin.count();
    LOG_RATE(10s, kError, "cannot keep the state of the alert {}/{}: {}", key.first, key.second,
             saved.message());
    return;
  }
  found->second = std::move(next);
  found->second.not_before = 0;
  CountFiring();
  if (!found->second.state.waiting.empty()) wake_.NotifyAll();
}

Duration AlertEngine::SendDue() {
  const UnixNanos now = clock_.Now();
  std::vector<Sending> due;
  {
    MutexLock lock(mu_);
    for (const auto& [key, entry] : entries_) {
      for (const Delivery& delivery : entry.state.waiting) {
        if (delivery.next > now) continue;
        due.push_back({key, entry.version, delivery, entry.alert.webhook.value_or(Webhook())});
      }
    }
  }
  for (const Sending& sending : due) SendOne(sending);
  MutexLock lock(mu_);
  Duration rest = kEveryMax;
  for (const auto& [key, entry] : entries_) {
    for (const Delivery& delivery : entry.state.waiting) {
      rest = std::min(rest, Duration(delivery.next - clock_.Now()));
    }
  }
  return std::max(rest, Duration(0));
}

void AlertEngine::SendOne(const Sending& sending) {
  {
    MutexLock lock(mu_);
    if (stop_) return;
  }
  bool row_done = sending.delivery.row.empty();
  if (!row_done) {
    const Status stored =
        backend_.StoreRow(sending.alert.first, sending.delivery.key, sending.delivery.row);
    row_done = stored.ok();
    if (!stored.ok()) {
      LOG_RATE(10s, kWarning, "cannot store a row of the alert {}/{}: {}", sending.alert.first,
               sending.alert.second, stored.message());
    }
  }
  Delivered(sending, row_done, sending.delivery.body.empty() ? OkStatus() : PostWebhook(sending));
}

Status AlertEngine::PostWebhook(const Sending& sending) {
  net::HttpClientRequest request;
  request.method = "POST";
  request.url = sending.webhook.url;
  request.timeout = kSendTimeout;
  // What receivers say is not read, but a 2xx with a page behind it means taken, too.
  request.response_bytes_max = kAnswerBytesMax;
  request.headers.Set("Content-Type", "application/json");
  for (const auto& [name, value] : sending.webhook.headers) request.headers.Set(name, value);
  request.headers.Set("Idempotency-Key", sending.delivery.key);
  request.body = {sending.delivery.body};
  ASSIGN_OR_RETURN(const net::HttpResponse answer, transport_.Send(request));
  const std::string said = "the webhook answered " + std::to_string(answer.status);
  const Status status = net::StatusFromHttp(answer.status, said);
  // 499: only a stop of ours counts as cancelled, and is not noted as an attempt.
  return status.code() == Code::kCancelled ? UnavailableError(said) : status;
}

void AlertEngine::Delivered(const Sending& sending, bool row_done, const Status& webhook) {
  MutexLock lock(mu_);
  if (!webhook.ok() && webhook.code() == Code::kCancelled) return;
  const auto found = entries_.find(sending.alert);
  if (found == entries_.end() || found->second.version != sending.version) return;
  std::vector<Delivery>& waiting = found->second.state.waiting;
  const auto delivery = std::find_if(waiting.begin(), waiting.end(), [&](const Delivery& one) {
    return one.key == sending.delivery.key;
  });
  if (delivery == waiting.end()) return;
  if (row_done) delivery->row.clear();
  if (webhook.ok()) {
    if (!delivery->body.empty()) {
      sent_.Add();
      found->second.state.webhook_error.clear();
    }
    delivery->body.clear();
  } else {
    failed_sends_.Add();
    found->second.state.webhook_error = webhook.message();
    LOG_RATE(10s, kWarning, "cannot send a message of the alert {}/{}: {}", sending.alert.first,
             sending.alert.second, webhook.message());
    if (IsFinal(webhook)) {
      delivery->body.clear();
      ++found->second.state.given_up;
      given_up_.Add();
    }
  }
  if (delivery->row.empty() && delivery->body.empty()) {
    waiting.erase(delivery);
  } else if (++delivery->attempts >= kAttemptsMax) {
    waiting.erase(delivery);
    ++found->second.state.given_up;
    given_up_.Add();
  } else {
    delivery->next = clock_.Now() + PauseAfter(delivery->attempts).count();
  }
  const Status saved = Save(found->first, found->second);
  if (!saved.ok()) {
    LOG_RATE(10s, kError, "cannot keep the state of the alert {}/{}: {}", sending.alert.first,
             sending.alert.second, saved.message());
  }
}

}  // namespace kelp::alert
