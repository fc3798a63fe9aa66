#include "server/api.h"

#include <algorithm>
#include <utility>

namespace kelp::server {
namespace {

// What 429 and 503 advise. Short: overload here passes in seconds.
constexpr const char* kRetryAfterSeconds = "2";
// Searches that wait for a thread. More would only wait longer than people do.
constexpr size_t kQueriesWaitingMax = 64;

// Exports at once: each holds a thread and a block of rows. Few wait, as each may last for hours.
constexpr int kExportThreads = 4;
constexpr size_t kExportsWaitingMax = 4;
// Logstores of one call. Each is a snapshot that stays open.
constexpr size_t kLogstoresMax = 16;

bool MayCall(Access access, domain::Role role) {
  switch (access) {
    case Access::kAnyone:
    case Access::kSignedIn:
      return true;
    case Access::kView:
      return role != domain::Role::kIngest;
    case Access::kIngest:
      return role != domain::Role::kViewer;
    case Access::kAdmin:
      return role == domain::Role::kAdmin;
  }
  return false;
}

net::HttpResponse NotSignedIn() {
  net::HttpResponse response = net::Error(
      401, "this call needs a valid \"Authorization: Bearer TOKEN\" or a session of the console");
  response.headers.Set("WWW-Authenticate", "Bearer realm=\"kelp\"");
  return response;
}

}  // namespace

Api::Api(Env& e, const ServerConfig& c, MetricRegistry& m, domain::Domain& d, domain::Library& l,
         store::Store& s)
    : env(e),
      config(c),
      metrics(m),
      domain(d),
      library(l),
      store(s),
      figures(e.clock()),
      sign_ins(e.clock(), m),
      scan_pool(static_cast<size_t>(c.query.threads) - 1),
      tails(s, m, c.query.tails_max),
      sql({c.sql.library, c.sql.threads}),
      accepted_rows(m.AddCounter("server_ingest_rows_total", "Rows accepted.")),
      duplicate_rows(
          m.AddCounter("server_ingest_duplicate_rows_total", "Rows that were stored before.")),
      refused_ingests(m.AddCounter("server_ingest_refused_total", "Ingest requests refused.")),
      query_handler([this](net::HttpRequest request, std::shared_ptr<net::Responder> answer) {
        query_router(std::move(request), std::move(answer));
      }),
      query_pool(std::make_unique<net::HandlerPool>(c.query.concurrent_max, kQueriesWaitingMax,
                                                    query_handler)),
      export_handler([this](net::HttpRequest request, std::shared_ptr<net::Responder> answer) {
        export_router(std::move(request), std::move(answer));
      }),
      export_pool(
          std::make_unique<net::HandlerPool>(kExportThreads, kExportsWaitingMax, export_handler)) {}

std::optional<domain::Caller> CallerOf(Api& api, const net::HttpRequest& request) {
  if (const std::string_view token = request.BearerToken(); !token.empty()) {
    return api.domain.CallerOfToken(token);
  }
  return api.domain.CallerOfSession(request.Cookie("kelp_session"));
}

void AddRoute(net::Router& router, Api& api, std::string_view method, std::string_view pattern,
              Access access, ApiHandler handler, RouteLimits limits) {
  router.Add(method, pattern,
             [&api, access, any_project = limits.any_project, handler = std::move(handler)](
                 net::HttpRequest request, Answer answer) {
               if (ComesFromAnotherSite(request)) {
                 return answer->Send(net::Error(403, "a page of another site made this call"));
               }
               if (access != Access::kAnyone) {
                 const std::optional<domain::Caller> caller = CallerOf(api, request);
                 if (!caller) return answer->Send(NotSignedIn());
                 if (!MayCall(access, caller->role)) {
                   return answer->Send(net::Error(403, std::string("the role ") +
                                                           domain::RoleName(caller->role) +
                                                           " does not allow this call"));
                 }
                 if (!any_project && !caller->project.empty() &&
                     request.PathParam("project") != caller->project) {
                   return answer->Send(net::Error(
                       403, "the token is only for the project \"" + caller->project + "\""));
                 }
               }
               handler(api, std::move(request), answer);
             },
             {.body_bytes_max = limits.body_bytes_max});
}

void Reply(const Answer& answer, int status, const Result<std::string>& json) {
  answer->Send(json.ok() ? net::Json(status, *json) : Refusal(json.status()));
}

void ReplyDone(const Answer& answer, const Status& status) {
  answer->Send(status.ok() ? net::HttpResponse{204, {}, ""} : Refusal(status));
}

net::HttpResponse Refusal(const Status& status) {
  net::HttpResponse response = net::Error(status);
  if (response.status == 429 || response.status == 503) {
    response.headers.Set("Retry-After", kRetryAfterSeconds);
  }
  return response;
}

store::LogstoreName LogstoreOf(const net::HttpRequest& request) {
  return {std::string(request.PathParam("project")), std::string(request.PathParam("logstore"))};
}

Result<std::vector<store::LogstoreName>> LogstoresOf(Api& api, const net::HttpRequest& request) {
  const std::string project(request.PathParam("project"));
  std::string_view list = request.PathParam("logstore");
  std::vector<store::LogstoreName> names;
  while (true) {
    const size_t comma = std::min(list.find(','), list.size());
    const std::string name(list.substr(0, comma));
    RETURN_IF_ERROR(api.domain.FindLogstore(project, name).status());
    if (std::any_of(names.begin(), names.end(),
                    [&](const auto& other) { return other.logstore == name; })) {
      return InvalidArgumentError("the logstore " + name + " is named twice");
    }
    names.push_back({project, name});
    if (comma == list.size()) return names;
    if (names.size() == kLogstoresMax) {
      return InvalidArgumentError("one call reads at most " + std::to_string(kLogstoresMax) +
                                  " logstores");
    }
    list.remove_prefix(comma + 1);
  }
}

}  // namespace kelp::server
