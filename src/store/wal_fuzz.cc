// Any bytes as a file of the write-ahead log: no crash, and only whole frames in rising order.
#include <cstdlib>

#include "store/wal.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kelp::store;
  if (size == 0) return 0;
  // The first byte chooses whether the file is the last one, or how much of it counts.
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  const uint64_t counts = data[0] == 0 ? kWalEndUnknown : size * data[0] / 128;
  uint64_t sequence = 0;
  uint64_t last = 0;
  WalReport report;
  const auto read = ParseWalFile(
      bytes, counts, "fuzz.wal",
      [&](const WalFrame& frame) {
        if (frame.sequence <= last) std::abort();
        last = frame.sequence;
        if (frame.encoded.size() > bytes.size()) std::abort();
      },
      sequence, report);
  if (read.ok() && *read > bytes.size()) std::abort();
  return 0;
}
