#include "store/bench_rows.h"

#include <fmt/format.h>

#include <iterator>

namespace kelp::store {
namespace {

constexpr std::string_view kLevels[] = {"info", "debug", "warn", "error", "fatal"};
constexpr std::string_view kPaths[] = {"/api/v1/orders", "/api/v1/users",  "/api/v2/cart/items",
                                       "/healthz",       "/static/app.js", "/api/v1/payments"};
constexpr std::string_view kAgents[] = {"Mozilla/5.0 (X11; Linux x86_64)", "curl/7.88.1",
                                        "okhttp/4.11.0", "Go-http-client/2.0"};
constexpr std::string_view kClasses[] = {"com.example.order.OrderService",
                                         "com.example.pay.PaymentGateway",
                                         "com.example.cart.CartRepository"};
constexpr std::string_view kTables[] = {"orders", "users", "cart_items", "payments", "sessions"};
constexpr std::string_view kTopics[] = {"order-events", "user-events", "audit"};
constexpr std::string_view kMethods[] = {"CreateOrder", "GetUser", "ListItems", "Charge"};

template <size_t N>
std::string_view Pick(const std::string_view (&words)[N], uint64_t random) {
  return words[random % N];
}

}  // namespace

BenchRows::BenchRows(uint64_t rows, UnixNanos start)
    : rows_(rows),
      start_(start),
      step_(86'400e9 * kNodes / static_cast<double>(rows)),
      node_time_(kNodes, 0) {
  for (uint32_t node = 0; node < kNodes; ++node) {
    for (uint32_t pod = 0; pod < kPodsPerNode; ++pod) {
      const uint32_t number = node * kPodsPerNode + pod;
      for (uint32_t c = 0; c < kContainers; ++c) {
        Source source;
        source.origin = {number + 1, c + 1};
        source.resource = std::make_shared<const Resource>(std::vector<Resource::Tag>{
            {"k8s.namespace.name", fmt::format("team-{}", number % kNamespaces)},
            {"k8s.pod.name", fmt::format("service-{}-7d9c5b{:04x}", number % 40, number * 2654435)},
            {"k8s.container.name", c == 0   ? "app"
                                   : c == 1 ? "sidecar"
                                            : "proxy"},
            {"k8s.node.name", fmt::format("node-{}", node)}});
        sources_.push_back(std::move(source));
      }
    }
  }
}

uint64_t BenchRows::Random() {  // splitmix64
  uint64_t z = state_ += 0x9E3779B97F4A7C15ull;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

void BenchRows::WriteMessage(std::string& out) {
  const uint64_t a = Random();
  const uint64_t b = Random();
  auto to = std::back_inserter(out);
  switch (Random(6)) {
    case 0:
      fmt::format_to(to,
                     "10.{}.{}.{} - - \"GET {}?id={} HTTP/1.1\" {} {} \"-\" \"{}\" rt=0.{:03} "
                     "upstream=10.0.{}.{}:8080",
                     a & 15, a >> 8 & 255, a >> 16 & 255, Pick(kPaths, a >> 24), a >> 40 & 0xFFFFF,
                     b % 20 == 0 ? 502 : 200, b >> 8 & 0xFFFF, Pick(kAgents, b >> 24),
                     (b >> 32) % 1000, b >> 44 & 15, b >> 48 & 255);
      return;
    case 1:
      fmt::format_to(
          to,
          "{} [http-nio-8080-exec-{}] successfully processed order id={} for user={} in {} ms "
          "status={} retries={} code=E{:03}",
          Pick(kClasses, a), a >> 8 & 63, a >> 16 & 0xFFFFFF, b & 0xFFFFF, (b >> 20) % 2000,
          b >> 40 & 1 ? "OK" : "PENDING", b >> 41 & 3, (b >> 44) % 1000);
      return;
    case 2:
      fmt::format_to(
          to,
          "{{\"event\":\"checkout\",\"trace_id\":\"{:016x}\",\"user_id\":{},\"amount\":"
          "{}.{:02},\"currency\":\"EUR\",\"items\":{},\"ok\":true,\"region\":\"eu-{}\"}}",
          a, b & 0xFFFFF, (b >> 20) % 500, (b >> 32) % 100, b >> 40 & 15, b >> 44 & 3);
      return;
    case 3:
      fmt::format_to(to,
                     "duration={}.{:03}ms rows={} statement: SELECT id, name, updated_at FROM {} "
                     "WHERE tenant_id = {} AND status = 'active' ORDER BY updated_at LIMIT {}",
                     (a & 0xFFFF) % 300, (a >> 16) % 1000, a >> 32 & 1023, Pick(kTables, a >> 42),
                     b & 0xFFFF, (b >> 16 & 7) * 50 + 10);
      return;
    case 4:
      fmt::format_to(to,
                     "[Consumer clientId=consumer-{}, groupId=billing-service] Asynchronously "
                     "committed offset {} for "
                     "partition {}-{} lag={} leader epoch {}",
                     a & 15, a >> 8 & 0xFFFFFFFF, Pick(kTopics, b), b >> 8 & 31, (b >> 16) % 5000,
                     b >> 40 & 63);
      return;
    default:
      fmt::format_to(to,
                     "grpc call method=/shop.v1.Shop/{} trace_id={:016x} peer=10.1.{}.{}:{} "
                     "code=OK duration_us={} bytes_in={} bytes_out={}",
                     Pick(kMethods, a), b, a >> 8 & 255, a >> 16 & 255, 30000 + (a >> 24 & 0x3FFF),
                     (a >> 40) % 100000, a >> 44 & 4095, a >> 50 & 4095);
      return;
  }
}

void BenchRows::AddRow(Batch& batch, Source& source, UnixNanos time) {
  message_.clear();
  WriteMessage(message_);
  if (made_ % kRareEvery == kRareEvery / 2) {
    message_ += ' ';
    message_ += kRareWord;
  }
  // As a container's log file has it: time, stream, flag before the line.
  const uint64_t end = source.offset + message_.size() + 40;
  batch.AddRow(batch.Copy(message_), source.offset, end, time);
  source.offset = end;
  raw_bytes_ += message_.size();
  ++made_;
}

std::vector<BatchPtr> BenchRows::Next(uint32_t count) {
  std::vector<BatchPtr> batches;
  const uint32_t node = static_cast<uint32_t>(turn_++ % kNodes);
  constexpr uint32_t kSources = kPodsPerNode * kContainers;
  std::vector<Batch*> batch_of(kSources, nullptr);
  for (uint32_t i = 0; i < count && made_ < rows_; ++i) {
    node_time_[node] += step_ * (0.5 + static_cast<double>(Random() >> 11) * 0x1.0p-53);
    const UnixNanos time = start_ + static_cast<int64_t>(node_time_[node]) / 1000 * 1000;
    const uint32_t local = Random(kSources);
    Source& source = sources_[node * kSources + local];
    if (batch_of[local] == nullptr) {
      batches.push_back(BatchPool::Shared().Get());
      batch_of[local] = batches.back().get();
      batch_of[local]->origin = source.origin;
      batch_of[local]->set_resource(source.resource);
      batch_of[local]->begin = source.offset;
    }
    AddRow(*batch_of[local], source, time);
    batch_of[local]->end = source.offset;
  }
  for (const BatchPtr& batch : batches) {
    Column& level = batch->AddColumn("level");
    for (uint32_t row = 0; row < batch->rows(); ++row) {
      const uint32_t dice = Random(100);
      const size_t which = dice < 70 ? 0 : dice < 85 ? 1 : dice < 94 ? 2 : dice < 99 ? 3 : 4;
      level.Set(row, Value::String(kLevels[which]));
      raw_bytes_ += kLevels[which].size();
    }
    const auto& tags = batch->resource()->tags();
    for (const auto& [key, value] : tags) {
      if (key != "k8s.node.name") raw_bytes_ += value.size() * batch->rows();
    }
    raw_bytes_ += batch->rows() * sizeof(UnixNanos);
  }
  return batches;
}

}  // namespace kelp::store
