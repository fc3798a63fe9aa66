// Masking lines: ends for any bytes, and says the same of a line and of its beginning.
#include <cstdlib>
#include <string>

#include "query/line_mask.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  std::string masked;
  kelp::query::MaskLine(line, masked);
  std::string again;
  kelp::query::MaskLine(line.substr(0, kelp::query::kMaskedBytesMax), again);
  if (masked != again) std::abort();
  // A mark is at most six bytes and stands for at least one.
  if (masked.size() > 6 * kelp::query::kMaskedBytesMax) std::abort();
  return 0;
}
