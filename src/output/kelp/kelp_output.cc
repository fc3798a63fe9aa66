#include "output/kelp/kelp_output.h"

#include <utility>

#include "base/log.h"

namespace kelp::output {
namespace {

net::HttpClientOptions ClientOptions(const KelpOutputConfig& config) {
  net::HttpClientOptions options;
  options.connect_timeout = config.connect_timeout;
  options.idle_connections_max = config.concurrency_max;
  options.user_agent = "kelp-agent";
  options.tls.ca_file = config.tls.ca_file;
  options.tls.cert_file = config.tls.cert_file;
  options.tls.key_file = config.tls.key_file;
  options.tls.server_name = config.tls.server_name;
  options.tls.insecure_skip_verify = config.tls.insecure_skip_verify;
  return options;
}

// The header by which the server knows its agents (docs/formats/http-api.md).
std::string AgentText(const pipeline::ComponentContext& context) {
  return "host=" + net::UrlEncode(context.services.host_name) +
         "; version=" + net::UrlEncode(KELP_VERSION) +
         "; pipeline=" + net::UrlEncode(context.pipeline);
}

}  // namespace

Result<std::unique_ptr<pipeline::Output>> KelpOutput::Create(
    const Config& config, const pipeline::ComponentContext& context) {
  return std::unique_ptr<pipeline::Output>(std::make_unique<KelpOutput>(config, context));
}

KelpOutput::KelpOutput(const Config& config, const pipeline::ComponentContext& context)
    : config_(config),
      env_(context.env()),
      shared_http_(context.services.http),
      memory_(context.services.memory),
      metrics_(context),
      target_(config, context.env().files(), AgentText(context)),
      room_(config.queue_bytes_max.bytes, metrics_.queue_bytes),
      limit_(static_cast<int>(config.concurrency_max), metrics_.concurrency) {}

KelpOutput::~KelpOutput() { Stop(0s); }

Status KelpOutput::Start(pipeline::OutputHost& host) {
  if (const Status read = target_.ReloadToken(); !read.ok()) {
    // The file may be mounted a moment later; the server's 401 makes us look again.
    LOG(kWarning, "output kelp: cannot read the token: {}; it is read again when the server asks",
        read.message());
  }
  if (shared_http_ == nullptr)
    own_http_ = std::make_unique<net::HttpClient>(ClientOptions(config_));
  net::HttpTransport& http = shared_http_ != nullptr ? *shared_http_ : *own_http_;
  for (uint32_t i = 0; i < config_.concurrency_max; ++i) {
    lanes_.push_back(std::make_unique<KelpLane>(
        KelpLane::Services{config_, target_, http, env_, metrics_, room_, limit_, host, memory_}));
  }
  return OkStatus();
}

void KelpOutput::Write(SharedBatch batch, pipeline::Ack ack) {
  KelpLane& lane = *lanes_[std::hash<OriginId>{}(batch->origin) % lanes_.size()];
  lane.Push(std::move(batch), std::move(ack));
}

void KelpOutput::Stop(Duration grace) {
  const Duration stop_by = env_.clock().Monotonic() + grace;
  for (auto& lane : lanes_) lane->BeginStop(stop_by);
  bool ended = true;
  for (auto& lane : lanes_) ended = lane->WaitEnded(stop_by) && ended;
  if (!ended && own_http_ != nullptr) own_http_->Cancel();
  for (auto& lane : lanes_) lane->Join();
  lanes_.clear();
  own_http_.reset();
}

}  // namespace kelp::output
