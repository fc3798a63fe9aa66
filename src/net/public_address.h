// IsPublicAddress: whether an address is one of the open Internet, so that a server which calls
// addresses that users name does not reach into the network around it.
//
// Threads: pure. Tests: http_client_test.cc
#ifndef KELP_NET_PUBLIC_ADDRESS_H_
#define KELP_NET_PUBLIC_ADDRESS_H_

#include <sys/socket.h>

namespace kelp::net {

// False for loopback, private, link-local (cloud metadata), shared, multicast and reserved ones,
// also inside IPv6, and for what is neither IPv4 nor IPv6.
bool IsPublicAddress(const sockaddr_storage& address);

}  // namespace kelp::net

#endif  // KELP_NET_PUBLIC_ADDRESS_H_
