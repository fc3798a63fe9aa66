// Search, histogram, live tail; following and stopping a query.
#include <fmt/format.h>

#include <iterator>

#include "query/limits.h"
#include "query/query.h"
#include "server/api.h"
#include "server/json_text.h"
#include "server/query_call.h"

namespace kelp::server {
namespace {

constexpr uint32_t kRowsDefault = 100;
constexpr uint32_t kRowsMax = 1000;
constexpr uint32_t kBucketsDefault = 60;
constexpr uint32_t kBucketsMax = 1000;

Result<CountedAnswer> RunSearch(Api& api, const net::HttpRequest& request, const Answer& answer,
                                Problem& problem) {
  query::SearchRequest search;
  ASSIGN_OR_RETURN(search.limit, NumberParam(request, "limit", kRowsDefault, kRowsMax));
  QueryCall call;
  RETURN_IF_ERROR(PrepareCall(api, request, answer, QueryText(request), call, problem));
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
  return CountedAnswer{std::move(out), found.rows.size()};
}

Result<std::string> RunHistogram(Api& api, const net::HttpRequest& request, const Answer& answer,
                                 Problem& problem) {
  query::HistogramRequest histogram;
  ASSIGN_OR_RETURN(histogram.buckets,
                   NumberParam(request, "buckets", kBucketsDefault, kBucketsMax));
  QueryCall call;
  RETURN_IF_ERROR(PrepareCall(api, request, answer, QueryText(request), call, problem));
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

net::HttpResponse NotRunning(const std::string& id) {
  return net::Error(404, "no query runs under the id \"" + id + "\"");
}

void Tail(Api& api, const net::HttpRequest& request, const Answer& answer) {
  Problem problem;
  const auto query = ParseSearch(QueryText(request), problem);
  if (query == nullptr) return answer->Send(ProblemResponse(problem));
  const auto names = LogstoresOf(api, request);
  const Status status = names.ok() ? api.tails.Add(*names, query, answer) : names.status();
  if (!status.ok()) answer->Send(Refusal(status));
}

void GetProgress(Api& api, const net::HttpRequest& request, const Answer& answer) {
  const std::string id(request.PathParam("id"));
  const auto caller = CallerOf(api, request);
  if (!caller) return answer->Send(NotRunning(id));  // the token was deleted just now
  const auto done = api.queries.Progress(id, caller->project);
  if (!done) return answer->Send(NotRunning(id));
  const std::string share = done->blocks == 0
                                ? "null"
                                : fmt::format("{:.4f}", static_cast<double>(done->blocks_done) /
                                                            static_cast<double>(done->blocks));
  answer->Send(net::Json(
      200,
      fmt::format("{{\"state\":\"{}\",\"rows_scanned\":{},\"rows\":{},\"bytes\":{},\"share\":{},"
                  "\"wall_ms\":{},\"partial\":{},\"error\":{}}}",
                  done->running ? "running" : "ended", done->rows_scanned, done->rows, done->bytes,
                  share, std::chrono::duration_cast<std::chrono::milliseconds>(done->wall).count(),
                  JsonTextOrNull(done->partial), JsonTextOrNull(done->error))));
}

void Cancel(Api& api, const net::HttpRequest& request, const Answer& answer) {
  const std::string id(request.PathParam("id"));
  const auto caller = CallerOf(api, request);
  if (caller && api.queries.Cancel(id, caller->project)) return answer->Send({204, {}, ""});
  answer->Send(NotRunning(id));
}

}  // namespace

void AddSearchRoutes(net::Router& router, Api& api) {
  const std::string logstore = "/api/v1/projects/{project}/logstores/{logstore}";
  for (const char* what : {"/search", "/histogram"}) {
    AddRoute(router, api, "GET", logstore + what, Access::kView, EnqueueQuery);
  }
  AddRoute(api.query_router, api, "GET", logstore + "/search", Access::kAnyone,
           ReplyAndRemember<RunSearch>);
  AddRoute(api.query_router, api, "GET", logstore + "/histogram", Access::kAnyone,
           ReplyWith<RunHistogram>);
  AddRoute(router, api, "GET", logstore + "/tail", Access::kView, Tail);
  AddRoute(router, api, "GET", "/api/v1/queries/{id}", Access::kView, GetProgress,
           {.any_project = true});
  AddRoute(router, api, "DELETE", "/api/v1/queries/{id}", Access::kView, Cancel,
           {.any_project = true});
}

}  // namespace kelp::server
