// Any bytes as a segment, with its checksums made right so that what lies behind them is reached:
// no crash, no read outside, only kDataLoss or kUnimplemented.
#include <cstdlib>
#include <string>

#include "store/bytes.h"
#include "store/frame_codec.h"
#include "store/segment.h"
#include "store/segment_format.h"

namespace {

using namespace kelp;
using namespace kelp::store;

void Put(std::string& bytes, size_t at, uint64_t number) {
  std::string text;
  PutU64(text, number);
  bytes.replace(at, 8, text);
}

void FixFooter(std::string& bytes) {
  if (bytes.size() < kSegmentHeaderBytes + kSegmentFooterBytes) return;
  const size_t footer = bytes.size() - kSegmentFooterBytes;
  const uint64_t index_at = GetU64(bytes.data() + footer + 8);
  if (index_at > footer) return;
  Put(bytes, footer + 16, footer - index_at);
  Put(bytes, footer + 24, Checksum(std::string_view(bytes).substr(index_at, footer - index_at)));
  Put(bytes, footer + 32, Checksum(std::string_view(bytes).substr(footer, 32)));
}

void ReadAll(const Segment& segment) {
  BlockReader reader;
  for (const SegmentBlock& block : segment.blocks()) {
    reader.Open(block);
    reader.Times().status().IgnoreError();
    reader.Origins().status().IgnoreError();
    const uint64_t hashes[] = {1, ~0ull};
    for (int c = -1; c < static_cast<int>(block.columns().size()); ++c) {
      block.MayContainTokens(c, hashes);
      if (c < 0) continue;
      block.MayEqual(c, "x");
      const auto column = reader.Column(c);
      if (!column.ok()) continue;
      uint64_t sum = 0;
      for (uint32_t row = 0; row < block.rows(); ++row) {
        for (const char byte : (*column)->Get(row).text()) sum += static_cast<unsigned char>(byte);
      }
      if (sum == UINT64_MAX) std::abort();
    }
  }
}

// The decoders of frames, which checksums would keep most inputs from.
void DecodeFrames(std::string_view bytes) {
  uint64_t numbers[64];
  uint32_t words[64];
  uint16_t halves[64];
  uint8_t small[64];
  UnixNanos times[64];
  const size_t count = bytes.size() % 64 + 1;
  DecodeStream(bytes, count, numbers);
  DecodeStream(bytes, count, words);
  DecodeStream(bytes, count, halves);
  DecodeStream(bytes, count, small);
  DecodeTimes(bytes, count, times);
  size_t size = 0;
  if (UnpackedSize(bytes, 1 << 16, size)) {
    std::string out(size, '\0');
    Unpack(bytes, out.data());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  DecodeFrames(bytes);
  FixFooter(bytes);
  const auto segment = Segment::Parse(std::move(bytes), "fuzz.seg");
  if (segment.ok()) {
    ReadAll(**segment);
  } else if (segment.status().code() != Code::kDataLoss &&
             segment.status().code() != Code::kUnimplemented) {
    std::abort();
  }
  return 0;
}
