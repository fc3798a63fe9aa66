#include "server/loki_api.h"

#include <algorithm>
#include <map>

#include "loki/metric_query.h"
#include "loki/row_entry.h"
#include "loki/streams.h"
#include "server/json_text.h"
#include "server/loki_insight.h"
#include "server/loki_json.h"
#include "server/loki_request.h"

namespace kelp::server {
namespace {

// As Loki's defaults.
constexpr uint32_t kLinesDefault = 100;
constexpr uint32_t kLinesMax = 5000;
constexpr uint32_t kVolumeLimitDefault = 100;
constexpr uint32_t kVolumeLimitMax = 10'000;
// A query in a form.
constexpr ByteSize kFormBytesMax = 64_KiB;
// What clients that ask for a version may expect of the API.
constexpr const char* kLokiVersion = "3.5.0";

using Run = Result<std::string> (*)(LokiRequest&);

Result<std::shared_ptr<const loki::Expr>> ParseQueryParam(const LokiRequest& request) {
  const std::string text = request.Param("query");
  loki::SyntaxError error;
  std::shared_ptr<const loki::Expr> expr = loki::Parse(text, error);
  if (expr == nullptr) return InvalidArgumentError(loki::Describe(text, error));
  return expr;
}

// The selector of a parameter; an absent one selects everything.
Result<std::vector<loki::Matcher>> SelectorOf(const std::string& text) {
  if (text.empty() || text == "{}") return std::vector<loki::Matcher>();
  loki::SyntaxError error;
  auto matchers = loki::ParseSelector(text, error);
  if (matchers) return *std::move(matchers);
  // Grafana sends whole queries here, too.
  loki::SyntaxError whole;
  const auto expr = loki::Parse(text, whole);
  if (expr == nullptr || !expr->is_log()) {
    return InvalidArgumentError(loki::Describe(text, error));
  }
  return expr->selector;
}

bool Categorize(const net::HttpRequest& request) {
  return request.headers.Get("X-Loki-Response-Encoding-Flags").find("categorize-labels") !=
         std::string_view::npos;
}

Result<std::string> RunLines(LokiRequest& request, const loki::Expr& expr) {
  loki::LogRequest lines;
  RETURN_IF_ERROR(request.Span(lines.from, lines.to));
  ASSIGN_OR_RETURN(lines.limit, request.Number("limit", kLinesDefault, kLinesMax));
  const std::string direction = request.Param("direction");
  lines.forward = direction == "forward" || direction == "FORWARD";
  // In Loki `end` is not part of the span, unless it is the start as well.
  if (lines.to == lines.from) ++lines.to;
  loki::Target target;
  RETURN_IF_ERROR(request.Open(target));
  ASSIGN_OR_RETURN(const loki::LogResult found, loki::RunLogQuery(target, expr, lines));
  return LokiLogAnswer(found, Categorize(request.http()));
}

// What Loki takes when the client names no step: about 250 points.
Duration StepDefault(UnixNanos start, UnixNanos end) {
  const int64_t seconds = (end - start) / 250 / 1'000'000'000;
  return std::chrono::seconds(std::max<int64_t>(seconds, 1));
}

Result<std::string> QueryRange(LokiRequest& request) {
  ASSIGN_OR_RETURN(const auto expr, ParseQueryParam(request));
  if (expr->is_log()) return RunLines(request, *expr);
  loki::MetricRequest metric;
  RETURN_IF_ERROR(request.Span(metric.start, metric.end));
  ASSIGN_OR_RETURN(metric.step, request.Step("step"));
  if (metric.step == Duration(0)) metric.step = StepDefault(metric.start, metric.end);
  loki::Target target;
  RETURN_IF_ERROR(request.Open(target));
  ASSIGN_OR_RETURN(const auto found, loki::RunMetricQuery(target, *expr, metric));
  return LokiMetricAnswer(found, metric, false);
}

Result<std::string> QueryInstant(LokiRequest& request) {
  ASSIGN_OR_RETURN(const auto expr, ParseQueryParam(request));
  if (expr->is_log()) {
    return InvalidArgumentError(
        "log queries are not supported as an instant query type, please change your query to a "
        "range query type");
  }
  loki::MetricRequest metric;
  ASSIGN_OR_RETURN(metric.start, request.Time("time", request.now()));
  metric.end = metric.start;
  loki::Target target;
  RETURN_IF_ERROR(request.Open(target));
  ASSIGN_OR_RETURN(const auto found, loki::RunMetricQuery(target, *expr, metric));
  return LokiMetricAnswer(found, metric, true);
}

Result<loki::StreamsResult> Streams(LokiRequest& request, const std::string& selector,
                                    const loki::Wanted& wanted) {
  UnixNanos start = 0;
  UnixNanos end = 0;
  RETURN_IF_ERROR(request.Span(start, end));
  ASSIGN_OR_RETURN(const auto matchers, SelectorOf(selector));
  loki::Target target;
  RETURN_IF_ERROR(request.Open(target));
  return loki::FindStreams(target, matchers, {}, wanted, start, end + 1);
}

loki::Wanted WholeStreams() {
  loki::Wanted wanted;
  wanted.all_tags = true;
  wanted.Add(loki::kServiceLabel);
  return wanted;
}

Result<std::string> LabelNames(LokiRequest& request) {
  ASSIGN_OR_RETURN(const auto found, Streams(request, request.Param("query"), WholeStreams()));
  std::set<std::string> names;
  for (const auto& stream : found.streams) {
    for (const auto& label : stream.labels) names.insert(label.first);
  }
  return LokiStrings(names);
}

Result<std::string> LabelValues(LokiRequest& request) {
  const std::string name(request.http().PathParam("name"));
  loki::Wanted wanted;
  wanted.Add(name);
  ASSIGN_OR_RETURN(const auto found, Streams(request, request.Param("query"), wanted));
  std::set<std::string> values;
  for (const auto& stream : found.streams) {
    for (const auto& label : stream.labels) {
      if (label.first == name) values.insert(label.second);
    }
  }
  return LokiStrings(values);
}

Result<std::string> SeriesList(LokiRequest& request) {
  std::vector<std::string> selectors = request.Params("match[]");
  for (std::string& more : request.Params("match")) selectors.push_back(std::move(more));
  if (selectors.empty()) selectors.emplace_back();
  std::set<loki::LabelList> all;
  for (const std::string& selector : selectors) {
    ASSIGN_OR_RETURN(auto found, Streams(request, selector, WholeStreams()));
    for (auto& stream : found.streams) all.insert(std::move(stream.labels));
  }
  std::string out = "{\"status\":\"success\",\"data\":[";
  for (const loki::LabelList& labels : all) {
    if (out.back() != '[') out += ',';
    out += LokiLabels(labels);
  }
  return out + "]}";
}

Result<std::string> IndexStats(LokiRequest& request) {
  ASSIGN_OR_RETURN(const auto found, Streams(request, request.Param("query"), WholeStreams()));
  uint64_t rows = 0;
  uint64_t bytes = 0;
  for (const auto& stream : found.streams) {
    rows += stream.rows;
    bytes += stream.bytes;
  }
  return "{\"streams\":" + std::to_string(found.streams.size()) +
         ",\"chunks\":" + std::to_string(found.cost.stats.blocks) +
         ",\"entries\":" + std::to_string(rows) + ",\"bytes\":" + std::to_string(bytes) + "}";
}

std::vector<std::string> TargetLabels(const LokiRequest& request,
                                      const std::vector<loki::Matcher>& matchers) {
  std::vector<std::string> out;
  const std::string text = request.Param("targetLabels");
  for (size_t at = 0; at < text.size();) {
    const size_t comma = std::min(text.find(',', at), text.size());
    if (comma > at) out.push_back(text.substr(at, comma - at));
    at = comma + 1;
  }
  for (const loki::Matcher& matcher : matchers) {
    if (text.empty()) out.push_back(matcher.label);
  }
  return out;
}

// Bytes by the target labels, or, with aggregateBy=labels, by the name of the label.
Result<std::string> IndexVolume(LokiRequest& request) {
  ASSIGN_OR_RETURN(const auto matchers, SelectorOf(request.Param("query")));
  ASSIGN_OR_RETURN(const uint32_t limit,
                   request.Number("limit", kVolumeLimitDefault, kVolumeLimitMax));
  const bool by_label = request.Param("aggregateBy") == "labels";
  const std::vector<std::string> targets = TargetLabels(request, matchers);
  loki::Wanted wanted;
  for (const std::string& label : targets) wanted.Add(label);
  if (by_label && request.Param("targetLabels").empty()) wanted = WholeStreams();
  ASSIGN_OR_RETURN(const auto found, Streams(request, request.Param("query"), wanted));
  std::map<loki::LabelList, uint64_t> volumes;
  for (const auto& stream : found.streams) {
    loki::LabelList labels;
    for (const auto& label : stream.labels) {
      if (by_label) {
        volumes[{{label.first, ""}}] += stream.bytes;
      } else if (std::find(targets.begin(), targets.end(), label.first) != targets.end()) {
        labels.push_back(label);
      }
    }
    if (!by_label && !labels.empty()) volumes[labels] += stream.bytes;
  }
  std::vector<std::pair<uint64_t, const loki::LabelList*>> sorted;
  for (const auto& [labels, bytes] : volumes) sorted.emplace_back(bytes, &labels);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  if (sorted.size() > limit) sorted.resize(limit);
  ASSIGN_OR_RETURN(const UnixNanos end, request.Time("end", request.now()));
  std::string out = "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[";
  for (const auto& [bytes, labels] : sorted) {
    if (out.back() != '[') out += ',';
    out += "{\"metric\":" + LokiLabels(*labels) + ",\"value\":[" +
           std::to_string(end / 1'000'000'000) + ",\"" + std::to_string(bytes) + "\"]}";
  }
  return out + "]}}";
}

// The same over time, as a metric query.
Result<std::string> IndexVolumeRange(LokiRequest& request) {
  const std::string query = request.Param("query");
  ASSIGN_OR_RETURN(const auto matchers, SelectorOf(query));
  loki::MetricRequest metric;
  RETURN_IF_ERROR(request.Span(metric.start, metric.end));
  ASSIGN_OR_RETURN(metric.step, request.Step("step"));
  if (metric.step == Duration(0)) metric.step = StepDefault(metric.start, metric.end);
  auto range = std::make_unique<loki::Expr>();
  range->kind = loki::Expr::Kind::kRange;
  range->range_op = loki::RangeOp::kBytes;
  range->range = metric.step;
  range->selector = matchers;
  loki::Expr sum;
  sum.kind = loki::Expr::Kind::kAggregate;
  sum.grouping.given = true;
  sum.grouping.labels = TargetLabels(request, matchers);
  sum.left = std::move(range);
  loki::Target target;
  RETURN_IF_ERROR(request.Open(target));
  ASSIGN_OR_RETURN(const auto found, loki::RunMetricQuery(target, sum, metric));
  return LokiMetricAnswer(found, metric, false);
}

Result<std::string> DetectedLabels(LokiRequest& request) {
  ASSIGN_OR_RETURN(const auto found, Streams(request, request.Param("query"), WholeStreams()));
  std::map<std::string, std::set<std::string_view>> values;
  for (const auto& stream : found.streams) {
    for (const auto& label : stream.labels) values[label.first].insert(label.second);
  }
  std::string out = "{\"detectedLabels\":[";
  for (const auto& [name, distinct] : values) {
    if (out.back() != '[') out += ',';
    out += "{\"label\":" + JsonText(name) + ",\"cardinality\":" + std::to_string(distinct.size()) +
           "}";
  }
  return out + "]}";
}

Result<std::string> FormatQuery(LokiRequest& request) {
  ASSIGN_OR_RETURN(const auto expr, ParseQueryParam(request));
  return "{\"status\":\"success\",\"data\":" + JsonText(loki::Format(*expr)) + "}";
}

Result<std::string> BuildInfo(LokiRequest&) {
  return std::string("{\"version\":\"") + kLokiVersion +
         "\",\"revision\":\"kelp " KELP_VERSION
         "\",\"branch\":\"\",\"buildUser\":\"\",\"buildDate\":\"\",\"goVersion\":\"\"}";
}

Result<std::string> DrilldownLimits(LokiRequest& request) {
  return std::string(
             "{\"limits\":{\"discover_log_levels\":true,\"discover_service_name\":"
             "[\"service_name\"],\"log_level_fields\":[\"level\",\"severity\"],"
             "\"max_entries_limit_per_query\":") +
         std::to_string(kLinesMax) + ",\"max_line_size_truncate\":false,\"max_query_series\":" +
         std::to_string(loki::kSeriesMax) +
         ",\"query_timeout\":" + JsonText(FormatDuration(request.api().config.query.time_max)) +
         ",\"retention_period\":\"0s\",\"volume_enabled\":true,\"volume_max_series\":" +
         std::to_string(kVolumeLimitMax) + "},\"pattern_ingester_enabled\":true,\"version\":\"" +
         kLokiVersion + "\"}";
}

// False, and answered, when the caller may not read the project.
bool Allowed(Api& api, net::HttpRequest& request, const Answer& answer) {
  if (ComesFromAnotherSite(request)) {
    answer->Send(LokiError(403, "a page of another site made this call"));
    return false;
  }
  TakeBasicToken(request);
  const std::optional<domain::Caller> caller = CallerOf(api, request);
  if (!caller) {
    net::HttpResponse response = LokiError(
        401,
        "this call needs a token: as password of basic authentication, or \"Authorization: Bearer "
        "TOKEN\"");
    response.headers.Set("WWW-Authenticate", "Basic realm=\"kelp\"");
    answer->Send(std::move(response));
    return false;
  }
  if (caller->role == domain::Role::kIngest) {
    answer->Send(LokiError(403, "the role ingest does not allow this call"));
    return false;
  }
  if (!caller->project.empty() && caller->project != TenantOf(request).project) {
    answer->Send(LokiError(403, "the token is only for the project \"" + caller->project +
                                    "\"; send it as X-Scope-OrgID"));
    return false;
  }
  return true;
}

void Tail(Api& api, LokiTails& tails, const net::HttpRequest& http, const Answer& answer) {
  LokiRequest request(api, http, answer);
  const auto start = [&]() -> Status {
    ASSIGN_OR_RETURN(const auto expr, ParseQueryParam(request));
    if (!expr->is_log()) return InvalidArgumentError("tail needs a log query, not a metric");
    LokiTails::Request tail;
    ASSIGN_OR_RETURN(tail.logstores, LokiLogstores(api, TenantOf(http)));
    ASSIGN_OR_RETURN(const uint32_t limit, request.Number("limit", kLinesDefault, kLinesMax));
    ASSIGN_OR_RETURN(const UnixNanos from,
                     request.Time("start", request.now() - Duration(1h).count()));
    tail.expr = expr;
    tail.categorize = Categorize(http);
    tail.earlier = [&, limit, from] {
      std::vector<loki::LogLine> lines;
      loki::Target target;
      if (!request.Open(target).ok()) return lines;
      auto found = loki::RunLogQuery(target, *expr, {from, api.env.clock().Now() + 1, limit});
      if (found.ok()) lines = std::move(found->lines);
      std::reverse(lines.begin(), lines.end());
      return lines;
    };
    return tails.Add(std::move(tail), http, answer);
  };
  const Status status = start();
  if (!status.ok()) answer->Send(LokiError(status));
}

template <Run run>
void ReplyLoki(Api& api, const net::HttpRequest& http, const Answer& answer) {
  LokiRequest request(api, http, answer);
  const Result<std::string> json = run(request);
  answer->Send(json.ok() ? net::Json(200, *json) : LokiError(json.status()));
}

// On a query thread, once the caller is known.
void Enqueue(Api& api, net::HttpRequest request, const Answer& answer) {
  if (!Allowed(api, request, answer)) return;
  Answer moved = answer;
  if (api.query_pool->Submit(request, moved)) return;
  answer->Send(LokiError(UnavailableError("too many queries are waiting; try again soon")));
}

template <Run run>
void AddCall(net::Router& router, Api& api, const std::string& path) {
  for (const char* method : {"GET", "POST"}) {
    router.Add(method, path,
               [&api](net::HttpRequest request, const Answer& answer) {
                 Enqueue(api, std::move(request), answer);
               },
               {.body_bytes_max = kFormBytesMax});
    api.query_router.Add(method, path,
                         [&api](const net::HttpRequest& request, const Answer& answer) {
                           ReplyLoki<run>(api, request, answer);
                         });
  }
}

}  // namespace

void AddLokiRoutes(net::Router& router, Api& api, LokiTails& tails) {
  const std::string v1 = "/loki/api/v1";
  AddCall<QueryRange>(router, api, v1 + "/query_range");
  AddCall<QueryInstant>(router, api, v1 + "/query");
  AddCall<LabelNames>(router, api, v1 + "/labels");
  AddCall<LabelNames>(router, api, v1 + "/label");
  AddCall<LabelValues>(router, api, v1 + "/label/{name}/values");
  AddCall<SeriesList>(router, api, v1 + "/series");
  AddCall<IndexStats>(router, api, v1 + "/index/stats");
  AddCall<IndexVolume>(router, api, v1 + "/index/volume");
  AddCall<IndexVolumeRange>(router, api, v1 + "/index/volume_range");
  AddCall<DetectedLabels>(router, api, v1 + "/detected_labels");
  AddCall<LokiDetectedFields>(router, api, v1 + "/detected_fields");
  AddCall<LokiDetectedFieldValues>(router, api, v1 + "/detected_field/{name}/values");
  AddCall<LokiPatterns>(router, api, v1 + "/patterns");
  AddCall<FormatQuery>(router, api, v1 + "/format_query");
  AddCall<BuildInfo>(router, api, v1 + "/status/buildinfo");
  AddCall<DrilldownLimits>(router, api, v1 + "/drilldown-limits");
  // The rows from before are read on a query thread; then the stream needs none.
  router.Add("GET", v1 + "/tail", [&api](net::HttpRequest request, const Answer& answer) {
    Enqueue(api, std::move(request), answer);
  });
  api.query_router.Add("GET", v1 + "/tail",
                       [&api, &tails](const net::HttpRequest& request, const Answer& answer) {
                         Tail(api, tails, request, answer);
                       });
  for (const char* method : {"GET", "POST", "PUT", "DELETE"}) {
    router.Add(method, "/loki/{rest*}", [](const net::HttpRequest& request, const Answer& answer) {
      answer->Send(LokiError(404, "this server does not offer " + request.path));
    });
  }
}

}  // namespace kelp::server
