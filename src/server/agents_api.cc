// Agents, as far as ingest tells.
#include "server/api.h"
#include "server/json_text.h"

namespace kelp::server {
namespace {

// Those that send to the only project that the caller may see; of these, what is of it.
std::string AgentJson(const IngestFigures::Agent& agent, const std::string& project) {
  std::vector<std::string> logstores;
  for (const store::LogstoreName& name : agent.logstores) {
    if (project.empty() || name.project == project) {
      logstores.push_back(name.project + "/" + name.logstore);
    }
  }
  if (logstores.empty()) return "";
  return "{\"id\":" + JsonText(agent.last.host) + ",\"host\":" + JsonText(agent.last.host) +
         ",\"version\":" + JsonTextOrNull(agent.last.version) +
         ",\"address\":" + JsonText(agent.last.address) +
         ",\"last_seen\":" + JsonTime(agent.last_seen) + ",\"rows\":" + std::to_string(agent.rows) +
         ",\"bytes\":" + std::to_string(agent.bytes) +
         ",\"pipelines\":" + JsonList({agent.pipelines.begin(), agent.pipelines.end()}) +
         ",\"logstores\":" + JsonList(logstores) + "}";
}

void ListAgents(Api& api, const net::HttpRequest& request, const Answer& answer) {
  const auto caller = CallerOf(api, request);
  const std::string project = caller ? caller->project : "";
  std::string out = "{\"agents\":[";
  for (const IngestFigures::Agent& agent : api.figures.Agents()) {
    const std::string json = AgentJson(agent, project);
    if (json.empty()) continue;
    if (out.back() == '}') out += ',';
    out += json;
  }
  answer->Send(net::Json(200, out + "]}"));
}

}  // namespace

void AddAgentRoutes(net::Router& router, Api& api) {
  AddRoute(router, api, "GET", "/api/v1/agents", Access::kView, ListAgents, {.any_project = true});
}

}  // namespace kelp::server
