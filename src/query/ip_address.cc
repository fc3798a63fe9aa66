#include "query/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace kelp::query {
namespace {

constexpr uint32_t kV4Bits = 96;  // before the IPv4 address itself
constexpr std::array<unsigned char, 12> kV4Prefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
// ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255
constexpr size_t kTextMax = 45;

bool IsHex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

template <typename T>
bool ParseNumber(std::string_view text, T& out) {
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, out);
  return parsed.ec == std::errc() && parsed.ptr == end;
}

}  // namespace

bool IpAddress::is_v4() const {
  return std::equal(kV4Prefix.begin(), kV4Prefix.end(), bytes.begin());
}

std::optional<IpAddress> IpAddress::Parse(std::string_view text) {
  // Most values are no addresses; these are told by their first bytes.
  if (text.size() < 2 || text.size() > kTextMax || !(IsHex(text[0]) || text[0] == ':')) {
    return std::nullopt;
  }
  char terminated[kTextMax + 1];
  std::memcpy(terminated, text.data(), text.size());
  terminated[text.size()] = '\0';
  if (std::memchr(terminated, '\0', text.size()) != nullptr) return std::nullopt;
  IpAddress address;
  if (text.find(':') != std::string_view::npos) {
    if (::inet_pton(AF_INET6, terminated, address.bytes.data()) != 1) return std::nullopt;
    return address;
  }
  std::copy(kV4Prefix.begin(), kV4Prefix.end(), address.bytes.begin());
  if (::inet_pton(AF_INET, terminated, address.bytes.data() + 12) != 1) return std::nullopt;
  return address;
}

std::optional<IpAddress> IpAddress::ParsePeer(std::string_view text) {
  if (auto address = Parse(text)) return address;
  const size_t colon = text.rfind(':');
  uint16_t port = 0;
  if (colon == std::string_view::npos || colon == 0 || !ParseNumber(text.substr(colon + 1), port)) {
    return std::nullopt;
  }
  std::string_view host = text.substr(0, colon);
  if (host.front() == '[' && host.back() == ']') return Parse(host.substr(1, host.size() - 2));
  if (host.find(':') != std::string_view::npos) return std::nullopt;
  return Parse(host);
}

bool IpNet::Contains(const IpAddress& address) const {
  const size_t whole = bits / 8;
  if (!std::equal(first.bytes.begin(), first.bytes.begin() + static_cast<ptrdiff_t>(whole),
                  address.bytes.begin())) {
    return false;
  }
  if (bits % 8 == 0) return true;
  const auto mask = static_cast<unsigned char>(0xff00u >> (bits % 8));
  return ((first.bytes[whole] ^ address.bytes[whole]) & mask) == 0;
}

std::optional<IpNet> IpNet::Parse(std::string_view text) {
  const size_t slash = text.rfind('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto address = IpAddress::Parse(text.substr(0, slash));
  IpNet net;
  if (!address || !ParseNumber(text.substr(slash + 1), net.bits)) return std::nullopt;
  net.first = *address;
  const bool v4 = text.find(':') == std::string_view::npos;
  if (net.bits > (v4 ? 32 : 128)) return std::nullopt;
  if (v4) net.bits += kV4Bits;
  return net;
}

size_t Ipv6TextSize(std::string_view text) {
  size_t size = 0;
  size_t colons = 0;
  for (; size < text.size() && (IsHex(text[size]) || text[size] == ':' || text[size] == '.');
       ++size) {
    colons += text[size] == ':' ? 1 : 0;
  }
  if (colons < 2 || !IpAddress::Parse(text.substr(0, size))) return 0;
  size_t end = size;
  if (end < text.size() && text[end] == '/') {
    ++end;
    while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
    return IpNet::Parse(text.substr(0, end)) ? end : size;
  }
  return size;
}

}  // namespace kelp::query
