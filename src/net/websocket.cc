#include "net/websocket.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>

namespace kelp::net {
namespace {

constexpr std::string_view kMagic = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr uint8_t kFinal = 0x80;
constexpr uint8_t kMasked = 0x80;
constexpr uint8_t kText = 1;
constexpr uint8_t kClose = 8;
constexpr uint8_t kPing = 9;
constexpr uint8_t kPong = 10;
constexpr size_t kControlBytesMax = 125;
constexpr uint16_t kProtocolError = 1002;
constexpr uint16_t kTooBig = 1009;

std::string Frame(uint8_t opcode, std::string_view payload) {
  std::string out(1, static_cast<char>(kFinal | opcode));
  const uint64_t size = payload.size();
  size_t bytes = 0;  // of the extended length
  if (size <= kControlBytesMax) {
    out += static_cast<char>(size);
  } else if (size <= UINT16_MAX) {
    out += static_cast<char>(126);
    bytes = 2;
  } else {
    out += static_cast<char>(127);
    bytes = 8;
  }
  while (bytes-- > 0) out += static_cast<char>(size >> (8 * bytes) & 0xff);
  out += payload;
  return out;
}

// One of a header's comma-separated words, without case.
bool HasWord(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    std::string_view one = list.substr(0, comma);
    while (!one.empty() && one.front() == ' ') one.remove_prefix(1);
    while (!one.empty() && one.back() == ' ') one.remove_suffix(1);
    if (EqualsIgnoreCase(one, word)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

}  // namespace

bool WebSocket::Wanted(const HttpRequest& request) {
  return HasWord(request.headers.Get("Upgrade"), "websocket") &&
         HasWord(request.headers.Get("Connection"), "upgrade");
}

std::string WebSocket::AcceptKey(std::string_view key) {
  const std::string text = std::string(key) + std::string(kMagic);
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::array<unsigned char, 4 * ((SHA_DIGEST_LENGTH + 2) / 3) + 1> base64{};
  const int size = EVP_EncodeBlock(base64.data(), digest.data(), static_cast<int>(digest.size()));
  return {reinterpret_cast<const char*>(base64.data()), static_cast<size_t>(size)};
}

Status WebSocket::Accept(const HttpRequest& request, const std::shared_ptr<Responder>& responder) {
  if (request.method != "GET" || !Wanted(request)) {
    return InvalidArgumentError("this call needs a WebSocket (Upgrade: websocket)");
  }
  if (request.headers.Get("Sec-WebSocket-Version") != "13") {
    return InvalidArgumentError("only version 13 of WebSocket is spoken here");
  }
  const std::string_view key = request.headers.Get("Sec-WebSocket-Key");
  if (key.size() != 24) return InvalidArgumentError("Sec-WebSocket-Key is missing or malformed");
  responder->StartStream(101, {{"Upgrade", "websocket"}, {"Sec-WebSocket-Accept", AcceptKey(key)}});
  return OkStatus();
}

std::string WebSocket::Text(std::string_view text) { return Frame(kText, text); }

std::string WebSocket::Close(uint16_t code, std::string_view reason) {
  std::string payload{static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
  payload += reason.substr(0, kControlBytesMax - 2);
  return Frame(kClose, payload);
}

WebSocketInput::Step WebSocketInput::Fail(uint16_t code, std::string_view reason) {
  closed_ = true;
  pending_.clear();
  return {WebSocket::Close(code, reason), true};
}

WebSocketInput::Step WebSocketInput::Feed(std::string_view bytes) {
  Step step;
  if (closed_) return {"", true};
  const auto skipped = static_cast<size_t>(std::min<uint64_t>(skip_, bytes.size()));
  skip_ -= skipped;
  bytes.remove_prefix(skipped);
  pending_ += bytes;
  size_t at = 0;
  while (!closed_) {
    const std::string_view rest = std::string_view(pending_).substr(at);
    if (rest.size() < 2) break;
    const auto byte = [&](size_t i) { return static_cast<uint8_t>(rest[i]); };
    const uint8_t opcode = byte(0) & 0x0f;
    if ((byte(0) & 0x70) != 0) return Fail(kProtocolError, "reserved bits are set");
    if ((byte(1) & kMasked) == 0) return Fail(kProtocolError, "frames of a client are masked");
    uint64_t size = byte(1) & 0x7f;
    const size_t extended = size == 126 ? 2 : size == 127 ? 8 : 0;
    if (opcode >= kClose && (extended != 0 || (byte(0) & kFinal) == 0)) {
      return Fail(kProtocolError, "a control frame is too long or in parts");
    }
    const size_t head = 2 + extended + 4;
    if (rest.size() < head) break;
    if (extended != 0) size = 0;
    for (size_t i = 0; i < extended; ++i) size = size << 8 | byte(2 + i);
    if (size > kWebSocketInputMax) return Fail(kTooBig, "the message is too large");
    if (opcode < kClose) {
      // A message: skipped, without being held.
      const auto here = static_cast<size_t>(std::min<uint64_t>(size, rest.size() - head));
      skip_ = size - here;
      at += head + here;
      continue;
    }
    if (rest.size() < head + size) break;
    std::string payload(rest.substr(head, static_cast<size_t>(size)));
    for (size_t i = 0; i < payload.size(); ++i) {
      payload[i] = static_cast<char>(payload[i] ^ rest[head - 4 + i % 4]);
    }
    TakeFrame(opcode, payload, step);
    at += head + static_cast<size_t>(size);
  }
  pending_.erase(0, at);
  return step;
}

void WebSocketInput::TakeFrame(uint8_t opcode, std::string_view payload, Step& step) {
  if (opcode == kPing) {
    step.answer += Frame(kPong, payload);
  } else if (opcode == kClose) {
    closed_ = true;
    step.closed = true;
    // The same code comes back, as the protocol asks.
    step.answer += Frame(kClose, payload.substr(0, std::min<size_t>(payload.size(), 2)));
  }
}

}  // namespace kelp::net
