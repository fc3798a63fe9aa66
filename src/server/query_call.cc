#include "server/query_call.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>

#include "base/log.h"
#include "query/merged_snapshot.h"
#include "server/json_text.h"
#include "server/time_param.h"

namespace kelp::server {
namespace {

constexpr Duration kSpanDefault = 1h;
constexpr size_t kQueryIdBytesMax = 128;

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

}  // namespace

Result<std::shared_ptr<const store::Snapshot>> ReadAll(
    Api& api, const std::vector<store::LogstoreName>& names) {
  if (names.size() == 1) return api.store.Read(names[0]);
  std::vector<query::MergedSnapshot::Source> sources;
  for (const store::LogstoreName& name : names) {
    ASSIGN_OR_RETURN(auto snapshot, api.store.Read(name));
    sources.push_back({name.logstore, std::move(snapshot)});
  }
  return std::shared_ptr<const store::Snapshot>(
      std::make_shared<const query::MergedSnapshot>(std::move(sources)));
}

net::HttpResponse ProblemResponse(const Problem& problem) {
  net::HttpResponse response = Refusal(problem.status);
  if (problem.position) {
    // ...}} of net::Error: the position goes inside the inner object.
    response.body.resize(response.body.size() - 2);
    response.body += ",\"position\":" + std::to_string(*problem.position) + "}}";
  }
  return response;
}

size_t CharacterAt(std::string_view text, size_t bytes) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(bytes),
                    [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string QueryText(const net::HttpRequest& request) {
  return request.QueryParam("q").value_or("");
}

std::shared_ptr<const query::Query> ParseSearch(std::string_view text, Problem& problem) {
  query::ParseError error;
  auto query = query::Parse(text, error);
  if (query == nullptr) {
    problem = {InvalidArgumentError(error.message),
               CharacterAt(text, std::min(error.position, text.size()))};
  }
  return query;
}

Result<uint32_t> NumberParam(const net::HttpRequest& request, std::string_view name,
                             uint32_t otherwise, uint32_t max, uint32_t min) {
  const std::optional<std::string> text = request.QueryParam(name);
  if (!text || text->empty()) return otherwise;
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size() || number < min || number > max) {
    return InvalidArgumentError(
        fmt::format("\"{}\" must be a number from {} to {}, not \"{}\"", name, min, max, *text));
  }
  return number;
}

Status PrepareCall(Api& api, const net::HttpRequest& request, const Answer& answer,
                   std::string_view search, QueryCall& call, Problem& problem) {
  call.query = ParseSearch(search, problem);
  if (call.query == nullptr) return problem.status;
  ASSIGN_OR_RETURN(call.span, SpanParam(request, api.env.clock().Now()));
  const std::string id = request.QueryParam("id").value_or("");
  if (id.size() > kQueryIdBytesMax) return InvalidArgumentError("\"id\" is too long");
  ASSIGN_OR_RETURN(const auto names, LogstoresOf(api, request));
  ASSIGN_OR_RETURN(call.snapshot, ReadAll(api, names));
  call.running = api.queries.Add(id, std::string(request.PathParam("project")));
  RunningQueries::State& state = *call.running->state();
  answer->OnClose([shared = call.running->state()] { shared->cancelled = true; });
  call.limits = {.time = api.config.query.time_max,
                 .memory = api.config.query.memory_max,
                 .cancelled = &state.cancelled,
                 .pool = &api.scan_pool,
                 .threads = static_cast<uint32_t>(api.config.query.threads),
                 .progress = &state.progress};
  return OkStatus();
}

Status StatementError(const Status& status) {
  if (status.code() != Code::kPermissionDenied) return status;
  return InvalidArgumentError(std::string(status.message()));
}

void AppendStats(std::string& out, const query::Stats& stats, const std::string& partial) {
  const auto millis = [](Duration d) { return static_cast<double>(d.count()) / 1e6; };
  fmt::format_to(std::back_inserter(out),
                 ",\"stats\":{{\"blocks\":{},\"blocks_skipped\":{},\"rows_scanned\":{},"
                 "\"bytes_scanned\":{},\"cpu_ms\":{:.3f},\"wall_ms\":{:.3f}}},\"partial\":{}}}",
                 stats.blocks, stats.blocks_skipped, stats.rows_scanned, stats.bytes_scanned,
                 millis(stats.cpu), millis(stats.wall), JsonTextOrNull(partial));
}

void Remember(Api& api, const net::HttpRequest& request, uint64_t rows, Duration wall) {
  if (request.QueryParam("history") != "1") return;
  const auto caller = CallerOf(api, request);
  if (!caller) return;
  const Status kept = api.library.Remember(
      std::string(request.PathParam("project")), caller->id,
      {.query = QueryText(request),
       .logstores = std::string(request.PathParam("logstore")),
       .from = request.QueryParam("from").value_or(""),
       .to = request.QueryParam("to").value_or(""),
       .wall_ms = std::chrono::duration_cast<std::chrono::milliseconds>(wall).count(),
       .rows = static_cast<int64_t>(rows)});
  if (!kept.ok())
    LOG_RATE(1min, kWarning, "cannot keep a query in the history: {}", kept.message());
}

void EnqueueQuery(Api& api, net::HttpRequest request, const Answer& answer) {
  Answer moved = answer;
  if (api.query_pool->Submit(request, moved)) return;
  answer->Send(Refusal(UnavailableError("too many searches are waiting; try again soon")));
}

}  // namespace kelp::server
