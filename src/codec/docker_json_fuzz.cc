// The fast path must agree with the plain path, and the plain path with simdjson's reading.
#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "codec/docker_json.h"

namespace {

// What simdjson makes of the last "log" of the line; false when it refuses the line.
bool ReadLog(const std::string& line, std::string& log) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(line).get(object) != simdjson::SUCCESS) return false;
  bool found = false;
  for (const auto member : object) {
    if (member.key != "log") continue;
    std::string_view text;
    if (member.value.get(text) != simdjson::SUCCESS) return false;
    log = text;
    found = true;
  }
  return found;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kelp;
  using namespace kelp::codec;
  const std::string line(reinterpret_cast<const char*>(data), size);
  Batch arena;
  DockerJsonParser parser;
  DockerLine fast, plain;
  const bool plain_ok = parser.ParsePlain(line, arena, plain);
  if (parser.ParseFast(line, arena, fast)) {
    CHECK(plain_ok, "only the fast path took it");
    CHECK(fast.log == plain.log && fast.time == plain.time && fast.partial == plain.partial &&
              fast.stream == plain.stream && fast.attrs == plain.attrs,
          "the paths differ");
  }
  // simdjson refuses bad UTF-8 and lone surrogates, which Kelp passes on or repairs.
  const bool surrogates =
      line.find("\\ud") != std::string::npos || line.find("\\uD") != std::string::npos;
  if (surrogates || !simdjson::validate_utf8(line.data(), line.size())) return 0;
  std::string log;
  const bool reference_ok = ReadLog(line, log);
  CHECK(reference_ok == plain_ok, "simdjson judges otherwise");
  if (plain_ok) CHECK(log == std::string(plain.log) + (plain.partial ? "" : "\n"), "another log");
  return 0;
}
