#include "server/server.h"

#include <utility>

#include "base/log.h"
#include "domain/secret.h"
#include "net/http_client.h"
#include "server/alert_api.h"
#include "server/alert_backend.h"
#include "server/api.h"
#include "server/loki_api.h"

namespace kelp::server {
namespace {

constexpr const char* kFirstProject = "default";
constexpr const char* kFirstLogstore = "logs";

// The file first: a token that nobody can read is worse than a file whose token does not count yet,
// because the latter is made again at the next start.
Status ProvisionToken(Env& env, domain::Domain& domain, const std::string& path, domain::Role role,
                      const std::string& note) {
  const std::string token = domain::NewToken(env.random());
  RETURN_IF_ERROR(WriteFileAtomically(env.files(), path, token + "\n", 0600));
  return domain.AddToken(token, role, note);
}

Status Provision(Env& env, const ServerConfig& config, domain::Domain& domain) {
  ASSIGN_OR_RETURN(const bool done, domain.HasToken(domain::Role::kAdmin));
  if (done) return OkStatus();
  const Status project = domain.CreateProject(kFirstProject);
  if (!project.ok() && project.code() != Code::kAlreadyExists) return project;
  domain::Logstore logstore{kFirstProject, kFirstLogstore, std::nullopt, std::nullopt};
  if (config.store.retention > Duration(0)) logstore.retention = config.store.retention;
  const Status created = domain.CreateLogstore(logstore);
  if (!created.ok() && created.code() != Code::kAlreadyExists) return created;
  RETURN_IF_ERROR(ProvisionToken(env, domain, config.AgentTokenPath(), domain::Role::kIngest,
                                 "agents, made at the first start"));
  // Last: its presence ends the provisioning.
  RETURN_IF_ERROR(ProvisionToken(env, domain, config.AdminTokenPath(), domain::Role::kAdmin,
                                 "administrator, made at the first start"));
  LOG(kInfo,
      "first start: created the project {} with the logstore {}; the tokens are in {} and {}",
      kFirstProject, kFirstLogstore, config.AdminTokenPath(), config.AgentTokenPath());
  return OkStatus();
}

// While the store recovers, only liveness is answered.
void AnswerWhileStarting(const net::HttpRequest& request, const Answer& answer) {
  if (request.path == "/healthz") return answer->Send(net::Json(200, "{\"ok\":true}"));
  answer->Send(Refusal(UnavailableError("the server is starting")));
}

}  // namespace

class Server::Impl {
 public:
  Impl(Env& env, ServerConfig config) : env_(env), config_(std::move(config)) {}
  ~Impl() { Stop(); }

  Status Start() {
    RETURN_IF_ERROR(env_.files().MakeDirs(config_.data_dir, 0750).Annotate("the data directory"));
    RETURN_IF_ERROR(Listen());
    ASSIGN_OR_RETURN(store_, store::Store::Open(env_, config_.ToStoreOptions(), metrics_));
    ASSIGN_OR_RETURN(domain_, domain::Domain::Open(env_, config_.DomainPath()));
    ASSIGN_OR_RETURN(library_, domain::Library::Open(env_, config_.DomainPath()));
    // Of exports that a crash ended.
    RETURN_IF_ERROR(env_.files().RemoveTree(config_.ExportDir()));
    RETURN_IF_ERROR(Provision(env_, config_, *domain_));
    ASSIGN_OR_RETURN(const auto logstores, domain_->AllLogstores());
    for (const domain::Logstore& logstore : logstores) {
      RETURN_IF_ERROR(store_->PutLogstore({logstore.project, logstore.name},
                                          {logstore.retention, logstore.retention_size}));
    }
    api_ = std::make_unique<Api>(env_, config_, metrics_, *domain_, *library_, *store_);
    AddStatusRoutes(router_, *api_);
    AddSignInRoutes(router_, *api_);
    AddAdminRoutes(router_, *api_);
    AddTokenRoutes(router_, *api_);
    AddLibraryRoutes(router_, *api_);
    AddAgentRoutes(router_, *api_);
    AddIngestRoutes(router_, *api_);
    AddSearchRoutes(router_, *api_);
    AddInsightRoutes(router_, *api_);
    AddSqlRoutes(router_, *api_);
    AddExportRoutes(router_, *api_);
    loki_tails_ =
        std::make_unique<LokiTails>(env_.clock(), *store_, metrics_, config_.query.tails_max);
    AddLokiRoutes(router_, *api_, *loki_tails_);
    RETURN_IF_ERROR(StartAlerts());
    AddConsole(router_);
    ready_.store(true, std::memory_order_release);
    return OkStatus();
  }

