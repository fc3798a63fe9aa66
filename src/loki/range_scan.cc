#include "loki/range_scan.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <numeric>
#include <optional>
#include <unordered_map>

#include "loki/block_entries.h"
#include "loki/cells.h"
#include "loki/pipeline.h"
#include "loki/row_entry.h"
#include "query/interrupt.h"
#include "query/scan.h"
#include "query/time_filter.h"

namespace kelp::loki {
namespace {

using Verdict = query::Scan::Verdict;

// More buckets than this, and rows are added to each step that they belong to instead.
constexpr int64_t kBucketsMax = 50'000;
// A tuple of labels of which nothing is known yet, or whose rows are not wanted, or whose rows have
// to be looked at one by one.
constexpr uint32_t kUnknown = UINT32_MAX;
constexpr uint32_t kRejected = UINT32_MAX - 1;
constexpr uint32_t kEachRow = UINT32_MAX - 2;

// Which cells a time goes into, and which cells a step is made of.
class TimeGrid {
 public:
  TimeGrid(const MetricRequest& request, Duration range, Duration offset)
      : steps_(static_cast<int64_t>(request.steps())),
        step_(std::max<int64_t>(request.step.count(), 1)),
        range_(range.count()),
        first_(request.start - offset.count()) {
    if (range_ <= step_ || steps_ == 1) return;
    const int64_t width = std::gcd(range_, step_);
    const int64_t span = (steps_ - 1) * step_ + range_;
    if (span / width > kBucketsMax) return;
    width_ = width;
    cells_ = span / width;
  }

  UnixNanos from() const { return first_ - range_ + 1; }              // inclusive
  UnixNanos to() const { return first_ + (steps_ - 1) * step_ + 1; }  // exclusive
  size_t cells() const { return static_cast<size_t>(width_ != 0 ? cells_ : steps_); }

  // Calls f(cell). REQUIRES: from() <= time < to().
  template <typename F>
  void ForEachCell(UnixNanos time, F&& f) const {
    if (width_ != 0) return f(static_cast<size_t>((time - from()) / width_));
    // Steps t >= time and t < time + range.
    const int64_t begin = time <= first_ ? 0 : (time - first_ + step_ - 1) / step_;
    for (int64_t k = begin; k < steps_ && first_ + k * step_ - range_ < time; ++k) {
      f(static_cast<size_t>(k));
    }
  }
  // The cells of one step.
  std::pair<size_t, size_t> CellsOf(size_t step) const {
    if (width_ == 0) return {step, step + 1};
    const auto begin = static_cast<size_t>(static_cast<int64_t>(step) * step_ / width_);
    return {begin, begin + static_cast<size_t>(range_ / width_)};
  }

 private:
  const int64_t steps_;
  const int64_t step_;
  const int64_t range_;
  const UnixNanos first_;
  int64_t width_ = 0;
  int64_t cells_ = 0;
};

// Ends the adding up of cells, which may take longer than the scan did, when the query was
// cancelled or has taken its time once more.
class Brake {
 public:
  explicit Brake(const query::Limits& limits) : interrupt_(limits) {}

  // `cells`: how many were looked at since the last call.
  Status Spend(size_t cells) {
    spent_ += cells;
    if (spent_ < kCellsBetweenChecks) return OkStatus();
    spent_ = 0;
    if (!interrupt_.Check()) return OkStatus();
    if (interrupt_.why() == query::Interrupt::Why::kCancelled) {
      return CancelledError("the query was cancelled");
    }
    return DeadlineExceededError(
        "the query ran into its time limit; use a shorter range, a longer step, or fewer labels");
  }

