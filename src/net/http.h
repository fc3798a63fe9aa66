// HTTP messages and the small text formats around them: headers, URLs, query strings, JSON errors.
//
// net/ is HTTP/1.1 for the rest of Kelp: http_server.h answers, http_client.h asks, router.h finds
// the handler. Headers of this folder show no Asio, Beast or OpenSSL; only its .cc files do.
//
// Threads: values; thread-compatible. Functions are pure.
// Tests:   http_test.cc, http_fuzz.cc
#ifndef KELP_NET_HTTP_H_
#define KELP_NET_HTTP_H_

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace kelp::net {

// True when `a` and `b` are the same up to ASCII case.
bool EqualsIgnoreCase(std::string_view a, std::string_view b);

// Header fields in the order in which they were added. Names compare without case. A message has
// few of them, so look-up walks a vector.
class HttpHeaders {
 public:
  using Field = std::pair<std::string, std::string>;

  HttpHeaders() = default;
  HttpHeaders(std::initializer_list<Field> fields) : fields_(fields) {}

  // The value of the first field of that name; "" when there is none. Valid until the next change.
  std::string_view Get(std::string_view name) const;
  bool Has(std::string_view name) const;
  // Replaces all fields of that name.
  void Set(std::string_view name, std::string value);
  // Adds one more field (Set-Cookie may be repeated).
  void Add(std::string_view name, std::string value);
  void Remove(std::string_view name);

  bool empty() const { return fields_.empty(); }
  size_t size() const { return fields_.size(); }
  auto begin() const { return fields_.begin(); }
  auto end() const { return fields_.end(); }

 private:
  std::vector<Field> fields_;
};

struct HttpRequest {
  std::string method;  // "GET"
  std::string path;    // decoded, without the query: "/api/v1/search"
  std::string query;   // as it came, without the '?'
  HttpHeaders headers;
  std::string body;
  std::string remote;                                            // "10.0.0.7:51234"
  std::vector<std::pair<std::string, std::string>> path_params;  // filled in by Router

  // The first query parameter of that name, decoded; nullopt when absent. "a" in "a&b=1" is "".
  std::optional<std::string> QueryParam(std::string_view name) const;
  // What a {name} of the route's pattern stood for; "" when the pattern has no such name.
  std::string_view PathParam(std::string_view name) const;
  // The cookie of that name; "" when absent.
  std::string_view Cookie(std::string_view name) const;
  // The token of "Authorization: Bearer TOKEN"; "" when absent.
  std::string_view BearerToken() const;
};

struct HttpResponse {
  int status = 200;
  HttpHeaders headers;
  std::string body;

  bool ok() const { return status >= 200 && status < 300; }
};

// An answer with Content-Type application/json.
HttpResponse Json(int status, std::string body);
HttpResponse Text(int status, std::string body);
// {"error":{"code":"not_found","message":"..."}}; the code is the HTTP status in words.
HttpResponse Error(int status, std::string_view message);
// The same for a Status that is not ok, with StatusToHttp's code.
HttpResponse Error(const Status& status);

// Says which HTTP status tells a client the same thing: kNotFound is 404, kResourceExhausted 429...
int StatusToHttp(const Status& status);
// The other way, for clients: OkStatus for 2xx, else a Status whose retryable() fits (429, 5xx).
Status StatusFromHttp(int http_status, std::string message);
// "Not Found"; "Unknown" for numbers without a name.
std::string_view HttpReason(int status);

// Appends `text` as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD.
void AppendJsonString(std::string& out, std::string_view text);

// One Server-Sent Event: "event: NAME\nid: ID\ndata: LINE\n...\n\n"; empty name and id are left
// out.
std::string SseEvent(std::string_view event, std::string_view data, std::string_view id = "");

// Percent-encodes everything but unreserved characters (RFC 3986: letters, digits, "-._~").
std::string UrlEncode(std::string_view text);
// Errors: kInvalidArgument for a '%' that is not followed by two hexadecimal digits.
Result<std::string> UrlDecode(std::string_view text, bool plus_is_space);
// Decoded pairs in order. A pair that does not decode is kInvalidArgument.
Result<std::vector<std::pair<std::string, std::string>>> ParseQuery(std::string_view query);

// Where a request goes: "http://host:port/path?query".
struct Url {
  bool tls = false;
  std::string host;  // without the brackets of an IPv6 literal
  uint16_t port = 0;
  std::string target = "/";  // path and query as written

  // "host:port" as a Host header and people write it ("[::1]:80"); the scheme's own port is left
  // out.
  std::string HostHeader() const;
  // "host:port" with the port always there, for messages.
  std::string Authority() const;
};
// Accepts http and https; the port defaults to 80 and 443. A fragment is dropped. Errors:
// kInvalidArgument for other schemes, user names, an empty host, ports out of range, spaces and
// control characters.
Result<Url> ParseUrl(std::string_view text);

// "127.0.0.1:7700", "[::]:7700", ":7700" (every address), "localhost:0".
struct HostPort {
  std::string host;
  uint16_t port = 0;
};
Result<HostPort> ParseHostPort(std::string_view text);

// The path and the query of a request target. Absolute targets ("http://h/p") lose their origin.
// Errors: kInvalidArgument when it does not begin with '/', does not decode, or decodes to a NUL.
struct RequestTarget {
  std::string path;
  std::string query;
};
Result<RequestTarget> ParseRequestTarget(std::string_view target);

}  // namespace kelp::net

#endif  // KELP_NET_HTTP_H_
