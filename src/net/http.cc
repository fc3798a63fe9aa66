#include "net/http.h"

#include <algorithm>
#include <array>

namespace kelp::net {
namespace {

char LowerAscii(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

std::string_view TrimSpaces(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

struct StatusName {
  int status;
  std::string_view reason;
  std::string_view code;  // in the JSON of Error()
};
// The codes are the lower-case names of kelp::Code where one fits.
constexpr std::array<StatusName, 30> kStatusNames = {{
    {100, "Continue", ""},
    {101, "Switching Protocols", ""},
    {200, "OK", ""},
    {201, "Created", ""},
    {202, "Accepted", ""},
    {204, "No Content", ""},
    {206, "Partial Content", ""},
    {301, "Moved Permanently", ""},
    {302, "Found", ""},
    {303, "See Other", ""},
    {304, "Not Modified", ""},
    {400, "Bad Request", "invalid_argument"},
    {401, "Unauthorized", "unauthenticated"},
    {403, "Forbidden", "permission_denied"},
    {404, "Not Found", "not_found"},
    {405, "Method Not Allowed", "method_not_allowed"},
    {408, "Request Timeout", "deadline_exceeded"},
    {409, "Conflict", "already_exists"},
    {411, "Length Required", "length_required"},
    {413, "Content Too Large", "too_large"},
    {415, "Unsupported Media Type", "unsupported_media_type"},
    {417, "Expectation Failed", "invalid_argument"},
    {429, "Too Many Requests", "resource_exhausted"},
    {431, "Request Header Fields Too Large", "too_large"},
    {499, "Client Closed Request", "cancelled"},
    {500, "Internal Server Error", "internal"},
    {501, "Not Implemented", "unimplemented"},
    {503, "Service Unavailable", "unavailable"},
    {504, "Gateway Timeout", "deadline_exceeded"},
    {507, "Insufficient Storage", "resource_exhausted"},
}};

const StatusName* FindStatus(int status) {
  for (const StatusName& name : kStatusNames) {
    if (name.status == status) return &name;
  }
  return nullptr;
}

// The number of bytes of the UTF-8 sequence at the front of `text`, or 0 when it is not one.
size_t Utf8Length(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return 0;
  for (size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  // Overlong forms, surrogates, and what lies past U+10FFFF.
  if (first == 0xe0 && byte(1) < 0xa0) return 0;
  if (first == 0xed && byte(1) >= 0xa0) return 0;
  if (first == 0xf0 && byte(1) < 0x90) return 0;
  if (first == 0xf4 && byte(1) >= 0x90) return 0;
  return size;
}

void AppendJsonEscape(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  constexpr std::string_view kHex = "0123456789abcdef";
  out += "\\u00";
  out += kHex[static_cast<unsigned char>(c) >> 4];
  out += kHex[static_cast<unsigned char>(c) & 15];
}

}  // namespace

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return LowerAscii(x) == LowerAscii(y);
         });
}

std::string_view HttpHeaders::Get(std::string_view name) const {
  for (const Field& field : fields_) {
    if (EqualsIgnoreCase(field.first, name)) return field.second;
  }
  return {};
}

bool HttpHeaders::Has(std::string_view name) const {
  return std::any_of(fields_.begin(), fields_.end(),
                     [&](const Field& field) { return EqualsIgnoreCase(field.first, name); });
}

void HttpHeaders::Set(std::string_view name, std::string value) {
  Remove(name);
  Add(name, std::move(value));
}

void HttpHeaders::Add(std::string_view name, std::string value) {
  fields_.emplace_back(std::string(name), std::move(value));
}

void HttpHeaders::Remove(std::string_view name) {
  std::erase_if(fields_, [&](const Field& field) { return EqualsIgnoreCase(field.first, name); });
}

std::optional<std::string> HttpRequest::QueryParam(std::string_view name) const {
  std::string_view rest = query;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const size_t equals = std::min(pair.find('='), pair.size());
    const Result<std::string> key = UrlDecode(pair.substr(0, equals), true);
    if (!key.ok() || *key != name) continue;
    Result<std::string> value = UrlDecode(pair.substr(std::min(equals + 1, pair.size())), true);
    if (value.ok()) return *std::move(value);
  }
  return std::nullopt;
}

std::string_view HttpRequest::PathParam(std::string_view name) const {
  for (const auto& [key, value] : path_params) {
    if (key == name) return value;
  }
  return {};
}

