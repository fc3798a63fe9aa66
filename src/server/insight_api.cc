// What a search found, looked at more closely: fields, patterns, the rows around one, and how it
// was found.
#include <fmt/format.h>

#include <charconv>
#include <iterator>

#include "query/context.h"
#include "query/explain.h"
#include "query/field_statistics.h"
#include "query/limits.h"
#include "query/patterns.h"
#include "server/api.h"
#include "server/json_text.h"
#include "server/query_call.h"
#include "server/time_param.h"

namespace kelp::server {
namespace {

constexpr uint32_t kExplainRowsDefault = 100;
constexpr uint32_t kExplainBuckets = 60;
// Newest rows that statistics look at: more say the same and take longer.
constexpr uint32_t kStatRowsDefault = 1'000'000;
constexpr uint32_t kStatRowsMax = 100'000'000;
constexpr uint32_t kTopDefault = 10;
constexpr uint32_t kTopMax = 100;  // of each of many fields
constexpr uint32_t kTopOfOneDefault = 100;
constexpr uint32_t kPatternRowsDefault = 200'000;
constexpr uint32_t kPatternRowsMax = 10'000'000;
constexpr uint32_t kPatternsDefault = 100;
constexpr uint32_t kContextDefault = 20;
// One row more on each side tells whether there are more.
constexpr uint32_t kContextMax = query::kContextRowsMax - 1;

// The answer's end goes into the object that `out` is.
void CloseWithStats(std::string& out, const query::Stats& stats, const std::string& partial) {
  out.pop_back();
  AppendStats(out, stats, partial);
}

Result<std::string> RunExplain(Api& api, const net::HttpRequest& request, const Answer& answer,
                               Problem& problem) {
  ASSIGN_OR_RETURN(const uint32_t limit,
                   NumberParam(request, "limit", kExplainRowsDefault, query::kRowsPerSearchMax));
  const std::string of = request.QueryParam("of").value_or("search");
  if (of != "search" && of != "histogram") {
    return InvalidArgumentError("\"of\" must be search or histogram, not \"" + of + "\"");
  }
  QueryCall call;
  RETURN_IF_ERROR(PrepareCall(api, request, answer, QueryText(request), call, problem));
  std::string out;
  if (of == "search") {
    query::SearchRequest search{.from = call.span.from,
                                .to = call.span.to,
                                .limit = limit,
                                .cursor = "",
                                .limits = call.limits,
                                .explain = true};
    ASSIGN_OR_RETURN(const auto found, query::Search(*call.snapshot, *call.query, search));
    query::PrintExplainJson(found.explain, out);
    CloseWithStats(out, found.stats, found.partial);
    return out;
  }
  query::HistogramRequest histogram{.from = call.span.from,
                                    .to = call.span.to,
                                    .buckets = kExplainBuckets,
                                    .limits = call.limits,
                                    .explain = true};
  ASSIGN_OR_RETURN(const auto counted,
                   query::CountOverTime(*call.snapshot, *call.query, histogram));
  query::PrintExplainJson(counted.explain, out);
  CloseWithStats(out, counted.stats, counted.partial);
  return out;
}

Result<query::FieldStatsResult> CountFields(Api& api, const net::HttpRequest& request,
                                            const Answer& answer, query::FieldStatsRequest fields,
                                            Problem& problem) {
  ASSIGN_OR_RETURN(fields.rows, NumberParam(request, "rows", kStatRowsDefault, kStatRowsMax));
  QueryCall call;
  RETURN_IF_ERROR(PrepareCall(api, request, answer, QueryText(request), call, problem));
  fields.from = call.span.from;
  fields.to = call.span.to;
  fields.limits = call.limits;
  return query::FieldStatistics(*call.snapshot, *call.query, fields);
}

Result<std::string> RunFields(Api& api, const net::HttpRequest& request, const Answer& answer,
                              Problem& problem) {
  query::FieldStatsRequest fields;
  ASSIGN_OR_RETURN(fields.top, NumberParam(request, "top", kTopDefault, kTopMax));
  ASSIGN_OR_RETURN(const auto result, CountFields(api, request, answer, fields, problem));
  std::string out;
  query::PrintFieldStatsJson(result, out);
  CloseWithStats(out, result.stats, result.partial);
  return out;
}

Result<std::string> RunOneField(Api& api, const net::HttpRequest& request, const Answer& answer,
                                Problem& problem) {
  query::FieldStatsRequest fields;
  ASSIGN_OR_RETURN(fields.top, NumberParam(request, "top", kTopOfOneDefault, query::kTopValuesMax));
  fields.fields = {std::string(request.PathParam("name"))};
  fields.prefix = request.QueryParam("prefix").value_or("");
  ASSIGN_OR_RETURN(const auto result, CountFields(api, request, answer, fields, problem));
  // A name may be a field and a tag: the one that more rows have comes first.
  query::FieldStat none;
  none.name = fields.fields[0];
  std::string out;
  query::PrintFieldJson(result.fields.empty() ? none : result.fields[0], result.rows, out);
  out.pop_back();
  fmt::format_to(std::back_inserter(out), ",\"rows_looked_at\":{},\"sampled\":{}", result.rows,
                 !result.complete);
  AppendStats(out, result.stats, result.partial);
  return out;
}

Result<std::string> RunPatterns(Api& api, const net::HttpRequest& request, const Answer& answer,
                                Problem& problem) {
  query::PatternsRequest patterns;
  ASSIGN_OR_RETURN(patterns.limit,
                   NumberParam(request, "limit", kPatternsDefault, query::kPatternsMax));
  ASSIGN_OR_RETURN(patterns.rows,
                   NumberParam(request, "rows", kPatternRowsDefault, kPatternRowsMax));
  const std::string from = request.QueryParam("compare_from").value_or("");
  const std::string to = request.QueryParam("compare_to").value_or("");
  if (from.empty() != to.empty()) {
    return InvalidArgumentError("\"compare_from\" and \"compare_to\" go together");
  }
  if (!from.empty()) {
    const UnixNanos now = api.env.clock().Now();
    ASSIGN_OR_RETURN(patterns.compare_from, ParseTimeParam(from, now));
    ASSIGN_OR_RETURN(patterns.compare_to, ParseTimeParam(to, now));
    if (patterns.compare_from >= patterns.compare_to) {
      return InvalidArgumentError("\"compare_from\" must be earlier than \"compare_to\"");
    }
  }
  QueryCall call;
  RETURN_IF_ERROR(PrepareCall(api, request, answer, QueryText(request), call, problem));
  patterns.from = call.span.from;
  patterns.to = call.span.to;
  patterns.limits = call.limits;
  ASSIGN_OR_RETURN(const auto result, query::FindPatterns(*call.snapshot, *call.query, patterns));
  std::string out;
  query::PrintPatternsJson(result, out);
  CloseWithStats(out, result.stats, result.partial);
  return out;
}

// The parameters that name a row.
Status ReadPlace(Api& api, const net::HttpRequest& request, query::ContextRequest& context) {
  const std::string origin = request.QueryParam("origin").value_or("");
  ASSIGN_OR_RETURN(context.origin, OriginId::Parse(origin));
  const std::string offset = request.QueryParam("offset").value_or("");
  const auto [end, error] =
      std::from_chars(offset.data(), offset.data() + offset.size(), context.offset);
  if (error != std::errc() || end != offset.data() + offset.size()) {
    return InvalidArgumentError("\"offset\" must be the offset of a row's origin, not \"" + offset +
                                "\"");
  }
  const std::string time = request.QueryParam("time").value_or("");
  if (time.empty()) return InvalidArgumentError("\"time\", the row's, is missing");
  ASSIGN_OR_RETURN(context.time, ParseTimeParam(time, api.env.clock().Now()));
  return OkStatus();
}

Result<std::string> RunContext(Api& api, const net::HttpRequest& request, const Answer& answer,
                               Problem& problem) {
  query::ContextRequest context;
  RETURN_IF_ERROR(ReadPlace(api, request, context));
  ASSIGN_OR_RETURN(const uint32_t before,
                   NumberParam(request, "before", kContextDefault, kContextMax, 0));
  ASSIGN_OR_RETURN(const uint32_t after,
                   NumberParam(request, "after", kContextDefault, kContextMax, 0));
  QueryCall call;
  RETURN_IF_ERROR(PrepareCall(api, request, answer, "", call, problem));
  context.before = before + 1;
  context.after = after + 1;
  context.limits = call.limits;
  ASSIGN_OR_RETURN(query::ContextResult found, query::FindContext(*call.snapshot, context));
  const bool more_before = found.before.size() > before;
  const bool more_after = found.after.size() > after;
  if (more_before) found.before.erase(found.before.begin());
  if (more_after) found.after.pop_back();
  std::string out = "{\"rows\":[";
  const auto print = [&out](const query::Row& row) {
    if (out.back() != '[') out += ',';
    query::PrintRowJson(row, out);
  };
  for (const query::Row& row : found.before) print(row);
  if (found.row) print(*found.row);
  for (const query::Row& row : found.after) print(row);
  fmt::format_to(std::back_inserter(out), "],\"at\":{},\"more_before\":{},\"more_after\":{}",
                 found.row ? std::to_string(found.before.size()) : "null", more_before, more_after);
  AppendStats(out, found.stats, found.partial);
  return out;
}

template <RunCall run>
void AddQueryRoute(net::Router& router, Api& api, std::string_view what) {
  const std::string path = "/api/v1/projects/{project}/logstores/{logstore}" + std::string(what);
  AddRoute(router, api, "GET", path, Access::kView, EnqueueQuery);
  AddRoute(api.query_router, api, "GET", path, Access::kAnyone, ReplyWith<run>);
}

}  // namespace

void AddInsightRoutes(net::Router& router, Api& api) {
  AddQueryRoute<RunExplain>(router, api, "/explain");
  AddQueryRoute<RunFields>(router, api, "/fields");
  AddQueryRoute<RunOneField>(router, api, "/fields/{name*}");
  AddQueryRoute<RunPatterns>(router, api, "/patterns");
  AddQueryRoute<RunContext>(router, api, "/context");
}

}  // namespace kelp::server
