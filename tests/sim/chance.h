// Chance: the one source of randomness of a simulated world. Everything that happens follows from
// its seed.
#ifndef KELP_TESTS_SIM_CHANCE_H_
#define KELP_TESTS_SIM_CHANCE_H_

#include <cstdint>
#include <vector>

#include "base/env.h"

namespace kelp::sim {

// SplitMix64: eight bytes of state, any seed is as good as another.
class Chance final : public Random {
 public:
  explicit Chance(uint64_t seed) : state_(seed) {}
  uint64_t Next() override {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }
  // 0 to n - 1; 0 for n == 0.
  uint64_t Below(uint64_t n) { return n == 0 ? 0 : Next() % n; }
  // low to high, both included.
  uint64_t Between(uint64_t low, uint64_t high) { return low + Below(high - low + 1); }
  Duration Between(Duration low, Duration high) {
    return Duration(static_cast<int64_t>(
        Between(static_cast<uint64_t>(low.count()), static_cast<uint64_t>(high.count()))));
  }
  bool Percent(uint64_t percent) { return Below(100) < percent; }
  bool PerMille(uint64_t per_mille) { return Below(1000) < per_mille; }
  // An independent stream, for what must not depend on how much chance others used.
  Chance Fork() { return Chance(Next()); }

 private:
  uint64_t state_;
};

}  // namespace kelp::sim

#endif  // KELP_TESTS_SIM_CHANCE_H_
