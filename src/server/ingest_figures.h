// IngestFigures: what came in during the last minute, and from which agents.
#ifndef KELP_SERVER_INGEST_FIGURES_H_
#define KELP_SERVER_INGEST_FIGURES_H_

#include <array>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/env.h"
#include "base/sync.h"
#include "base/units.h"
#include "batch/batch.h"
#include "net/http.h"
#include "store/store.h"

namespace kelp::server {

// What an ingest request says about its sender.
struct AgentNote {
  std::string host;
  std::string version;   // empty: it does not say
  std::string pipeline;  // empty: it does not say
  std::string address;   // without the port
};

// From the header "Kelp-Agent: host=NODE; version=1.0; pipeline=NAME" (values percent-encoded),
// else from the tags host.name or k8s.node.name of the first batch, else from the address.
AgentNote AgentOf(const net::HttpRequest& request, const std::vector<BatchPtr>& batches);

// Rates of logstores and the agents seen since the server started.
//
// Threads:  thread-safe; called for each ingest request, on the store's commit thread.
// Limits:   kAgentsMax agents, the longest silent go first, and one that sends to several projects
//           counts for each; kNamesMax pipelines and logstores each.
// Tests:    ingest_figures_test.cc
class IngestFigures {
 public:
  // About 10 MB.
  static constexpr size_t kAgentsMax = 10'000;
  static constexpr size_t kNamesMax = 100;

  struct Rate {
    double rows = 0;  // a second, over the last minute
    double bytes = 0;
  };
  struct Agent {
    AgentNote last;
    UnixNanos last_seen = 0;
    uint64_t rows = 0;  // since the server started
    uint64_t bytes = 0;
    std::set<std::string> pipelines;
    std::set<store::LogstoreName> logstores;
  };

  explicit IngestFigures(Clock& clock) : clock_(clock), begin_(clock.Monotonic()) {}

  // `bytes`: of the values, not compressed.
  void NoteRows(const store::LogstoreName& name, uint64_t rows, uint64_t bytes) EXCLUDES(mu_);
  void NoteAgent(const AgentNote& agent, const store::LogstoreName& name, uint64_t rows,
                 uint64_t bytes) EXCLUDES(mu_);
  Rate RateOf(const store::LogstoreName& name) EXCLUDES(mu_);
  // By host. Of what they sent to this project, as if there were no other; empty: to all.
  std::vector<Agent> Agents(const std::string& project) EXCLUDES(mu_);

 private:
  static constexpr int64_t kSlots = 12;  // of five seconds each
  struct Slot {
    int64_t number = -1;  // of all slots since the clock's zero
    uint64_t rows = 0;
    uint64_t bytes = 0;
  };
  using Minute = std::array<Slot, kSlots>;

  int64_t SlotNow() const;

  Clock& clock_;
  const Duration begin_;
  Mutex mu_;
  std::map<store::LogstoreName, Minute> rates_ GUARDED_BY(mu_);
  // By host and project.
  std::map<std::pair<std::string, std::string>, Agent> agents_ GUARDED_BY(mu_);
};

}  // namespace kelp::server

#endif  // KELP_SERVER_INGEST_FIGURES_H_
