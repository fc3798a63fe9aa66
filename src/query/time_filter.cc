#include "query/time_filter.h"

#include <algorithm>

namespace kelp::query {

Status KeepTimes(const store::Block& block, store::BlockReader& reader, UnixNanos from,
                 UnixNanos to, Bitmap& rows) {
  if (block.time_min() >= from && block.time_max() < to) return OkStatus();
  ASSIGN_OR_RETURN(const std::span<const UnixNanos> times, reader.Times());
  for (size_t i = 0; i < rows.word_count(); ++i) {
    const size_t base = i * Bitmap::kWordBits;
    const size_t count = std::min<size_t>(Bitmap::kWordBits, times.size() - base);
    uint64_t inside = 0;
    for (size_t bit = 0; bit < count; ++bit) {
      const UnixNanos time = times[base + bit];
      inside |= uint64_t{time >= from && time < to} << bit;
    }
    rows.word(i) &= inside;
  }
  return OkStatus();
}

}  // namespace kelp::query
