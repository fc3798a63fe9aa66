#include "packing.h"

#include <zlib.h>
#include <zstd.h>

#include "base/check.h"

namespace kelp::sim {
namespace {

std::string Gzip(std::string_view bytes) {
  z_stream stream{};
  constexpr int kGzipWindow = 15 + 16;
  CHECK(deflateInit2(&stream, 1, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) == Z_OK, "zlib");
  std::string packed(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END, "zlib");
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

std::string Zstd(std::string_view bytes) {
  std::string packed(ZSTD_compressBound(bytes.size()), '\0');
  const size_t n = ZSTD_compress(packed.data(), packed.size(), bytes.data(), bytes.size(), 1);
  CHECK(!ZSTD_isError(n), "zstd");
  packed.resize(n);
  return packed;
}

}  // namespace

std::string PackedSuffix(Packing packing) {
  switch (packing) {
    case Packing::kNone:
      return "";
    case Packing::kGzip:
      return ".gz";
    case Packing::kZstd:
      return ".zst";
  }
  return "";
}

std::string Pack(Packing packing, std::string_view bytes) {
  switch (packing) {
    case Packing::kNone:
      return std::string(bytes);
    case Packing::kGzip:
      return Gzip(bytes);
    case Packing::kZstd:
      return Zstd(bytes);
  }
  return "";
}

}  // namespace kelp::sim
