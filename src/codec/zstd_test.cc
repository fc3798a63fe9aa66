#include "codec/zstd.h"

#include <gtest/gtest.h>
#include <zstd.h>

#include <string>

namespace kelp::codec {
namespace {

// A frame that does not say how large its content is, as streaming compressors write it.
std::string UnsizedFrame(const std::string& content) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  std::string out(ZSTD_compressBound(content.size()) + 100, '\0');
  ZSTD_outBuffer to{out.data(), out.size(), 0};
  ZSTD_inBuffer from{content.data(), content.size(), 0};
  // Two calls, so that the size is not known at the first.
  EXPECT_EQ(ZSTD_isError(ZSTD_compressStream2(context, &to, &from, ZSTD_e_flush)), 0u);
  EXPECT_EQ(ZSTD_compressStream2(context, &to, &from, ZSTD_e_end), 0u);
  ZSTD_freeCCtx(context);
  out.resize(to.pos);
  return out;
}

std::string Text(size_t size) {
  std::string text;
  while (text.size() < size) text += "line " + std::to_string(text.size()) + "\n";
  text.resize(size);
  return text;
}

TEST(Zstd, BringsContentBackAndReusesItsContexts) {
  ZstdCompressor compressor(1);
  ZstdDecompressor decompressor;
  for (const size_t size : {size_t{0}, size_t{1}, size_t{1000}, size_t{3} << 20}) {
    const std::string text = Text(size);
    for (const std::string& frame : {compressor.Compress(text), UnsizedFrame(text)}) {
      auto content = decompressor.Decompress(frame, 8_MiB);
      ASSERT_TRUE(content.ok()) << content.status().ToString();
      EXPECT_EQ(content->view(), text);
    }
  }
}

TEST(Zstd, StopsAtTheLimit) {
  ZstdDecompressor decompressor;
  const std::string text = Text(1 << 20);
  for (const std::string& frame : {ZstdCompressor(1).Compress(text), UnsizedFrame(text)}) {
    const auto content = decompressor.Decompress(frame, ByteSize{text.size() - 1});
    EXPECT_EQ(content.status().code(), Code::kResourceExhausted);
  }
}

TEST(Zstd, RefusesWhatIsNotOneFrame) {
  ZstdDecompressor decompressor;
  const std::string text = Text(100'000);
  for (const std::string& frame : {ZstdCompressor(1).Compress(text), UnsizedFrame(text)}) {
    for (const std::string& bad :
         {frame + "x", frame + frame, frame.substr(0, frame.size() - 1), frame.substr(0, 20),
          frame.substr(1), std::string(), std::string("text")}) {
      EXPECT_EQ(decompressor.Decompress(bad, 8_MiB).status().code(), Code::kInvalidArgument);
    }
    auto good = decompressor.Decompress(frame, 8_MiB);
    EXPECT_TRUE(good.ok()) << "a failure leaves nothing behind";
  }
}

TEST(Zstd, FindsFlippedBits) {
  ZstdDecompressor decompressor;
  std::string frame = ZstdCompressor(1).Compress(Text(100'000));
  frame[frame.size() / 2] = static_cast<char>(frame[frame.size() / 2] ^ 1);
  EXPECT_FALSE(decompressor.Decompress(frame, 8_MiB).ok());
}

}  // namespace
}  // namespace kelp::codec
