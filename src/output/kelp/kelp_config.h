// KelpOutputConfig: the keys of the output `kelp`.
#ifndef KELP_OUTPUT_KELP_KELP_CONFIG_H_
#define KELP_OUTPUT_KELP_KELP_CONFIG_H_

#include <string>

#include "config/schema.h"

namespace kelp::output {

struct KelpTlsConfig {
  std::string ca_file;
  std::string cert_file;
  std::string key_file;
  std::string server_name;
  bool insecure_skip_verify = false;
  static const config::Schema<KelpTlsConfig>& ConfigSchema();
};

struct KelpOutputConfig {
  std::string url;
  std::string project = "default";
  std::string logstore = "logs";
  std::string token;
  std::string token_file;
  ByteSize batch_bytes = 4_MiB;
  Duration batch_interval = 20ms;
  uint32_t concurrency_max = 4;
  int zstd_level = 1;
  Duration timeout = 30s;
  Duration connect_timeout = 5s;
  ByteSize queue_bytes_max = 16_MiB;
  KelpTlsConfig tls;
  static const config::Schema<KelpOutputConfig>& ConfigSchema();
};

}  // namespace kelp::output

#endif  // KELP_OUTPUT_KELP_KELP_CONFIG_H_
