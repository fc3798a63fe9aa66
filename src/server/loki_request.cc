#include "server/loki_request.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "loki/lexer.h"
#include "server/json_text.h"

namespace kelp::server {
namespace {

constexpr Duration kSpanDefault = 1h;
// Whole numbers of more digits than this are nanoseconds, not seconds.
constexpr size_t kSecondsDigitsMax = 10;
// So far from 1970 (year 2096), sums and differences of times, ranges, offsets and a step fit into
// 64 bits.
constexpr UnixNanos kTimeMax = 4'000'000'000'000'000'000;
constexpr double kSecondsMax = 4e9;
constexpr double kStepNanosMax = 1e18;

// The bytes that Base64 text stands for; nullopt: it is none.
std::optional<std::string> FromBase64(std::string_view text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  std::string out;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>(bits >> count & 0xff);
  }
  return out;
}

// Unix nanoseconds, seconds, or RFC 3339.
std::optional<UnixNanos> ReadTime(const std::string& text) {
  const bool digits = text.find_first_not_of("0123456789") == std::string::npos;
  if (digits && text.size() > kSecondsDigitsMax) {
    UnixNanos nanos = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), nanos);
    if (error == std::errc() && end == text.data() + text.size()) return nanos;
  } else if (const auto seconds = loki::ReadNumber(text);
             seconds && std::abs(*seconds) <= kSecondsMax) {
    return static_cast<UnixNanos>(std::llround(*seconds * 1e3)) * 1'000'000;
  }
  const Result<UnixNanos> time = ParseRfc3339(text);
  return time.ok() ? std::optional<UnixNanos>(*time) : std::nullopt;
}

}  // namespace

LokiTenant TenantOf(const net::HttpRequest& request) {
  std::string_view text = request.headers.Get("X-Scope-OrgID");
  LokiTenant tenant;
  const size_t slash = std::min(text.find('/'), text.size());
  tenant.project = text.empty() ? kLokiProjectDefault : text.substr(0, slash);
  text.remove_prefix(std::min(slash + 1, text.size()));
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    if (comma != 0) tenant.logstores.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return tenant;
}

Result<std::vector<store::LogstoreName>> LokiLogstores(Api& api, const LokiTenant& tenant) {
  std::vector<store::LogstoreName> out;
  if (tenant.logstores.empty()) {
    ASSIGN_OR_RETURN(const auto all, api.domain.Logstores(tenant.project));
    for (const domain::Logstore& logstore : all) out.push_back({tenant.project, logstore.name});
  }
  for (const std::string& name : tenant.logstores) {
    RETURN_IF_ERROR(api.domain.FindLogstore(tenant.project, name).status());
    const store::LogstoreName full{tenant.project, name};
    if (std::find(out.begin(), out.end(), full) == out.end()) out.push_back(full);
  }
  if (out.size() > kLokiLogstoresMax) {
    return InvalidArgumentError("the project has more than " + std::to_string(kLokiLogstoresMax) +
                                " logstores; name some: X-Scope-OrgID: " + tenant.project + "/a,b");
  }
  return out;
}

void TakeBasicToken(net::HttpRequest& request) {
  constexpr std::string_view kBasic = "Basic ";
  const std::string_view header = request.headers.Get("Authorization");
  if (header.size() < kBasic.size() ||
      !net::EqualsIgnoreCase(header.substr(0, kBasic.size()), kBasic)) {
    return;
  }
  const auto pair = FromBase64(header.substr(kBasic.size()));
  const size_t colon = pair ? pair->find(':') : std::string::npos;
  if (colon == std::string::npos) return;
  request.headers.Set("Authorization", "Bearer " + pair->substr(colon + 1));
}

LokiRequest::LokiRequest(Api& api, const net::HttpRequest& request, const Answer& answer)
    : api_(api),
      request_(request),
      answer_(answer),
      now_(api.env.clock().Now()),
      begin_(api.env.clock().Monotonic()) {
  if (auto query = net::ParseQuery(request.query); query.ok()) params_ = *std::move(query);
  const bool form =
      request.headers.Get("Content-Type").starts_with("application/x-www-form-urlencoded");
  if (!form) return;
  auto body = net::ParseQuery(request.body);
  if (body.ok()) params_.insert(params_.end(), body->begin(), body->end());
}

std::string LokiRequest::Param(std::string_view name) const {
  for (const auto& [key, value] : params_) {
    if (key == name) return value;
  }
  return "";
}

