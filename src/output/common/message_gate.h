// MessageGate: lets the same complaint through once in a while.
#ifndef KELP_OUTPUT_COMMON_MESSAGE_GATE_H_
#define KELP_OUTPUT_COMMON_MESSAGE_GATE_H_

#include "base/units.h"

namespace kelp::output {

// True at once, then at most once per `period`. LOG_RATE does the same for a line of code; this is
// for a component instance, so that one broken output does not hide the message of another.
//
// Threads: thread-compatible.
class MessageGate {
 public:
  explicit MessageGate(Duration period) : period_(period) {}
  // `now`: monotonic.
  bool Pass(Duration now) {
    if (open_at_ > now) return false;
    open_at_ = now + period_;
    return true;
  }
  // The next message passes at once: the trouble is over, or is a new one.
  void Reset() { open_at_ = Duration::min(); }

 private:
  const Duration period_;
  Duration open_at_ = Duration::min();
};

}  // namespace kelp::output

#endif  // KELP_OUTPUT_COMMON_MESSAGE_GATE_H_
