// The first line is a format, the second a text. A text read twice gives the same time; the cache
// of the text before does not change what is read.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "codec/time_format.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kelp;
  using namespace kelp::codec;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  static_cast<void>(TimeZone::FromTzif(input));
  const size_t first_end = input.find('\n');
  if (first_end == std::string_view::npos) return 0;
  const size_t second_end = input.find('\n', first_end + 1);
  auto used = TimeFormat::Parse(input.substr(0, first_end));
  if (!used.ok()) return 0;
  auto fresh = TimeFormat::Parse(input.substr(0, first_end));
  const std::string_view text = input.substr(first_end + 1, second_end - first_end - 1);
  constexpr UnixNanos kReference = 1'800'000'000'000'000'000;
  UnixNanos a = 0, b = 0;
  if (second_end != std::string_view::npos) {
    static_cast<void>(used->Read(input.substr(second_end + 1), kReference, a));
  }
  const bool ok = used->Read(text, kReference, a);
  CHECK(fresh->Read(text, kReference, b) == ok, "the cache changed the answer");
  if (ok) CHECK(a == b, "the cache changed the time");
  return 0;
}
