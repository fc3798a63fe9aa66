#include "output/kelp/kelp_sender.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>
#include <vector>

#include "base/log.h"
#include "codec/json_scan.h"

namespace kelp::output {
namespace {

constexpr Duration kRetryFirst = 200ms;
constexpr Duration kRetryLongest = 30s;
// A server that asks for more is looked at again all the same: the answer may be a mistake.
constexpr Duration kRetryAfterMax = 10min;
constexpr Duration kMessagePeriod = 30s;
constexpr Duration kGiveUpMessagePeriod = 10s;
// The answer is one short JSON object.
constexpr ByteSize kAnswerMax = 1_MiB;
constexpr size_t kMessageMax = 300;

constexpr int kBadRequest = 400;
constexpr int kUnauthorized = 401;
constexpr int kForbidden = 403;
constexpr int kNotFound = 404;
constexpr int kRequestTimeout = 408;
constexpr int kTooLarge = 413;
constexpr int kUnprocessable = 422;
constexpr int kTooMany = 429;
constexpr int kServerError = 500;
constexpr int kServiceUnavailable = 503;

// One gate per subject for the whole process: thousands of pipelines that wait for one server need
// one message, not thousands.
//
// Threads: thread-safe.
class SharedGates {
 public:
  bool Pass(const std::string& subject, Duration now) {
    MutexLock lock(mu_);
    if (gates_.size() > kGatesMax) gates_.clear();
    return gates_.try_emplace(subject, kMessagePeriod).first->second.Pass(now);
  }
  static SharedGates& Get() {
    static SharedGates* gates = new SharedGates;
    return *gates;
  }

 private:
  // Forgetting them all lets a few messages through early; that is all.
  static constexpr size_t kGatesMax = 1024;
  Mutex mu_;
  std::map<std::string, MessageGate> gates_ GUARDED_BY(mu_);
};

std::string OnOneLine(std::string_view text) {
  std::string line(text.substr(0, kMessageMax));
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = ' ';
  }
  return line;
}

bool RefusedForGood(const net::HttpResponse& response) {
  if (response.status == kTooLarge) return true;
  const bool ours = response.body.find("\"error\"") != std::string::npos;
  return ours && (response.status == kBadRequest || response.status == kUnprocessable);
}

ConcurrencyLimit::Outcome OutcomeOf(const Result<net::HttpResponse>& response) {
  using Outcome = ConcurrencyLimit::Outcome;
  if (!response.ok()) {
    return response.status().code() == Code::kCancelled ? Outcome::kUnrelated : Outcome::kOverload;
  }
  if (response->ok()) return Outcome::kAnswered;
  const int status = response->status;
  const bool load = status == kTooMany || status == kRequestTimeout || status >= kServerError;
  return load ? Outcome::kOverload : Outcome::kUnrelated;
}

}  // namespace

Duration RetryAfter(const net::HttpResponse& response) {
  const std::string_view text = response.headers.Get("Retry-After");
  int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || seconds <= 0) return 0s;
  return std::min<Duration>(std::chrono::seconds(std::min<int64_t>(seconds, 86400)),
                            kRetryAfterMax);
}

std::string ErrorMessage(const net::HttpResponse& response) {
  const std::string_view body = response.body;
  constexpr std::string_view kKey = "\"message\":";
  const size_t at = body.find(kKey);
  if (at != std::string_view::npos) {
    const char* end = body.data() + body.size();
    const char* p = codec::SkipJsonSpace(body.data() + at + kKey.size(), end);
    bool escaped = false;
    if (p != end && *p == '"') {
      if (const char* close = codec::SkipJsonString(++p, end, escaped)) {
        std::string text(static_cast<size_t>(close - p) + codec::kUnescapeSlack, '\0');
        text.resize(static_cast<size_t>(codec::UnescapeJson(p, close, text.data()) - text.data()));
        return OnOneLine(text);
      }
    }
  }
  if (!body.empty()) return OnOneLine(body);
  return std::string(net::HttpReason(response.status));
}

