// Tokens: listing, making and ending them.
#include "domain/secret.h"
#include "server/api.h"
#include "server/json_text.h"

namespace kelp::server {
namespace {

std::string TokenJson(const domain::Token& token) {
  return "{\"id\":" + JsonText(token.id) + ",\"name\":" + JsonText(token.name) + ",\"role\":\"" +
         domain::RoleName(token.role) + "\",\"project\":" + JsonTextOrNull(token.project) +
         ",\"created\":" + JsonTime(token.created) + ",\"last_used\":" + JsonTime(token.last_used) +
         "}";
}

Result<std::string> ListTokens(Api& api) {
  ASSIGN_OR_RETURN(const auto tokens, api.domain.Tokens());
  std::string out = "{\"tokens\":[";
  for (const domain::Token& token : tokens) {
    if (out.back() == '}') out += ',';
    out += TokenJson(token);
  }
  return out + "]}";
}

Result<std::string> CreateToken(Api& api, const net::HttpRequest& request) {
  ASSIGN_OR_RETURN(auto members, ParseRequestObject(request.body, {"name", "role", "project"}));
  for (const char* key : {"name", "role"}) {
    if (members[key].text.empty()) {
      return InvalidArgumentError("\"" + std::string(key) + "\" is missing");
    }
  }
  domain::Token token;
  token.name = members["name"].text;
  ASSIGN_OR_RETURN(token.role, domain::ParseRole(members["role"].text));
  token.project = members["project"].text;
  const std::string secret = domain::NewToken(api.env.random());
  RETURN_IF_ERROR(api.domain.AddToken(secret, token.role, token.name, token.project));
  token.id = domain::Domain::IdOfToken(secret);
  token.created = api.env.clock().Now();
  std::string out = TokenJson(token);
  out.pop_back();
  return out + ",\"token\":" + JsonText(secret) + "}";
}

}  // namespace

void AddTokenRoutes(net::Router& router, Api& api) {
  const std::string tokens = "/api/v1/tokens";
  using Request = net::HttpRequest;
  AddRoute(router, api, "GET", tokens, Access::kAdmin,
           [](Api& a, const Request&, const Answer& answer) { Reply(answer, 200, ListTokens(a)); });
  AddRoute(router, api, "POST", tokens, Access::kAdmin,
           [](Api& a, const Request& request, const Answer& answer) {
             const Result<std::string> json = CreateToken(a, request);
             if (!json.ok()) return answer->Send(Refusal(json.status()));
             net::HttpResponse response = net::Json(201, *json);
             response.headers.Set("Cache-Control", "no-store");
             answer->Send(std::move(response));
           });
  AddRoute(router, api, "DELETE", tokens + "/{id}", Access::kAdmin,
           [](Api& a, const Request& request, const Answer& answer) {
             ReplyDone(answer, a.domain.DeleteToken(std::string(request.PathParam("id"))));
           });
}

}  // namespace kelp::server
