// Compressors for the tests of this folder.
#ifndef KELP_TAIL_PACKING_H_
#define KELP_TAIL_PACKING_H_

#include <zlib.h>
#include <zstd.h>

#include <string>

#include "base/check.h"

namespace kelp::tail::testing {

inline std::string Gzip(const std::string& text) {
  z_stream stream{};
  CHECK(deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK,
        "deflateInit2");
  std::string packed(deflateBound(&stream, text.size()) + 64, '\0');
  std::string copy = text;
  stream.next_in = reinterpret_cast<Bytef*>(copy.data());
  stream.avail_in = static_cast<uInt>(copy.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END, "deflate");
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

// `tells_size` false: as from a pipe, where it is not known beforehand.
inline std::string Zstd(const std::string& text, bool tells_size = true) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, tells_size ? 1 : 0);
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  std::string packed(ZSTD_compressBound(text.size()), '\0');
  const size_t size =
      ZSTD_compress2(context, packed.data(), packed.size(), text.data(), text.size());
  CHECK(!ZSTD_isError(size), "ZSTD_compress2");
  packed.resize(size);
  ZSTD_freeCCtx(context);
  return packed;
}

}  // namespace kelp::tail::testing

#endif  // KELP_TAIL_PACKING_H_
