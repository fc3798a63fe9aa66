#include "server/ingest_figures.h"

#include <algorithm>

namespace kelp::server {
namespace {

constexpr Duration kSlot = 5s;
// Names that a peer made up are cut here.
constexpr size_t kTextBytesMax = 256;

std::string_view Trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::string Cut(std::string text) {
  if (text.size() > kTextBytesMax) text.resize(kTextBytesMax);
  return text;
}

void ReadHeader(std::string_view header, AgentNote& note) {
  while (!header.empty()) {
    const size_t end = std::min(header.find(';'), header.size());
    const std::string_view part = Trimmed(header.substr(0, end));
    header.remove_prefix(std::min(end + 1, header.size()));
    const size_t equals = std::min(part.find('='), part.size());
    const auto value = net::UrlDecode(part.substr(std::min(equals + 1, part.size())), false);
    if (!value.ok()) continue;
    const std::string_view key = part.substr(0, equals);
    if (key == "host") note.host = Cut(*value);
    if (key == "version") note.version = Cut(*value);
    if (key == "pipeline") note.pipeline = Cut(*value);
  }
}

// What one agent sent to another project.
void AddTo(IngestFigures::Agent& sum, const IngestFigures::Agent& agent) {
  if (agent.last_seen > sum.last_seen) {
    sum.last = agent.last;
    sum.last_seen = agent.last_seen;
  }
  sum.rows += agent.rows;
  sum.bytes += agent.bytes;
  sum.pipelines.insert(agent.pipelines.begin(), agent.pipelines.end());
  sum.logstores.insert(agent.logstores.begin(), agent.logstores.end());
}

}  // namespace

AgentNote AgentOf(const net::HttpRequest& request, const std::vector<BatchPtr>& batches) {
  AgentNote note;
  note.address =
      request.remote.substr(0, std::min(request.remote.rfind(':'), request.remote.size()));
  ReadHeader(request.headers.Get("Kelp-Agent"), note);
  if (note.host.empty() && !batches.empty() && batches[0]->resource() != nullptr) {
    for (const std::string_view tag : {"host.name", "k8s.node.name"}) {
      if (note.host.empty()) note.host = Cut(std::string(batches[0]->resource()->Get(tag)));
    }
  }
  if (note.host.empty()) note.host = note.address;
  return note;
}

int64_t IngestFigures::SlotNow() const { return clock_.Monotonic() / kSlot; }

void IngestFigures::NoteRows(const store::LogstoreName& name, uint64_t rows, uint64_t bytes) {
  const int64_t now = SlotNow();
  MutexLock lock(mu_);
  Slot& slot = rates_[name][static_cast<size_t>(now % kSlots)];
  if (slot.number != now) slot = {now, 0, 0};
  slot.rows += rows;
  slot.bytes += bytes;
}

void IngestFigures::NoteAgent(const AgentNote& note, const store::LogstoreName& name, uint64_t rows,
                              uint64_t bytes) {
  const auto key = std::make_pair(note.host, name.project);
  MutexLock lock(mu_);
  if (agents_.size() >= kAgentsMax && !agents_.contains(key)) {
    agents_.erase(std::min_element(
        agents_.begin(), agents_.end(),
        [](const auto& a, const auto& b) { return a.second.last_seen < b.second.last_seen; }));
  }
  Agent& agent = agents_[key];
  agent.last = note;
  agent.last_seen = clock_.Now();
  agent.rows += rows;
  agent.bytes += bytes;
  if (!note.pipeline.empty() && agent.pipelines.size() < kNamesMax) {
    agent.pipelines.insert(note.pipeline);
  }
  if (agent.logstores.size() < kNamesMax) agent.logstores.insert(name);
}

IngestFigures::Rate IngestFigures::RateOf(const store::LogstoreName& name) {
  const int64_t now = SlotNow();
  // The running slot is not over: its time counts as far as it went.
  const Duration covered = std::min<Duration>(clock_.Monotonic() - (now - kSlots + 1) * kSlot,
                                              clock_.Monotonic() - begin_);
  const double seconds = std::max(1.0, std::chrono::duration<double>(covered).count());
  MutexLock lock(mu_);
  const auto found = rates_.find(name);
  if (found == rates_.end()) return {};
  uint64_t rows = 0, bytes = 0;
  for (const Slot& slot : found->second) {
    if (slot.number < 0 || slot.number <= now - kSlots) continue;
    rows += slot.rows;
    bytes += slot.bytes;
  }
  if (rows == 0) rates_.erase(found);
  return {static_cast<double>(rows) / seconds, static_cast<double>(bytes) / seconds};
}

std::vector<IngestFigures::Agent> IngestFigures::Agents(const std::string& project) {
  MutexLock lock(mu_);
  std::vector<Agent> agents;
  for (const auto& [key, agent] : agents_) {
    if (!project.empty() && key.second != project) continue;
    if (agents.empty() || agents.back().last.host != key.first) {
      agents.push_back(agent);
    } else {
      AddTo(agents.back(), agent);
    }
  }
  return agents;
}

}  // namespace kelp::server
