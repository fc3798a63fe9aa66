// Whatever the bytes: what is printed is JSON in valid UTF-8 on one line, and valid text comes back
// from it unchanged.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "codec/json_print.h"
#include "codec/json_scan.h"
#include "codec/utf8.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kelp;
  using namespace kelp::codec;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  ByteBuffer out;
  AppendJsonString(out, text);
  CHECK(IsJson(out.view()) && IsUtf8(out.view()), "not JSON in UTF-8");
  if (IsUtf8(text)) {
    std::string back(out.size() + kUnescapeSlack, '\0');
    const char* end = UnescapeJson(out.data() + 1, out.data() + out.size() - 1, back.data());
    CHECK(text == std::string_view(back.data(), static_cast<size_t>(end - back.data())),
          "the text changed");
  }
  ByteBuffer value;
  AppendJsonValue(value, Value::Json(text));
  CHECK(IsJson(value.view()) && IsUtf8(value.view()), "a value that is not JSON in UTF-8");
  CHECK(value.view().find('\n') == std::string_view::npos, "more than one line");
  return 0;
}