std::vector<std::string> LokiRequest::Params(std::string_view name) const {
  std::vector<std::string> out;
  for (const auto& [key, value] : params_) {
    if (key == name && !value.empty()) out.push_back(value);
  }
  return out;
}

Result<UnixNanos> LokiRequest::Time(std::string_view name, UnixNanos otherwise) const {
  const std::string text = Param(name);
  if (text.empty()) return otherwise;
  const std::optional<UnixNanos> time = ReadTime(text);
  if (time && *time >= -kTimeMax && *time <= kTimeMax) return *time;
  return InvalidArgumentError("cannot parse \"" + text + "\" of " + std::string(name) +
                              " to a valid timestamp" + (time ? ": it is too far away" : ""));
}

Status LokiRequest::Span(UnixNanos& start, UnixNanos& end) const {
  ASSIGN_OR_RETURN(end, Time("end", now_));
  Duration since = kSpanDefault;
  if (const std::string text = Param("since"); !text.empty()) {
    const auto nanos = loki::ReadDuration(text);
    if (!nanos || *nanos <= 0 || *nanos > kSecondsMax * 1e9) {
      return InvalidArgumentError("cannot parse \"" + text + "\" of since to a duration");
    }
    since = Duration(static_cast<int64_t>(*nanos));
  }
  ASSIGN_OR_RETURN(start, Time("start", end - since.count()));
  start = std::max(start, -kTimeMax);  // a long "since"
  if (start > end) return InvalidArgumentError("end timestamp must not be before start time");
  return OkStatus();
}

Result<Duration> LokiRequest::Step(std::string_view name) const {
  const std::string text = Param(name);
  if (text.empty()) return Duration(0);
  std::optional<double> nanos;
  if (const auto seconds = loki::ReadNumber(text)) {
    nanos = *seconds * 1e9;
  } else {
    nanos = loki::ReadDuration(text);
  }
  if (!nanos || !(*nanos >= 1) || *nanos > kStepNanosMax) {
    return InvalidArgumentError("cannot parse \"" + text + "\" of " + std::string(name) +
                                " to a valid duration; zero and less are not accepted");
  }
  return Duration(static_cast<int64_t>(*nanos));
}

Result<uint32_t> LokiRequest::Number(std::string_view name, uint32_t otherwise,
                                     uint32_t max) const {
  const std::string text = Param(name);
  if (text.empty()) return otherwise;
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number == 0) {
    return InvalidArgumentError(std::string(name) + " must be a positive number, not \"" + text +
                                "\"");
  }
  if (number > max) {
    return InvalidArgumentError("max entries limit per query exceeded, " + std::string(name) +
                                " > max (" + text + " > " + std::to_string(max) + ")");
  }
  return number;
}

Status LokiRequest::Open(loki::Target& target) {
  // A call may open its logstores several times (series: once for each selector).
  const Duration left = api_.config.query.time_max - (api_.env.clock().Monotonic() - begin_);
  if (left <= Duration(0)) {
    return DeadlineExceededError("the call ran into its time limit; ask for less at once");
  }
  ASSIGN_OR_RETURN(const auto names, LokiLogstores(api_, TenantOf(request_)));
  for (const store::LogstoreName& name : names) {
    ASSIGN_OR_RETURN(auto snapshot, api_.store.Read(name));
    target.sources.push_back({name.logstore, std::move(snapshot)});
  }
  running_ = api_.queries.Add("", TenantOf(request_).project);
  RunningQueries::State& state = *running_->state();
  answer_->OnClose([shared = running_->state()] { shared->cancelled = true; });
  target.limits = {.time = left,
                   .memory = api_.config.query.memory_max,
                   .cancelled = &state.cancelled,
                   .pool = &api_.scan_pool,
                   .threads = static_cast<uint32_t>(api_.config.query.threads),
                   .progress = &state.progress};
  return OkStatus();
}

net::HttpResponse LokiError(int status, std::string_view message) {
  const char* type = status == 400 ? "bad_data" : status == 404 ? "not_found" : "execution";
  const std::string text = JsonText(message);
  return net::Json(status, std::string("{\"status\":\"error\",\"errorType\":\"") + type +
                               "\",\"error\":" + text + ",\"message\":" + text + "}");
}

net::HttpResponse LokiError(const Status& status) {
  // Too many series is a matter of the query, as in Loki: trying again does not help.
  const int code = status.code() == Code::kResourceExhausted ? 400 : net::StatusToHttp(status);
  net::HttpResponse response = LokiError(code, status.message());
  if (code == 503) response.headers.Set("Retry-After", "2");
  return response;
}

}  // namespace kelp::server
