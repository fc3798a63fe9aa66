#include "store/frame_codec.h"

#include <zstd.h>

#include <algorithm>
#include <bit>
#include <memory>

#include "base/check.h"
#include "store/bytes.h"

namespace kelp::store {
namespace {

enum Mode : char { kRaw = 0, kZstd = 1 };

struct FreeContext {
  void operator()(ZSTD_CCtx* c) const { ZSTD_freeCCtx(c); }
  void operator()(ZSTD_DCtx* c) const { ZSTD_freeDCtx(c); }
};

ZSTD_CCtx* Compressor() {
  thread_local std::unique_ptr<ZSTD_CCtx, FreeContext> context;
  if (context == nullptr) {
    context.reset(ZSTD_createCCtx());
    CHECK(context != nullptr, "zstd has no memory for a context");
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, kZstdLevel);
    // Sizes stand in our own frames.
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_contentSizeFlag, 0);
  }
  return context.get();
}

ZSTD_DCtx* Decompressor() {
  thread_local std::unique_ptr<ZSTD_DCtx, FreeContext> context;
  if (context == nullptr) {
    context.reset(ZSTD_createDCtx());
    CHECK(context != nullptr, "zstd has no memory for a context");
  }
  return context.get();
}

// Appends `raw` compressed and gives the size; appends nothing and gives 0 when that does not help.
size_t Compress(std::string_view raw, std::string& out) {
  const size_t at = out.size();
  const size_t bound = ZSTD_compressBound(raw.size());
  out.resize(at + bound);
  const size_t n = ZSTD_compress2(Compressor(), out.data() + at, bound, raw.data(), raw.size());
  if (ZSTD_isError(n) || n >= raw.size()) {
    out.resize(at);
    return 0;
  }
  out.resize(at + n);
  return n;
}

bool Decompress(std::string_view bytes, char* out, size_t size) {
  const size_t n = ZSTD_decompressDCtx(Decompressor(), out, size, bytes.data(), bytes.size());
  return !ZSTD_isError(n) && n == size;
}

// Bytes shorter than this do not pay for a zstd frame.
constexpr size_t kCompressMin = 32;
// No zstd frame unfolds further: 128 KiB from a block of four bytes.
constexpr uint64_t kRatioMax = 1 << 16;

void PutPlane(std::string_view plane, std::string& out) {
  thread_local std::string packed;
  packed.clear();
  if (plane.size() >= kCompressMin && Compress(plane, packed) != 0) {
    out += kZstd;
    PutText(out, packed);
  } else {
    out += kRaw;
    PutText(out, plane);
  }
}

template <typename T>
bool DecodeStreamAs(std::string_view bytes, size_t count, T* out) {
  thread_local std::string scratch;
  ByteReader in(bytes);
  const uint8_t planes = in.U8();
  if (planes > sizeof(T)) return false;
  if (planes == 0) std::fill_n(out, count, T{0});
  for (uint8_t k = 0; k < planes; ++k) {
    const uint8_t mode = in.U8();
    const std::string_view stored = in.Text();
    if (!in.ok()) return false;
    const char* plane = stored.data();
    if (mode == kZstd) {
      if (scratch.size() < count) scratch.resize(count);
      if (!Decompress(stored, scratch.data(), count)) return false;
      plane = scratch.data();
    } else if (mode != kRaw || stored.size() != count) {
      return false;
    }
    const auto* p = reinterpret_cast<const unsigned char*>(plane);
    if (k == 0) {
      for (size_t i = 0; i < count; ++i) out[i] = p[i];
    } else {
      const int shift = 8 * k;
      for (size_t i = 0; i < count; ++i) out[i] = static_cast<T>(out[i] | T{p[i]} << shift);
    }
  }
  return in.ok() && in.left() == 0;
}

// The largest of the scales that divides all differences. One that overflows has no honest
// quotient: then the scale is 1, where wrapping does no harm.
uint64_t ScaleOf(std::span<const UnixNanos> times) {
  uint64_t scale = 1'000'000'000;
  for (size_t i = 1; i < times.size() && scale > 1; ++i) {
    int64_t difference;
    if (__builtin_sub_overflow(times[i], times[i - 1], &difference)) return 1;
    // Constants, so that no division is executed.
    while (scale > 1) {
      const int64_t rest = scale == 1'000'000'000 ? difference % 1'000'000'000
                           : scale == 1'000'000   ? difference % 1'000'000
                                                  : difference % 1'000;
      if (rest == 0) break;
      scale /= 1000;
    }
  }
  return scale;
}

}  // namespace