 private:
  // Well below a millisecond.
  static constexpr size_t kCellsBetweenChecks = 1 << 16;
  query::Interrupt interrupt_;
  size_t spent_ = 0;
};

class RangeScan {
 public:
  RangeScan(const Target& target, const Expr& expr, const Grouping& grouping,
            std::span<const std::string> fields, const MetricRequest& request)
      : target_(target),
        expr_(expr),
        op_(expr.range_op),
        grouping_(grouping),
        fields_(fields),
        request_(request),
        grid_(request, expr.range, expr.offset),
        plan_(MakePlan(target, expr.selector, expr.stages, grid_.from(), grid_.to())),
        needs_line_bytes_(!expr.unwrap && (op_ == RangeOp::kBytes || op_ == RangeOp::kBytesRate)) {
    if (plan_.query == nullptr) return;
    const Wanted wanted = WantedBy();
    each_row_ = wanted.line || expr.unwrap.has_value() || (needs_line_bytes_ && ChangesLine());
    scan_.emplace(*plan_.snapshot, *plan_.query, grid_.from(), grid_.to(), target.limits, false);
    for (size_t i = 0; i < scan_->workers(); ++i) {
      workers_.push_back(std::make_unique<Worker>(wanted, expr));
    }
  }

  Result<std::vector<Series>> Run(Cost& cost) {
    if (!scan_) return Finish();
    RETURN_IF_ERROR(scan_->Run([this](query::Scan::Worker& worker, uint32_t block,
                                      Verdict verdict) { return Visit(worker, block, verdict); }));
    if (scan_->cancelled()) return CancelledError("the query was cancelled");
    query::Outcome outcome;
    scan_->AddLosses(outcome);
    RETURN_IF_ERROR(outcome.ErrorIfNothing(used_bytes_ > 0));
    query::Stats stats;
    query::Explain explain;
    scan_->Fill(stats, explain);
    cost.Add(stats, outcome.partial());
    uint64_t bad = 0;
    for (const auto& worker : workers_) bad += worker->bad_values;
    if (bad != 0) {
      cost.Add({}, std::to_string(bad) + " rows were left out: the unwrapped label is no number");
    }
    return Finish();
  }

 private:
  struct Accumulated {
    LabelList labels;
    std::vector<Cell> cells;
  };
  struct Worker {
    Worker(const Wanted& wanted, const Expr& expr)
        : entries(wanted), pipeline(expr.stages), after(expr.after_unwrap) {}
    BlockEntries entries;
    Pipeline pipeline;
    Pipeline after;
    Entry entry;
    std::string key;
    std::unordered_map<std::string, uint32_t> by_key;
    std::vector<Accumulated> series;
    std::vector<uint32_t> tuples;  // of the block at hand: its series
    uint64_t bad_values = 0;
  };

  Wanted WantedBy() const {
    Wanted wanted;
    wanted.all_tags = !grouping_.given || grouping_.without;
    if (wanted.all_tags) wanted.Add(kServiceLabel);
    for (const std::string& label : grouping_.labels) {
      if (!grouping_.without) wanted.Add(label);
    }
    for (const std::string& field : fields_) wanted.Add(field);
    for (const Matcher& matcher : expr_.selector) wanted.Add(matcher.label);
    for (const auto& stages : {std::span(expr_.stages), std::span(expr_.after_unwrap)}) {
      const Needs needs = NeedsOf(stages);
      wanted.line = wanted.line || needs.line;
      for (const std::string& label : needs.labels) wanted.Add(label);
    }
    if (expr_.unwrap) wanted.Add(expr_.unwrap->label);
    return wanted;
  }

  bool ChangesLine() const {
    return std::any_of(expr_.stages.begin(), expr_.stages.end(),
                       [](const Stage& stage) { return stage.kind == Stage::Kind::kLineFormat; });
  }

