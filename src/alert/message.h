// Message: what is told about a group of an alert, and the bodies of webhooks made of it.
//
// A template is the body with {{name}} in it: {{alert}}, {{project}}, {{state}}, {{value}},
// {{condition}}, {{since}}, {{time}}, {{labels}} (a JSON object), {{labels.NAME}}, {{key}}. Values
// are escaped as inside a JSON string, so that no log line can break out of one.
//
// Threads: pure functions. Limits: kMessageBytesMax. Tests: alert_test.cc, alert_fuzz.cc
#ifndef KELP_ALERT_MESSAGE_H_
#define KELP_ALERT_MESSAGE_H_

#include <string>
#include <string_view>

#include "alert/alert.h"

namespace kelp::alert {

// What receivers take; a template may name a long label many times.
inline constexpr size_t kMessageBytesMax = 64 << 10;

struct Message {
  std::string key;    // the same whenever it is sent again
  std::string state;  // "firing", "resolved" or "error"
  Labels labels;
  double value = 0;
  UnixNanos since = 0;
  UnixNanos time = 0;
  bool silenced = false;
  std::string error;  // of state "error"
};

// kInvalidArgument for a {{name}} that is not known or not closed.
Status CheckTemplate(std::string_view text);
// The body of a webhook: its template, or the whole message as a JSON object.
std::string WebhookBody(const Alert& alert, const Message& message);
// The row of the `alerts` logstore, as the `rows` call takes it.
std::string RowJson(const Alert& alert, const Message& message);

}  // namespace kelp::alert

#endif  // KELP_ALERT_MESSAGE_H_
