// Any bytes in any pieces: the parser must give the same events however the stream is cut, and rows
// must be read or refused.
#include <cstdint>
#include <string>
#include <vector>

#include "base/check.h"
#include "remote.h"
#include "row.h"
#include "sse.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kelp::cli;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t step = data[0] % 16 + 1;
  const auto run = [&](size_t piece) {
    std::vector<std::string> events;
    SseParser parser([&](const SseEvent& event) { events.push_back(event.name + event.data); });
    for (size_t i = 0; i < text.size(); i += piece) parser.Feed(text.substr(i, piece));
    return events;
  };
  const auto events = run(step);
  CHECK(events == run(size), "cutting the stream changed its events");
  for (const std::string& event : events) {
    const auto row = ParseRow(event);
    if (row.ok()) row->Source();
  }
  const auto row = ParseRow(text);
  if (row.ok()) Harmless(row->body);
  ErrorMessage(text, text);
  return 0;
}
