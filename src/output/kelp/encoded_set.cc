#include "output/kelp/encoded_set.h"

#include <span>
#include <utility>

#include "base/log.h"
#include "codec/kelp_batch.h"

namespace kelp::output {
namespace {

EncodedSet Encode(std::span<const BatchPtr> parts, int zstd_level) {
  codec::BatchSetEncoder encoder(zstd_level);
  // Times are known: the first encoding gave arrival times to rows without one.
  for (const BatchPtr& part : parts) encoder.Add(*part, kNoTime);
  EncodedSet set;
  set.rows = encoder.rows();
  set.body = encoder.Finish();
  return set;
}

EncodedSet EncodeRows(BatchPtr part, uint32_t begin, uint32_t end, int zstd_level) {
  part->Select([&](uint32_t row) { return row >= begin && row < end; });
  return Encode(std::span<const BatchPtr>(&part, 1), zstd_level);
}

}  // namespace

std::vector<EncodedSet> Halve(const EncodedSet& set, bool by_rows, int zstd_level) {
  std::vector<EncodedSet> halves;
  Result<std::vector<BatchPtr>> parts = codec::DecodeBatchSet(set.body);
  if (!parts.ok()) {
    LOG(kError, "output kelp: cannot read a batch set of our own: {}", parts.status().message());
    return halves;
  }
  if (parts->size() > 1) {
    const std::span<const BatchPtr> all(*parts);
    const size_t middle = all.size() / 2;
    halves.push_back(Encode(all.first(middle), zstd_level));
    halves.push_back(Encode(all.subspan(middle), zstd_level));
    halves[1].first_part = middle;
  } else if (by_rows && parts->size() == 1 && (*parts)[0]->rows() > 1) {
    const uint32_t rows = (*parts)[0]->rows();
    halves.push_back(EncodeRows(std::move((*parts)[0]), 0, rows / 2, zstd_level));
    // A selection only ever shrinks, so the second half needs the part anew.
    parts = codec::DecodeBatchSet(set.body);
    halves.push_back(EncodeRows(std::move((*parts)[0]), rows / 2, rows, zstd_level));
    halves[0].first_row = set.first_row;
    halves[1].first_row = set.first_row + rows / 2;
  }
  for (EncodedSet& half : halves) half.first_part += set.first_part;
  return halves;
}

}  // namespace kelp::output
