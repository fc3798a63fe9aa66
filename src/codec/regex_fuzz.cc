// The first line is a pattern, the rest are texts: span programs against PCRE2.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "codec/regex.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kelp;
  using namespace kelp::codec;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  size_t end = rest.find('\n');
  if (end == std::string_view::npos || end > 200) return 0;
  const std::string_view pattern = rest.substr(0, end);
  auto quick = Regex::Compile(pattern);
  if (!quick.ok() || !quick->has_span_program()) return 0;
  auto plain = Regex::Compile(pattern, {.span_program = false});
  CHECK(plain.ok(), "compiles one way only");
  RegexMatcher a(*quick), b(*plain);
  do {
    rest.remove_prefix(end + 1);
    end = rest.find('\n');
    const std::string_view text = rest.substr(0, end);
    const RegexOutcome expected = b.Match(text);
    if (expected == RegexOutcome::kLimit) return 0;
    CHECK(a.Match(text) == expected, "another outcome");
    if (expected != RegexOutcome::kMatch) continue;
    for (size_t i = 0; i < quick->groups(); ++i) {
      CHECK(a.has_group(i) == b.has_group(i), "another group took part");
      if (a.has_group(i)) {
        CHECK(a.group(i).data() == b.group(i).data() && a.group(i).size() == b.group(i).size(),
              "another group");
      }
    }
  } while (end != std::string_view::npos);
  return 0;
}