std::optional<uint64_t> JsonCount(std::string_view json, std::string_view key) {
  const size_t at = json.find("\"" + std::string(key) + "\"");
  if (at == std::string_view::npos) return std::nullopt;
  const char* end = json.data() + json.size();
  const char* p = codec::SkipJsonSpace(json.data() + at + key.size() + 2, end);
  if (p == end || *p != ':') return std::nullopt;
  p = codec::SkipJsonSpace(p + 1, end);
  uint64_t value = 0;
  if (std::from_chars(p, end, value).ec != std::errc()) return std::nullopt;
  return value;
}

KelpSender::KelpSender(KelpTarget& target, net::HttpTransport& http, Env& env,
                       const KelpOutputMetrics& metrics, ConcurrencyLimit& limit, int zstd_level,
                       Pause pause, GiveUp give_up)
    : target_(target),
      http_(http),
      env_(env),
      metrics_(metrics),
      zstd_level_(zstd_level),
      limit_(limit),
      pause_(std::move(pause)),
      give_up_(std::move(give_up)),
      backoff_(kRetryFirst, kRetryLongest, env.random()),
      give_up_gate_(kGiveUpMessagePeriod) {}

bool KelpSender::Send(EncodedSet set) {
  std::vector<EncodedSet> stack;  // what is left, the next one last
  stack.push_back(std::move(set));
  while (!stack.empty()) {
    EncodedSet piece = std::move(stack.back());
    stack.pop_back();
    Refusal refusal;
    const Verdict verdict = Deliver(piece, refusal);
    if (verdict == Verdict::kInterrupted) return false;
    if (verdict == Verdict::kDelivered) continue;
    std::vector<EncodedSet> halves = Halve(piece, refusal.status == kTooLarge, zstd_level_);
    if (halves.empty()) Refused(piece, refusal);
    while (!halves.empty()) {
      stack.push_back(std::move(halves.back()));
      halves.pop_back();
    }
  }
  return true;
}

std::optional<Duration> KelpSender::WaitForTurn(Duration wait) {
  std::optional<Duration> time_left = pause_(wait);
  while (time_left && !limit_.TryBegin()) {
    limit_.WaitForPlace();
    time_left = pause_(Duration(0));
  }
  return time_left;
}

Result<net::HttpResponse> KelpSender::Request(const EncodedSet& set, Duration timeout) {
  net::HttpClientRequest request;
  request.method = "POST";
  request.url = target_.url();
  request.headers = target_.Headers();
  request.body = {set.body};
  request.timeout = timeout;
  request.response_bytes_max = kAnswerMax;
  request.repeatable = true;  // the server knows what it has
  metrics_.requests.Add();
  const Duration begin = env_.clock().Monotonic();
  Result<net::HttpResponse> response = http_.Send(request);
  const Duration end = env_.clock().Monotonic();
  metrics_.latency.Record(end - begin);
  limit_.End(OutcomeOf(response), end - begin, end);
  return response;
}

KelpSender::Verdict KelpSender::Deliver(const EncodedSet& set, Refusal& refusal) {
  Duration wait{0};
  for (;;) {
    const std::optional<Duration> time_left = WaitForTurn(wait);
    if (!time_left) return Verdict::kInterrupted;
    const Result<net::HttpResponse> response = Request(set, *time_left);
    if (!response.ok()) {
      wait = AfterError(response.status());
      continue;
    }
    const int status = response->status;
    if (response->ok() && JsonCount(response->body, "accepted")) {
      Delivered(set, *response);
      return Verdict::kDelivered;
    }
    if (RefusedForGood(*response)) {
      refusal = {status, ErrorMessage(*response)};
      return Verdict::kRefused;
    }
    wait = AfterAnswer(*response);
  }
}

