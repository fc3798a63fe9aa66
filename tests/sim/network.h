// Network and Destination: where batches go.
//
// The Destination keeps the Kelp server's rule: per pipeline (a logstore each) and origin one
// high-water mark, moved in the same step as the rows are taken; rows that do not end above it are
// repeats and are left out. Some rows it refuses for good. It outlives every death of the agent.
//
// The Network carries requests to it, in any order, and answers back. It may lose a request, or
// the answer to one that was applied, and a request may still be under way when its sender dies.
//
// Place:    one each per World; SimOutput sends.
// Threads:  confined to the simulation's thread; but Drop and SendNow also under Engine::Stop.
#ifndef KELP_TESTS_SIM_NETWORK_H_
#define KELP_TESTS_SIM_NETWORK_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "batch/batch.h"
#include "chance.h"
#include "history.h"
#include "oracle.h"

namespace kelp::sim {

struct SentRow {
  std::string body;
  uint64_t end = 0;
};

// The rows of one batch, copied: the batch stays with the agent.
struct SentBatch {
  OriginId origin;
  std::string path;
  std::vector<SentRow> rows;
  static SentBatch Of(const Batch& batch);
};

struct Request {
  uint64_t sender = 0;
  size_t lane = 0;
  size_t pipeline = 0;
  std::vector<SentBatch> batches;
};

class Destination {
 public:
  using OriginStored = std::function<bool(const OriginId&)>;
  Destination(History& history, Oracle& oracle, OriginStored origin_stored)
      : history_(history), oracle_(oracle), origin_stored_(std::move(origin_stored)) {}
  void Apply(const Request& request);
  // It will never take this row; the sender is to give it up.
  static bool Refuses(size_t pipeline, std::string_view body);
  uint64_t rows_taken() const { return rows_taken_; }
  uint64_t rows_repeated() const { return rows_repeated_; }

 private:
  History& history_;
  Oracle& oracle_;
  const OriginStored origin_stored_;
  std::map<std::pair<size_t, OriginId>, uint64_t> marks_;
  uint64_t rows_taken_ = 0;
  uint64_t rows_repeated_ = 0;
};

enum class Answer : uint8_t { kTaken, kRefused, kLost };

struct NetworkFaults {
  bool down = false;  // everything is refused
  uint32_t refused_percent = 0;
  uint32_t request_lost_percent = 0;
  uint32_t answer_lost_percent = 0;
  Duration delay_max = 20ms;
};

// Who sends, and hears the answer.
class Sender {
 public:
  virtual ~Sender() = default;
  virtual void OnAnswer(size_t lane, Answer answer) = 0;
};

class Network {
 public:
  Network(Clock& clock, History& history, Destination& destination, Chance chance)
      : clock_(clock), history_(history), destination_(destination), chance_(chance) {}

  uint64_t Connect(Sender* sender);
  // The sender hears nothing any more; what it sent may still arrive.
  void Disconnect(uint64_t sender) { senders_.erase(sender); }
  void Send(Request request);
  // Delivers what is due.
  void Step();
  // When Step has something to do; Duration::max() when never.
  Duration next() const;

  NetworkFaults faults;

 private:
  struct Flight {
    Request request;
    Answer answer;
    bool arrived = false;
    Duration answer_at;
  };
  void Arrive(Flight& flight);

  Clock& clock_;
  History& history_;
  Destination& destination_;
  Chance chance_;
  uint64_t last_sender_ = 0;
  std::map<uint64_t, Sender*> senders_;
  std::multimap<Duration, Flight> flights_;
};

}  // namespace kelp::sim

#endif  // KELP_TESTS_SIM_NETWORK_H_
