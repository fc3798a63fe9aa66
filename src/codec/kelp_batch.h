// Kelp batches on the wire: encoder and decoder of docs/formats/kelp-batch.md.
//
// Threads: an encoder is confined to one thread; decoding is a pure function.
#ifndef KELP_CODEC_KELP_BATCH_H_
#define KELP_CODEC_KELP_BATCH_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/units.h"
#include "batch/batch.h"

namespace kelp::codec {

inline constexpr ByteSize kBatchSetEncodedMax = 16_MiB;
inline constexpr ByteSize kBatchSetRawMax = 128_MiB;

// Collects the selected rows of batches into one batch set.
class BatchSetEncoder {
 public:
  // zstd level 1 costs least for logs (store-notes); higher ones are for slow links.
  explicit BatchSetEncoder(int zstd_level = 1);
  ~BatchSetEncoder();
  BatchSetEncoder(const BatchSetEncoder&) = delete;
  BatchSetEncoder& operator=(const BatchSetEncoder&) = delete;

  // Adds a part. Rows without a time get `arrival`.
  void Add(const Batch& batch, UnixNanos arrival);
  // Bytes added, before compression.
  size_t raw_bytes() const;
  uint64_t rows() const;
  // The compressed body of all that was added; the encoder is empty again.
  std::string Finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Every part becomes a batch whose values point into memory the batch owns or shares. Errors:
// kInvalidArgument, saying which field of which part is wrong and where.
Result<std::vector<BatchPtr>> DecodeBatchSet(std::string_view body);

}  // namespace kelp::codec

#endif  // KELP_CODEC_KELP_BATCH_H_
