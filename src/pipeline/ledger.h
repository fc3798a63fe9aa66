// The ledger: what became of every row and byte of an origin, in figures that add up.
//
//   rows:  read == filtered + delivered + dropped + in flight + returned
//   bytes: read == acknowledged + in flight + returned
//
// read:      handed to the pipeline by the source.
// filtered:  taken out on purpose, by the processor that did it ("input": by the input itself).
// delivered: acknowledged by every required output, together with all rows before them.
// dropped:   given up by a required output, by reason (OutputHost::GiveUp); a row that two outputs
//            give up counts once, under the reason that came first.
// in flight: not yet acknowledged.
//            What an output with a spool gives up was delivered to the spool before: it stands in
//            dropped_later, beside the sums.
// returned:  was in flight when the pipeline was replaced or stopped; its successor reads it again.
// lost:      never read and never will be, by cause (InputHost::Lost); stands beside the sums.
//
// An entry is taken under its origin's lock, so it adds up whenever one looks.
#ifndef KELP_PIPELINE_LEDGER_H_
#define KELP_PIPELINE_LEDGER_H_

#include <cstdint>
#include <forward_list>
#include <string>
#include <string_view>
#include <utility>

#include "base/ids.h"

namespace kelp::pipeline {

// Counts by a word. The words come from code, so there are few; past kReasonsMax they are summed
// under "other", so that a bug cannot grow it without end.
//
// Threads: thread-compatible.
class ReasonCounts {
 public:
  static constexpr size_t kReasonsMax = 64;

  void Add(std::string_view reason, uint64_t n);
  void Add(const ReasonCounts& other);
  uint64_t Get(std::string_view reason) const;
  uint64_t total() const;
  bool empty() const { return entries_.empty(); }
  // In the order in which the reasons first came.
  const std::forward_list<std::pair<std::string, uint64_t>>& entries() const { return entries_; }

 private:
  // One word while it is empty, as most are: every origin has several of these.
  std::forward_list<std::pair<std::string, uint64_t>> entries_;
};

struct LedgerFigures {
  uint64_t read_bytes = 0;
  uint64_t read_rows = 0;
  uint64_t acknowledged_bytes = 0;
  uint64_t delivered_rows = 0;
  uint64_t in_flight_bytes = 0;
  uint64_t in_flight_rows = 0;
  uint64_t returned_bytes = 0;
  uint64_t returned_rows = 0;
  ReasonCounts filtered;  // rows, by processor
  ReasonCounts dropped;   // rows, by reason
  ReasonCounts dropped_later;
  ReasonCounts lost_bytes;
  ReasonCounts lost_lines;

  bool AddsUp() const;
  void Add(const LedgerFigures& other);
};

// One origin of a pipeline; or the sum of those that ended, together with what cannot be booked to
// a single one any more.
struct LedgerEntry {
  std::string pipeline;
  bool is_sum = false;
  std::string name;            // SourceInfo::name; "" in the sum and where a source has none
  OriginId origin;             // empty until the first batch, and in the sum
  uint64_t ended_origins = 0;  // how many this entry sums up
  // As the source itself says (SourceInfo); all 0 in the sum.
  uint64_t begin = 0;
  uint64_t position = 0;
  uint64_t size = 0;
  // A worker reads it at this moment: the position may be ahead of what is booked.
  bool reading = false;
  LedgerFigures figures;

  // The figures add up, and agree with the source's own position where it tells one.
  bool AddsUp() const;
};

}  // namespace kelp::pipeline

#endif  // KELP_PIPELINE_LEDGER_H_
