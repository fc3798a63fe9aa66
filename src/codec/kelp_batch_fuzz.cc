// Decoding arbitrary bytes, as they are and as the content of a frame, must answer or refuse; what
// was decoded must survive another round.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "codec/kelp_batch.h"
#include "codec/zstd.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kelp;
  using namespace kelp::codec;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  static_cast<void>(DecodeBatchSet(bytes));
  static ZstdCompressor zstd(1);
  auto first = DecodeBatchSet(zstd.Compress(bytes));
  if (!first.ok()) return 0;
  BatchSetEncoder encoder;
  for (const BatchPtr& batch : *first) encoder.Add(*batch, 0);
  auto second = DecodeBatchSet(encoder.Finish());
  CHECK(second.ok(), second.status().ToString());
  CHECK(second->size() == first->size(), "parts were lost");
  for (size_t i = 0; i < first->size(); ++i) {
    const Batch& a = *(*first)[i];
    const Batch& b = *(*second)[i];
    CHECK(a.rows() == b.rows() && a.origin == b.origin, "rows were lost");
    for (uint32_t row = 0; row < a.rows(); ++row) {
      CHECK(a.time(row) == b.time(row) && a.row_end(row) == b.row_end(row) &&
                a.row_begin(row) == b.row_begin(row) &&
                a.body().Get(row).kind == b.body().Get(row).kind &&
                a.body().Get(row).text() == b.body().Get(row).text(),
            "a row changed");
    }
  }
  return 0;
}
