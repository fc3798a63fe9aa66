// Projects and logstores.
#include <fmt/format.h>

#include "server/api.h"
#include "server/json_text.h"

namespace kelp::server {
namespace {

using domain::Logstore;
using Members = std::map<std::string, JsonMember>;

store::LogstoreSettings SettingsOf(const Logstore& logstore) {
  return {logstore.retention, logstore.retention_size};
}

// Rows, bytes and times come from the store; a logstore it does not know yet has none.
std::string LogstoreJson(Api& api, const Logstore& logstore) {
  store::LogstoreStats stats;
  Result<store::LogstoreStats> found = api.store.Stats({logstore.project, logstore.name});
  if (found.ok()) stats = *found;
  std::string out = "{\"name\":" + JsonText(logstore.name);
  out += ",\"retention\":" +
         (logstore.retention ? JsonText(FormatDuration(*logstore.retention)) : "null");
  out += ",\"retention_size\":" +
         (logstore.retention_size ? JsonText(FormatByteSize(*logstore.retention_size)) : "null");
  out += ",\"rows\":" + std::to_string(stats.rows);
  out += ",\"bytes\":" + std::to_string(stats.bytes);
  const IngestFigures::Rate rate = api.figures.RateOf({logstore.project, logstore.name});
  // What is not in segments yet is not compressed yet.
  const std::string compression = stats.bytes == 0
                                      ? "null"
                                      : fmt::format("{:.2f}", static_cast<double>(stats.raw_bytes) /
                                                                  static_cast<double>(stats.bytes));
  out += fmt::format(
      ",\"raw_bytes\":{},\"compression\":{},\"rows_per_second\":{:.2f},\"bytes_per_second\":{:.0f}",
      stats.raw_bytes + stats.hot_bytes, compression, rate.rows, rate.bytes);
  out += ",\"oldest\":" + JsonTime(stats.oldest);
  out += ",\"newest\":" + JsonTime(stats.newest) + "}";
  return out;
}

// Sets what the request names; null means "no limit".
Status ApplyRetention(const Members& members, Logstore& logstore) {
  if (const auto it = members.find("retention"); it != members.end()) {
    logstore.retention.reset();
    if (!it->second.is_null) {
      ASSIGN_OR_RETURN(logstore.retention, ParseDuration(it->second.text));
      if (*logstore.retention <= Duration(0)) {
        return InvalidArgumentError(
            "\"retention\" must be longer than 0; null keeps rows for ever");
      }
    }
  }
  if (const auto it = members.find("retention_size"); it != members.end()) {
    logstore.retention_size.reset();
    if (!it->second.is_null) {
      ASSIGN_OR_RETURN(logstore.retention_size, ParseByteSize(it->second.text));
      if (logstore.retention_size->bytes == 0) {
        return InvalidArgumentError("\"retention_size\" must be more than 0; null is no limit");
      }
    }
  }
  return OkStatus();
}

Result<std::string> NameOf(const Members& members) {
  const auto it = members.find("name");
  if (it == members.end() || it->second.is_null) {
    return InvalidArgumentError("\"name\" is missing");
  }
  return it->second.text;
}

Result<std::string> ListProjects(Api& api, const net::HttpRequest& request) {
  ASSIGN_OR_RETURN(auto projects, api.domain.Projects());
  if (const auto caller = CallerOf(api, request); caller && !caller->project.empty()) {
    std::erase_if(projects, [&](const auto& project) { return project.name != caller->project; });
  }
  std::string out = "{\"projects\":[";
  for (const domain::Project& project : projects) {
    if (out.back() == '}') out += ',';
    out += "{\"name\":" + JsonText(project.name) +
           ",\"logstores\":" + std::to_string(project.logstores) + "}";
  }
  return out + "]}";
}

Result<std::string> CreateProject(Api& api, const net::HttpRequest& request) {
  ASSIGN_OR_RETURN(const Members members, ParseRequestObject(request.body, {"name"}));
  ASSIGN_OR_RETURN(const std::string name, NameOf(members));
  RETURN_IF_ERROR(api.domain.CreateProject(name));
  return "{\"name\":" + JsonText(name) + ",\"logstores\":0}";
}

// The rows go first: should that fail, the names are still there to try again.
Status DropLogstore(Api& api, const store::LogstoreName& name) {
  api.tails.End(name);
  const Status dropped = api.store.DropLogstore(name);
  if (!dropped.ok() && dropped.code() != Code::kNotFound) return dropped;
  return api.domain.DeleteLogstore(name.project, name.logstore);
}

Status DeleteProject(Api& api, const net::HttpRequest& request) {
  const std::string project(request.PathParam("project"));
  ASSIGN_OR_RETURN(const auto logstores, api.domain.Logstores(project));
  for (const Logstore& logstore : logstores) {
    RETURN_IF_ERROR(DropLogstore(api, {project, logstore.name}));
  }
  return api.domain.DeleteProject(project);
}

Result<std::string> ListLogstores(Api& api, const net::HttpRequest& request) {
  ASSIGN_OR_RETURN(const auto logstores,
                   api.domain.Logstores(std::string(request.PathParam("project"))));
  std::string out = "{\"logstores\":[";
  for (const Logstore& logstore : logstores) {
    if (out.back() == '}') out += ',';
    out += LogstoreJson(api, logstore);
  }
  return out + "]}";
}

Result<std::string> CreateLogstore(Api& api, const net::HttpRequest& request) {
  ASSIGN_OR_RETURN(const Members members,
                   ParseRequestObject(request.body, {"name", "retention", "retention_size"}));
  Logstore logstore;
  logstore.project = request.PathParam("project");
  ASSIGN_OR_RETURN(logstore.name, NameOf(members));
  RETURN_IF_ERROR(ApplyRetention(members, logstore));
  RETURN_IF_ERROR(api.domain.CreateLogstore(logstore));
  const Status stored =
      api.store.PutLogstore({logstore.project, logstore.name}, SettingsOf(logstore));
  if (!stored.ok()) {
    api.domain.DeleteLogstore(logstore.project, logstore.name).IgnoreError();
    return stored;
  }
  return LogstoreJson(api, logstore);
}

Result<std::string> GetLogstore(Api& api, const net::HttpRequest& request) {
  const store::LogstoreName name = LogstoreOf(request);
  ASSIGN_OR_RETURN(const Logstore logstore, api.domain.FindLogstore(name.project, name.logstore));
  return LogstoreJson(api, logstore);
}

Result<std::string> PatchLogstore(Api& api, const net::HttpRequest& request) {
  const store::LogstoreName name = LogstoreOf(request);
  ASSIGN_OR_RETURN(const Members members,
                   ParseRequestObject(request.body, {"retention", "retention_size"}));
  ASSIGN_OR_RETURN(Logstore logstore, api.domain.FindLogstore(name.project, name.logstore));
  RETURN_IF_ERROR(ApplyRetention(members, logstore));
  RETURN_IF_ERROR(api.domain.UpdateLogstore(logstore));
  RETURN_IF_ERROR(api.store.PutLogstore(name, SettingsOf(logstore)));
  return LogstoreJson(api, logstore);
}

Status DeleteLogstore(Api& api, const net::HttpRequest& request) {
  const store::LogstoreName name = LogstoreOf(request);
  RETURN_IF_ERROR(api.domain.FindLogstore(name.project, name.logstore).status());
  return DropLogstore(api, name);
}

}  // namespace

void AddAdminRoutes(net::Router& router, Api& api) {
  const std::string projects = "/api/v1/projects";
  const std::string project = projects + "/{project}";
  const std::string logstores = project + "/logstores";
  const std::string logstore = logstores + "/{logstore}";
  using Request = net::HttpRequest;
  AddRoute(router, api, "GET", projects, Access::kView,
           [](Api& a, const Request& request, const Answer& answer) {
             Reply(answer, 200, ListProjects(a, request));
           },
           {.any_project = true});
  AddRoute(router, api, "POST", projects, Access::kAdmin,
           [](Api& a, const Request& request, const Answer& answer) {
             Reply(answer, 201, CreateProject(a, request));
           });
  AddRoute(router, api, "DELETE", project, Access::kAdmin,
           [](Api& a, const Request& request, const Answer& answer) {
             ReplyDone(answer, DeleteProject(a, request));
           });
  AddRoute(router, api, "GET", logstores, Access::kView,
           [](Api& a, const Request& request, const Answer& answer) {
             Reply(answer, 200, ListLogstores(a, request));
           });
  AddRoute(router, api, "POST", logstores, Access::kAdmin,
           [](Api& a, const Request& request, const Answer& answer) {
             Reply(answer, 201, CreateLogstore(a, request));
           });
  AddRoute(router, api, "GET", logstore, Access::kView,
           [](Api& a, const Request& request, const Answer& answer) {
             Reply(answer, 200, GetLogstore(a, request));
           });
  AddRoute(router, api, "PATCH", logstore, Access::kAdmin,
           [](Api& a, const Request& request, const Answer& answer) {
             Reply(answer, 200, PatchLogstore(a, request));
           });
  AddRoute(router, api, "DELETE", logstore, Access::kAdmin,
           [](Api& a, const Request& request, const Answer& answer) {
             ReplyDone(answer, DeleteLogstore(a, request));
           });
}

}  // namespace kelp::server