  Status Visit(query::Scan::Worker& scan, uint32_t index, Verdict verdict) {
    const store::Block& block = *plan_.snapshot->blocks()[index];
    store::BlockReader& reader = scan.scan.reader();
    query::Bitmap rows(block.rows(), true);
    RETURN_IF_ERROR(query::KeepTimes(block, reader, grid_.from(), grid_.to(), rows));
    scan.rows_scanned += rows.Count();
    if (verdict == Verdict::kSome) RETURN_IF_ERROR(scan.scan.Narrow(rows));
    if (scan.interrupt.stopped() || !rows.Any()) return OkStatus();
    Worker& own = *workers_[scan.index];
    RETURN_IF_ERROR(own.entries.Open(block, reader, plan_.snapshot->SourceOf(index)));
    own.tuples.assign(each_row_ ? 0 : own.entries.tuples(), kUnknown);
    ASSIGN_OR_RETURN(const std::span<const UnixNanos> times, reader.Times());
    Status status;
    uint32_t since_check = 0;
    rows.ForEach([&](uint32_t row) {
      if (!status.ok() || scan.interrupt.stopped()) return;
      if (++since_check % 1024 == 0 && scan.interrupt.Check()) return;
      status = AddRow(own, row, times[row]);
    });
    scan.rows_matched += rows.Count();
    return status;
  }

  Status AddRow(Worker& own, uint32_t row, UnixNanos time) {
    uint32_t* known = own.tuples.empty() ? nullptr : &own.tuples[own.entries.TupleOf(row)];
    uint32_t series = known == nullptr ? kEachRow : *known;
    double value = 1;
    if (series == kUnknown || series == kEachRow) {
      ASSIGN_OR_RETURN(const uint32_t found, SeriesOf(own, row, time, value));
      if (known != nullptr) *known = own.entries.level_was_in_labels() ? found : kEachRow;
      series = found;
    }
    if (series == kRejected) return OkStatus();
    if (needs_line_bytes_) {
      // What stages made of the line counts; it is at hand only when each row is looked at.
      size_t bytes = own.entry.line.size();
      if (!each_row_) {
        ASSIGN_OR_RETURN(bytes, own.entries.LineBytes(row));
      }
      value = static_cast<double>(bytes);
    }
    std::vector<Cell>& cells = own.series[series].cells;
    size_t added = 0;
    grid_.ForEachCell(time, [&](size_t cell) {
      cells[cell].Add(op_, value, time);
      ++added;
    });
    // A quantile keeps the value, in each step that the row belongs to.
    if (op_ == RangeOp::kQuantile) return Charge(added * sizeof(double));
    return OkStatus();
  }

  // The series of a row, or kRejected; with unwrap also its value.
  Result<uint32_t> SeriesOf(Worker& own, uint32_t row, UnixNanos time, double& value) {
    Entry& entry = own.entry;
    entry.time = time;
    RETURN_IF_ERROR(own.entries.Fill(row, entry));
    for (const Matcher& matcher : expr_.selector) {
      if (!own.pipeline.matchers().Matches(matcher, entry.Tag(matcher.label))) return kRejected;
    }
    if (!own.pipeline.Run(entry)) return kRejected;
    if (expr_.unwrap) {
      const std::optional<double> number = UnwrapValue(*expr_.unwrap, entry);
      if (!own.after.Run(entry)) return kRejected;
      if (!number) {
        own.bad_values += entry.Find("__error__") != nullptr ? 1 : 0;
        return kRejected;
      }
      value = *number;
    }
    return FindSeries(own);
  }

  Result<uint32_t> FindSeries(Worker& own) {
    std::vector<Label>& labels = own.entry.labels;
    std::erase_if(labels, [&](const Label& label) { return !Shown(label); });
    std::sort(labels.begin(), labels.end(),
              [](const Label& a, const Label& b) { return a.name < b.name; });
    own.key.clear();
    for (const Label& label : labels) {
      own.key.append(label.name).append(1, '\0').append(label.value).append(1, '\0');
    }
    const auto [it, added] =
        own.by_key.try_emplace(own.key, static_cast<uint32_t>(own.series.size()));
    if (!added) return it->second;
    if (own.series.size() >= kSeriesMax) {
      return ResourceExhaustedError("the query has more than " + std::to_string(kSeriesMax) +
                                    " series; group by fewer labels");
    }
    RETURN_IF_ERROR(Charge(grid_.cells() * sizeof(Cell)));
    Accumulated& series = own.series.emplace_back();
    for (const Label& label : labels) series.labels.emplace_back(label.name, label.value);
    series.cells.resize(grid_.cells());
    return it->second;
  }

