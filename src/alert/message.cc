#include "alert/message.h"

#include <algorithm>
#include <array>
#include <optional>

#include "alert/json_list.h"

namespace kelp::alert {
namespace {

constexpr std::array<std::string_view, 9> kNames{"alert", "project", "state",  "value", "condition",
                                                 "since", "time",    "labels", "key"};
constexpr std::string_view kLabelPrefix = "labels.";

std::string ConditionText(const Alert& alert) {
  const std::string& column = alert.condition.column;
  return (column.empty() ? "value" : column) + " " + std::string(OpText(alert.condition.op)) + " " +
         NumberText(alert.condition.value);
}

// nullopt: there is no such name.
std::optional<std::string> ValueOf(const Alert& alert, const Message& message,
                                   std::string_view name) {
  if (name == "alert") return alert.name;
  if (name == "project") return alert.project;
  if (name == "state") return message.state;
  if (name == "value") return NumberText(message.value);
  if (name == "condition") return ConditionText(alert);
  if (name == "since") return FormatRfc3339(message.since);
  if (name == "time") return FormatRfc3339(message.time);
  if (name == "labels") return Quote(message.labels);
  if (name == "key") return message.key;
  if (!name.starts_with(kLabelPrefix)) return std::nullopt;
  for (const auto& [label, value] : message.labels) {
    if (label == name.substr(kLabelPrefix.size())) return value;
  }
  return "";
}

// Calls text(piece) and name(piece) for the pieces of a template; false: a {{ is not closed.
template <typename Text, typename Name>
bool Walk(std::string_view all, Text&& text, Name&& name) {
  while (!all.empty()) {
    const size_t open = std::min(all.find("{{"), all.size());
    text(all.substr(0, open));
    all.remove_prefix(open);
    if (all.empty()) return true;
    const size_t close = all.find("}}");
    if (close == std::string_view::npos) return false;
    std::string_view inner = all.substr(2, close - 2);
    while (!inner.empty() && inner.front() == ' ') inner.remove_prefix(1);
    while (!inner.empty() && inner.back() == ' ') inner.remove_suffix(1);
    name(inner);
    all.remove_prefix(close + 2);
  }
  return true;
}

std::string WholeMessage(const Alert& alert, const Message& message) {
  return "{\"alert\":" + Quote(alert.name) + ",\"project\":" + Quote(alert.project) +
         ",\"state\":" + Quote(message.state) + ",\"labels\":" + Quote(message.labels) +
         ",\"value\":" + NumberText(message.value) +
         ",\"condition\":" + Quote(ConditionText(alert)) +
         ",\"since\":" + Quote(FormatRfc3339(message.since)) +
         ",\"time\":" + Quote(FormatRfc3339(message.time)) + ",\"key\":" + Quote(message.key) + "}";
}

}  // namespace

Status CheckTemplate(std::string_view text) {
  std::string unknown;
  const bool closed = Walk(
      text, [](std::string_view) {},
      [&](std::string_view name) {
        const bool known = std::find(kNames.begin(), kNames.end(), name) != kNames.end() ||
                           name.starts_with(kLabelPrefix);
        if (!known && unknown.empty()) unknown = "{{" + std::string(name) + "}}";
      });
  if (!closed) return InvalidArgumentError("a {{ has no }}");
  if (!unknown.empty()) {
    return InvalidArgumentError(
        unknown +
        " is not known: there are {{alert}}, {{project}}, {{state}}, {{value}}, "
        "{{condition}}, {{since}}, {{time}}, {{labels}}, {{labels.NAME}} and {{key}}");
  }
  return OkStatus();
}

std::string WebhookBody(const Alert& alert, const Message& message) {
  if (alert.webhook->body.empty()) return WholeMessage(alert, message);
  std::string out;
  Walk(
      alert.webhook->body, [&](std::string_view text) { out += text; },
      [&](std::string_view name) {
        std::string value = ValueOf(alert, message, name).value_or("");
        // As an object it stands outside of quotes.
        if (name != "labels") {
          value = Quote(value);
          value = value.substr(1, value.size() - 2);
        }
        if (out.size() + value.size() <= kMessageBytesMax) out += value;
      });
  return out;
}

std::string RowJson(const Alert& alert, const Message& message) {
  std::string body = "alert " + alert.name + " " + message.state;
  if (!message.error.empty()) {
    body += ": " + message.error;
  } else {
    body += ": " + NumberText(message.value) + " (" + ConditionText(alert) + ")";
  }
  std::string out = "{\"time\":" + Quote(FormatRfc3339(message.time)) + ",\"body\":" + Quote(body) +
                    ",\"alert\":" + Quote(alert.name) + ",\"state\":" + Quote(message.state) +
                    ",\"value\":" + NumberText(message.value) +
                    ",\"since\":" + Quote(FormatRfc3339(message.since)) +
                    ",\"silenced\":" + (message.silenced ? "true" : "false") +
                    ",\"key\":" + Quote(message.key);
  for (const auto& [name, value] : message.labels) {
    out += "," + Quote("label." + name) + ":" + Quote(value);
  }
  return out + ",\"resource\":{\"service.name\":\"kelp-alerts\"}}";
}

}  // namespace kelp::alert
