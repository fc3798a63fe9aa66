#include "server/alert_backend.h"

#include <algorithm>
#include <charconv>
#include <future>
#include <memory>
#include <optional>

#include "base/log.h"
#include "codec/json_rows.h"
#include "codec/kelp_batch.h"
#include "domain/secret.h"
#include "query/query.h"
#include "server/query_call.h"
#include "sql/lexer.h"
#include "sql/sql.h"

namespace kelp::server {
namespace {

// Groups that a statement may give: those that matter are within alert::kGroupsMax of them.
constexpr uint64_t kGroupRowsMax = 10'000;
// Hexadecimal digits of an origin's id.
constexpr size_t kOriginDigits = 32;
// How long alerts keep what they told.
constexpr Duration kAlertRetention = 24h * 90;

std::optional<double> NumberOf(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// Makes groups of a statement's rows.
class GroupSink final : public sql::RowSink {
 public:
  explicit GroupSink(const alert::Alert& alert) : alert_(alert) {}

  void Start(const std::vector<sql::ResultColumn>& columns) override {
    findings_.clear();
    labels_.clear();
    value_.reset();
    missing_.clear();
    const auto find = [&](const std::string& name) -> std::optional<size_t> {
      for (size_t i = 0; i < columns.size(); ++i) {
        if (columns[i].name == name) return i;
      }
      missing_ = name;
      return std::nullopt;
    };
    for (const std::string& name : alert_.group_by) {
      if (const auto at = find(name)) labels_.emplace_back(name, *at);
    }
    if (!alert_.condition.column.empty()) {
      value_ = find(alert_.condition.column);
      return;
    }
    for (size_t i = 0; i < columns.size() && !value_; ++i) {
      const bool grouped = std::any_of(labels_.begin(), labels_.end(),
                                       [&](const auto& label) { return label.second == i; });
      const std::string& type = columns[i].type;
      if (!grouped && (type == "integer" || type == "number")) value_ = i;
    }
  }

  bool Row(std::span<const sql::Cell> cells) override {
    if (!value_ || !missing_.empty()) return false;
    const auto number = NumberOf(cells[*value_].text);
    if (!number) return true;  // NULL fulfils nothing
    alert::Finding finding;
    finding.value = *number;
    for (const auto& [name, at] : labels_) {
      finding.labels.emplace_back(name, std::string(cells[at].text));
    }
    findings_.push_back(std::move(finding));
    return true;
  }

  Result<std::vector<alert::Finding>> Take() {
    if (!missing_.empty()) {
      return InvalidArgumentError("the result of the query has no column \"" + missing_ + "\"");
    }
    if (!value_) {
      return InvalidArgumentError("the result of the query has no column of numbers to compare");
    }
    return std::move(findings_);
  }

 private:
  const alert::Alert& alert_;
  std::vector<std::pair<std::string, size_t>> labels_;
  std::optional<size_t> value_;
  std::string missing_;
  std::vector<alert::Finding> findings_;
};

// The one row of `from` as the first of an origin.
BatchPtr WithOrigin(const Batch& from, const OriginId& origin) {
  BatchPtr to = BatchPool::Shared().Get();
  to->set_resource(from.resource());
  to->origin = origin;
  to->end = to->resume = 1;
  to->AddRow(to->Copy(from.body().Get(0).text()), 0, 1, from.time(0));
  for (size_t i = 1; i < from.column_count(); ++i) {
    Value value = from.column(i).Get(0);
    if (value.missing()) continue;
    value.data = to->Copy(value.text()).data();
    to->AddColumn(from.column(i).name()).Set(0, value);
  }
  return to;
}

// A result that is not whole could hide an alert, or make one.
Status Whole(const std::string& partial) {
  if (partial.empty()) return OkStatus();
  return UnavailableError("the query could not be run in full: " + partial);
}

}  // namespace

Result<std::vector<alert::Finding>> AlertBackend::Evaluate(const alert::Alert& alert,
                                                           UnixNanos now) {
  std::vector<store::LogstoreName> names;
  for (const std::string& name : alert.logstores) {
    RETURN_IF_ERROR(api_.domain.FindLogstore(alert.project, name).status());
    names.push_back({alert.project, name});
  }
  ASSIGN_OR_RETURN(const auto snapshot, ReadAll(api_, names));
  const size_t pipe = sql::FindPipe(alert.q);
  query::ParseError error;
  const auto query = query::Parse(std::string_view(alert.q).substr(0, pipe), error);
  if (query == nullptr) {
    return InvalidArgumentError("the search is wrong at byte " + std::to_string(error.position) +
                                ": " + error.message);
  }
  const auto running = api_.queries.Add("", alert.project);
  const query::Limits limits{.time = api_.config.query.time_max,
                             .memory = api_.config.query.memory_max,
                             .cancelled = &running->state()->cancelled};
  const UnixNanos from = now - alert.window.count() + 1;
  if (pipe == alert.q.npos) {
    query::HistogramRequest request{from, now + 1, 1, limits, false};
    ASSIGN_OR_RETURN(const auto counted, query::CountOverTime(*snapshot, *query, request));
    RETURN_IF_ERROR(Whole(counted.partial));
    return std::vector<alert::Finding>{{{}, static_cast<double>(counted.total)}};
  }
  sql::Request request;
  request.statement = std::string_view(alert.q).substr(pipe + 1);
  request.from = from;
  request.to = now + 1;
  request.rows_max = kGroupRowsMax;
  request.limits = limits;
  GroupSink sink(alert);
  sql::Outcome outcome;
  sql::Problem problem;
  if (!api_.sql.Run(*snapshot, *query, request, sink, outcome, problem)) return problem.status;
  RETURN_IF_ERROR(Whole(outcome.partial));
  return sink.Take();
}

Status AlertBackend::MakeLogstore(const std::string& project) {
  const domain::Logstore logstore{project, kAlertsLogstore, kAlertRetention, std::nullopt};
  const Status made = api_.domain.CreateLogstore(logstore);
  if (!made.ok() && made.code() != Code::kAlreadyExists) return made;
  return made.ok() ? api_.store.PutLogstore({project, kAlertsLogstore}, {kAlertRetention, {}})
                   : OkStatus();
}

Status AlertBackend::StoreRow(const std::string& project, const std::string& key,
                              const std::string& row) {
  RETURN_IF_ERROR(MakeLogstore(project));
  ASSIGN_OR_RETURN(std::vector<BatchPtr> batches,
                   codec::ParseJsonRows(row, api_.env.clock().Now()));
  if (batches.size() != 1) return InternalError("a row of an alert is not one row");
  // The key is the origin: the store keeps one row of it, however often it comes.
  ASSIGN_OR_RETURN(const OriginId origin,
                   OriginId::Parse(domain::Sha256Hex(key).substr(0, kOriginDigits)));
  BatchPtr batch = WithOrigin(*batches[0], origin);
  codec::BatchSetEncoder encoder;
  encoder.Add(*batch, batch->time(0));
  store::BatchSet set;
  set.encoded = encoder.Finish();
  set.batches.push_back(std::move(batch));
  auto done = std::make_shared<std::promise<Status>>();
  std::future<Status> waiting = done->get_future();
  api_.store.Append(
      {project, kAlertsLogstore}, std::move(set),
      [done](const Result<store::AppendResult>& result) { done->set_value(result.status()); });
  return waiting.get();
}

}  // namespace kelp::server