std::string_view HttpRequest::Cookie(std::string_view name) const {
  std::string_view rest = headers.Get("Cookie");
  while (!rest.empty()) {
    const size_t end = std::min(rest.find(';'), rest.size());
    const std::string_view pair = TrimSpaces(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    const size_t equals = pair.find('=');
    if (equals != pair.npos && pair.substr(0, equals) == name) return pair.substr(equals + 1);
  }
  return {};
}

std::string_view HttpRequest::BearerToken() const {
  const std::string_view value = headers.Get("Authorization");
  constexpr std::string_view kScheme = "Bearer ";
  if (value.size() <= kScheme.size()) return {};
  if (!EqualsIgnoreCase(value.substr(0, kScheme.size()), kScheme)) return {};
  return TrimSpaces(value.substr(kScheme.size()));
}

HttpResponse Json(int status, std::string body) {
  return {status, {{"Content-Type", "application/json"}}, std::move(body)};
}

HttpResponse Text(int status, std::string body) {
  return {status, {{"Content-Type", "text/plain; charset=utf-8"}}, std::move(body)};
}

HttpResponse Error(int status, std::string_view message) {
  const StatusName* name = FindStatus(status);
  std::string body = "{\"error\":{\"code\":";
  AppendJsonString(body, name != nullptr && !name->code.empty() ? name->code : "unknown");
  body += ",\"message\":";
  AppendJsonString(body, message);
  body += "}}";
  return Json(status, std::move(body));
}

HttpResponse Error(const Status& status) { return Error(StatusToHttp(status), status.message()); }

int StatusToHttp(const Status& status) {
  switch (status.code()) {
    case Code::kOk:
      return 200;
    case Code::kCancelled:
      return 499;
    case Code::kInvalidArgument:
      return 400;
    case Code::kNotFound:
      return 404;
    case Code::kAlreadyExists:
      return 409;
    case Code::kPermissionDenied:
      return 403;
    case Code::kUnauthenticated:
      return 401;
    case Code::kResourceExhausted:
      return 429;
    case Code::kUnavailable:
      return 503;
    case Code::kDeadlineExceeded:
      return 504;
    case Code::kUnimplemented:
      return 501;
    case Code::kDataLoss:
    case Code::kIo:
    case Code::kInternal:
      return 500;
  }
  return 500;
}

Status StatusFromHttp(int http_status, std::string message) {
  if (http_status >= 200 && http_status < 300) return OkStatus();
  switch (http_status) {
    case 401:
      return UnauthenticatedError(std::move(message));
    case 403:
      return PermissionDeniedError(std::move(message));
    case 404:
      return NotFoundError(std::move(message));
    case 408:
    case 504:
      return DeadlineExceededError(std::move(message));
    case 409:
      return AlreadyExistsError(std::move(message));
    case 429:
    case 507:
      return ResourceExhaustedError(std::move(message));
    case 499:
      return CancelledError(std::move(message));
    case 501:
      return UnimplementedError(std::move(message));
    default:
      break;
  }
  return http_status >= 500 ? UnavailableError(std::move(message))
                            : InvalidArgumentError(std::move(message));
}

std::string_view HttpReason(int status) {
  const StatusName* name = FindStatus(status);
  return name != nullptr ? name->reason : "Unknown";
}

void AppendJsonString(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const char c = text.front();
    if (static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\' || c == 0x7f) {
      AppendJsonEscape(out, c);
      text.remove_prefix(1);
      continue;
    }
    const size_t size = Utf8Length(text);
    out += size == 0 ? std::string_view("\xef\xbf\xbd") : text.substr(0, size);
    text.remove_prefix(std::max<size_t>(size, 1));
  }
  out += '"';
}

std::string SseEvent(std::string_view event, std::string_view data, std::string_view id) {
  std::string out;
  out.reserve(event.size() + data.size() + id.size() + 32);
  if (!event.empty()) out.append("event: ").append(event) += '\n';
  if (!id.empty()) out.append("id: ").append(id) += '\n';
  // A line break inside the data would end the field: each line is a field of its own.
  do {
    const size_t end = std::min(data.find_first_of("\r\n"), data.size());
    out.append("data: ").append(data.substr(0, end)) += '\n';
    const bool crlf = data.substr(end, 2) == "\r\n";
    data.remove_prefix(std::min(end + (crlf ? 2 : 1), data.size()));
  } while (!data.empty());
  out += '\n';
  return out;
}

}  // namespace kelp::net
