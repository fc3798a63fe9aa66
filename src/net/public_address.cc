#include "net/public_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <cstring>

namespace kelp::net {
namespace {

struct Net {
  uint32_t first;
  int bits;
};
// RFC 6890 and its successors: special-purpose addresses.
constexpr std::array<Net, 15> kSpecial{{{0x00000000, 8},    // this network
                                        {0x0a000000, 8},    // private
                                        {0x64400000, 10},   // shared by carriers
                                        {0x7f000000, 8},    // loopback
                                        {0xa9fe0000, 16},   // link-local, cloud metadata
                                        {0xa83f8110, 32},   // Azure's host, as its machines see it
                                        {0xac100000, 12},   // private
                                        {0xc0000000, 24},   // protocol assignments
                                        {0xc0000200, 24},   // documentation
                                        {0xc0a80000, 16},   // private
                                        {0xc6120000, 15},   // benchmarks
                                        {0xc6336400, 24},   // documentation
                                        {0xcb007100, 24},   // documentation
                                        {0xe0000000, 4},    // multicast
                                        {0xf0000000, 4}}};  // reserved, broadcast

bool IsPublicV4(uint32_t address) {
  for (const Net& net : kSpecial) {
    if ((address ^ net.first) >> (32 - net.bits) == 0) return false;
  }
  return true;
}

bool IsPublicV6(const uint8_t* b) {
  const auto tail = static_cast<uint32_t>(b[12]) << 24 | static_cast<uint32_t>(b[13]) << 16 |
                    static_cast<uint32_t>(b[14]) << 8 | b[15];
  static constexpr uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  static constexpr uint8_t kTranslated[12] = {0, 0x64, 0xff, 0x9b};
  if (std::memcmp(b, kMapped, 12) == 0 || std::memcmp(b, kTranslated, 12) == 0) {
    return IsPublicV4(tail);
  }
  // 6to4 and Teredo lead to an IPv4 address; nobody needs them for a webhook.
  if (b[0] == 0x20 && (b[1] == 0x02 || (b[1] == 0x01 && b[2] == 0 && b[3] == 0))) return false;
  // Global unicast is 2000::/3; everything else is special in some way.
  return (b[0] & 0xe0) == 0x20;
}

}  // namespace

bool IsPublicAddress(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &address, sizeof v4);
    return IsPublicV4(ntohl(v4.sin_addr.s_addr));
  }
  if (address.ss_family != AF_INET6) return false;
  sockaddr_in6 v6;
  std::memcpy(&v6, &address, sizeof v6);
  return IsPublicV6(v6.sin6_addr.s6_addr);
}

}  // namespace kelp::net
