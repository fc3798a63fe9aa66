#include "codec/zstd.h"

#include <fmt/core.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>

namespace kelp::codec {
namespace {

// Frames of unknown size start with this much output and double it.
constexpr size_t kUnsizedStart = 256 << 10;

Status TooLarge(ByteSize limit) {
  return ResourceExhaustedError(
      fmt::format("decompressed data is larger than {}", FormatByteSize(limit)));
}

Status BadFrame(size_t code) {
  return InvalidArgumentError(fmt::format("not a valid zstd frame: {}", ZSTD_getErrorName(code)));
}

}  // namespace

struct ZstdCompressor::Context {
  ZSTD_CCtx* zstd = ZSTD_createCCtx();
  ~Context() { ZSTD_freeCCtx(zstd); }
};

ZstdCompressor::ZstdCompressor(int level) : context_(std::make_unique<Context>()) {
  CHECK(context_->zstd != nullptr, "out of memory");
  ZSTD_CCtx_setParameter(context_->zstd, ZSTD_c_compressionLevel, level);
  ZSTD_CCtx_setParameter(context_->zstd, ZSTD_c_checksumFlag, 1);
}

ZstdCompressor::~ZstdCompressor() = default;

std::string ZstdCompressor::Compress(std::string_view bytes) {
  std::string out;
  out.resize(ZSTD_compressBound(bytes.size()));
  const size_t size =
      ZSTD_compress2(context_->zstd, out.data(), out.size(), bytes.data(), bytes.size());
  CHECK(!ZSTD_isError(size), ZSTD_getErrorName(size));
  out.resize(size);
  out.shrink_to_fit();
  return out;
}

struct ZstdDecompressor::Context {
  ZSTD_DCtx* zstd = ZSTD_createDCtx();
  ~Context() { ZSTD_freeDCtx(zstd); }
};

ZstdDecompressor::ZstdDecompressor() : context_(std::make_unique<Context>()) {
  CHECK(context_->zstd != nullptr, "out of memory");
}

ZstdDecompressor::~ZstdDecompressor() = default;

Result<Decompressed> ZstdDecompressor::Decompress(std::string_view frame, ByteSize limit) {
  const size_t frame_size = ZSTD_findFrameCompressedSize(frame.data(), frame.size());
  if (ZSTD_isError(frame_size)) return BadFrame(frame_size);
  if (frame_size != frame.size()) {
    return InvalidArgumentError(
        fmt::format("{} bytes follow the zstd frame", frame.size() - frame_size));
  }
  const unsigned long long content = ZSTD_getFrameContentSize(frame.data(), frame.size());
  if (content == ZSTD_CONTENTSIZE_ERROR) return InvalidArgumentError("not a valid zstd frame");
  if (content == ZSTD_CONTENTSIZE_UNKNOWN) return DecompressUnsized(frame, limit);
  if (content > limit.bytes) return TooLarge(limit);
  Decompressed out;
  out.buffer = BufferPool::Shared().Get(static_cast<size_t>(content));
  const size_t size = ZSTD_decompressDCtx(context_->zstd, out.buffer.data(),
                                          static_cast<size_t>(content), frame.data(), frame.size());
  if (ZSTD_isError(size)) return BadFrame(size);
  out.size = size;
  return out;
}

Result<Decompressed> ZstdDecompressor::DecompressUnsized(std::string_view frame, ByteSize limit) {
  ZSTD_DCtx_reset(context_->zstd, ZSTD_reset_session_only);
  Decompressed out;
  out.buffer = BufferPool::Shared().Get(std::min<size_t>(kUnsizedStart, limit.bytes));
  ZSTD_inBuffer in{frame.data(), frame.size(), 0};
  for (;;) {
    ZSTD_outBuffer piece{out.buffer.data(), out.buffer.capacity(), out.size};
    const size_t left = ZSTD_decompressStream(context_->zstd, &piece, &in);
    if (ZSTD_isError(left)) return BadFrame(left);
    out.size = piece.pos;
    if (out.size > limit.bytes) return TooLarge(limit);
    if (left == 0) return out;
    if (out.size < out.buffer.capacity()) return InvalidArgumentError("the zstd frame is cut off");
    if (out.size == limit.bytes) return TooLarge(limit);
    Buffer larger =
        BufferPool::Shared().Get(std::min<size_t>(out.buffer.capacity() * 2, limit.bytes));
    std::memcpy(larger.data(), out.buffer.data(), out.size);
    out.buffer = std::move(larger);
  }
}

}  // namespace kelp::codec
