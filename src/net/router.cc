#include "net/router.h"

#include "base/check.h"

namespace kelp::net {
namespace {

std::vector<std::string> SplitPattern(std::string_view pattern) {
  std::vector<std::string> pieces;
  while (!pattern.empty()) {
    pattern.remove_prefix(1);  // '/'
    const size_t end = std::min(pattern.find('/'), pattern.size());
    pieces.emplace_back(pattern.substr(0, end));
    pattern.remove_prefix(end);
  }
  return pieces;
}

bool IsParam(std::string_view piece) { return piece.size() > 2 && piece.front() == '{'; }
bool IsTail(std::string_view piece) { return IsParam(piece) && piece[piece.size() - 2] == '*'; }

// "name" of "{name}" and "{name*}".
std::string_view ParamName(std::string_view piece) {
  return piece.substr(1, piece.size() - (IsTail(piece) ? 3 : 2));
}

}  // namespace

void Router::Add(std::string_view method, std::string_view pattern, Handler handler,
                 RouteOptions options) {
  CHECK(!pattern.empty() && pattern.front() == '/', "a route begins with '/'");
  routes_.push_back({std::string(method), SplitPattern(pattern), std::move(handler), options});
}

bool Router::Matches(const Route& route, std::string_view path, Params* params) {
  Params found;
  for (const std::string& piece : route.pieces) {
    if (path.empty()) return false;
    path.remove_prefix(1);  // '/'
    if (IsTail(piece)) {
      found.emplace_back(ParamName(piece), path);
      path = {};
      break;
    }
    const size_t end = std::min(path.find('/'), path.size());
    const std::string_view value = path.substr(0, end);
    if (IsParam(piece)) {
      if (value.empty()) return false;
      found.emplace_back(ParamName(piece), value);
    } else if (value != piece) {
      return false;
    }
    path.remove_prefix(end);
  }
  if (!path.empty()) return false;
  *params = std::move(found);
  return true;
}

const Router::Route* Router::Find(std::string_view method, std::string_view path, Params* params,
                                  std::string* allow) const {
  if (path.empty() || path.front() != '/') return nullptr;
  const auto add_allowed = [&](std::string_view name) {
    if (allow->find(name) != std::string::npos) return;
    if (!allow->empty()) *allow += ", ";
    *allow += name;
  };
  for (const Route& route : routes_) {
    Params found;
    if (!Matches(route, path, &found)) continue;
    if (route.method == method || (method == "HEAD" && route.method == "GET")) {
      *params = std::move(found);
      return &route;
    }
    add_allowed(route.method);
    if (route.method == "GET") add_allowed("HEAD");
  }
  return nullptr;
}

void Router::operator()(HttpRequest request, std::shared_ptr<Responder> responder) const {
  std::string allow;
  const Route* route = Find(request.method, request.path, &request.path_params, &allow);
  if (route != nullptr) return route->handler(std::move(request), std::move(responder));
  if (!allow.empty()) {
    const bool asked = request.method == "OPTIONS";
    HttpResponse response = asked ? HttpResponse{204, {}, ""}
                                  : Error(405, request.method + " is not offered on " +
                                                   request.path + "; it takes " + allow);
    response.headers.Set("Allow", allow);
    return responder->Send(std::move(response));
  }
  if (fallback_) return fallback_(std::move(request), std::move(responder));
  responder->Send(Error(404, "there is nothing at " + request.path));
}

ByteSize Router::BodyLimit(const HttpRequest& head, ByteSize otherwise) const {
  Params params;
  std::string allow;
  const Route* route = Find(head.method, head.path, &params, &allow);
  return route != nullptr ? route->options.body_bytes_max.value_or(otherwise) : otherwise;
}

}  // namespace kelp::net
