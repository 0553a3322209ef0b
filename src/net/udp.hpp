#pragma once
// UDP sockets of media, and where packets would leave from.

#include <cstdint>
#include <expected>
#include <optional>
#include <vector>

#include "base/error.hpp"
#include "net/endpoint.hpp"
#include "net/unique_fd.hpp"

namespace millrace::net {

struct UdpOptions {
  int receive_buffer = 0;  // bytes; 0: the system's
  bool timestamps = true;  // SO_TIMESTAMPNS: the kernel stamps what arrives
};

// Non-blocking, close-on-exec; IPv6 sockets are IPv6 only.
std::expected<UniqueFd, SysError> bind_udp(const Endpoint& local, const UdpOptions& options);
std::expected<Endpoint, SysError> local_endpoint(int socket);

// The TOS byte (IPv6: traffic class) and the TTL (hop limit) of what the socket sends.
std::expected<void, SysError> set_tos(int socket, Family family, std::uint8_t tos);
std::expected<void, SysError> set_ttl(int socket, Family family, std::uint8_t ttl);

// The local address from which the routing table reaches `remote`.
std::optional<Address> source_towards(const Address& remote);
// The address of the default route; IPv4 first. Nothing without one.
std::optional<Address> default_route_address();
// Every address of every interface that is up.
std::vector<Address> host_addresses();
// Could a socket be bound to it: what the local routing table holds (host addresses, all of 127/8), the wildcard, and
// any address where the host allows to bind foreign ones (ip_nonlocal_bind: a floating address of a standby).
bool is_local(const Address& address);

}  // namespace millrace::net
