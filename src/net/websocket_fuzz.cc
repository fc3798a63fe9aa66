// Frames of a client: whatever the bytes and the pieces, the same comes out.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "net/websocket.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using kelp::net::WebSocketInput;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  WebSocketInput whole;
  const WebSocketInput::Step expected = whole.Feed(bytes);
  WebSocketInput pieces;
  std::string answer;
  bool closed = false;
  for (size_t at = 0; at < size && !closed; ++at) {
    const WebSocketInput::Step step = pieces.Feed(bytes.substr(at, 1));
    answer += step.answer;
    closed = step.closed;
  }
  CHECK(closed == expected.closed, "pieces close otherwise");
  // What was answered before a broken rule is lost with the connection when it came in one piece.
  CHECK(answer == expected.answer || (closed && answer.ends_with(expected.answer)),
        "pieces are answered otherwise");
  return 0;
}
