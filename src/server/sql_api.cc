// SQL and pipes behind a search: "search | SELECT ...".
#include <fmt/format.h>

#include "server/json_text.h"
#include "server/query_call.h"
#include "sql/lexer.h"
#include "sql/sql.h"

namespace kelp::server {
namespace {

constexpr uint32_t kRowsDefault = 1'000;
constexpr uint32_t kRowsMax = 10'000;

// Gathers the result as JSON.
class JsonSink final : public sql::RowSink {
 public:
  explicit JsonSink(uint64_t bytes_max) : bytes_max_(bytes_max) {}

  void Start(const std::vector<sql::ResultColumn>& columns) override {
    columns_.clear();
    for (const sql::ResultColumn& column : columns) {
      columns_ += fmt::format("{}{{\"name\":{},\"type\":\"{}\"}}", columns_.empty() ? "" : ",",
                              JsonText(column.name), column.type);
    }
    rows_.clear();
  }

  bool Row(std::span<const sql::Cell> cells) override {
    if (rows_.size() >= bytes_max_) {
      full_ = true;
      return false;
    }
    rows_ += rows_.empty() ? "[" : ",[";
    for (size_t i = 0; i < cells.size(); ++i) {
      if (i > 0) rows_ += ',';
      AppendJsonCell(cells[i], rows_);
    }
    rows_ += ']';
    return true;
  }

  const std::string& columns() const { return columns_; }
  const std::string& rows() const { return rows_; }
  bool full() const { return full_; }

 private:
  const uint64_t bytes_max_;
  std::string columns_;
  std::string rows_;
  bool full_ = false;
};

std::string JsonChart(const std::optional<sql::Chart>& chart) {
  if (!chart) return "null";
  return fmt::format("{{\"kind\":\"{}\",\"x\":{},\"series\":{},\"values\":{}}}", chart->kind,
                     JsonTextOrNull(chart->x), JsonList(chart->series), JsonList(chart->values));
}

Result<CountedAnswer> RunSql(Api& api, const net::HttpRequest& request, const Answer& answer,
                             Problem& problem) {
  const std::string text = QueryText(request);
  const size_t pipe = sql::FindPipe(text);
  if (pipe == text.npos) {
    problem.position = CharacterAt(text, text.size());
    return InvalidArgumentError("a '|' and a statement are missing: SEARCH | SELECT ...");
  }
  sql::Request call_request;
  ASSIGN_OR_RETURN(call_request.rows_max, NumberParam(request, "limit", kRowsDefault, kRowsMax));
  QueryCall call;
  RETURN_IF_ERROR(
      PrepareCall(api, request, answer, std::string_view(text).substr(0, pipe), call, problem));
  call_request.statement = std::string_view(text).substr(pipe + 1);
  call_request.from = call.span.from;
  call_request.to = call.span.to;
  call_request.limits = call.limits;
  JsonSink sink(call.limits.memory.bytes);
  sql::Outcome outcome;
  sql::Problem failed;
  if (!api.sql.Run(*call.snapshot, *call.query, call_request, sink, outcome, failed)) {
    if (failed.position) {
      problem.position = CharacterAt(text, std::min(pipe + 1 + *failed.position, text.size()));
    }
    return StatementError(failed.status);
  }
  std::string out =
      fmt::format("{{\"columns\":[{}],\"rows\":[{}],\"more\":{},\"chart\":{}", sink.columns(),
                  sink.rows(), outcome.more || sink.full(), JsonChart(outcome.chart));
  AppendStats(out, outcome.stats, outcome.partial);
  return CountedAnswer{std::move(out), outcome.rows};
}

}  // namespace

void AddSqlRoutes(net::Router& router, Api& api) {
  const std::string path = "/api/v1/projects/{project}/logstores/{logstore}/sql";
  AddRoute(router, api, "GET", path, Access::kView, EnqueueQuery);
  AddRoute(api.query_router, api, "GET", path, Access::kAnyone, ReplyAndRemember<RunSql>);
}

}  // namespace kelp::server
