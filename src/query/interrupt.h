// Interrupt: when a running query must stop, and what it has cost so far.
//
// Threads: confined to the query's thread; the cancellation flag is set by another one.
#ifndef KELP_QUERY_INTERRUPT_H_
#define KELP_QUERY_INTERRUPT_H_

#include <cstdint>

#include "base/units.h"
#include "query/query.h"

namespace kelp::query {

class Interrupt {
 public:
  enum class Why : uint8_t { kNone, kTime, kCancelled };

  explicit Interrupt(const Limits& limits);

  // True once the query must stop; stays true.
  bool Check();
  bool stopped() const { return why_ != Why::kNone; }
  Why why() const { return why_; }
  // Fills cpu and wall since construction.
  void FillCost(Stats& stats) const;

 private:
  const Limits limits_;
  const Duration wall_begin_;
  const Duration cpu_begin_;
  Why why_ = Why::kNone;
};

}  // namespace kelp::query

#endif  // KELP_QUERY_INTERRUPT_H_
