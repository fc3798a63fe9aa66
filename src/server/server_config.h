// ServerConfig: the keys of server.yaml.
#ifndef KELP_SERVER_SERVER_CONFIG_H_
#define KELP_SERVER_SERVER_CONFIG_H_

#include <string>

#include "base/env.h"
#include "base/log.h"
#include "base/units.h"
#include "config/log_config.h"
#include "config/schema.h"
#include "store/store.h"

namespace kelp::server {

struct TlsConfig {
  std::string cert_file;
  std::string key_file;
  std::string client_ca_file;
  static const config::Schema<TlsConfig>& ConfigSchema();
};

struct HttpConfig {
  std::string listen = "127.0.0.1:7700";
  ByteSize body_bytes_max = 16_MiB;
  int connections_max = 1024;
  int io_threads = 1;
  int handler_threads = 4;
  TlsConfig tls;
  static const config::Schema<HttpConfig>& ConfigSchema();
};

struct QueryConfig {
  Duration time_max = 30s;
  ByteSize memory_max = 256_MiB;
  int concurrent_max = 2;
  int threads = 2;
  int tails_max = 64;
  static const config::Schema<QueryConfig>& ConfigSchema();
};

struct SqlConfig {
  std::string library;
  int threads = 2;
  static const config::Schema<SqlConfig>& ConfigSchema();
};

struct AlertConfig {
  bool private_webhooks = false;
  static const config::Schema<AlertConfig>& ConfigSchema();
};

struct StoreConfig {
  ByteSize hot_bytes_max = 64_MiB;
  Duration hot_age_max = 10min;
  ByteSize hot_bytes_total_max = 192_MiB;
  Duration commit_interval = 5ms;
  ByteSize queue_bytes_max = 64_MiB;
  ByteSize disk_free_min = 512_MiB;
  ByteSize segment_bytes_max = 512_MiB;
  Duration retention = 24h * 30;
  static const config::Schema<StoreConfig>& ConfigSchema();
};

struct ServerConfig {
  std::string data_dir = "/var/lib/kelp-server";
  HttpConfig http;
  QueryConfig query;
  SqlConfig sql;
  AlertConfig alerts;
  StoreConfig store;
  config::LogConfig log;
  Duration shutdown_grace = 10s;
  static const config::Schema<ServerConfig>& ConfigSchema();

  std::string StoreDir() const { return JoinPath(data_dir, "store"); }
  // What an export writes before it sends it.
  std::string ExportDir() const { return JoinPath(data_dir, "exports"); }
  std::string DomainPath() const { return JoinPath(data_dir, "domain.db"); }
  std::string AdminTokenPath() const { return JoinPath(data_dir, "admin.token"); }
  std::string AgentTokenPath() const { return JoinPath(data_dir, "agent.token"); }
  store::StoreOptions ToStoreOptions() const;
  LogOptions ToLogOptions() const;
};

// Reads server.yaml. Everything that is wrong with it is one kInvalidArgument, a line each.
Result<ServerConfig> LoadServerConfig(FileSystem& files, const std::string& path);

}  // namespace kelp::server

#endif  // KELP_SERVER_SERVER_CONFIG_H_
