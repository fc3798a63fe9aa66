#include "server/alert_api.h"

#include <charconv>

#include "codec/json_scan.h"
#include "query/query.h"
#include "server/json_text.h"
#include "sql/lexer.h"

namespace kelp::server {
namespace {

std::string ProjectOf(const net::HttpRequest& request) {
  return std::string(request.PathParam("project"));
}
std::string NameOf(const net::HttpRequest& request) {
  return std::string(request.PathParam("name"));
}

alert::Show ShowTo(Api& api, const net::HttpRequest& request) {
  const auto caller = CallerOf(api, request);
  const bool admin = caller && caller->role == domain::Role::kAdmin;
  return admin ? alert::Show::kEditor : alert::Show::kViewer;
}

Result<std::string> List(Api& api, alert::AlertEngine& engine, const net::HttpRequest& request) {
  const std::string project = ProjectOf(request);
  RETURN_IF_ERROR(api.domain.Logstores(project).status());
  return engine.List(project, ShowTo(api, request));
}

// What is wrong with an alert is better said now than a minute later.
Status CheckQuery(Api& api, const alert::Alert& alert) {
  for (const std::string& logstore : alert.logstores) {
    RETURN_IF_ERROR(api.domain.FindLogstore(alert.project, logstore).status());
  }
  const size_t pipe = sql::FindPipe(alert.q);
  query::ParseError error;
  if (query::Parse(std::string_view(alert.q).substr(0, pipe), error) == nullptr) {
    return InvalidArgumentError("\"q\", at byte " + std::to_string(error.position) + ": " +
                                error.message);
  }
  if (pipe == alert.q.npos && (!alert.group_by.empty() || !alert.condition.column.empty())) {
    return InvalidArgumentError(
        "\"group_by\" and \"column\" need columns: add a statement to \"q\", like "
        "\"| stats count() as n by pod\"");
  }
  return OkStatus();
}

Result<std::string> Put(Api& api, alert::AlertEngine& engine, const net::HttpRequest& request) {
  ASSIGN_OR_RETURN(alert::Alert alert,
                   alert::ParseAlert(ProjectOf(request), NameOf(request), request.body));
  RETURN_IF_ERROR(CheckQuery(api, alert));
  RETURN_IF_ERROR(engine.Put(std::move(alert)));
  return engine.Get(ProjectOf(request), NameOf(request), alert::Show::kEditor);
}

// {"until": Unix nanoseconds, an RFC 3339 time, or null to end the silence}
Result<UnixNanos> UntilOf(std::string_view body) {
  std::string_view value;
  const bool object = codec::ForEachMember(body, [&](std::string_view key, std::string_view text) {
    value = text;
    return key == "\"until\"";
  });
  if (!object || value.empty()) return InvalidArgumentError("the body must be {\"until\":TIME}");
  if (value == "null") return UnixNanos{0};
  if (value[0] == '"') return ParseRfc3339(JsonStringValue(value));
  UnixNanos until = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), until);
  if (error == std::errc() && end == value.data() + value.size() && until >= 0) return until;
  return InvalidArgumentError("\"until\" must be Unix nanoseconds, an RFC 3339 time, or null");
}

Result<std::string> Silence(alert::AlertEngine& engine, const net::HttpRequest& request) {
  ASSIGN_OR_RETURN(const UnixNanos until, UntilOf(request.body));
  RETURN_IF_ERROR(engine.Silence(ProjectOf(request), NameOf(request), until));
  return engine.Get(ProjectOf(request), NameOf(request), alert::Show::kEditor);
}

}  // namespace

void AddAlertRoutes(net::Router& router, Api& api, alert::AlertEngine& engine) {
  const std::string alerts = "/api/v1/projects/{project}/alerts";
  const std::string one = alerts + "/{name}";
  AddRoute(router, api, "GET", alerts, Access::kView,
           [&engine](Api& a, const net::HttpRequest& request, const Answer& answer) {
             Reply(answer, 200, List(a, engine, request));
           });
  AddRoute(router, api, "GET", one, Access::kView,
           [&engine](Api& a, const net::HttpRequest& request, const Answer& answer) {
             Reply(answer, 200,
                   engine.Get(ProjectOf(request), NameOf(request), ShowTo(a, request)));
           });
  AddRoute(router, api, "PUT", one, Access::kAdmin,
           [&engine](Api& a, const net::HttpRequest& request, const Answer& answer) {
             Reply(answer, 200, Put(a, engine, request));
           });
  AddRoute(router, api, "DELETE", one, Access::kAdmin,
           [&engine](Api&, const net::HttpRequest& request, const Answer& answer) {
             ReplyDone(answer, engine.Delete(ProjectOf(request), NameOf(request)));
           });
  AddRoute(router, api, "POST", one + "/silence", Access::kAdmin,
           [&engine](Api&, const net::HttpRequest& request, const Answer& answer) {
             Reply(answer, 200, Silence(engine, request));
           });
}

}  // namespace kelp::server
