#include "loki/streams.h"

#include <algorithm>
#include <map>

#include "base/sync.h"
#include "loki/pipeline.h"
#include "loki/row_entry.h"
#include "query/scan.h"
#include "query/time_filter.h"

namespace kelp::loki {
namespace {

using Verdict = query::Scan::Verdict;

class Finder {
 public:
  Finder(const Target& target, std::span<const Matcher> selector, std::span<const Stage> stages,
         const Wanted& shown, UnixNanos from, UnixNanos to)
      : selector_(selector),
        shown_(shown),
        from_(from),
        to_(to),
        plan_(MakePlan(target, selector, stages, from, to)) {
    if (plan_.query == nullptr) return;
    scan_.emplace(*plan_.snapshot, *plan_.query, from, to, target.limits, false);
    Wanted wanted = shown;
    for (const Matcher& matcher : selector) wanted.Add(matcher.label);
    const Needs needs = NeedsOf(stages);
    for (const std::string& label : needs.labels) wanted.Add(label);
    wanted.line = wanted.line || needs.line;
    for (size_t i = 0; i < scan_->workers(); ++i) {
      workers_.push_back(std::make_unique<Worker>(wanted, stages));
    }
    all_rows_count_ = stages.empty();
  }

  Result<StreamsResult> Run() {
    StreamsResult result;
    if (!scan_) return result;
    RETURN_IF_ERROR(scan_->Run([this](query::Scan::Worker& worker, uint32_t block,
                                      Verdict verdict) { return Visit(worker, block, verdict); }));
    if (scan_->cancelled()) return CancelledError("the query was cancelled");
    std::map<LabelList, StreamInfo> all;
    for (const auto& worker : workers_) {
      for (auto& [labels, info] : worker->streams) {
        StreamInfo& sum = all[labels];
        sum.rows += info.rows;
        sum.bytes += info.bytes;
      }
    }
    for (auto& [labels, info] : all) {
      info.labels = labels;
      result.streams.push_back(std::move(info));
    }
    query::Outcome outcome;
    scan_->AddLosses(outcome);
    RETURN_IF_ERROR(outcome.ErrorIfNothing(!result.streams.empty()));
    query::Stats stats;
    query::Explain explain;
    scan_->Fill(stats, explain);
    result.cost.Add(stats, outcome.partial());
    if (result.streams.size() >= kStreamsMax) {
      result.cost.Add({}, "there are more than " + std::to_string(kStreamsMax) + " streams");
    }
    return result;
  }

 private:
  struct Worker {
    Worker(const Wanted& wanted, std::span<const Stage> stages)
        : entries(wanted), pipeline(stages) {}
    BlockEntries entries;
    Pipeline pipeline;
    Entry entry;
    std::map<LabelList, StreamInfo> streams;
  };

  Status Visit(query::Scan::Worker& scan, uint32_t index, Verdict verdict) {
    const store::Block& block = *plan_.snapshot->blocks()[index];
    store::BlockReader& reader = scan.scan.reader();
    query::Bitmap rows(block.rows(), true);
    RETURN_IF_ERROR(query::KeepTimes(block, reader, from_, to_, rows));
    scan.rows_scanned += rows.Count();
    if (verdict == Verdict::kSome) RETURN_IF_ERROR(scan.scan.Narrow(rows));
    if (scan.interrupt.stopped() || !rows.Any()) return OkStatus();
    Worker& own = *workers_[scan.index];
    RETURN_IF_ERROR(own.entries.Open(block, reader, plan_.snapshot->SourceOf(index)));
    const uint64_t row_bytes = block.rows() == 0 ? 0 : block.raw_bytes() / block.rows();
    if (all_rows_count_ && own.entries.tuples() != 0) return CountTuples(own, rows, row_bytes);
    Status status;
    uint32_t since_check = 0;
    rows.ForEach([&](uint32_t row) {
      if (!status.ok() || scan.interrupt.stopped()) return;
      if (++since_check % 1024 == 0 && scan.interrupt.Check()) return;
      status = CountRow(own, row, 1, row_bytes);
    });
    return status;
  }

  Status CountTuples(Worker& own, const query::Bitmap& rows, uint64_t row_bytes) {
    std::vector<uint32_t> counts(own.entries.tuples());
    std::vector<uint32_t> sample(own.entries.tuples());
    rows.ForEach([&](uint32_t row) {
      const size_t tuple = own.entries.TupleOf(row);
      ++counts[tuple];
      sample[tuple] = row;
    });
    for (size_t i = 0; i < counts.size(); ++i) {
      if (counts[i] != 0) RETURN_IF_ERROR(CountRow(own, sample[i], counts[i], row_bytes));
    }
    return OkStatus();
  }

  Status CountRow(Worker& own, uint32_t row, uint64_t rows, uint64_t row_bytes) {
    Entry& entry = own.entry;
    RETURN_IF_ERROR(own.entries.Fill(row, entry));
    for (const Matcher& matcher : selector_) {
      if (!own.pipeline.matchers().Matches(matcher, entry.Tag(matcher.label))) return OkStatus();
    }
    if (!own.pipeline.Run(entry)) return OkStatus();
    LabelList labels;
    for (const Label& label : entry.labels) {
      const bool named = shown_.labels.find(label.name) != shown_.labels.end();
      const bool tag = shown_.all_tags && label.category == Category::kStream;
      const bool field = shown_.all_fields && label.category == Category::kField;
      if (named || tag || field) labels.emplace_back(label.name, label.value);
    }
    std::sort(labels.begin(), labels.end());
    if (own.streams.size() >= kStreamsMax && own.streams.find(labels) == own.streams.end()) {
      return OkStatus();
    }
    StreamInfo& info = own.streams[std::move(labels)];
    info.rows += rows;
    info.bytes += rows * row_bytes;
    return OkStatus();
  }

  const std::span<const Matcher> selector_;
  const Wanted& shown_;
  const UnixNanos from_;
  const UnixNanos to_;
  const Plan plan_;
  std::optional<query::Scan> scan_;
  std::vector<std::unique_ptr<Worker>> workers_;
  bool all_rows_count_ = false;
};

}  // namespace

Result<StreamsResult> FindStreams(const Target& target, std::span<const Matcher> selector,
                                  std::span<const Stage> stages, const Wanted& wanted,
                                  UnixNanos from, UnixNanos to) {
  if (from >= to) return StreamsResult();
  return Finder(target, selector, stages, wanted, from, to).Run();
}

}  // namespace kelp::loki
