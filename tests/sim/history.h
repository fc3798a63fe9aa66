// History: what happened in a simulated world, in order.
//
// Everything worth telling goes through Say. Its arguments are always folded into a hash, by which
// two runs of one seed are compared; only with tracing on are they formatted and printed. A failed
// seed is run again with tracing on, so that nothing has to be kept while seeds pass.
//
// Threads: confined to the simulation's thread.
#ifndef KELP_TESTS_SIM_HISTORY_H_
#define KELP_TESTS_SIM_HISTORY_H_

#include <fmt/format.h>

#include <concepts>
#include <cstdint>
#include <cstdio>
#include <string_view>

#include "base/units.h"

namespace kelp::sim {

class History {
 public:
  explicit History(bool tracing) : tracing_(tracing) {}
  bool tracing() const { return tracing_; }
  uint64_t hash() const { return hash_; }
  void set_time(Duration now) { now_ = now; }

  // `who` is a word: the actor.
  template <typename... Args>
  void Say(std::string_view who, fmt::format_string<Args...> format, Args&&... args) {
    Mix(static_cast<uint64_t>(now_.count()));
    Mix(who);
    (Mix(args), ...);
    if (!tracing_) return;
    fmt::print("{:>11.3f}ms {:<9} {}\n", static_cast<double>(now_.count()) / 1e6, who,
               fmt::vformat(format, fmt::make_format_args(args...)));
    std::fflush(stdout);  // Kelp's own log goes to standard error in between
  }

 private:
  void Mix(std::string_view text) {
    for (const char c : text) Mix(static_cast<uint64_t>(static_cast<unsigned char>(c)));
  }
  template <std::integral I>
  void Mix(I value) {
    hash_ = (hash_ ^ static_cast<uint64_t>(value)) * 0x100000001b3ull;
    hash_ ^= hash_ >> 29;
  }

  const bool tracing_;
  uint64_t hash_ = 0xcbf29ce484222325ull;
  Duration now_{0};
};

}  // namespace kelp::sim

#endif  // KELP_TESTS_SIM_HISTORY_H_
