// Backoff: how long to wait before the next try of something that failed.
#ifndef KELP_OUTPUT_COMMON_BACKOFF_H_
#define KELP_OUTPUT_COMMON_BACKOFF_H_

#include <algorithm>

#include "base/env.h"
#include "base/units.h"

namespace kelp::output {

// Waits that double from `first` to `longest`, each shortened by up to half at random, so that many
// agents do not come back to a recovering server in the same instant.
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
    const auto half = static_cast<uint64_t>(wait.count() / 2);
    return wait - Duration(half == 0 ? 0 : static_cast<int64_t>(random_.Next() % half));
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
