// IpAddress: an IPv4 or IPv6 address, for comparisons; IpNet: all addresses with one prefix.
//
// Threads: values.
// Tests:   text_match_test.cc, tests/cases/query/ip.case
#ifndef KELP_QUERY_IP_ADDRESS_H_
#define KELP_QUERY_IP_ADDRESS_H_

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace kelp::query {

// In the order of their numbers; an IPv4 address is ::ffff:a.b.c.d.
struct IpAddress {
  std::array<unsigned char, 16> bytes{};
  constexpr auto operator<=>(const IpAddress&) const = default;
  bool is_v4() const;

  // The whole text as inet_pton reads it.
  static std::optional<IpAddress> Parse(std::string_view text);
  // Also with a port, as logs write peers: "10.0.0.1:443", "[::1]:443".
  static std::optional<IpAddress> ParsePeer(std::string_view text);
};

struct IpNet {
  IpAddress first;
  uint32_t bits = 0;  // of `first` that count
  bool Contains(const IpAddress& address) const;

  // "10.0.0.0/8", "2001:db8::/32".
  static std::optional<IpNet> Parse(std::string_view text);
};

// How many bytes at the beginning of `text` look like an IPv6 address or net; 0 when they are none.
size_t Ipv6TextSize(std::string_view text);

}  // namespace kelp::query

#endif  // KELP_QUERY_IP_ADDRESS_H_
