// Streams of numbers and packed bytes: the inside of a block's frames.
//
// Threads:  pure functions; zstd contexts are kept per thread.
// Errors:   decoders return false for bytes that make no sense, whatever they are.
// Format:   docs/formats/segment.md, "Blocks"
// Tests:    frame_codec_test.cc, segment_fuzz.cc
#ifndef KELP_STORE_FRAME_CODEC_H_
#define KELP_STORE_FRAME_CODEC_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.h"

namespace kelp::store {

// Level 1: higher levels gained nothing on logs and cost three times as much (decision 0005).
inline constexpr int kZstdLevel = 1;

// Appends a stream.
void EncodeStream(std::span<const uint64_t> numbers, std::string& out);
// Reads exactly `count` numbers and all of `bytes`. `out` holds count.
bool DecodeStream(std::string_view bytes, size_t count, uint64_t* out);
// The same for numbers that fit.
bool DecodeStream(std::string_view bytes, size_t count, uint32_t* out);
bool DecodeStream(std::string_view bytes, size_t count, uint16_t* out);
bool DecodeStream(std::string_view bytes, size_t count, uint8_t* out);

void EncodeTimes(std::span<const UnixNanos> times, std::string& out);
bool DecodeTimes(std::string_view bytes, size_t count, UnixNanos* out);

// Appends `raw` packed.
void Pack(std::string_view raw, std::string& out);
// The size that Unpack will need; false when it is above `max` or cannot be.
bool UnpackedSize(std::string_view packed, uint64_t max, size_t& size);
// Writes UnpackedSize bytes.
bool Unpack(std::string_view packed, char* out);

}  // namespace kelp::store

#endif  // KELP_STORE_FRAME_CODEC_H_
