// Alert: a saved search on a schedule, with a threshold: its definition, and its JSON.
//
// Threads:  values.
// Limits:   see the constants. Errors: kInvalidArgument names the key.
// Format:   docs/guides/alerts.md
// Tests:    alert_test.cc, alert_fuzz.cc
#ifndef KELP_ALERT_ALERT_H_
#define KELP_ALERT_ALERT_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"
#include "base/units.h"

namespace kelp::alert {

// Faster than this is a live tail; the query would hardly do anything else.
inline constexpr Duration kEveryMin = 10s;
inline constexpr Duration kEveryMax = 24h * 7;
// A window that a query gets through in its time.
inline constexpr Duration kWindowMax = 24h * 31;
inline constexpr size_t kQueryBytesMax = 16 << 10;
inline constexpr size_t kBodyBytesMax = 16 << 10;
inline constexpr size_t kHeadersMax = 16;
inline constexpr size_t kLogstoresMax = 16;
inline constexpr size_t kGroupColumnsMax = 8;
// Groups of one alert: more are a mistake in group_by, and nobody reads that many messages.
inline constexpr size_t kGroupsMax = 100;
// Of one label of a group; a query may group by a whole line. The state is written with all of
// them.
inline constexpr size_t kLabelBytesMax = 1024;
// Stands for header values in answers, and in a PUT for the value that is kept.
inline constexpr std::string_view kHiddenValue = "********";

using Labels = std::vector<std::pair<std::string, std::string>>;

struct Condition {
  enum class Op : uint8_t { kGreater, kGreaterEqual, kLess, kLessEqual, kEqual, kNotEqual };
  std::string column;  // empty: the first column of numbers that is not grouped by
  Op op = Op::kGreater;
  double value = 0;

  bool Holds(double x) const;
};
std::string_view OpText(Condition::Op op);

struct Webhook {
  std::string url;
  Labels headers;
  std::string body;  // template; empty: the whole as JSON
};

struct Alert {
  std::string project;
  std::string name;
  bool enabled = true;
  std::vector<std::string> logstores;
  std::string q;
  Duration every = 1min;
  Duration window = 5min;
  Duration hold{0};  // "for": how long the condition holds before it fires
  Condition condition;
  std::vector<std::string> group_by;
  std::optional<Webhook> webhook;
  Duration repeat = 4h;  // 0: once
};

// From the JSON object of the API. What belongs to the state is skipped.
Result<Alert> ParseAlert(std::string_view project, std::string_view name, std::string_view json);
// Who reads a definition: the file has all of it; who may change it sees no values of headers;
// others see of the address where it goes, not the rest, which is often a secret, too, and nothing
// of the body, where some receivers expect their key.
enum class Show : uint8_t { kAll, kEditor, kViewer };
// The members of its JSON object, without braces.
std::string PrintAlert(const Alert& alert, Show show);

// Small JSON pieces, for state.cc too.
std::string Quote(std::string_view text);
std::string Quote(const Labels& labels);
// The text of a JSON string; nullopt: it is none.
std::optional<std::string> Unquote(std::string_view json);

}  // namespace kelp::alert

#endif  // KELP_ALERT_ALERT_H_
