#include "loki/log_query.h"

#include <algorithm>
#include <functional>

#include "loki/row_entry.h"
#include "query/interrupt.h"
#include "query/limits.h"

namespace kelp::loki {
namespace {

// Buckets by which a span is cut when the oldest rows are wanted.
constexpr uint32_t kForwardBuckets = 256;
// Rows that are read at once to be turned around; a span with more is cut again.
constexpr uint64_t kForwardRowsMax = 20'000;
// Rows of one nanosecond, or of one piece that cannot be cut: more are not held.
constexpr size_t kTurnedLinesMax = 200'000;
// How often a span is cut; then even a nanosecond is one bucket.
constexpr int kForwardDepthMax = 8;

class LogQuery {
 public:
  LogQuery(const Target& target, const Expr& expr, const LogRequest& request)
      : target_(target),
        request_(request),
        plan_(MakePlan(target, expr.selector, expr.stages, request.from, request.to)),
        filter_(expr),
        interrupt_(target.limits) {}

  Result<LogResult> Run() {
    if (plan_.query == nullptr || request_.from >= request_.to) return std::move(result_);
    if (request_.forward) {
      RETURN_IF_ERROR(ForwardByWindows());
    } else {
      RETURN_IF_ERROR(Backward(request_.from, request_.to, [&](LogLine line) {
        result_.lines.push_back(std::move(line));
        return !full();
      }));
    }
    return std::move(result_);
  }

 private:
  bool full() const { return result_.lines.size() >= request_.limit; }

  // What is left of the time that the whole call has.
  query::Limits LimitsLeft() {
    query::Stats stats;
    interrupt_.FillCost(stats);
    query::Limits limits = target_.limits;
    limits.time = std::max<Duration>(limits.time - stats.wall, 1ms);
    return limits;
  }

  // True, and noted, when nothing could be read for damage: that does not hide other rows.
  bool Damaged(const Status& status) {
    if (status.code() != Code::kDataLoss) return false;
    result_.cost.Add({}, std::string(status.message()));
    return true;
  }

  // Gives lines, newest first, until `take` says no or nothing is left.
  Status Backward(UnixNanos from, UnixNanos to, const std::function<bool(LogLine)>& take) {
    query::SearchRequest search;
    search.from = from;
    search.to = to;
    // Most queries keep most of what the prefilter lets through; if not, pages grow.
    search.limit = std::min(std::max(request_.limit, 100u), query::kRowsPerSearchMax);
    while (true) {
      search.limits = LimitsLeft();
      Result<query::SearchResult> page = query::Search(*plan_.snapshot, *plan_.query, search);
      if (Damaged(page.status())) return OkStatus();
      ASSIGN_OR_RETURN(query::SearchResult found, std::move(page));
      result_.cost.Add(found.stats, found.partial);
      cut_ = cut_ || found.partial != found.lost;
      for (const query::Row& row : found.rows) {
        std::optional<LogLine> line = filter_.Take(row);
        if (line && !take(*std::move(line))) return OkStatus();
      }
      if (found.cursor.empty() || cut_) return OkStatus();
      if (interrupt_.Check()) {
        cut_ = true;
        if (interrupt_.why() == query::Interrupt::Why::kCancelled) {
          return CancelledError("the query was cancelled");
        }
        result_.cost.Add({}, "the query ran into its time limit");
        return OkStatus();
      }
      search.cursor = std::move(found.cursor);
      search.limit = query::kRowsPerSearchMax;
    }
  }

  // Most often the oldest rows are wanted of a span that is full of them: a small piece is looked
  // at first, and each one after it is twice as long.
  Status ForwardByWindows() {
    UnixNanos from = request_.from;
    UnixNanos width = std::max<UnixNanos>((request_.to - from) / kForwardBuckets, 1);
    while (from < request_.to && !full() && !cut_) {
      const UnixNanos to = width < request_.to - from ? from + width : request_.to;
      RETURN_IF_ERROR(Forward(from, to, 0));
      from = to;
      if (width < request_.to - from) width *= 2;
    }
    return OkStatus();
  }