  bool Shown(const Label& label) const {
    const auto named = [&] {
      return std::find(grouping_.labels.begin(), grouping_.labels.end(), label.name) !=
             grouping_.labels.end();
    };
    if (grouping_.given && !grouping_.without) return named();
    if (grouping_.given && named()) return false;
    if (expr_.unwrap && label.name == expr_.unwrap->label) return false;
    if (label.category == Category::kField) {
      return std::find(fields_.begin(), fields_.end(), label.name) != fields_.end();
    }
    return label.name != "__error_details__";
  }

  Status Charge(size_t bytes) {
    const uint64_t used = used_bytes_.fetch_add(bytes) + bytes;
    if (used <= target_.limits.memory.bytes) return OkStatus();
    return ResourceExhaustedError("the query needs more memory than " +
                                  FormatByteSize(target_.limits.memory) +
                                  "; use a shorter span, a longer step, or fewer labels");
  }

  Result<std::vector<Series>> Finish() {
    std::map<LabelList, std::vector<Cell>> all;
    for (const auto& worker : workers_) {
      for (Accumulated& series : worker->series) {
        auto [it, added] = all.try_emplace(std::move(series.labels), std::move(series.cells));
        if (added) continue;
        for (size_t i = 0; i < it->second.size(); ++i) it->second[i].Merge(op_, series.cells[i]);
      }
    }
    const size_t steps = request_.steps();
    const double seconds = static_cast<double>(expr_.range.count()) / 1e9;
    std::vector<Series> out;
    Brake brake(target_.limits);
    if (op_ == RangeOp::kAbsent) return Absent(all, brake);
    for (auto& [labels, cells] : all) {
      Series series{labels, std::vector<double>(steps), std::vector<uint8_t>(steps)};
      for (size_t step = 0; step < steps; ++step) {
        const auto [begin, end] = grid_.CellsOf(step);
        Cell sum;
        for (size_t cell = begin; cell < end; ++cell) sum.Merge(op_, cells[cell]);
        RETURN_IF_ERROR(brake.Spend(end - begin + (op_ == RangeOp::kQuantile ? sum.count : 0)));
        if (sum.count == 0) continue;
        series.present[step] = 1;
        series.values[step] = sum.Value(op_, seconds, expr_.number);
      }
      out.push_back(std::move(series));
    }
    return out;
  }

  // 1 where no series has a row.
  Result<std::vector<Series>> Absent(const std::map<LabelList, std::vector<Cell>>& all,
                                     Brake& brake) const {
    const size_t steps = request_.steps();
    Series series;
    for (const Matcher& matcher : expr_.selector) {
      if (matcher.op == MatchOp::kEqual) series.labels.emplace_back(matcher.label, matcher.value);
    }
    std::sort(series.labels.begin(), series.labels.end());
    series.values.assign(steps, 1);
    series.present.assign(steps, 1);
    for (const auto& [labels, cells] : all) {
      for (size_t step = 0; step < steps; ++step) {
        const auto [begin, end] = grid_.CellsOf(step);
        RETURN_IF_ERROR(brake.Spend(end - begin));
        for (size_t cell = begin; cell < end; ++cell) {
          if (cells[cell].count != 0) series.present[step] = 0;
        }
      }
    }
    std::vector<Series> out;
    out.push_back(std::move(series));
    return out;
  }

  const Target& target_;
  const Expr& expr_;
  const RangeOp op_;
  const Grouping& grouping_;
  const std::span<const std::string> fields_;
  const MetricRequest& request_;
  const TimeGrid grid_;
  const Plan plan_;
  const bool needs_line_bytes_;
  bool each_row_ = false;
  std::optional<query::Scan> scan_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::atomic<uint64_t> used_bytes_{0};
};

}  // namespace

Result<std::vector<Series>> ScanRange(const Target& target, const Expr& expr,
                                      const Grouping& grouping, std::span<const std::string> fields,
                                      const MetricRequest& request, Cost& cost) {
  return RangeScan(target, expr, grouping, fields, request).Run(cost);
}

}  // namespace kelp::loki
