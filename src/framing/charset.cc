#include "framing/charset.h"

#include <iconv.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "codec/utf8.h"

namespace kelp::framing {
namespace {

// One invalid byte becomes the three of U+FFFD; no character of any charset here grows more.
constexpr size_t kGrowthMax = 3;

bool IsAscii(std::string_view text) {
  uint64_t bits = 0;
  size_t i = 0;
  for (uint64_t word = 0; i + 8 <= text.size(); i += 8) {
    std::memcpy(&word, text.data() + i, sizeof word);
    bits |= word;
  }
  for (; i < text.size(); ++i) bits |= static_cast<unsigned char>(text[i]);
  return (bits & 0x8080808080808080u) == 0;
}

char* PutReplacement(char* out) {
  std::memcpy(out, codec::kReplacement.data(), codec::kReplacement.size());
  return out + codec::kReplacement.size();
}

class Latin1Converter final : public TextConverter {
 public:
  std::string_view Convert(std::string_view raw, bool, Batch& batch, bool&) override {
    if (IsAscii(raw)) return raw;
    char* const begin = batch.Allocate(2 * raw.size());
    char* out = begin;
    for (const char c : raw) out = codec::PutUtf8(out, static_cast<unsigned char>(c));
    batch.ShrinkLast(out);
    return {begin, static_cast<size_t>(out - begin)};
  }
};

class Utf16Converter final : public TextConverter {
 public:
  explicit Utf16Converter(bool big_endian) : high_(big_endian ? 0 : 1), low_(1 - high_) {}

  std::string_view Convert(std::string_view raw, bool cut, Batch& batch, bool& malformed) override {
    if (raw.empty()) return raw;
    const size_t units = raw.size() / 2;
    char* const begin = batch.Allocate(kGrowthMax * (units + 1));
    char* out = begin;
    for (size_t i = 0; i < units; ++i) {
      uint32_t code = Unit(raw, i);
      if (code >= 0xd800 && code < 0xe000) {
        const bool high = code < 0xdc00;
        if (high && i + 1 == units && cut) break;
        const uint32_t next = high && i + 1 < units ? Unit(raw, i + 1) : 0;
        if (next >= 0xdc00 && next < 0xe000) {
          code = 0x10000 + ((code - 0xd800) << 10) + (next - 0xdc00);
          ++i;
        } else {
          code = 0xfffd;
          malformed = true;
        }
      }
      out = codec::PutUtf8(out, code);
    }
    if (raw.size() % 2 != 0 && !cut) {
      out = PutReplacement(out);
      malformed = true;
    }
    batch.ShrinkLast(out);
    return {begin, static_cast<size_t>(out - begin)};
  }

 private:
  uint32_t Unit(std::string_view raw, size_t i) const {
    return static_cast<uint32_t>(static_cast<unsigned char>(raw[2 * i + high_])) << 8 |
           static_cast<unsigned char>(raw[2 * i + low_]);
  }
  const size_t high_;
  const size_t low_;
};

// What the C library knows. ASCII never gets there.
class IconvConverter final : public TextConverter {
 public:
  explicit IconvConverter(iconv_t handle) : handle_(handle) {}
  ~IconvConverter() override { iconv_close(handle_); }
  IconvConverter(const IconvConverter&) = delete;
  IconvConverter& operator=(const IconvConverter&) = delete;

  std::string_view Convert(std::string_view raw, bool cut, Batch& batch, bool& malformed) override {
    if (IsAscii(raw)) return raw;
    const size_t room = kGrowthMax * raw.size();
    char* const begin = batch.Allocate(room);
    char* out = begin;
    char* in = const_cast<char*>(raw.data());
    size_t in_left = raw.size();
    size_t out_left = room;
    iconv(handle_, nullptr, nullptr, nullptr, nullptr);
    while (in_left > 0 && iconv(handle_, &in, &in_left, &out, &out_left) == SIZE_MAX) {
      if (errno == EINVAL && cut) break;
      // An invalid or unfinished character: its first byte is replaced, the next one tried.
      malformed = true;
      if (out_left < codec::kReplacement.size()) break;
      out = PutReplacement(out);
      out_left -= codec::kReplacement.size();
      ++in;
      --in_left;
    }
    batch.ShrinkLast(out);
    return {begin, static_cast<size_t>(out - begin)};
  }

 private:
  const iconv_t handle_;
};

}  // namespace

Result<std::unique_ptr<TextConverter>> MakeTextConverter(Charset charset) {
  const char* name = nullptr;
  switch (charset) {
    case Charset::kUtf8:
      return std::unique_ptr<TextConverter>();
    case Charset::kLatin1:
      return std::unique_ptr<TextConverter>(std::make_unique<Latin1Converter>());
    case Charset::kUtf16Le:
    case Charset::kUtf16:
      return std::unique_ptr<TextConverter>(std::make_unique<Utf16Converter>(false));
    case Charset::kUtf16Be:
      return std::unique_ptr<TextConverter>(std::make_unique<Utf16Converter>(true));
    case Charset::kGbk:
      name = "GBK";
      break;
    case Charset::kGb18030:
      name = "GB18030";
      break;
  }
  const iconv_t handle = iconv_open("UTF-8", name);
  // iconv_t is a pointer whose bad value is -1.
  if (reinterpret_cast<intptr_t>(handle) == -1) {
    return UnimplementedError(std::string("the C library of this machine cannot convert ") + name +
                              " (its gconv modules are not installed)");
  }
  return std::unique_ptr<TextConverter>(std::make_unique<IconvConverter>(handle));
}

std::string_view WholeUtf8(std::string_view text) {
  // The last sequence begins at most three bytes before the end.
  for (size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const auto c = static_cast<unsigned char>(text[text.size() - back]);
    if (c < 0x80) return text;
    if (c < 0xc0) continue;
    const size_t needs = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    return needs > back ? text.substr(0, text.size() - back) : text;
  }
  return text;
}

}  // namespace kelp::framing
