// The server's side of WebSocket (RFC 6455), as far as pushing text to a client goes.
//
//   if (Status bad = WebSocket::Accept(request, responder); !bad.ok()) return answer(bad);
//   responder->Write(WebSocket::Text("{...}"));
//   responder->Write(WebSocket::Close(1000, "done"));
//   responder->Finish();
//
// What the client sends is read by its connection: pings are answered, a close ends the stream,
// messages are skipped. There are no extensions and no subprotocols.
//
// Threads:  functions are pure; a WebSocketInput is confined to its connection.
// Limits:   kWebSocketInputMax bytes of one frame of the client.
// Errors:   kInvalidArgument: the request asks for no WebSocket, or for another version.
// Tests:    websocket_test.cc, websocket_fuzz.cc
#ifndef KELP_NET_WEBSOCKET_H_
#define KELP_NET_WEBSOCKET_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"
#include "net/http_server.h"

namespace kelp::net {

// Clients have nothing to say here beyond control frames of up to 125 bytes.
inline constexpr uint64_t kWebSocketInputMax = 64 << 10;

struct WebSocket {
  // Answers the handshake and starts the stream; an error leaves the request unanswered.
  static Status Accept(const HttpRequest& request, const std::shared_ptr<Responder>& responder);
  // Whether a request asks for the upgrade.
  static bool Wanted(const HttpRequest& request);
  // Sec-WebSocket-Accept for a Sec-WebSocket-Key.
  static std::string AcceptKey(std::string_view key);

  // Frames as a server sends them.
  static std::string Text(std::string_view text);
  static std::string Ping() { return std::string("\x89\0", 2); }
  static std::string Close(uint16_t code, std::string_view reason);
};

// Reads the frames of a client.
class WebSocketInput {
 public:
  struct Step {
    std::string answer;   // frames to send back
    bool closed = false;  // the stream ends after `answer`
  };
  // Takes the next bytes, in pieces of any size.
  Step Feed(std::string_view bytes);

 private:
  Step Fail(uint16_t code, std::string_view reason);
  void TakeFrame(uint8_t opcode, std::string_view payload, Step& step);

  std::string pending_;  // of a frame that is not complete
  uint64_t skip_ = 0;    // bytes of a message that nobody reads
  bool closed_ = false;
};

}  // namespace kelp::net

#endif  // KELP_NET_WEBSOCKET_H_
