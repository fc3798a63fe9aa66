#include "breaks.h"

namespace kelp::sim {
namespace {
Break g_break = Break::kNone;
}  // namespace

const std::vector<NamedBreak>& AllBreaks() {
  static const std::vector<NamedBreak> all = {
      {"drop_row", Break::kDropRow},
      {"ack_early", Break::kAckEarly},
      {"lose_checkpoint", Break::kLoseCheckpoint},
      {"swap_rows", Break::kSwapRows},
      {"change_byte", Break::kChangeByte},
      {"forget_mark", Break::kForgetMark},
      {"leak_descriptor", Break::kLeakDescriptor},
      {"busy_loop", Break::kBusyLoop},
      {"hide_loss", Break::kHideLoss},
      {"no_sync", Break::kNoSync},
      {"forget_seen", Break::kForgetSeen},
  };
  return all;
}

std::optional<Break> FindBreak(std::string_view name) {
  for (const NamedBreak& named : AllBreaks()) {
    if (named.name == name) return named.value;
  }
  return std::nullopt;
}

void SetBreak(Break value) { g_break = value; }
bool Broken(Break value) { return g_break == value; }

}  // namespace kelp::sim
