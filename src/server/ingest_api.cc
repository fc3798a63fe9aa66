// Ingest: Kelp batches and JSON lines. A request is answered when its rows are durable.
#include <algorithm>

#include "codec/json_rows.h"
#include "codec/kelp_batch.h"
#include "server/api.h"

namespace kelp::server {
namespace {

// With a full disk, nothing helps before an operator or retention has made room.
constexpr const char* kLowDiskRetrySeconds = "30";

net::HttpResponse IngestRefusal(Api& api, const Status& status) {
  api.refused_ingests.Add();
  net::HttpResponse response = Refusal(status);
  if (status.code() != Code::kResourceExhausted) return response;
  // The store says "exhausted" both for its queue (429: soon) and for the disk (503: later).
  const Result<DiskSpace> space = api.env.files().Space(api.config.data_dir);
  if (!space.ok() || space->free >= api.config.store.disk_free_min) return response;
  response = net::Error(503, status.message());
  response.headers.Set("Retry-After", kLowDiskRetrySeconds);
  return response;
}

uint64_t BodyBytes(const std::vector<BatchPtr>& batches) {
  uint64_t bytes = 0;
  for (const BatchPtr& batch : batches) bytes += batch->body_bytes();
  return bytes;
}

// Queues the rows; the commit thread answers. `agent`: who sent them, when it was one.
void Append(Api& api, const net::HttpRequest& request, store::BatchSet set,
            std::optional<AgentNote> agent, const Answer& answer) {
  const uint64_t bytes = BodyBytes(set.batches);
  const store::LogstoreName name = LogstoreOf(request);
  api.store.Append(
      name, std::move(set),
      [&api, name, bytes, agent = std::move(agent), answer](Result<store::AppendResult> result) {
        if (!result.ok()) return answer->Send(IngestRefusal(api, result.status()));
        const bool says_duplicates = agent.has_value();
        api.accepted_rows.Add(result->accepted);
        api.duplicate_rows.Add(result->duplicate);
        // Of a set that was stored before in part, all bytes count: rare, and close.
        if (result->accepted != 0) {
          api.figures.NoteRows(name, result->accepted, bytes);
        }
        if (agent) api.figures.NoteAgent(*agent, name, result->accepted, bytes);
        std::string out = "{\"accepted\":" + std::to_string(result->accepted);
        if (says_duplicates) {
          out += ",\"duplicate\":" + std::to_string(result->duplicate);
        }
        answer->Send(net::Json(200, out + "}"));
      });
}

void PostBatches(Api& api, net::HttpRequest request, const Answer& answer) {
  Result<std::vector<BatchPtr>> batches = codec::DecodeBatchSet(request.body);
  if (!batches.ok()) return answer->Send(IngestRefusal(api, batches.status()));
  store::BatchSet set{*std::move(batches), std::move(request.body)};
  AgentNote agent = AgentOf(request, set.batches);
  Append(api, request, std::move(set), std::move(agent), answer);
}

void PostRows(Api& api, net::HttpRequest request, const Answer& answer) {
  if (request.headers.Has("Content-Encoding")) {
    return answer->Send(net::Error(415, "rows are taken as plain JSON lines, without encoding"));
  }
  const UnixNanos arrival = api.env.clock().Now();
  Result<std::vector<BatchPtr>> batches = codec::ParseJsonRows(request.body, arrival);
  if (!batches.ok()) return answer->Send(IngestRefusal(api, batches.status()));
  codec::BatchSetEncoder encoder;
  for (const BatchPtr& batch : *batches) encoder.Add(*batch, arrival);
  store::BatchSet set{*std::move(batches), encoder.Finish()};
  Append(api, request, std::move(set), std::nullopt, answer);
}

}  // namespace

void AddIngestRoutes(net::Router& router, Api& api) {
  const std::string logstore = "/api/v1/projects/{project}/logstores/{logstore}";
  const ByteSize limit = api.config.http.body_bytes_max;
  AddRoute(router, api, "POST", logstore + "/batches", Access::kIngest, PostBatches,
           {.body_bytes_max = std::min(limit, codec::kBatchSetEncodedMax)});
  AddRoute(router, api, "POST", logstore + "/rows", Access::kIngest, PostRows,
           {.body_bytes_max = limit});
}

}  // namespace kelp::server
