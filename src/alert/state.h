// State: what has become of an alert, and how it goes on: Advance.
//
// A group that fulfils the condition is pending, and firing once it has done so for `for`. A firing
// group that no longer does, or is no longer there, is resolved and forgotten. Each change of that
// kind makes a message; messages wait in the state until they are delivered, so that a change and
// the intent to tell of it are kept in one step.
//
// Threads:  values; Advance is pure.
// Limits:   kGroupsMax groups, kWaitingMax messages.
// Format:   PrintState is read by ParseState of this and later versions.
// Tests:    state_test.cc, alert_fuzz.cc
#ifndef KELP_ALERT_STATE_H_
#define KELP_ALERT_STATE_H_

#include <string>
#include <string_view>
#include <vector>

#include "alert/alert.h"
#include "alert/message.h"

namespace kelp::alert {

// Messages of one alert that wait for their receiver; the oldest go when there are more.
inline constexpr size_t kWaitingMax = 200;

struct Group {
  Labels labels;
  bool firing = false;
  UnixNanos since = 0;  // it fulfils the condition
  UnixNanos told = 0;   // last message sent on its way; 0: none
  double value = 0;
  bool operator==(const Group&) const = default;
};

// A message on its way.
struct Delivery {
  std::string key;
  std::string row;   // for the logstore `alerts`; empty: it is there
  std::string body;  // for the webhook; empty: it was taken, or there is none
  uint32_t attempts = 0;
  UnixNanos next = 0;  // not before
  UnixNanos made = 0;
};

struct State {
  UnixNanos last_run = 0;
  UnixNanos silenced_until = 0;
  std::string error;          // of the last evaluation
  std::string webhook_error;  // of the last delivery
  uint64_t sequence = 0;
  std::vector<Group> groups;
  std::vector<Delivery> waiting;
  uint64_t given_up = 0;  // messages that no receiver took
};

// What one evaluation found: groups and their values, whether the condition holds or not.
struct Finding {
  Labels labels;
  double value = 0;
};
struct Evaluation {
  std::string error;  // not empty: nothing else counts
  std::vector<Finding> findings;
};

// Takes an evaluation in. An error changes no group, and is told when it is new.
void Advance(const Alert& alert, const Evaluation& evaluation, UnixNanos now, State& state);

// "ok", "pending", "firing" or "error".
const char* Overall(const State& state);
std::string PrintState(const State& state);
// kDataLoss for what PrintState does not write.
Result<State> ParseState(std::string_view json);
// "groups":[…],"state":…,"last_run":…,"error":…,"silenced_until":…: for the API.
std::string PrintStateForApi(const State& state);

}  // namespace kelp::alert

#endif  // KELP_ALERT_STATE_H_
