// Server: kelp-server as a whole: domain, store and HTTP API (docs/formats/http-api.md).
//
//   ASSIGN_OR_RETURN(auto server, Server::Start(RealEnv(), config));
//   LOG(kInfo, "listening on {}", server->address());
//   ...
//   server->Stop();
#ifndef KELP_SERVER_SERVER_H_
#define KELP_SERVER_SERVER_H_

#include <memory>
#include <string>

#include "base/env.h"
#include "base/metrics.h"
#include "base/status.h"
#include "server/server_config.h"

namespace kelp::server {

// Place:    apps/server and tests start one.
// Owns:     everything it starts. Borrows env.
// Threads:  thread-safe.
// Blocking: Start recovers the store; meanwhile /healthz answers 200 and all else 503.
// Errors:   kAlreadyExists: the port or the data directory is in use. kDataLoss: domain.db is
//           damaged. Messages say what to do.
// Tests:    server_test.cc, openapi_test.cc
class Server {
 public:
  // The first start in a data directory creates the project `default` with the logstore `logs`, and
  // the files admin.token and agent.token (readable by the owner only).
  static Result<std::unique_ptr<Server>> Start(Env& env, ServerConfig config);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Ends live tails and searches, answers what is under way, makes hot rows durable as segments.
  void Stop();

  const std::string& address() const;
  MetricRegistry& metrics();

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace kelp::server

#endif  // KELP_SERVER_SERVER_H_
