// Backoff: how long to wait before the next try of something that failed.
#ifndef KELP_OUTPUT_COMMON_BACKOFF_H_
#define KELP_OUTPUT_COMMON_BACKOFF_H_

#include <algorithm>

#include "base/env.h"
#include "base/units.h"

namespace kelp::output {

// Waits drawn at random from nothing to a bound that doubles from `first` to `longest` (full
// jitter), so that many agents do not come back to a recovering server in the same instant.
//
// Threads: thread-compatible. Borrows `random`, which outlives it.
class Backoff {
 public:
  Backoff(Duration first, Duration longest, Random& random)
      : first_(first), longest_(longest), random_(random), next_(first) {}

  // The wait before the next try.
  Duration Next() {
    const Duration wait = next_;
    next_ = std::min(next_ * 2, longest_);
    if (wait.count() <= 0) return Duration(0);
    return Duration(1 + static_cast<int64_t>(random_.Next() % static_cast<uint64_t>(wait.count())));
  }
  // Call after a success.
  void Reset() { next_ = first_; }
  bool fresh() const { return next_ == first_; }

 private:
  const Duration first_;
  const Duration longest_;
  Random& random_;
  Duration next_;
};

}  // namespace kelp::output

#endif  // KELP_OUTPUT_COMMON_BACKOFF_H_
