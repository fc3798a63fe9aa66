// Health, metrics and the description of the API.
#include "server/api.h"
#include "server/embedded.h"

namespace kelp::server {

void AddStatusRoutes(net::Router& router, Api& api) {
  AddRoute(router, api, "GET", "/healthz", Access::kAnyone,
           [](Api&, net::HttpRequest, const Answer& answer) {
             answer->Send(net::Json(200, "{\"ok\":true}"));
           });
  AddRoute(router, api, "GET", "/readyz", Access::kAnyone,
           [](Api&, net::HttpRequest, const Answer& answer) {
             answer->Send(net::Json(200, "{\"ok\":true}"));
           });
  AddRoute(router, api, "GET", "/metrics", Access::kAnyone,
           [](Api& a, net::HttpRequest, const Answer& answer) {
             net::HttpResponse response;
             a.metrics.PrintTo(response.body);
             response.headers.Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8");
             answer->Send(std::move(response));
           });
  AddRoute(router, api, "GET", "/api/v1/openapi.json", Access::kAnyone,
           [](Api&, net::HttpRequest, const Answer& answer) {
             answer->Send(net::Json(200, std::string(OpenApiFiles().front().bytes)));
           });
}

}  // namespace kelp::server
