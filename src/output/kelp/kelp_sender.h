// KelpSender: gets batch sets to a Kelp server one at a time, however long it takes.
#ifndef KELP_OUTPUT_KELP_KELP_SENDER_H_
#define KELP_OUTPUT_KELP_KELP_SENDER_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/env.h"
#include "net/http_client.h"
#include "output/common/backoff.h"
#include "output/common/concurrency_limit.h"
#include "output/common/message_gate.h"
#include "output/kelp/encoded_set.h"
#include "output/kelp/kelp_metrics.h"
#include "output/kelp/kelp_target.h"

namespace kelp::output {

// Sends batch sets and decides by the answer: go on, try again later, or take the set apart to find
// what the server will never accept.
//
//   200 with a Kelp answer       delivered
//   400, 422 with a Kelp error,  refused: the set is halved until the guilty part (of 413: the
//   413 from anybody             guilty row) stands alone; that alone is given up
//   everything else              tried again for ever, with back-off; Retry-After is honoured.
//                                401 reads the token file again. These say something about the
//                                address, the token or the server, which people can mend, and
//                                nothing about the rows; so does a 400 in other words than ours,
//                                which a proxy gives when the url is wrong.
//
// Place:    each KelpLane has one.
// Borrows:  everything it is given; all outlive it.
// Threads:  confined to its lane's thread.
// Blocking: Send.
// Counts:   output_retries_total, the rest of KelpOutputMetrics but queue_bytes. Rows are given up
//           as "refused" or "too_large".
// Tests:    kelp_sender_test.cc, kelp_output_test.cc
class KelpSender {
 public:
  // Waits for the given time. How long the next request may take at most; nothing when sending has
  // to end.
  using Pause = std::function<std::optional<Duration>(Duration)>;

  // Takes the rows of a set that the server will never accept.
  using GiveUp = std::function<void(const EncodedSet&, std::string_view reason)>;

  KelpSender(KelpTarget& target, net::HttpTransport& http, Env& env,
             const KelpOutputMetrics& metrics, ConcurrencyLimit& limit, int zstd_level, Pause pause,
             GiveUp give_up);

  // True when everything in `set` was delivered or given up; false when sending has to end.
  bool Send(EncodedSet set);

 private:
  enum class Verdict { kDelivered, kRefused, kInterrupted };
  struct Refusal {
    int status = 0;
    std::string message;
  };
  // Tries until the server took or refused the set.
  Verdict Deliver(const EncodedSet& set, Refusal& refusal);
  // Waits, then for a place among the requests under way. As Pause.
  std::optional<Duration> WaitForTurn(Duration wait);
  Result<net::HttpResponse> Request(const EncodedSet& set, Duration timeout);
  // How long to wait after this failed try.
  Duration AfterError(const Status& error);
  Duration AfterAnswer(const net::HttpResponse& response);
  void Delivered(const EncodedSet& set, const net::HttpResponse& response);
  void Refused(const EncodedSet& set, const Refusal& refusal);
  // Logs why nothing moves, seldom; `whose` tells which outputs share one message.
  void Complain(const std::string& whose, const std::string& what);
  std::string Explain(int status, const std::string& message) const;

  KelpTarget& target_;
  net::HttpTransport& http_;
  Env& env_;
  const KelpOutputMetrics& metrics_;
  const int zstd_level_;
  ConcurrencyLimit& limit_;
  const Pause pause_;
  const GiveUp give_up_;
  Backoff backoff_;
  MessageGate give_up_gate_;
  bool complained_ = false;
};

// How long the server asks to wait, from Retry-After in seconds; 0 when it does not say. An HTTP
// date counts as not said: our servers send seconds, and clocks differ.
Duration RetryAfter(const net::HttpResponse& response);

// What {"error":{"message":"..."}} says, else the begin of the body; on one line.
std::string ErrorMessage(const net::HttpResponse& response);

// The number behind "key": in a flat JSON object; nothing when there is none.
std::optional<uint64_t> JsonCount(std::string_view json, std::string_view key);

}  // namespace kelp::output

#endif  // KELP_OUTPUT_KELP_KELP_SENDER_H_
