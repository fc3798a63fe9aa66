// Ids: opaque names of things.
#ifndef KELP_BASE_IDS_H_
#define KELP_BASE_IDS_H_

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/env.h"
#include "base/status.h"

namespace kelp {

// Names one origin: one incarnation of a file, one container stream, one connection. Random, made
// once when the origin is first seen, kept with its checkpoint; the same origin read by two
// pipelines has two ids. Written as 32 hexadecimal digits.
struct OriginId {
  uint64_t high = 0;
  uint64_t low = 0;
  constexpr auto operator<=>(const OriginId&) const = default;
  bool empty() const { return high == 0 && low == 0; }
  std::string ToString() const;
  static Result<OriginId> Parse(std::string_view text);
  static OriginId Make(Random& random);
};

// `bytes` random bytes as hexadecimal digits; for tokens and sign-in codes. Real entropy comes from
// the Env's Random, which is getrandom() on a real machine.
std::string RandomHex(Random& random, size_t bytes);

}  // namespace kelp

template <>
struct std::hash<kelp::OriginId> {
  size_t operator()(const kelp::OriginId& id) const noexcept {
    return static_cast<size_t>(id.high ^ (id.low * 0x9e3779b97f4a7c15ull));
  }
};

#endif  // KELP_BASE_IDS_H_
