// Breaks: bugs put in on purpose, so that the oracle cannot rot: `kelp_sim --break NAME` must find
// each within a few hundred seeds (a test runs them all).
#ifndef KELP_TESTS_SIM_BREAKS_H_
#define KELP_TESTS_SIM_BREAKS_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace kelp::sim {

enum class Break : uint8_t {
  kNone,
  kDropRow,         // the destination loses every kDropRowEvery-th row
  kAckEarly,        // outputs acknowledge when they get a batch, not when it is safe
  kLoseCheckpoint,  // a write of checkpoints now and then says it was done and was not
  kSwapRows,        // two rows of a batch change places
  kChangeByte,      // a byte of a row is changed on the way
  kForgetMark,      // the destination takes repeats
  kLeakDescriptor,  // the agent's last life leaves a file open
  kBusyLoop,        // the engine is woken for nothing, again and again
  kHideLoss,        // the input says nothing of what is lost
  kNoSync,          // syncs say that they were done
  kForgetSeen,      // a start is not told how much of the files was seen
};

constexpr uint64_t kDropRowEvery = 150;

struct NamedBreak {
  std::string_view name;
  Break value;
};
const std::vector<NamedBreak>& AllBreaks();
// nullopt when there is none of that name.
std::optional<Break> FindBreak(std::string_view name);
void SetBreak(Break value);
bool Broken(Break value);

}  // namespace kelp::sim

#endif  // KELP_TESTS_SIM_BREAKS_H_
