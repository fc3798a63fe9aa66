// URLs, query strings, host:port and request targets of http.h.
#include <algorithm>
#include <charconv>

#include "net/http.h"

namespace kelp::net {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool IsUnreserved(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

Result<uint16_t> ParsePort(std::string_view text, std::string_view whole) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port > 65535) {
    return InvalidArgumentError("\"" + std::string(whole) + "\": the port must be a number up to " +
                                "65535");
  }
  return static_cast<uint16_t>(port);
}

// Splits "host:port", "[v6]:port", "host"; the port part is empty when there is none.
Result<std::pair<std::string_view, std::string_view>> SplitAuthority(std::string_view text) {
  if (!text.empty() && text.front() == '[') {
    const size_t close = text.find(']');
    const std::string_view rest = close == text.npos ? "" : text.substr(close + 1);
    if (close == text.npos || (!rest.empty() && rest.front() != ':')) {
      return InvalidArgumentError("\"" + std::string(text) + "\": an IPv6 address is written " +
                                  "[address]:port");
    }
    return std::pair(text.substr(1, close - 1), rest.empty() ? rest : rest.substr(1));
  }
  const size_t colon = text.rfind(':');
  if (colon == text.npos) return std::pair(text, std::string_view());
  if (text.find(':') != colon) {
    return InvalidArgumentError("\"" + std::string(text) + "\": an IPv6 address is written " +
                                "[address]:port");
  }
  return std::pair(text.substr(0, colon), text.substr(colon + 1));
}

// A name, an IPv4 address, or the inside of an IPv6 literal. Names in other scripts must come
// encoded (xn--).
bool IsHost(std::string_view host, bool v6) {
  if (host.empty()) return false;
  return std::all_of(host.begin(), host.end(), [v6](char c) {
    if (v6) return HexDigit(c) >= 0 || c == ':' || c == '.';
    return IsUnreserved(c) && c != '~';
  });
}

}  // namespace

std::string UrlEncode(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (IsUnreserved(c)) {
      out += c;
      continue;
    }
    out += '%';
    out += kHex[static_cast<unsigned char>(c) >> 4];
    out += kHex[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

Result<std::string> UrlDecode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        return InvalidArgumentError("'%' without two hexadecimal digits at character " +
                                    std::to_string(i + 1));
      }
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

Result<std::vector<std::pair<std::string, std::string>>> ParseQuery(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> params;
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    const size_t equals = std::min(pair.find('='), pair.size());
    ASSIGN_OR_RETURN(std::string key, UrlDecode(pair.substr(0, equals), true));
    ASSIGN_OR_RETURN(std::string value,
                     UrlDecode(pair.substr(std::min(equals + 1, pair.size())), true));
    params.emplace_back(std::move(key), std::move(value));
  }
  return params;
}

std::string Url::Authority() const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string Url::HostHeader() const {
  std::string authority = Authority();
  if (port == (tls ? 443 : 80)) authority.resize(authority.rfind(':'));
  return authority;
}

Result<Url> ParseUrl(std::string_view text) {
  const auto bad = [&](const std::string& why) {
    return InvalidArgumentError("\"" + std::string(text) + "\" is not a URL: " + why);
  };
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f) {
      return InvalidArgumentError("a URL holds no spaces and no control characters");
    }
  }
  Url url;
  const size_t scheme_end = text.find("://");
  const std::string_view scheme = text.substr(0, scheme_end == text.npos ? 0 : scheme_end);
  url.tls = EqualsIgnoreCase(scheme, "https");
  if (!url.tls && !EqualsIgnoreCase(scheme, "http")) {
    return bad("it must begin with http:// or https://");
  }
  std::string_view rest = text.substr(scheme_end + 3);
  rest = rest.substr(0, rest.find('#'));
  const size_t authority_end = std::min(rest.find_first_of("/?"), rest.size());
  const std::string_view authority = rest.substr(0, authority_end);
  if (authority.find('@') != authority.npos) {
    return InvalidArgumentError("a URL must not hold a user name; send a header instead");
  }
  ASSIGN_OR_RETURN(const auto parts, SplitAuthority(authority));
  if (parts.first.empty()) return bad("the host is missing");
  if (!IsHost(parts.first, authority.front() == '[')) return bad("the host is not valid");
  url.host = parts.first;
  url.port = url.tls ? 443 : 80;
  if (!parts.second.empty()) {
    ASSIGN_OR_RETURN(url.port, ParsePort(parts.second, text));
    if (url.port == 0) return bad("the port must not be 0");
  }
  url.target = rest.substr(authority_end);
  if (url.target.empty() || url.target.front() == '?') url.target.insert(0, "/");
  return url;
}

Result<HostPort> ParseHostPort(std::string_view text) {
  ASSIGN_OR_RETURN(const auto parts, SplitAuthority(text));
  if (parts.second.empty()) {
    return InvalidArgumentError("\"" + std::string(text) + "\": expected host:port, for example " +
                                "127.0.0.1:7700");
  }
  HostPort result;
  result.host = parts.first;
  ASSIGN_OR_RETURN(result.port, ParsePort(parts.second, text));
  return result;
}

Result<RequestTarget> ParseRequestTarget(std::string_view target) {
  const size_t scheme_end = target.find("://");
  if (scheme_end != target.npos && scheme_end < target.find('/')) {
    target.remove_prefix(scheme_end + 3);
    target.remove_prefix(std::min(target.find('/'), target.size()));
  }
  if (target.empty() || target.front() != '/') {
    return InvalidArgumentError("the request target must begin with '/'");
  }
  target = target.substr(0, target.find('#'));
  const size_t question = std::min(target.find('?'), target.size());
  RequestTarget result;
  ASSIGN_OR_RETURN(result.path, UrlDecode(target.substr(0, question), false));
  if (result.path.find('\0') != std::string::npos) {
    return InvalidArgumentError("the path holds a NUL character");
  }
  result.query = target.substr(std::min(question + 1, target.size()));
  return result;
}

}  // namespace kelp::net
