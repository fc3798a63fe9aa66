#include "alert/alert.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <functional>

#include "alert/json_list.h"
#include "alert/message.h"
#include "codec/json_scan.h"
#include "net/http.h"

namespace kelp::alert {
namespace {

using Op = Condition::Op;
constexpr std::array<std::pair<std::string_view, Op>, 6> kOps{{{">", Op::kGreater},
                                                               {">=", Op::kGreaterEqual},
                                                               {"<", Op::kLess},
                                                               {"<=", Op::kLessEqual},
                                                               {"==", Op::kEqual},
                                                               {"!=", Op::kNotEqual}}};

Status Bad(std::string_view key, std::string_view what) {
  return InvalidArgumentError("\"" + std::string(key) + "\" " + std::string(what));
}

Status ReadText(std::string_view key, std::string_view json, size_t bytes_max, std::string& out) {
  const auto text = Unquote(json);
  if (!text) return Bad(key, "must be a string");
  if (text->size() > bytes_max) {
    return Bad(key, "is longer than " + std::to_string(bytes_max) + " bytes");
  }
  out = *text;
  return OkStatus();
}

Status ReadDuration(std::string_view key, std::string_view json, Duration min, Duration max,
                    Duration& out) {
  const auto text = Unquote(json);
  const auto duration =
      text ? ParseDuration(*text) : Result<Duration>(InvalidArgumentError("no string"));
  if (!duration.ok() || *duration < min || *duration > max) {
    return Bad(key, "must be a duration from " + FormatDuration(min) + " to " +
                        FormatDuration(max) + ", like \"5m\"");
  }
  out = *duration;
  return OkStatus();
}

Status ReadTexts(std::string_view key, std::string_view json, size_t count_max,
                 std::vector<std::string>& out) {
  out.clear();
  Status status;
  const bool list = ForEachElement(json, [&](std::string_view element) {
    status = ReadText(key, element, 256, out.emplace_back());
    return status.ok() && out.size() <= count_max;
  });
  RETURN_IF_ERROR(status);
  if (!list) return Bad(key, "must be a list of at most " + std::to_string(count_max) + " strings");
  return OkStatus();
}

// Calls read(key, value) for the members of an object; unknown keys are refused by it.
Status ReadObject(std::string_view key, std::string_view json,
                  const std::function<Status(const std::string&, std::string_view)>& read) {
  Status status;
  const bool object =
      codec::ForEachMember(json, [&](std::string_view name, std::string_view value) {
        const auto text = Unquote(name);
        status = text ? read(*text, value) : Bad(key, "has a malformed key");
        return status.ok();
      });
  RETURN_IF_ERROR(status);
  return object ? OkStatus() : Bad(key, "must be an object");
}

Status ReadCondition(std::string_view json, Condition& out) {
  bool has_op = false;
  bool has_value = false;
  const auto read = [&](const std::string& key, std::string_view value) -> Status {
    if (key == "column") return ReadText("column", value, 256, out.column);
    if (key == "op") {
      const auto text = Unquote(value);
      for (const auto& [name, op] : kOps) {
        if (!text || *text != name) continue;
        out.op = op;
        has_op = true;
      }
      return has_op ? OkStatus() : Bad("op", "must be one of > >= < <= == !=");
    }
    if (key != "value") return Bad(key, "is not known in \"condition\"");
    const auto number = ReadNumber(value);
    if (!number) return Bad("value", "must be a number");
    out.value = *number;
    has_value = true;
    return OkStatus();
  };
  RETURN_IF_ERROR(ReadObject("condition", json, read));
  return has_op && has_value ? OkStatus() : Bad("condition", "needs \"op\" and \"value\"");
}

Status ReadHeaders(std::string_view json, Labels& out) {
  const auto read = [&](const std::string& key, std::string_view value) -> Status {
    std::string text;
    RETURN_IF_ERROR(ReadText("headers", value, 4096, text));
    const auto printable = [](char c) { return c > ' ' && c < '\x7f' && c != ':'; };
    if (key.empty() || !std::all_of(key.begin(), key.end(), printable)) {
      return Bad("headers", "has the name \"" + key + "\", which no header has");
    }
    for (const char* ours : {"Host", "Content-Length", "Transfer-Encoding", "Connection"}) {
      if (net::EqualsIgnoreCase(key, ours))
        return Bad("headers", std::string("cannot set ") + ours);
    }
    if (text.find_first_of("\r\n") != std::string::npos) return Bad("headers", "has a line break");
    out.emplace_back(key, std::move(text));
    return OkStatus();
  };
  RETURN_IF_ERROR(ReadObject("headers", json, read));
  if (out.size() <= kHeadersMax) return OkStatus();
  return Bad("headers", "has more than " + std::to_string(kHeadersMax) + " entries");
}

Status ReadWebhook(std::string_view json, std::optional<Webhook>& out) {
  out.reset();
  if (json == "null") return OkStatus();
  Webhook webhook;
  const auto read = [&](const std::string& key, std::string_view value) -> Status {
    if (key == "url") return ReadText("url", value, 2048, webhook.url);
    if (key == "headers") return ReadHeaders(value, webhook.headers);
    if (key == "body") return ReadText("body", value, kBodyBytesMax, webhook.body);
    return Bad(key, "is not known in \"webhook\"");
  };
  RETURN_IF_ERROR(ReadObject("webhook", json, read));
  if (const auto url = net::ParseUrl(webhook.url); !url.ok()) {
    return Bad("url", "is no address of a webhook: " + std::string(url.status().message()));
  }
  RETURN_IF_ERROR(CheckTemplate(webhook.body).Annotate("\"body\""));
  out = std::move(webhook);
  return OkStatus();
}

Status ReadMember(const std::string& key, std::string_view value, Alert& out) {
  if (key == "enabled") {
    if (value != "true" && value != "false") return Bad(key, "must be true or false");
    out.enabled = value == "true";
    return OkStatus();
  }
  if (key == "logstores") return ReadTexts(key, value, kLogstoresMax, out.logstores);
  if (key == "q") return ReadText(key, value, kQueryBytesMax, out.q);
  if (key == "every") return ReadDuration(key, value, kEveryMin, kEveryMax, out.every);
  if (key == "window") return ReadDuration(key, value, 1s, kWindowMax, out.window);
  if (key == "for") return ReadDuration(key, value, Duration(0), kWindowMax, out.hold);
  if (key == "repeat") return ReadDuration(key, value, Duration(0), kWindowMax, out.repeat);
  if (key == "condition") return ReadCondition(value, out.condition);
  if (key == "group_by") return ReadTexts(key, value, kGroupColumnsMax, out.group_by);
  if (key == "webhook") return ReadWebhook(value, out.webhook);
  // What GET adds comes back with a PUT.
  for (const char* known : {"name", "state", "groups", "last_run", "error", "silenced_until"}) {
    if (key == known) return OkStatus();
  }
  return Bad(key, "is not known");
}

}  // namespace

bool Condition::Holds(double x) const {
  switch (op) {
    case Op::kGreater:
      return x > value;
    case Op::kGreaterEqual:
      return x >= value;
    case Op::kLess:
      return x < value;
    case Op::kLessEqual:
      return x <= value;
    case Op::kEqual:
      return x == value;
    case Op::kNotEqual:
      return x != value;
  }
  return false;
}

std::string_view OpText(Condition::Op op) {
  for (const auto& [text, one] : kOps) {
    if (one == op) return text;
  }
  return "";
}

Result<Alert> ParseAlert(std::string_view project, std::string_view name, std::string_view json) {
  Alert out;
  out.project = project;
  out.name = name;
  bool has_condition = false;
  RETURN_IF_ERROR(ReadObject("an alert", json, [&](const std::string& key, std::string_view value) {
    has_condition = has_condition || key == "condition";
    return ReadMember(key, value, out);
  }));
  if (out.logstores.empty()) return Bad("logstores", "must name at least one logstore");
  if (!has_condition) return Bad("condition", "is missing");
  return out;
}

std::string PrintAlert(const Alert& alert, Show show) {
  const auto list = [](const std::vector<std::string>& texts) {
    std::string out = "[";
    for (const std::string& text : texts) out += (out.size() > 1 ? "," : "") + Quote(text);
    return out + "]";
  };
  std::string out = fmt::format(
      "\"name\":{},\"enabled\":{},\"logstores\":{},\"q\":{},\"every\":{},\"window\":{},\"for\":{},"
      "\"repeat\":{},\"condition\":{{{}\"op\":\"{}\",\"value\":{}}},\"group_by\":{},\"webhook\":",
      Quote(alert.name), alert.enabled, list(alert.logstores), Quote(alert.q),
      Quote(FormatDuration(alert.every)), Quote(FormatDuration(alert.window)),
      Quote(FormatDuration(alert.hold)), Quote(FormatDuration(alert.repeat)),
      alert.condition.column.empty() ? "" : "\"column\":" + Quote(alert.condition.column) + ",",
      OpText(alert.condition.op), NumberText(alert.condition.value), list(alert.group_by));
  if (!alert.webhook) return out + "null";
  Labels headers = alert.webhook->headers;
  for (auto& [name, value] : headers) {
    if (show != Show::kAll) value = kHiddenValue;
  }
  std::string url = alert.webhook->url;
  std::string body = alert.webhook->body;
  if (show == Show::kViewer) {
    url = url.substr(0, url.find_first_of("/?#", url.find("://") + 3)) + "/…";
    if (!body.empty()) body = kHiddenValue;
  }
  return out + "{\"url\":" + Quote(url) + ",\"headers\":" + Quote(headers) +
         ",\"body\":" + Quote(body) + "}";
}

std::string Quote(std::string_view text) {
  std::string out;
  net::AppendJsonString(out, text);
  return out;
}

std::string Quote(const Labels& labels) {
  std::string out = "{";
  for (const auto& [name, value] : labels) {
    out += (out.size() > 1 ? "," : "") + Quote(name) + ":" + Quote(value);
  }
  return out + "}";
}

std::optional<std::string> Unquote(std::string_view json) {
  if (json.size() < 2 || json.front() != '"' || json.back() != '"') return std::nullopt;
  json = json.substr(1, json.size() - 2);
  std::string out(json.size() + codec::kUnescapeSlack, '\0');
  const char* end = codec::UnescapeJson(json.data(), json.data() + json.size(), out.data());
  out.resize(static_cast<size_t>(end - out.data()));
  return out;
}

}  // namespace kelp::alert
