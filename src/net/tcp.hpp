#pragma once
// TCP sockets of media: listeners, ports that are kept, connections under way. All non-blocking, close-on-exec and with
// SO_REUSEADDR: a port serves again while connections of before are in TIME_WAIT. IPv6 sockets are IPv6 only.
// net::local_endpoint() (net/udp.hpp) tells which port the kernel chose.

#include <chrono>
#include <expected>

#include "base/error.hpp"
#include "net/endpoint.hpp"
#include "net/unique_fd.hpp"

namespace millrace::net {

inline constexpr int kStreamBacklog = 16;  // clients that may wait while one is served

// Bound and listening.
std::expected<UniqueFd, SysError> listen_tcp(const Endpoint& local);
// Bound and no more: it keeps the port, from which connect_tcp() connects.
std::expected<UniqueFd, SysError> reserve_tcp(const Endpoint& local);
// A connection that is under way; the socket becomes writable when it stands, or has failed. EADDRNOTAVAIL: an older
// connection between the same two endpoints is in TIME_WAIT.
std::expected<UniqueFd, SysError> connect_tcp(const Endpoint& local, const Endpoint& remote);

struct StreamTimes {
  std::chrono::seconds keep_alive{};  // silence before the kernel probes the peer; 0: never
  std::chrono::seconds user_timeout{};  // unacknowledged data ends the stream; 0: the system's
};
// Of a connection. What is small leaves at once, too (TCP_NODELAY), and urgent bytes come in their place (SO_OOBINLINE).
std::expected<void, SysError> set_stream_options(int socket, const StreamTimes& times);

}  // namespace millrace::net