  void Stop() {
    if (std::exchange(stopped_, true)) return;
    if (loki_tails_) loki_tails_->Stop();
    if (api_) {
      api_->tails.Stop();
      api_->queries.Stop();
    }
    if (alerts_) alerts_->Stop();
    if (http_) http_->Shutdown(config_.shutdown_grace);
    if (api_) api_->query_pool->Stop();
    if (api_) api_->export_pool->Stop();
    if (store_) {
      const Status flushed = store_->Flush();
      if (!flushed.ok()) LOG(kWarning, "cannot flush the store: {}", flushed.message());
    }
    // The store first: its last commits still answer through the api.
    store_.reset();
    api_.reset();
  }

  const std::string& address() const { return http_->address(); }
  MetricRegistry& metrics() { return metrics_; }

 private:
  Status StartAlerts() {
    ASSIGN_OR_RETURN(alert_store_, domain::AlertStore::Open(config_.DomainPath()));
    alert_backend_ = std::make_unique<AlertBackend>(*api_);
    webhooks_ = std::make_unique<net::HttpClient>(net::HttpClientOptions{
        .user_agent = "kelp-server", .public_addresses_only = !config_.alerts.private_webhooks});
    alerts_ = std::make_unique<alert::AlertEngine>(env_.clock(), *alert_store_, *alert_backend_,
                                                   *webhooks_, metrics_);
    RETURN_IF_ERROR(alerts_->Load());
    AddAlertRoutes(router_, *api_, *alerts_);
    alerts_->Start();
    return OkStatus();
  }

  Status Listen() {
    net::HttpServerOptions options;
    options.listen = config_.http.listen;
    options.threads = config_.http.io_threads;
    options.handler_threads = config_.http.handler_threads;
    options.connections_max = static_cast<size_t>(config_.http.connections_max);
    options.body_limit = [this](const net::HttpRequest& head) {
      return ready() ? router_.BodyLimit(head, 64_KiB) : config_.http.body_bytes_max;
    };
    options.metrics = &metrics_;
    if (!config_.http.tls.cert_file.empty()) {
      options.tls = net::TlsServerOptions{config_.http.tls.cert_file, config_.http.tls.key_file,
                                          config_.http.tls.client_ca_file};
    }
    ASSIGN_OR_RETURN(http_, net::HttpServer::Start(std::move(options),
                                                   [this](net::HttpRequest request, Answer answer) {
                                                     if (!ready())
                                                       return AnswerWhileStarting(request, answer);
                                                     router_(std::move(request), std::move(answer));
                                                   }));
    return OkStatus();
  }
  bool ready() const { return ready_.load(std::memory_order_acquire); }

  Env& env_;
  const ServerConfig config_;
  MetricRegistry metrics_;
  std::atomic<bool> ready_{false};
  bool stopped_ = false;
  net::Router router_;
  std::unique_ptr<net::HttpServer> http_;
  std::unique_ptr<domain::Domain> domain_;
  std::unique_ptr<domain::Library> library_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Api> api_;
  std::unique_ptr<LokiTails> loki_tails_;
  std::unique_ptr<domain::AlertStore> alert_store_;
  std::unique_ptr<AlertBackend> alert_backend_;
  std::unique_ptr<net::HttpClient> webhooks_;
  std::unique_ptr<alert::AlertEngine> alerts_;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::Start(Env& env, ServerConfig config) {
  auto impl = std::make_unique<Impl>(env, std::move(config));
  RETURN_IF_ERROR(impl->Start());
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

void Server::Stop() { impl_->Stop(); }
const std::string& Server::address() const { return impl_->address(); }
MetricRegistry& Server::metrics() { return impl_->metrics(); }

}  // namespace kelp::server