void KelpSender::Delivered(const EncodedSet& set, const net::HttpResponse& response) {
  metrics_.rows.Add(set.rows);
  metrics_.bytes.Add(set.body.size());
  metrics_.duplicates.Add(JsonCount(response.body, "duplicate").value_or(0));
  backoff_.Reset();
  if (!std::exchange(complained_, false)) return;
  if (SharedGates::Get().Pass("again " + target_.base_url(), env_.clock().Monotonic())) {
    LOG(kInfo, "output kelp: {} takes rows again", target_.base_url());
  }
}

Duration KelpSender::AfterError(const Status& error) {
  const bool late = error.code() == Code::kDeadlineExceeded;
  metrics_.Retries(late ? "timeout" : "network").Add();
  if (error.code() != Code::kCancelled) {
    Complain(target_.base_url(),
             fmt::format("cannot deliver to {}: {}", target_.base_url(), error.message()));
  }
  return backoff_.Next();
}

Duration KelpSender::AfterAnswer(const net::HttpResponse& response) {
  const int status = response.status;
  metrics_.Retries(std::to_string(status)).Add();
  if (status == kUnauthorized) {
    if (const Status read = target_.ReloadToken(); !read.ok()) {
      Complain("token " + target_.url(), std::string(read.message()));
    }
  }
  // What one token or one logstore is refused says nothing about the others.
  const bool own = status >= 400 && status < 500 && status != kTooMany;
  Complain(std::to_string(status) + (own ? target_.url() : target_.base_url()),
           Explain(status, ErrorMessage(response)));
  const Duration asked =
      status == kTooMany || status == kServiceUnavailable ? RetryAfter(response) : Duration(0);
  const Duration own_wait = backoff_.Next();
  // Asked to wait the same time, agents would come back all at once: spread them a little.
  return asked == Duration(0) ? own_wait : asked + std::min<Duration>(own_wait, asked / 4);
}

std::string KelpSender::Explain(int status, const std::string& message) const {
  const std::string answer = fmt::format("HTTP {}: {}", status, message);
  switch (status) {
    case kUnauthorized:
      return fmt::format("{} does not accept the token ({}); set a valid token or token_file",
                         target_.base_url(), answer);
    case kForbidden:
      return fmt::format(
          "{} does not let the token write to logstore {} of project {} ({}); "
          "give it the role ingest",
          target_.base_url(), target_.logstore(), target_.project(), answer);
    case kNotFound:
      return fmt::format(
          "{} has no logstore {} in project {} ({}); create it, or correct "
          "project, logstore or url",
          target_.base_url(), target_.logstore(), target_.project(), answer);
    case kTooMany:
    case kServiceUnavailable:
      return fmt::format("{} asks to wait ({})", target_.base_url(), answer);
    default:
      if (status < 400) {
        return fmt::format("{} does not answer as a Kelp server does ({}); check url",
                           target_.url(), answer);
      }
      return fmt::format("{} answers {}", target_.url(), answer);
  }
}

void KelpSender::Complain(const std::string& whose, const std::string& what) {
  complained_ = true;
  if (SharedGates::Get().Pass(whose, env_.clock().Monotonic())) {
    LOG(kWarning, "output kelp: {}; rows wait and nothing is lost", what);
  }
}

void KelpSender::Refused(const EncodedSet& set, const Refusal& refusal) {
  const bool too_large = refusal.status == kTooLarge;
  if (give_up_gate_.Pass(env_.clock().Monotonic())) {
    LOG(kError,
        "output kelp: {} will never accept {} rows and they are given up (HTTP {}: {}); {}see "
        "output_dropped_rows_total, and set the pipeline's dead_letter to keep them",
        target_.base_url(), set.rows, refusal.status, refusal.message,
        too_large ? "raise the size of requests that it or a proxy before it takes, or lower "
                    "line_bytes_max; "
                  : "");
  }
  give_up_(set, too_large ? "too_large" : "refused");
}

}  // namespace kelp::output
