// The console: the embedded files of console/dist.
#include <map>

#include "domain/secret.h"
#include "server/api.h"
#include "server/embedded.h"

namespace kelp::server {
namespace {

constexpr std::string_view kNotBuilt =
    "<!doctype html><meta charset=\"utf-8\"><title>Kelp</title>"
    "<h1>Kelp server</h1><p>The console is not part of this build. Build it with "
    "<code>npm run build</code> in <code>console/</code>, then build the server again. The API "
    "works without it: <a href=\"/api/v1/openapi.json\">openapi.json</a>.";

struct ConsoleFile {
  std::string_view bytes;
  std::string type;
  std::string etag;
};
using ConsoleTable = std::map<std::string, ConsoleFile, std::less<>>;

std::string TypeOf(std::string_view name) {
  const std::string_view extension = name.substr(std::min(name.rfind('.'), name.size()));
  if (extension == ".html") return "text/html; charset=utf-8";
  if (extension == ".js") return "text/javascript; charset=utf-8";
  if (extension == ".css") return "text/css; charset=utf-8";
  if (extension == ".svg") return "image/svg+xml";
  if (extension == ".json" || extension == ".map") return "application/json";
  if (extension == ".woff2") return "font/woff2";
  if (extension == ".png") return "image/png";
  return "application/octet-stream";
}

ConsoleFile FileOf(std::string_view name, std::string_view bytes) {
  return {bytes, TypeOf(name), "\"" + domain::Sha256Hex(bytes).substr(0, 32) + "\""};
}

// Pages of the console have no file of their own: each unknown path without an extension is one.
const ConsoleFile* Find(const ConsoleTable& table, std::string_view path) {
  path.remove_prefix(1);
  if (const auto it = table.find(path); it != table.end()) return &it->second;
  const std::string_view last = path.substr(path.rfind('/') + 1);
  if (last.find('.') != last.npos || path.starts_with("api/")) return nullptr;
  return &table.find("index.html")->second;
}

void Serve(const ConsoleTable& table, const net::HttpRequest& request, const Answer& answer) {
  const ConsoleFile* file = Find(table, request.path);
  if (file == nullptr) {
    return answer->Send(net::Error(404, "there is nothing at " + request.path));
  }
  if (request.method != "GET" && request.method != "HEAD") {
    net::HttpResponse refused = net::Error(405, request.path + " can only be read");
    refused.headers.Set("Allow", "GET, HEAD");
    return answer->Send(std::move(refused));
  }
  net::HttpResponse response;
  response.headers = {{"Content-Type", file->type},
                      {"ETag", file->etag},
                      // Asked for each time, answered 304: a new server means a new console.
                      {"Cache-Control", "no-cache"},
                      {"Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'"},
                      {"X-Content-Type-Options", "nosniff"},
                      {"Referrer-Policy", "no-referrer"}};
  if (request.headers.Get("If-None-Match") == file->etag) {
    response.status = 304;
  } else {
    response.body = file->bytes;
  }
  answer->Send(std::move(response));
}

}  // namespace

void AddConsole(net::Router& router) {
  auto table = std::make_shared<ConsoleTable>();
  for (const EmbeddedFile& file : ConsoleFiles()) {
    table->emplace(file.name, FileOf(file.name, file.bytes));
  }
  table->try_emplace("index.html", FileOf("index.html", kNotBuilt));
  router.SetFallback([table](const net::HttpRequest& request, const Answer& answer) {
    Serve(*table, request, answer);
  });
}

}  // namespace kelp::server
