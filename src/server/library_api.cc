// What people keep: saved searches, dashboards, the history of their queries.
#include "server/api.h"
#include "server/document.h"
#include "server/json_text.h"
#include "server/query_call.h"

namespace kelp::server {
namespace {

constexpr uint32_t kHistoryDefault = 100;

std::string ProjectOf(const net::HttpRequest& request) {
  return std::string(request.PathParam("project"));
}

domain::Library::Rights RightsOf(Api& api, const net::HttpRequest& request) {
  const auto caller = CallerOf(api, request);
  if (!caller) return {};
  return {caller->id, caller->role == domain::Role::kAdmin};
}

// {"name":…, what was saved…, "updated":…, "editable":…}
std::string DocumentJson(const domain::Document& document, const domain::Library::Rights& rights) {
  std::string out = "{\"name\":" + JsonText(document.name);
  const std::string_view members =
      std::string_view(document.json).substr(1, document.json.size() - 2);
  if (!members.empty()) out += ',';
  out += members;
  out += ",\"updated\":" + JsonTime(document.updated) + ",\"editable\":";
  out += rights.everybody || rights.owner == document.owner ? "true}" : "false}";
  return out;
}

Result<std::string> List(Api& api, const net::HttpRequest& request, const DocumentKind& kind) {
  ASSIGN_OR_RETURN(const auto documents, api.library.List(ProjectOf(request), kind.name));
  const auto rights = RightsOf(api, request);
  std::string out = "{\"" + std::string(kind.list) + "\":[";
  for (const domain::Document& document : documents) {
    if (out.back() == '}') out += ',';
    out += DocumentJson(document, rights);
  }
  return out + "]}";
}

Result<std::string> Get(Api& api, const net::HttpRequest& request, const DocumentKind& kind) {
  ASSIGN_OR_RETURN(const auto document, api.library.Find(ProjectOf(request), kind.name,
                                                         std::string(request.PathParam("name"))));
  return DocumentJson(document, RightsOf(api, request));
}

Result<std::string> Put(Api& api, const net::HttpRequest& request, const DocumentKind& kind) {
  domain::Document document;
  document.name = request.PathParam("name");
  ASSIGN_OR_RETURN(document.json, ReadDocument(kind, request.body));
  const auto rights = RightsOf(api, request);
  ASSIGN_OR_RETURN(const auto saved,
                   api.library.Put(ProjectOf(request), kind.name, document, rights));
  return DocumentJson(saved, rights);
}

void AddDocumentRoutes(net::Router& router, Api& api, const DocumentKind& kind) {
  const std::string list = "/api/v1/projects/{project}/" + std::string(kind.path);
  const std::string one = list + "/{name}";
  using Request = net::HttpRequest;
  AddRoute(router, api, "GET", list, Access::kView,
           [&kind](Api& a, const Request& request, const Answer& answer) {
             Reply(answer, 200, List(a, request, kind));
           });
  AddRoute(router, api, "GET", one, Access::kView,
           [&kind](Api& a, const Request& request, const Answer& answer) {
             Reply(answer, 200, Get(a, request, kind));
           });
  AddRoute(router, api, "PUT", one, Access::kView,
           [&kind](Api& a, const Request& request, const Answer& answer) {
             Reply(answer, 200, Put(a, request, kind));
           },
           {.body_bytes_max = ByteSize{domain::Library::kDocumentBytesMax}});
  AddRoute(router, api, "DELETE", one, Access::kView,
           [&kind](Api& a, const Request& request, const Answer& answer) {
             ReplyDone(answer, a.library.Delete(ProjectOf(request), kind.name,
                                                std::string(request.PathParam("name")),
                                                RightsOf(a, request)));
           });
}

std::vector<std::string> Split(std::string_view list) {
  std::vector<std::string> names;
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    names.emplace_back(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return names;
}

Result<std::string> GetHistory(Api& api, const net::HttpRequest& request) {
  ASSIGN_OR_RETURN(const uint32_t limit,
                   NumberParam(request, "limit", kHistoryDefault, domain::Library::kHistoryMax));
  ASSIGN_OR_RETURN(const auto queries,
                   api.library.History(ProjectOf(request), RightsOf(api, request).owner, limit));
  std::string out = "{\"queries\":[";
  for (const domain::PastQuery& query : queries) {
    if (out.back() == '}') out += ',';
    out += "{\"q\":" + JsonText(query.query) +
           ",\"logstores\":" + JsonList(Split(query.logstores)) +
           ",\"from\":" + JsonTextOrNull(query.from) + ",\"to\":" + JsonTextOrNull(query.to) +
           ",\"at\":" + JsonTime(query.at) + ",\"wall_ms\":" + std::to_string(query.wall_ms) +
           ",\"rows\":" + std::to_string(query.rows) + "}";
  }
  return out + "]}";
}

}  // namespace

void AddLibraryRoutes(net::Router& router, Api& api) {
  AddDocumentRoutes(router, api, SavedSearchKind());
  AddDocumentRoutes(router, api, DashboardKind());
  const std::string history = "/api/v1/projects/{project}/history";
  using Request = net::HttpRequest;
  AddRoute(router, api, "GET", history, Access::kView,
           [](Api& a, const Request& request, const Answer& answer) {
             Reply(answer, 200, GetHistory(a, request));
           });
  AddRoute(router, api, "DELETE", history, Access::kView,
           [](Api& a, const Request& request, const Answer& answer) {
             ReplyDone(answer, a.library.Forget(ProjectOf(request), RightsOf(a, request).owner));
           });
}

}  // namespace kelp::server
