// Search, histogram, live tail, and stopping a query.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>

#include "query/limits.h"
#include "query/query.h"
#include "server/api.h"
#include "server/json_text.h"
#include "server/time_param.h"

namespace kelp::server {
namespace {

constexpr uint32_t kRowsDefault = 100;
constexpr uint32_t kRowsMax = 1000;
constexpr uint32_t kBucketsDefault = 60;
constexpr uint32_t kBucketsMax = 1000;
constexpr Duration kSpanDefault = 1h;
constexpr size_t kQueryIdBytesMax = 128;

// An error that may point at a character of the query.
struct Problem {
  Status status;
  std::optional<size_t> position;
};

net::HttpResponse ProblemResponse(const Problem& problem) {
  net::HttpResponse response = Refusal(problem.status);
  if (problem.position) {
    // ...}} of net::Error: the position goes inside the inner object.
    response.body.resize(response.body.size() - 2);
    response.body += ",\"position\":" + std::to_string(*problem.position) + "}}";
  }
  return response;
}

// People count characters, the parser bytes: how many code points begin in the first `bytes`.
size_t CharacterAt(std::string_view text, size_t bytes) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(bytes),
                    [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::shared_ptr<const query::Query> ParseQuery(const net::HttpRequest& request, Problem& problem) {
  const std::string text = request.QueryParam("q").value_or("");
  query::ParseError error;
  auto query = query::Parse(text, error);
  if (query == nullptr) {
    problem = {InvalidArgumentError(error.message),
               CharacterAt(text, std::min(error.position, text.size()))};
  }
  return query;
}

Result<uint32_t> NumberParam(const net::HttpRequest& request, std::string_view name,
                             uint32_t otherwise, uint32_t max) {
  const std::optional<std::string> text = request.QueryParam(name);
  if (!text || text->empty()) return otherwise;
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size() || number < 1 || number > max) {
    return InvalidArgumentError(
        fmt::format("\"{}\" must be a number from 1 to {}, not \"{}\"", name, max, *text));
  }
  return number;
}

struct Span {
  UnixNanos from;
  UnixNanos to;
};

Result<Span> SpanParam(const net::HttpRequest& request, UnixNanos now) {
  const std::string from = request.QueryParam("from").value_or("");
  const std::string to = request.QueryParam("to").value_or("");
  Span span{0, now};
  if (!to.empty()) {
    ASSIGN_OR_RETURN(span.to, ParseTimeParam(to, now));
  }
  // Rows that arrived in this very nanosecond belong to "until now".
  if (to.empty() || to == "now") span.to = now + 1;
  if (from.empty()) {
    span.from = std::max(span.to, INT64_MIN + 1 + kSpanDefault.count()) - kSpanDefault.count();
  } else {
    ASSIGN_OR_RETURN(span.from, ParseTimeParam(from, now));
  }
  if (span.from >= span.to) return InvalidArgumentError("\"from\" must be earlier than \"to\"");
  return span;
}

// What every query call needs.
struct Call {
  std::shared_ptr<const query::Query> query;
  std::shared_ptr<const store::Snapshot> snapshot;
  Span span;
  query::Limits limits;
  std::unique_ptr<RunningQueries::Entry> running;
};

Status Prepare(Api& api, const net::HttpRequest& request, const Answer& answer, Call& call,
               Problem& problem) {
  call.query = ParseQuery(request, problem);
  if (call.query == nullptr) return problem.status;
  ASSIGN_OR_RETURN(call.span, SpanParam(request, api.env.clock().Now()));
  const std::string id = request.QueryParam("id").value_or("");
  if (id.size() > kQueryIdBytesMax) return InvalidArgumentError("\"id\" is too long");
  const store::LogstoreName name = LogstoreOf(request);
  RETURN_IF_ERROR(api.domain.FindLogstore(name.project, name.logstore).status());
  ASSIGN_OR_RETURN(call.snapshot, api.store.Read(name));
  call.running = api.queries.Add(id);
  answer->OnClose([flag = call.running->flag()] { *flag = true; });
  call.limits = {api.config.query.time_max, api.config.query.memory_max,
                 call.running->flag().get()};
  return OkStatus();
}

void AppendStats(std::string& out, const query::Stats& stats, const std::string& partial) {
  const auto millis = [](Duration d) { return static_cast<double>(d.count()) / 1e6; };
  fmt::format_to(std::back_inserter(out),
                 ",\"stats\":{{\"blocks\":{},\"blocks_skipped\":{},\"rows_scanned\":{},"
                 "\"bytes_scanned\":{},\"cpu_ms\":{:.3f},\"wall_ms\":{:.3f}}},\"partial\":{}}}",
                 stats.blocks, stats.blocks_skipped, stats.rows_scanned, stats.bytes_scanned,
                 millis(stats.cpu), millis(stats.wall), JsonTextOrNull(partial));
}

Result<std::string> RunSearch(Api& api, const net::HttpRequest& request, const Answer& answer,
                              Problem& problem) {
  query::SearchRequest search;
  ASSIGN_OR_RETURN(search.limit, NumberParam(request, "limit", kRowsDefault, kRowsMax));
  Call call;
  RETURN_IF_ERROR(Prepare(api, request, answer, call, problem));
  search.from = call.span.from;
  search.to = call.span.to;
  search.cursor = request.QueryParam("cursor").value_or("");
  search.limits = call.limits;
  ASSIGN_OR_RETURN(const query::SearchResult found,
                   query::Search(*call.snapshot, *call.query, search));
  std::string out = "{\"rows\":[";
  for (const query::Row& row : found.rows) {
    if (&row != found.rows.data()) out += ',';
    query::PrintRowJson(row, out);
  }
  out += "],\"cursor\":" + JsonTextOrNull(found.cursor);
  AppendStats(out, found.stats, found.partial);
  return out;
}

Result<std::string> RunHistogram(Api& api, const net::HttpRequest& request, const Answer& answer,
                                 Problem& problem) {
  query::HistogramRequest histogram;
  ASSIGN_OR_RETURN(histogram.buckets,
                   NumberParam(request, "buckets", kBucketsDefault, kBucketsMax));
  Call call;
  RETURN_IF_ERROR(Prepare(api, request, answer, call, problem));
  histogram.from = call.span.from;
  histogram.to = call.span.to;
  histogram.limits = call.limits;
  ASSIGN_OR_RETURN(const query::HistogramResult counted,
                   query::CountOverTime(*call.snapshot, *call.query, histogram));
  std::string out = fmt::format("{{\"from\":{},\"to\":{},\"step_ns\":{},\"total\":{},\"counts\":[",
                                JsonTime(call.span.from), JsonTime(call.span.to),
                                counted.step.count(), counted.total);
  for (size_t i = 0; i < counted.counts.size(); ++i) {
    fmt::format_to(std::back_inserter(out), "{}{}", i == 0 ? "" : ",", counted.counts[i]);
  }
  out += "]";
  AppendStats(out, counted.stats, counted.partial);
  return out;
}

using Run = Result<std::string> (*)(Api&, const net::HttpRequest&, const Answer&, Problem&);

template <Run run>
void Reply(Api& api, const net::HttpRequest& request, const Answer& answer) {
  Problem problem;
  const Result<std::string> json = run(api, request, answer, problem);
  if (json.ok()) return answer->Send(net::Json(200, *json));
  problem.status = json.status();
  answer->Send(ProblemResponse(problem));
}

// Hands the request to a query thread.
void Enqueue(Api& api, net::HttpRequest request, const Answer& answer) {
  Answer moved = answer;
  if (api.query_pool->Submit(request, moved)) return;
  answer->Send(Refusal(UnavailableError("too many searches are waiting; try again soon")));
}

void Tail(Api& api, const net::HttpRequest& request, const Answer& answer) {
  Problem problem;
  const auto query = ParseQuery(request, problem);
  if (query == nullptr) return answer->Send(ProblemResponse(problem));
  const store::LogstoreName name = LogstoreOf(request);
  Status status = api.domain.FindLogstore(name.project, name.logstore).status();
  if (status.ok()) status = api.tails.Add(name, query, answer);
  if (!status.ok()) answer->Send(Refusal(status));
}

void Cancel(Api& api, const net::HttpRequest& request, const Answer& answer) {
  const std::string id(request.PathParam("id"));
  if (api.queries.Cancel(id)) return answer->Send({204, {}, ""});
  answer->Send(net::Error(404, "no query runs under the id \"" + id + "\""));
}

}  // namespace

void AddSearchRoutes(net::Router& router, Api& api) {
  const std::string logstore = "/api/v1/projects/{project}/logstores/{logstore}";
  for (const char* what : {"/search", "/histogram"}) {
    AddRoute(router, api, "GET", logstore + what, Access::kView, Enqueue);
  }
  AddRoute(api.query_router, api, "GET", logstore + "/search", Access::kAnyone, Reply<RunSearch>);
  AddRoute(api.query_router, api, "GET", logstore + "/histogram", Access::kAnyone,
           Reply<RunHistogram>);
  AddRoute(router, api, "GET", logstore + "/tail", Access::kView, Tail);
  AddRoute(router, api, "DELETE", "/api/v1/queries/{id}", Access::kView, Cancel);
}

}  // namespace kelp::server
