// A pattern and a path, divided by a NUL: no crash, and a pattern with everything escaped matches
// exactly itself.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "tail/glob.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using kelp::tail::Glob;
  using kelp::tail::GlobSet;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const size_t nul = text.find('\0');
  const std::string_view pattern = text.substr(0, nul);
  const std::string path(nul == std::string_view::npos ? "/" : text.substr(nul + 1, 512));
  if (pattern.size() > 256) return 0;  // backtracking is quadratic in a name; that is enough
  if (const auto glob = Glob::Parse(pattern); glob.ok()) {
    GlobSet set;
    set.Add(*glob);
    static_cast<void>(set.Matches(path));
  }
  std::string escaped;
  for (const char c : path) {
    if (c != '/') escaped += '\\';
    escaped += c;
  }
  if (const auto exact = Glob::Parse(escaped); exact.ok()) {
    GlobSet set;
    set.Add(*exact);
    CHECK(set.Matches(path), "an escaped path matches itself");
    CHECK(!set.Matches(path + "x"), "and nothing else");
  }
  return 0;
}
