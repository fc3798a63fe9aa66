#include "output/kelp/kelp_config.h"

#include "net/http.h"

namespace kelp::output {
namespace {

void CheckKelpConfig(const KelpOutputConfig& c, config::CheckContext& context) {
  if (const Result<net::Url> url = net::ParseUrl(c.url); !url.ok()) {
    context.Fail("url", std::string(url.status().message()));
  } else if (url->target.find('?') != std::string::npos) {
    context.Fail("url", "must not have a query: give http://HOST:PORT, or with a path before it");
  }
  if (c.project.empty()) context.Fail("project", "must not be empty");
  if (c.logstore.empty()) context.Fail("logstore", "must not be empty");
  if (!c.token.empty() && !c.token_file.empty()) {
    context.Fail("token_file", "cannot stand beside token; give one of them");
  }
  if (c.queue_bytes_max < c.batch_bytes) {
    context.Fail("queue_bytes_max", "must not be less than batch_bytes");
  }
  if (c.tls.cert_file.empty() != c.tls.key_file.empty()) {
    context.Fail("tls", "cert_file and key_file belong together");
  }
}

}  // namespace

const config::Schema<KelpTlsConfig>& KelpTlsConfig::ConfigSchema() {
  static const auto schema =
      config::Schema<KelpTlsConfig>("tls", "How https connections are secured.")
          .Field("ca_file", &KelpTlsConfig::ca_file,
                 {.doc = "Certificates (PEM) that may have signed the server's. Default: those of "
                         "the system."})
          .Field("cert_file", &KelpTlsConfig::cert_file,
                 {.doc = "This agent's own certificate (PEM), for servers that ask for one."})
          .Field("key_file", &KelpTlsConfig::key_file, {.doc = "The key of cert_file (PEM)."})
          .Field("server_name", &KelpTlsConfig::server_name,
                 {.doc = "The name in the server's certificate when it is not the one in url."})
          .Field("insecure_skip_verify", &KelpTlsConfig::insecure_skip_verify,
                 {.doc = "Accepts every certificate. For trials only."});
  return schema;
}

const config::Schema<KelpOutputConfig>& KelpOutputConfig::ConfigSchema() {
  static const auto schema =
      config::Schema<KelpOutputConfig>(
          "kelp", "Sends rows to a Kelp server, each exactly once.",
          {.example = "type: kelp\nurl: http://kelp-server:7700\nproject: shop\nlogstore: web\n"
                      "token_file: /etc/kelp/token"})
          .Field("url", &KelpOutputConfig::url,
                 {.doc = "Where the server listens.",
                  .required = true,
                  .example = "http://kelp-server:7700"})
          .Field("project", &KelpOutputConfig::project, {.doc = "The project to write to."})
          .Field("logstore", &KelpOutputConfig::logstore,
                 {.doc = "The logstore of the project to write to."})
          .Field("token", &KelpOutputConfig::token,
                 {.doc = "A token with the role ingest or admin.",
                  .example = "${KELP_TOKEN}",
                  .secret = true})
          .Field("token_file", &KelpOutputConfig::token_file,
                 {.doc = "A file that holds the token; read again when the server refuses it.",
                  .example = "/etc/kelp/token"})
          .Field("batch_bytes", &KelpOutputConfig::batch_bytes,
                 {.doc = "A request is sent when so many bytes wait, before compression.",
                  .min = 64_KiB,
                  .max = 64_MiB})
          .Field("batch_interval", &KelpOutputConfig::batch_interval,
                 {.doc = "The least time between two requests of a lane that are not full. A row "
                         "after a quiet time is sent at once; others gather until the request "
                         "before them is answered and this time has passed.",
                  .min = 0s,
                  .max = 1min})
          .Field("concurrency_max", &KelpOutputConfig::concurrency_max,
                 {.doc = "Requests that may be under way at once at most: lanes. How many really "
                         "are follows what the server bears. Rows of one origin stay in one lane, "
                         "and so in order.",
                  .min = 1,
                  .max = 64})
          .Field("zstd_level", &KelpOutputConfig::zstd_level,
                 {.doc = "Compression: 1 costs least, higher levels are for slow links.",
                  .min = 1,
                  .max = 19})
          .Field("timeout", &KelpOutputConfig::timeout,
                 {.doc = "For one request, until its answer.", .min = 100ms, .max = 10min})
          .Field("connect_timeout", &KelpOutputConfig::connect_timeout,
                 {.doc = "For connecting to one address.", .min = 100ms, .max = 5min})
          .Field("queue_bytes_max", &KelpOutputConfig::queue_bytes_max,
                 {.doc = "Memory of rows that wait to be sent; when it is used up, the pipeline's "
                         "inputs rest.",
                  .min = 1_MiB,
                  .max = 4_GiB})
          .Field("tls", &KelpOutputConfig::tls, {.doc = "For https."})
          .Check(CheckKelpConfig);
  return schema;
}

}  // namespace kelp::output
