// Api: what the handlers of the HTTP API (docs/formats/http-api.md) share, and how they are bound
// to their paths.
#ifndef KELP_SERVER_API_H_
#define KELP_SERVER_API_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/env.h"
#include "base/metrics.h"
#include "domain/domain.h"
#include "domain/library.h"
#include "net/handler_pool.h"
#include "net/router.h"
#include "query/scan_pool.h"
#include "server/ingest_figures.h"
#include "server/request_guard.h"
#include "server/running_queries.h"
#include "server/server_config.h"
#include "server/tail_hub.h"
#include "sql/sql.h"
#include "store/store.h"

namespace kelp::server {

using Answer = std::shared_ptr<net::Responder>;

// Who may call.
enum class Access : uint8_t { kAnyone, kSignedIn, kView, kIngest, kAdmin };

// Place:    the server owns one; handlers get a reference.
// Threads:  thread-safe; the parts are.
struct Api {
  Api(Env& e, const ServerConfig& c, MetricRegistry& m, domain::Domain& d, domain::Library& l,
      store::Store& s);

  Env& env;
  const ServerConfig& config;
  MetricRegistry& metrics;
  domain::Domain& domain;
  domain::Library& library;
  store::Store& store;
  RunningQueries queries;
  IngestFigures figures;
  SignInGuard sign_ins;
  query::ScanPool scan_pool;  // before what runs queries
  TailHub tails;
  const sql::Engine sql;
  Counter& accepted_rows;
  Counter& duplicate_rows;
  Counter& refused_ingests;
  // Searches run here: they may take long, and must not keep ingest waiting.
  net::Router query_router;
  const net::Handler query_handler;
  std::unique_ptr<net::HandlerPool> query_pool;
  // Exports last as long as somebody reads them, and must not keep searches waiting.
  net::Router export_router;
  const net::Handler export_handler;
  std::unique_ptr<net::HandlerPool> export_pool;
};

using ApiHandler = std::function<void(Api&, net::HttpRequest, const Answer&)>;

struct RouteLimits {
  ByteSize body_bytes_max = 64_KiB;
  // Of a route without {project}: callers with one project may call it, too; the handler shows them
  // only what is of it.
  bool any_project = false;
};

// Who calls: by bearer token, else by session cookie.
std::optional<domain::Caller> CallerOf(Api& api, const net::HttpRequest& request);
// Adds a route whose handler is called only for those who may: by their role, and by the {project}
// of the path when they have only one.
void AddRoute(net::Router& router, Api& api, std::string_view method, std::string_view pattern,
              Access access, ApiHandler handler, RouteLimits limits = {});

// Answers with the JSON, or with its error.
void Reply(const Answer& answer, int status, const Result<std::string>& json);
// Answers 204, or with the error.
void ReplyDone(const Answer& answer, const Status& status);
// The answer to a failed call: Error(status), with Retry-After where trying again helps.
net::HttpResponse Refusal(const Status& status);
store::LogstoreName LogstoreOf(const net::HttpRequest& request);
// The logstores that a call over several names, "a,b,c". Each exists. Errors: kInvalidArgument,
// kNotFound.
Result<std::vector<store::LogstoreName>> LogstoresOf(Api& api, const net::HttpRequest& request);

// Each group of calls in its own file.
void AddStatusRoutes(net::Router& router, Api& api);
void AddSignInRoutes(net::Router& router, Api& api);
void AddAdminRoutes(net::Router& router, Api& api);
void AddTokenRoutes(net::Router& router, Api& api);
void AddLibraryRoutes(net::Router& router, Api& api);
void AddAgentRoutes(net::Router& router, Api& api);
void AddIngestRoutes(net::Router& router, Api& api);
void AddSearchRoutes(net::Router& router, Api& api);
void AddInsightRoutes(net::Router& router, Api& api);
void AddSqlRoutes(net::Router& router, Api& api);
void AddExportRoutes(net::Router& router, Api& api);
// Everything else: the console.
void AddConsole(net::Router& router);

}  // namespace kelp::server

#endif  // KELP_SERVER_API_H_
