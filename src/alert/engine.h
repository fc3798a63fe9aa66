// AlertEngine: runs alerts on their schedule, keeps their state, and delivers their messages.
//
// An evaluation, the state that follows, and what is to be sent are kept in one step before
// anything is sent. A message is sent until its receiver takes it, and then taken off the list. So
// nothing is forgotten by a crash; what a crash can do is send a message again that was taken in
// the moment before it. Such a message carries the same key (header Idempotency-Key), and its row
// in the logstore is not stored twice.
//
// Place:    the server owns one.
// Owns:     the alerts in memory, two threads. Borrows the rest.
// Threads:  thread-safe. RunDue and SendDue are what its threads call; tests call them instead.
// Blocking: RunDue evaluates; SendDue sends.
// Limits:   of alert.h, state.h and AlertStore.
// Errors:   of an evaluation: in the alert's state. Of a delivery: tried again, kAttemptsMax times.
// Tests:    engine_test.cc
#ifndef KELP_ALERT_ENGINE_H_
#define KELP_ALERT_ENGINE_H_

#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "alert/alert.h"
#include "alert/state.h"
#include "base/env.h"
#include "base/metrics.h"
#include "base/sync.h"
#include "domain/alert_store.h"
#include "net/http_client.h"

namespace kelp::alert {

// About nine hours, with the pauses below.
inline constexpr uint32_t kAttemptsMax = 40;
inline constexpr Duration kPauseFirst = 5s;
inline constexpr Duration kPauseMax = 15min;
// A receiver that takes longer holds the other messages up.
inline constexpr Duration kSendTimeout = 10s;

// What the server does for the engine.
class Backend {
 public:
  virtual ~Backend() = default;
  // Runs the query over (now - window, now]. Errors are those of the query.
  virtual Result<std::vector<Finding>> Evaluate(const Alert& alert, UnixNanos now) = 0;
  // Puts a row into the logstore `alerts` of the project; a key that is there is not stored again.
  virtual Status StoreRow(const std::string& project, const std::string& key,
                          const std::string& row) = 0;
};

class AlertEngine {
 public:
  AlertEngine(Clock& clock, domain::AlertStore& store, Backend& backend,
              net::HttpTransport& transport, MetricRegistry& metrics);
  ~AlertEngine() { Stop(); }

  // Reads what is stored. One that cannot be read is skipped and logged.
  Status Load();
  // Starts the threads.
  void Start();
  // Ends them; what is being sent is given up and sent again after the next start.
  void Stop();

  // {"alerts":[…]} of a project, and one of them.
  Result<std::string> List(const std::string& project, Show show);
  Result<std::string> Get(const std::string& project, const std::string& name, Show show);
  Status Put(Alert alert);
  Status Delete(const std::string& project, const std::string& name);
  // 0 ends the silence.
  Status Silence(const std::string& project, const std::string& name, UnixNanos until);

  // Evaluates what is due; how long until the next one is.
  Duration RunDue();
  // Sends what is due; likewise.
  Duration SendDue();

 private:
  struct Entry {
    Alert alert;
    State state;
    uint64_t version = 0;      // of the definition
    UnixNanos not_before = 0;  // of the next run, after one that could not be kept
  };
  using Key = std::pair<std::string, std::string>;
  struct Sending {
    Key alert;
    uint64_t version;
    Delivery delivery;
    Webhook webhook;
  };

  void RunOne(const Key& key, UnixNanos now) EXCLUDES(mu_);
  void SendOne(const Sending& sending) EXCLUDES(mu_);
  Status PostWebhook(const Sending& sending);
  void Delivered(const Sending& sending, bool row_done, const Status& webhook) EXCLUDES(mu_);
  Status Save(const Key& key, const Entry& entry) REQUIRES(mu_);
  void CountFiring() REQUIRES(mu_);
  std::string Print(const Entry& entry, Show show) const;
  static UnixNanos NextRun(const Entry& entry);

  Clock& clock_;
  domain::AlertStore& store_;
  Backend& backend_;
  net::HttpTransport& transport_;
  Counter& evaluations_;
  Counter& failed_evaluations_;
  Counter& sent_;
  Counter& failed_sends_;
  Counter& given_up_;
  Gauge& firing_;
  Mutex mu_;
  CondVar wake_;
  std::map<Key, Entry> entries_ GUARDED_BY(mu_);
  uint64_t next_version_ GUARDED_BY(mu_) = 1;
  bool stop_ GUARDED_BY(mu_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace kelp::alert

#endif  // KELP_ALERT_ENGINE_H_