void EncodeStream(std::span<const uint64_t> numbers, std::string& out) {
  thread_local std::string plane;
  uint64_t all = 0;
  for (const uint64_t n : numbers) all |= n;
  const int planes = (std::bit_width(all) + 7) / 8;
  out += static_cast<char>(planes);
  plane.resize(numbers.size());
  for (int k = 0; k < planes; ++k) {
    for (size_t i = 0; i < numbers.size(); ++i) plane[i] = static_cast<char>(numbers[i] >> (8 * k));
    PutPlane(plane, out);
  }
}

bool DecodeStream(std::string_view bytes, size_t count, uint64_t* out) {
  return DecodeStreamAs(bytes, count, out);
}
bool DecodeStream(std::string_view bytes, size_t count, uint32_t* out) {
  return DecodeStreamAs(bytes, count, out);
}
bool DecodeStream(std::string_view bytes, size_t count, uint16_t* out) {
  return DecodeStreamAs(bytes, count, out);
}
bool DecodeStream(std::string_view bytes, size_t count, uint8_t* out) {
  return DecodeStreamAs(bytes, count, out);
}

void EncodeTimes(std::span<const UnixNanos> times, std::string& out) {
  thread_local std::vector<uint64_t> steps;
  steps.resize(times.size());
  const auto scale = static_cast<int64_t>(ScaleOf(times));
  bool descends = false;
  steps[0] = 0;
  for (size_t i = 1; i < times.size(); ++i) {
    const auto step =
        static_cast<int64_t>(static_cast<uint64_t>(times[i]) - static_cast<uint64_t>(times[i - 1]));
    steps[i] = static_cast<uint64_t>(scale == 1 ? step : step / scale);
    descends |= step < 0;
  }
  if (descends) {
    for (uint64_t& step : steps) step = Zigzag(static_cast<int64_t>(step));
  }
  PutSigned(out, times[0]);
  PutVarint(out, static_cast<uint64_t>(scale));
  out += static_cast<char>(descends ? 1 : 0);
  EncodeStream(steps, out);
}

bool DecodeTimes(std::string_view bytes, size_t count, UnixNanos* out) {
  ByteReader in(bytes);
  const auto first = static_cast<uint64_t>(in.Signed());
  const uint64_t scale = in.Varint();
  const bool zigzag = in.U8() == 1;
  static_assert(sizeof(UnixNanos) == sizeof(uint64_t));
  auto* steps = reinterpret_cast<uint64_t*>(out);
  if (!in.ok() || !DecodeStream(in.Bytes(in.left()), count, steps)) return false;
  uint64_t time = first;
  if (zigzag) {
    for (size_t i = 0; i < count; ++i) {
      time += static_cast<uint64_t>(Unzigzag(steps[i])) * scale;
      out[i] = static_cast<int64_t>(time);
    }
  } else {
    for (size_t i = 0; i < count; ++i) {
      time += steps[i] * scale;
      out[i] = static_cast<int64_t>(time);
    }
  }
  return true;
}

void Pack(std::string_view raw, std::string& out) {
  const size_t at = out.size();
  out += kZstd;
  PutVarint(out, raw.size());
  if (raw.size() >= kCompressMin && Compress(raw, out) != 0) return;
  out[at] = kRaw;
  out += raw;
}

bool UnpackedSize(std::string_view packed, uint64_t max, size_t& size) {
  ByteReader in(packed);
  const uint8_t mode = in.U8();
  size = in.Varint(max);
  if (!in.ok()) return false;
  return mode == kRaw ? in.left() == size : mode == kZstd && size / kRatioMax <= in.left();
}

bool Unpack(std::string_view packed, char* out) {
  ByteReader in(packed);
  const uint8_t mode = in.U8();
  const uint64_t size = in.Varint();
  const std::string_view bytes = in.Bytes(in.left());
  if (!in.ok()) return false;
  if (mode == kZstd) return Decompress(bytes, out, size);
  if (bytes.size() != size) return false;
  if (size != 0) std::memcpy(out, bytes.data(), size);
  return true;
}

}  // namespace kelp::store
