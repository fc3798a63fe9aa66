// Finds the handler for a request's method and path.
//
//   Router router;
//   router.Add("GET", "/api/v1/projects/{project}", &GetProject);
//   router.Add("POST", "/api/v1/ingest/{project}/{logstore}", &Ingest, {.body_bytes_max = 64_MiB});
//   router.Add("GET", "/assets/{file*}", &Asset);     // {name*} takes the rest of the path
#ifndef KELP_NET_ROUTER_H_
#define KELP_NET_ROUTER_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/http_server.h"

namespace kelp::net {

struct RouteOptions {
  std::optional<ByteSize> body_bytes_max;  // when not the server's own
};

// A table of routes, tried in the order in which they were added.
//
// Place:   is a Handler: HttpServer::Start(options, router).
// Threads: immutable once the server runs; copies share nothing.
// Errors:  404 when no pattern fits; 405 with Allow when one fits with another method. HEAD is
//          answered by GET's handler, OPTIONS with Allow.
// Tests:   router_test.cc
class Router {
 public:
  // REQUIRES: `pattern` begins with '/'; each {name} is a whole piece between slashes.
  void Add(std::string_view method, std::string_view pattern, Handler handler,
           RouteOptions options = {});
  // Called instead of answering 404.
  void SetFallback(Handler handler) { fallback_ = std::move(handler); }

  void operator()(HttpRequest request, std::shared_ptr<Responder> responder) const;
  // For HttpServerOptions::body_limit.
  ByteSize BodyLimit(const HttpRequest& head, ByteSize otherwise) const;

 private:
  struct Route {
    std::string method;
    std::vector<std::string> pieces;
    Handler handler;
    RouteOptions options;
  };
  using Params = std::vector<std::pair<std::string, std::string>>;
  static bool Matches(const Route& route, std::string_view path, Params* params);
  const Route* Find(std::string_view method, std::string_view path, Params* params,
                    std::string* allow) const;

  std::vector<Route> routes_;
  Handler fallback_;
};

}  // namespace kelp::net

#endif  // KELP_NET_ROUTER_H_
