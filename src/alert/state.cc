#include "alert/state.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "alert/json_list.h"
#include "codec/json_scan.h"

namespace kelp::alert {
namespace {

// Adds a message, on its way to the logstore and, unless it is silenced, to the webhook.
void Tell(const Alert& alert, Message message, State& state) {
  message.silenced = message.silenced || message.time < state.silenced_until;
  // The time keeps keys of an alert apart from those of an earlier one of the same name.
  message.key =
      fmt::format("{}/{}/{}-{}", alert.project, alert.name, message.time, state.sequence++);
  Delivery delivery;
  delivery.key = message.key;
  delivery.row = RowJson(alert, message);
  // Mistakes of the query are told in the logstore and the console; a receiver expects alerts.
  if (alert.webhook && !message.silenced && message.state != "error") {
    delivery.body = WebhookBody(alert, message);
  }
  delivery.made = message.time;
  delivery.next = message.time;
  if (state.waiting.size() >= kWaitingMax) {
    state.waiting.erase(state.waiting.begin());
    ++state.given_up;
  }
  state.waiting.push_back(std::move(delivery));
}

Message MessageOf(const Group& group, const char* what, UnixNanos now) {
  Message message;
  message.state = what;
  message.labels = group.labels;
  message.value = group.value;
  message.since = group.since;
  message.time = now;
  return message;
}

// Labels as a group keeps them, cut between characters.
Labels Cut(Labels labels) {
  for (auto& [name, value] : labels) {
    if (value.size() <= kLabelBytesMax) continue;
    size_t size = kLabelBytesMax;
    while (size > 0 && (static_cast<unsigned char>(value[size]) & 0xc0) == 0x80) --size;
    value.resize(size);
  }
  return labels;
}

void AdvanceGroup(const Alert& alert, Group& group, UnixNanos now, State& state) {
  if (!group.firing && now - group.since < alert.hold.count()) return;
  const bool silenced = now < state.silenced_until;
  // What began in silence is told when the silence ends.
  const bool again =
      group.told == 0 || (alert.repeat > Duration(0) && now - group.told >= alert.repeat.count());
  if (group.firing && (silenced || !again)) return;
  group.firing = true;
  Tell(alert, MessageOf(group, "firing", now), state);
  if (!silenced) group.told = now;
}

Result<UnixNanos> Integer(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return DataLossError("the state of an alert has a malformed number");
  }
  return number;
}

using Members = std::vector<std::pair<std::string, std::string_view>>;

Result<Members> MembersOf(std::string_view json) {
  Members out;
  const bool good = codec::ForEachMember(json, [&](std::string_view key, std::string_view value) {
    auto name = Unquote(key);
    out.emplace_back(name ? *std::move(name) : "", value);
    return true;
  });
  if (!good) return DataLossError("the state of an alert is no JSON object");
  return out;
}

Status ReadText(std::string_view json, std::string& out) {
  auto text = Unquote(json);
  if (!text) return DataLossError("the state of an alert has a malformed text");
  out = *std::move(text);
  return OkStatus();
}

Result<Group> ParseGroup(std::string_view json) {
  Group out;
  ASSIGN_OR_RETURN(const Members members, MembersOf(json));
  for (const auto& [key, value] : members) {
    if (key == "labels") {
      ASSIGN_OR_RETURN(const Members labels, MembersOf(value));
      for (const auto& [name, text] : labels) {
        out.labels.emplace_back(name, "");
        RETURN_IF_ERROR(ReadText(text, out.labels.back().second));
      }
    } else if (key == "firing") {
      out.firing = value == "true";
    } else if (key == "since") {
      ASSIGN_OR_RETURN(out.since, Integer(value));
    } else if (key == "told") {
      ASSIGN_OR_RETURN(out.told, Integer(value));
    } else if (key == "value") {
      out.value = ReadNumber(value).value_or(0);
    }
  }
  return out;
}

Result<Delivery> ParseDelivery(std::string_view json) {
  Delivery out;
  ASSIGN_OR_RETURN(const Members members, MembersOf(json));
  for (const auto& [key, value] : members) {
    if (key == "key") RETURN_IF_ERROR(ReadText(value, out.key));
    if (key == "row") RETURN_IF_ERROR(ReadText(value, out.row));
    if (key == "body") RETURN_IF_ERROR(ReadText(value, out.body));
    if (key == "attempts") {
      ASSIGN_OR_RETURN(const int64_t attempts, Integer(value));
      out.attempts = static_cast<uint32_t>(std::clamp<int64_t>(attempts, 0, UINT32_MAX));
    }
    if (key == "next") {
      ASSIGN_OR_RETURN(out.next, Integer(value));
    }
    if (key == "made") {
      ASSIGN_OR_RETURN(out.made, Integer(value));
    }
  }
  return out;
}

template <typename T, typename Parse>
Status ReadList(std::string_view json, Parse&& parse, std::vector<T>& out) {
  Status status;
  const bool list = ForEachElement(json, [&](std::string_view element) {
    Result<T> one = parse(element);
    if (one.ok()) {
      out.push_back(*std::move(one));
    } else {
      status = one.status();
    }
    return status.ok();
  });
  RETURN_IF_ERROR(status);
  return list ? OkStatus() : DataLossError("the state of an alert has a malformed list");
}

}  // namespace

