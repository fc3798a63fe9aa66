// QueryCall: what the calls that run a query have in common: reading the request, finding rows,
// limits, and errors that point at a character.
#ifndef KELP_SERVER_QUERY_CALL_H_
#define KELP_SERVER_QUERY_CALL_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "query/query.h"
#include "server/api.h"

namespace kelp::server {

// An error that may point at a character of the query.
struct Problem {
  Status status;
  std::optional<size_t> position;
};
net::HttpResponse ProblemResponse(const Problem& problem);

// People count characters, the parser bytes: how many code points begin in the first `bytes`.
size_t CharacterAt(std::string_view text, size_t bytes);

// Parameter q.
std::string QueryText(const net::HttpRequest& request);
// The parsed search; nullptr with `problem`.
std::shared_ptr<const query::Query> ParseSearch(std::string_view text, Problem& problem);

// A number from `min` to `max`, or `otherwise` when the parameter is absent.
Result<uint32_t> NumberParam(const net::HttpRequest& request, std::string_view name,
                             uint32_t otherwise, uint32_t max, uint32_t min = 1);

struct Span {
  UnixNanos from;
  UnixNanos to;
};

// What every query call needs.
struct QueryCall {
  std::shared_ptr<const query::Query> query;
  std::shared_ptr<const store::Snapshot> snapshot;
  Span span;
  query::Limits limits;
  std::unique_ptr<RunningQueries::Entry> running;
};

// One snapshot of one logstore or of several; of the latter, rows say where they are from.
Result<std::shared_ptr<const store::Snapshot>> ReadAll(
    Api& api, const std::vector<store::LogstoreName>& names);

// Fills everything in; `search` is the text of the search.
Status PrepareCall(Api& api, const net::HttpRequest& request, const Answer& answer,
                   std::string_view search, QueryCall& call, Problem& problem);

// As callers of the API see what a statement did wrong: 403 is for callers without rights, and what
// no statement may do is a wrong request.
Status StatementError(const Status& status);

// ,"stats":{...},"partial":...} : the end of an answer.
void AppendStats(std::string& out, const query::Stats& stats, const std::string& partial);

using RunCall = Result<std::string> (*)(Api&, const net::HttpRequest&, const Answer&, Problem&);

// Answers with what `run` gives, or with its problem.
template <RunCall run>
void ReplyWith(Api& api, const net::HttpRequest& request, const Answer& answer) {
  Problem problem;
  const Result<std::string> json = run(api, request, answer, problem);
  if (json.ok()) return answer->Send(net::Json(200, *json));
  problem.status = json.status();
  answer->Send(ProblemResponse(problem));
}

// An answer that a history can speak of.
struct CountedAnswer {
  std::string json;
  uint64_t rows = 0;
};
using RunCounted = Result<CountedAnswer> (*)(Api&, const net::HttpRequest&, const Answer&,
                                             Problem&);
// Puts the query of a call with "history=1" into its caller's history.
void Remember(Api& api, const net::HttpRequest& request, uint64_t rows, Duration wall);

// As ReplyWith; then the query goes into the history, when the call asks for it.
template <RunCounted run>
void ReplyAndRemember(Api& api, const net::HttpRequest& request, const Answer& answer) {
  Problem problem;
  const Duration begin = api.env.clock().Monotonic();
  const Result<CountedAnswer> counted = run(api, request, answer, problem);
  if (!counted.ok()) {
    problem.status = counted.status();
    return answer->Send(ProblemResponse(problem));
  }
  answer->Send(net::Json(200, counted->json));
  Remember(api, request, counted->rows, api.env.clock().Monotonic() - begin);
}

// Hands the request to a query thread.
void EnqueueQuery(Api& api, net::HttpRequest request, const Answer& answer);

}  // namespace kelp::server

#endif  // KELP_SERVER_QUERY_CALL_H_
