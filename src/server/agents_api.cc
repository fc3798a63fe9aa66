// Agents, as far as ingest tells.
#include "server/api.h"
#include "server/json_text.h"

namespace kelp::server {
namespace {

std::string AgentJson(const IngestFigures::Agent& agent) {
  std::vector<std::string> logstores;
  for (const store::LogstoreName& name : agent.logstores) {
    logstores.push_back(name.project + "/" + name.logstore);
  }
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
  std::string out = "{\"agents\":[";
  // Without a caller the token was deleted just now.
  for (const IngestFigures::Agent& agent :
       caller ? api.figures.Agents(caller->project) : std::vector<IngestFigures::Agent>()) {
    if (out.back() == '}') out += ',';
    out += AgentJson(agent);
  }
  answer->Send(net::Json(200, out + "]}"));
}

}  // namespace

void AddAgentRoutes(net::Router& router, Api& api) {
  AddRoute(router, api, "GET", "/api/v1/agents", Access::kView, ListAgents, {.any_project = true});
}

}  // namespace kelp::server
