#include "output/common/concurrency_limit.h"

#include <algorithm>

namespace kelp::output {
namespace {

// Enough to hide a round trip; more is given when it helps.
constexpr double kFirst = 2;
// Requests that were under way together fail together: they count once.
constexpr Duration kLowerEvery = 1s;
constexpr double kAfterOverload = 0.5;
constexpr double kAfterSlowness = 0.9;
// A slow answer takes this many times the usual, and this much more: batches differ in size, and
// quick servers in their mood.
constexpr double kSlowTimes = 2;
constexpr Duration kSlowMore = 100ms;
constexpr double kSmoothing = 0.1;
constexpr Duration kLookAgain = 100ms;

}  // namespace

ConcurrencyLimit::ConcurrencyLimit(int max, Gauge& gauge)
    : max_(max), gauge_(gauge), limit_(std::min<double>(kFirst, max)) {
  gauge_.Set(static_cast<int64_t>(limit_));
}

bool ConcurrencyLimit::TryBegin() {
  MutexLock lock(mu_);
  if (busy_ >= static_cast<int>(limit_)) {
    wanted_ = true;
    return false;
  }
  ++busy_;
  return true;
}

void ConcurrencyLimit::WaitForPlace() {
  MutexLock lock(mu_);
  if (busy_ >= static_cast<int>(limit_)) place_.WaitFor(mu_, kLookAgain);
}

void ConcurrencyLimit::End(Outcome outcome, Duration latency, Duration now) {
  MutexLock lock(mu_);
  --busy_;
  if (outcome == Outcome::kAnswered) {
    Answered(latency, now);
  } else if (outcome == Outcome::kOverload && now >= lowered_at_ + kLowerEvery) {
    lowered_at_ = now;
    Set(limit_ * kAfterOverload);
  }
  place_.NotifyAll();
}

void ConcurrencyLimit::Answered(Duration latency, Duration now) {
  const auto ns = static_cast<double>(latency.count());
  const bool slow = usual_ns_ != 0 &&
                    ns > usual_ns_ * kSlowTimes + static_cast<double>(Duration(kSlowMore).count());
  usual_ns_ = usual_ns_ == 0 ? ns : usual_ns_ + (ns - usual_ns_) * kSmoothing;
  if (slow) {
    if (now < lowered_at_ + kLowerEvery) return;
    lowered_at_ = now;
    Set(limit_ * kAfterSlowness);
  } else if (wanted_) {
    wanted_ = false;
    Set(limit_ + 1 / limit_);
  }
}

void ConcurrencyLimit::Set(double limit) {
  limit_ = std::clamp<double>(limit, 1, max_);
  gauge_.Set(static_cast<int64_t>(limit_));
}

int ConcurrencyLimit::limit() const {
  MutexLock lock(mu_);
  return static_cast<int>(limit_);
}

}  // namespace kelp::output
