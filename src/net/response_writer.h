// Turns answers into the bytes that go before their body.
#ifndef KELP_NET_RESPONSE_WRITER_H_
#define KELP_NET_RESPONSE_WRITER_H_

#include <optional>
#include <string>

#include "net/http.h"

namespace kelp::net {

struct ResponseFraming {
  bool http10 = false;     // the request was HTTP/1.0
  bool keep_alive = true;  // the connection stays open
  bool stream = false;     // length unknown: chunked, or until the connection closes for HTTP/1.0
  size_t body_bytes = 0;   // when not a stream
  bool upgrade = false;    // 101: what follows is no HTTP
};

// Status line, headers and the empty line. Content-Length, Transfer-Encoding, Connection and Date
// are added here; those of the response itself are left out. CR and LF in values become spaces.
std::string ResponseHead(const HttpResponse& response, const ResponseFraming& framing);

// True for statuses that never have a body (1xx, 204, 304).
bool StatusHasNoBody(int status);

// "1f4\r\n", which goes before a chunk of that size.
std::string ChunkHead(size_t size);

}  // namespace kelp::net

#endif  // KELP_NET_RESPONSE_WRITER_H_
