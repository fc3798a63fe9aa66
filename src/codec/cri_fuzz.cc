// A parser that has seen other lines must say the same as a new one, and times must agree with the
// reader of base/units.h where both accept them.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "codec/cri.h"
#include "codec/lines.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kelp;
  using namespace kelp::codec;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  CriParser used;
  ForEachLine(text, [&](std::string_view line) {
    CriLine first, second;
    const bool ok = used.Parse(line, first);
    CHECK(CriParser().Parse(line, second) == ok, "the parser's past changed its answer");
    if (!ok) return;
    CHECK(first.time == second.time && first.stream == second.stream &&
              first.partial == second.partial && first.content == second.content,
          "the parser's past changed what it read");
    const Result<UnixNanos> time = ParseRfc3339(line.substr(0, line.find(" std")));
    CHECK(!time.ok() || *time == first.time, "a different time");
  });
  return 0;
}
