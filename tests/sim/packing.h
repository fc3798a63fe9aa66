// Packing: gzip and zstd, as rotators use them.
#ifndef KELP_TESTS_SIM_PACKING_H_
#define KELP_TESTS_SIM_PACKING_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace kelp::sim {

enum class Packing : uint8_t { kNone, kGzip, kZstd };

// ".gz", ".zst" or "".
std::string PackedSuffix(Packing packing);
std::string Pack(Packing packing, std::string_view bytes);

}  // namespace kelp::sim

#endif  // KELP_TESTS_SIM_PACKING_H_
