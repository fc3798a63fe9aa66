// The text formats of http.h: whatever comes, parsers refuse it or give something that printing and
// parsing again keeps.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "net/http.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace kelp::net;
  const std::string_view text(reinterpret_cast<const char*>(data), size);

  if (const auto url = ParseUrl(text); url.ok()) {
    CHECK(!url->host.empty() && url->port != 0 && url->target.front() == '/', "a broken Url");
    const auto again =
        ParseUrl((url->tls ? "https://" : "http://") + url->Authority() + url->target);
    CHECK(again.ok() && again->host == url->host && again->port == url->port &&
              again->target == url->target,
          "printing and parsing changed a URL");
  }
  if (const auto target = ParseRequestTarget(text); target.ok()) {
    CHECK(target->path.front() == '/', "a path without its slash");
    const auto again = ParseRequestTarget("/" + UrlEncode(target->path));
    CHECK(again.ok() && again->path == "/" + target->path, "encoding changed a path");
  }
  if (const auto params = ParseQuery(text); params.ok()) {
    HttpRequest request;
    request.query = text;
    for (const auto& [name, value] : *params) {
      CHECK(request.QueryParam(name).has_value(), "a parameter that cannot be found");
    }
  }
  CHECK(*UrlDecode(UrlEncode(text), true) == text, "encoding changed a text");
  (void)ParseHostPort(text);

  HttpRequest request;
  request.headers.Set("Cookie", std::string(text));
  request.headers.Set("Authorization", std::string(text));
  (void)request.Cookie("kelp_session");
  (void)request.BearerToken();

  std::string json;
  AppendJsonString(json, text);
  CHECK(json.size() >= 2 && json.find('\n') == std::string::npos, "a line break inside JSON");
  const std::string event = SseEvent("row", text, "1");
  CHECK(event.ends_with("\n\n") && event.find("\n\n") == event.size() - 2,
        "an event inside an event");
  return 0;
}