  // The oldest rows: the span is cut into pieces, and piece by piece turned around.
  Status Forward(UnixNanos from, UnixNanos to, int depth) {
    query::HistogramRequest histogram;
    histogram.from = from;
    histogram.to = to;
    histogram.buckets = kForwardBuckets;
    histogram.limits = LimitsLeft();
    Result<query::HistogramResult> count =
        query::CountOverTime(*plan_.snapshot, *plan_.query, histogram);
    if (Damaged(count.status())) return OkStatus();
    ASSIGN_OR_RETURN(const query::HistogramResult counted, std::move(count));
    result_.cost.Add(counted.stats, counted.partial);
    // Damage is noted and left out; only running out of time ends the answer.
    cut_ = cut_ || (!counted.partial.empty() && interrupt_.Check());
    const auto border = [&](size_t bucket) {
      return bucket >= counted.counts.size()
                 ? to
                 : from + static_cast<UnixNanos>(bucket) * counted.step.count();
    };
    for (size_t begin = 0; begin < counted.counts.size() && !full();) {
      if (cut_) return OkStatus();
      uint64_t rows = counted.counts[begin];
      size_t end = begin + 1;
      while (end < counted.counts.size() && rows + counted.counts[end] <= kForwardRowsMax / 4 &&
             rows < request_.limit) {
        rows += counted.counts[end++];
      }
      if (rows > kForwardRowsMax && depth < kForwardDepthMax && counted.step > Duration(1)) {
        RETURN_IF_ERROR(Forward(border(begin), border(end), depth + 1));
      } else if (rows > 0) {
        RETURN_IF_ERROR(TurnAround(border(begin), border(end)));
      }
      begin = end;
    }
    return OkStatus();
  }

  Status TurnAround(UnixNanos from, UnixNanos to) {
    std::vector<LogLine> lines;
    RETURN_IF_ERROR(Backward(from, to, [&](LogLine line) {
      lines.push_back(std::move(line));
      return lines.size() < kTurnedLinesMax;
    }));
    if (lines.size() >= kTurnedLinesMax) {
      cut_ = true;
      result_.cost.Add({}, "too many rows at one time to put the oldest first");
    }
    for (auto it = lines.rbegin(); it != lines.rend() && !full(); ++it) {
      result_.lines.push_back(std::move(*it));
    }
    return OkStatus();
  }

  const Target& target_;
  const LogRequest& request_;
  const Plan plan_;
  RowFilter filter_;
  query::Interrupt interrupt_;
  bool cut_ = false;  // a limit ended the answer: going on would leave a gap
  LogResult result_;
};

}  // namespace

bool RowFilter::Selected() {
  return std::all_of(expr_.selector.begin(), expr_.selector.end(), [&](const Matcher& matcher) {
    return pipeline_.matchers().Matches(matcher, entry_.Tag(matcher.label));
  });
}

bool RowFilter::MayTake(const Resource& resource, const std::string& logstore) {
  query::Row row;
  row.logstore = logstore;
  for (const auto& [name, value] : resource.tags()) {
    row.resource.push_back({name, value, ValueKind::kString});
  }
  FillEntry(row, entry_);
  return Selected();
}

std::optional<LogLine> RowFilter::Take(const query::Row& row) {
  FillEntry(row, entry_);
  if (!Selected()) return std::nullopt;
  if (!pipeline_.Run(entry_)) return std::nullopt;
  LogLine out;
  out.time = entry_.time;
  out.line = entry_.line;
  std::sort(entry_.labels.begin(), entry_.labels.end(),
            [](const Label& a, const Label& b) { return a.name < b.name; });
  for (const Label& label : entry_.labels) {
    LabelList& list = label.category == Category::kStream  ? out.stream
                      : label.category == Category::kField ? out.fields
                                                           : out.parsed;
    list.emplace_back(label.name, label.value);
  }
  return out;
}

Result<LogResult> RunLogQuery(const Target& target, const Expr& expr, const LogRequest& request) {
  return LogQuery(target, expr, request).Run();
}

}  // namespace kelp::loki
