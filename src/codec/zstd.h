// zstd frames with contexts that are kept between calls and output that is bounded.
//
// Threads: an object is confined to one thread.
#ifndef KELP_CODEC_ZSTD_H_
#define KELP_CODEC_ZSTD_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "base/units.h"
#include "batch/buffer_pool.h"

namespace kelp::codec {

class ZstdCompressor {
 public:
  explicit ZstdCompressor(int level);
  ~ZstdCompressor();
  // One frame that says its content's size.
  std::string Compress(std::string_view bytes);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

struct Decompressed {
  Buffer buffer;
  size_t size = 0;
  std::string_view view() const { return {buffer.data(), size}; }
};

class ZstdDecompressor {
 public:
  ZstdDecompressor();
  ~ZstdDecompressor();
  // The content of exactly one frame. Errors: kInvalidArgument when the bytes are no frame, are cut
  // off, or go on behind it; kResourceExhausted when the content is larger than `limit`. Never
  // allocates more than `limit` and what the frame's own window needs within it.
  Result<Decompressed> Decompress(std::string_view frame, ByteSize limit);

 private:
  struct Context;
  Result<Decompressed> DecompressUnsized(std::string_view frame, ByteSize limit);
  std::unique_ptr<Context> context_;
};

}  // namespace kelp::codec

#endif  // KELP_CODEC_ZSTD_H_
