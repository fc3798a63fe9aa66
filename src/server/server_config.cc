#include "server/server_config.h"

#include "config/load.h"

namespace kelp::server {

const config::Schema<TlsConfig>& TlsConfig::ConfigSchema() {
  static const auto schema =
      config::Schema<TlsConfig>("tls", "TLS for the server's address; without it, plain HTTP.")
          .Field("cert_file", &TlsConfig::cert_file,
                 {.doc = "PEM file: the certificate, then its chain.",
                  .example = "/etc/kelp/tls/tls.crt"})
          .Field("key_file", &TlsConfig::key_file,
                 {.doc = "PEM file of the private key.", .example = "/etc/kelp/tls/tls.key"})
          .Field("client_ca_file", &TlsConfig::client_ca_file,
                 {.doc = "PEM file. When given, clients must show a certificate that it signed.",
                  .example = "/etc/kelp/tls/ca.crt"})
          .Check([](const TlsConfig& tls, config::CheckContext& context) {
            if (tls.cert_file.empty() != tls.key_file.empty()) {
              context.Fail("", "cert_file and key_file go together");
            }
            if (tls.cert_file.empty() && !tls.client_ca_file.empty()) {
              context.Fail("client_ca_file", "client_ca_file needs cert_file and key_file");
            }
          });
  return schema;
}

const config::Schema<HttpConfig>& HttpConfig::ConfigSchema() {
  static const auto schema =
      config::Schema<HttpConfig>("http", "The address that serves API and console.")
          .Field(
              "listen", &HttpConfig::listen,
              {.doc = "Address and port. Port 0 takes any free one; no host means every address.",
               .example = "0.0.0.0:7700"})
          .Field("body_bytes_max", &HttpConfig::body_bytes_max,
                 {.doc = "Largest body of an ingest request. Kelp batches never exceed 16MiB.",
                  .min = 64_KiB,
                  .max = 1_GiB})
          .Field("connections_max", &HttpConfig::connections_max,
                 {.doc = "Connections at once; more are answered 503.", .min = 1, .max = 100000})
          .Field("io_threads", &HttpConfig::io_threads,
                 {.doc = "Threads that read and write sockets.", .min = 1, .max = 64})
          .Field("handler_threads", &HttpConfig::handler_threads,
                 {.doc = "Threads that decode requests. Each may hold one decoded body of up to "
                         "128MiB.",
                  .min = 1,
                  .max = 256})
          .Field("tls", &HttpConfig::tls, {.doc = "TLS for the address."});
  return schema;
}

const config::Schema<QueryConfig>& QueryConfig::ConfigSchema() {
  static const auto schema =
      config::Schema<QueryConfig>("query", "Limits of searches.")
          .Field("time_max", &QueryConfig::time_max,
                 {.doc = "A search that runs longer gives what it has found and says so.",
                  .min = 100ms,
                  .max = 1h})
          .Field("memory_max", &QueryConfig::memory_max,
                 {.doc = "Memory of one search.", .min = 1_MiB, .max = 16_GiB})
          .Field("concurrent_max", &QueryConfig::concurrent_max,
                 {.doc = "Searches and histograms that run at once; others wait, and past 64 "
                         "waiting they are answered 503.",
                  .min = 1,
                  .max = 256})
          .Field("threads", &QueryConfig::threads,
                 {.doc = "Threads that one search may use, its own included; helpers are shared by "
                         "all searches.",
                  .min = 1,
                  .max = 64})
          .Field("tails_max", &QueryConfig::tails_max,
                 {.doc = "Live tails at once; more are answered 503. Each takes one of "
                         "`http.connections_max`, and with a reader that stops up to 1MiB of "
                         "memory, of which all share 256MiB but have 32KiB at least.",
                  .min = 0,
                  .max = 100000});
  return schema;
}

const config::Schema<SqlConfig>& SqlConfig::ConfigSchema() {
  static const auto schema =
      config::Schema<SqlConfig>("sql", "SQL behind a search: `search | SELECT ...`.")
          .Field(
              "library", &SqlConfig::library,
              {.doc = "DuckDB's shared library, loaded when the first statement comes. Empty: "
                      "libduckdb.so beside the program, then in ../lib/kelp. Without it only SQL "
                      "is missing.",
               .example = "/usr/lib/kelp/libduckdb.so"})
          .Field("threads", &SqlConfig::threads,
                 {.doc = "Threads of one statement. Its time and memory are those of `query`.",
                  .min = 1,
                  .max = 64});
  return schema;
}

const config::Schema<AlertConfig>& AlertConfig::ConfigSchema() {
  static const auto schema =
      config::Schema<AlertConfig>("alerts", "Searches on a schedule, and their webhooks.")
          .Field("private_webhooks", &AlertConfig::private_webhooks,
                 {.doc = "Whether webhooks may go to addresses of private networks and of this "
                         "machine. Off, so that who may make alerts cannot reach what only the "
                         "server can; on, when the receiver runs inside."});
  return schema;
}

const config::Schema<StoreConfig>& StoreConfig::ConfigSchema() {
  static const auto schema =
      config::Schema<StoreConfig>("store", "How log rows are kept.")
          .Field("hot_bytes_max", &StoreConfig::hot_bytes_max,
                 {.doc = "Raw bytes of one logstore that stay in memory before they go into a "
                         "segment.",
                  .min = 1_MiB,
                  .max = 4_GiB})
          .Field("hot_age_max", &StoreConfig::hot_age_max,
                 {.doc = "Age at which they go into a segment anyway.", .min = 1s, .max = 24h})
          .Field("hot_bytes_total_max", &StoreConfig::hot_bytes_total_max,
                 {.doc = "Memory of rows not yet in segments, over all logstores. Ingest waits "
                         "beyond it.",
                  .min = 8_MiB})
          .Field("commit_interval", &StoreConfig::commit_interval,
                 {.doc = "How long a request waits for others to be made durable together.",
                  .min = 0ms,
                  .max = 1s})
          .Field(
              "queue_bytes_max", &StoreConfig::queue_bytes_max,
              {.doc = "Requests waiting to be made durable; more are answered 429.", .min = 1_MiB})
          .Field("disk_free_min", &StoreConfig::disk_free_min,
                 {.doc = "With less free disk space, ingest is refused with 503; search goes on."})
          .Field("segment_bytes_max", &StoreConfig::segment_bytes_max,
                 {.doc = "Merging makes segments up to this size.", .min = 1_MiB, .max = 16_GiB})
          .Field("retention", &StoreConfig::retention,
                 {.doc = "Age limit of the logstore `logs` that the first start creates. "
                         "0 keeps rows for ever.",
                  .min = 0s,
                  .max = 24h * 36500});
  return schema;
}

const config::Schema<ServerConfig>& ServerConfig::ConfigSchema() {
  static const auto schema =
      config::Schema<ServerConfig>("server", "What one server keeps, and within which limits.")
          .Field("data_dir", &ServerConfig::data_dir,
                 {.doc = "Directory for rows, configuration and tokens. One server at a time may "
                         "use it.",
                  .example = "/var/lib/kelp-server"})
          .Field("http", &ServerConfig::http, {.doc = "The address that serves API and console."})
          .Field("query", &ServerConfig::query, {.doc = "Limits of searches."})
          .Field("sql", &ServerConfig::sql, {.doc = "SQL behind a search."})
          .Field("alerts", &ServerConfig::alerts,
                 {.doc = "Searches on a schedule, and their webhooks."})
          .Field("store", &ServerConfig::store, {.doc = "How log rows are kept."})
          .Field("log", &ServerConfig::log, {.doc = "The server's own log."})
          .Field("shutdown_grace", &ServerConfig::shutdown_grace,
                 {.doc = "How long a stopping server waits for requests under way.", .max = 1h});
  return schema;
}

store::StoreOptions ServerConfig::ToStoreOptions() const {
  store::StoreOptions options;
  options.dir = StoreDir();
  options.hot_bytes_max = store.hot_bytes_max;
  options.hot_age_max = store.hot_age_max;
  options.hot_bytes_total_max = store.hot_bytes_total_max;
  options.commit_interval = store.commit_interval;
  options.queue_bytes_max = store.queue_bytes_max;
  options.disk_free_min = store.disk_free_min;
  options.segment_bytes_max = store.segment_bytes_max;
  return options;
}

LogOptions ServerConfig::ToLogOptions() const { return log.ToOptions(); }

Result<ServerConfig> LoadServerConfig(FileSystem& files, const std::string& path) {
  config::Problems problems;
  ServerConfig result;
  if (const auto root = config::LoadFile(files, path, {}, problems)) {
    result = ServerConfig::ConfigSchema().Parse(*root, problems);
  }
  RETURN_IF_ERROR(problems.ToStatus());
  return result;
}

}  // namespace kelp::server