void Advance(const Alert& alert, const Evaluation& evaluation, UnixNanos now, State& state) {
  state.last_run = now;
  if (!evaluation.error.empty()) {
    const bool known = evaluation.error == state.error;
    state.error = evaluation.error;
    if (known) return;
    Message message;
    message.state = "error";
    message.error = evaluation.error;
    message.since = message.time = now;
    return Tell(alert, std::move(message), state);
  }
  state.error.clear();
  std::vector<Group> next;
  for (const Finding& finding : evaluation.findings) {
    if (!alert.condition.Holds(finding.value) || next.size() >= kGroupsMax) continue;
    const Labels labels = Cut(finding.labels);
    const auto same = [&](const Group& group) { return group.labels == labels; };
    // Several rows of a result may be of one group: the first of them counts.
    if (std::any_of(next.begin(), next.end(), same)) continue;
    const auto known = std::find_if(state.groups.begin(), state.groups.end(), same);
    Group group;
    group.labels = labels;
    group.since = now;
    if (known != state.groups.end()) group = *known;
    group.value = finding.value;
    AdvanceGroup(alert, group, now, state);
    next.push_back(std::move(group));
  }
  for (const Group& group : state.groups) {
    const bool still = std::any_of(
        next.begin(), next.end(), [&](const Group& other) { return other.labels == group.labels; });
    if (still || !group.firing) continue;
    // Who was told that it fires is told that it is over; what fired in silence ends in silence.
    Message over = MessageOf(group, "resolved", now);
    over.silenced = group.told == 0;
    Tell(alert, std::move(over), state);
  }
  state.groups = std::move(next);
}

const char* Overall(const State& state) {
  if (!state.error.empty()) return "error";
  const bool firing = std::any_of(state.groups.begin(), state.groups.end(),
                                  [](const Group& group) { return group.firing; });
  if (firing) return "firing";
  return state.groups.empty() ? "ok" : "pending";
}

std::string PrintState(const State& state) {
  std::string out = fmt::format(
      "{{\"last_run\":{},\"silenced_until\":{},\"error\":{},\"webhook_error\":{},"
      "\"sequence\":{},\"given_up\":{},\"groups\":[",
      state.last_run, state.silenced_until, Quote(state.error), Quote(state.webhook_error),
      state.sequence, state.given_up);
  for (const Group& group : state.groups) {
    if (out.back() != '[') out += ',';
    out += fmt::format("{{\"labels\":{},\"firing\":{},\"since\":{},\"told\":{},\"value\":{}}}",
                       Quote(group.labels), group.firing, group.since, group.told,
                       NumberText(group.value));
  }
  out += "],\"waiting\":[";
  for (const Delivery& delivery : state.waiting) {
    if (out.back() != '[') out += ',';
    out +=
        fmt::format("{{\"key\":{},\"row\":{},\"body\":{},\"attempts\":{},\"next\":{},\"made\":{}}}",
                    Quote(delivery.key), Quote(delivery.row), Quote(delivery.body),
                    delivery.attempts, delivery.next, delivery.made);
  }
  return out + "]}";
}

Result<State> ParseState(std::string_view json) {
  State out;
  if (json.empty()) return out;
  ASSIGN_OR_RETURN(const Members members, MembersOf(json));
  for (const auto& [key, value] : members) {
    if (key == "last_run") {
      ASSIGN_OR_RETURN(out.last_run, Integer(value));
    } else if (key == "silenced_until") {
      ASSIGN_OR_RETURN(out.silenced_until, Integer(value));
    } else if (key == "error") {
      RETURN_IF_ERROR(ReadText(value, out.error));
    } else if (key == "webhook_error") {
      RETURN_IF_ERROR(ReadText(value, out.webhook_error));
    } else if (key == "sequence") {
      ASSIGN_OR_RETURN(const int64_t number, Integer(value));
      out.sequence = static_cast<uint64_t>(number);
    } else if (key == "given_up") {
      ASSIGN_OR_RETURN(const int64_t number, Integer(value));
      out.given_up = static_cast<uint64_t>(number);
    } else if (key == "groups") {
      RETURN_IF_ERROR(ReadList(value, ParseGroup, out.groups));
    } else if (key == "waiting") {
      RETURN_IF_ERROR(ReadList(value, ParseDelivery, out.waiting));
    }
  }
  return out;
}

std::string PrintStateForApi(const State& state) {
  std::string error = state.error;
  if (error.empty() && !state.webhook_error.empty()) error = "webhook: " + state.webhook_error;
  std::string out = fmt::format(
      "\"state\":\"{}\",\"last_run\":{},\"error\":{},\"silenced_until\":{},\"groups\":[",
      Overall(state), state.last_run == 0 ? "null" : std::to_string(state.last_run),
      error.empty() ? "null" : Quote(error),
      state.silenced_until == 0 ? "null" : std::to_string(state.silenced_until));
  for (const Group& group : state.groups) {
    if (out.back() != '[') out += ',';
    out += fmt::format("{{\"labels\":{},\"state\":\"{}\",\"since\":{},\"value\":{}}}",
                       Quote(group.labels), group.firing ? "firing" : "pending", group.since,
                       NumberText(group.value));
  }
  return out + "]";
}

}  // namespace kelp::alert
