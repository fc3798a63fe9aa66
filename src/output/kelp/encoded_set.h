// EncodedSet: a batch set ready to be sent, and how to take one apart.
#ifndef KELP_OUTPUT_KELP_ENCODED_SET_H_
#define KELP_OUTPUT_KELP_ENCODED_SET_H_

#include <cstdint>
#include <string>
#include <vector>

namespace kelp::output {

// The body of one request (docs/formats/kelp-batch.md) and its rows.
struct EncodedSet {
  std::string body;
  uint64_t rows = 0;
  // Which part and, of a set with a single part, which row of that part it begins with, counted in
  // the set that it was cut from.
  size_t first_part = 0;
  uint32_t first_row = 0;
};

// Two sets that together hold the rows of `set`, in order: each with half of its parts, or, when it
// has a single part and `by_rows`, with half of its rows. Empty when it cannot be halved.
std::vector<EncodedSet> Halve(const EncodedSet& set, bool by_rows, int zstd_level);

}  // namespace kelp::output

#endif  // KELP_OUTPUT_KELP_ENCODED_SET_H_
