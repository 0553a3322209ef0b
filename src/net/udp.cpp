#include "net/udp.hpp"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <fstream>
#include <memory>

namespace millrace::net {
namespace {

constexpr int kSystemTtl = -1;  // the kernel's word for "as the system says"

constexpr Port kAnyPort{9};  // connecting a UDP socket sends nothing, but wants a port

int domain_of(Family family) { return family == Family::ipv6 ? AF_INET6 : AF_INET; }

bool set_option(int socket, int level, int option, int value) {
  return ::setsockopt(socket, level, option, &value, sizeof value) == 0;
}

// A set-up makes four sockets, so each call here is paid four times: a name for the error is built only when there is
// one, and options are set only where the default does not do.
bool prepare(int socket, const Endpoint& local, const UdpOptions& options) {
  if (local.address.is_ipv6() && !set_option(socket, IPPROTO_IPV6, IPV6_V6ONLY, 1)) return false;
  if (options.timestamps && !set_option(socket, SOL_SOCKET, SO_TIMESTAMPNS, 1)) return false;
  if (options.receive_buffer > 0 && !set_option(socket, SOL_SOCKET, SO_RCVBUF, options.receive_buffer)) return false;
  sockaddr_storage address;
  const auto length = local.to_sockaddr(address);
  return ::bind(socket, reinterpret_cast<const sockaddr*>(&address), length) == 0;
}

bool foreign_bind_allowed(Family family) {
  std::ifstream file{family == Family::ipv6 ? "/proc/sys/net/ipv6/ip_nonlocal_bind"
                                            : "/proc/sys/net/ipv4/ip_nonlocal_bind"};
  return file.get() == '1';
}

bool is_multicast(const Address& address) {
  return address.is_ipv6() ? address.bytes()[0] == 0xff : address.bytes()[0] >= 224;
}

}  // namespace

std::expected<UniqueFd, SysError> bind_udp(const Endpoint& local, const UdpOptions& options) {
  UniqueFd socket{::socket(domain_of(local.address.family()), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!socket) return std::unexpected{sys_error("socket")};
  if (!prepare(socket.get(), local, options)) return std::unexpected{sys_error("bind " + local.to_string())};
  return socket;
}

std::expected<Endpoint, SysError> local_endpoint(int socket) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  auto* const raw = reinterpret_cast<sockaddr*>(&address);
  if (::getsockname(socket, raw, &length) != 0) return std::unexpected{sys_error("getsockname")};
  const auto endpoint = Endpoint::from_sockaddr(raw, length);
  if (!endpoint) return std::unexpected{SysError{EAFNOSUPPORT, "getsockname"}};
  return *endpoint;
}

std::expected<void, SysError> set_tos(int socket, Family family, std::uint8_t tos) {
  const bool done = family == Family::ipv6 ? set_option(socket, IPPROTO_IPV6, IPV6_TCLASS, tos)
                                           : set_option(socket, IPPROTO_IP, IP_TOS, tos);
  if (!done) return std::unexpected{sys_error("set TOS")};
  return {};
}

std::expected<void, SysError> set_ttl(int socket, Family family, std::uint8_t ttl) {
  const int value = ttl == 0 ? kSystemTtl : ttl;
  const bool done = family == Family::ipv6 ? set_option(socket, IPPROTO_IPV6, IPV6_UNICAST_HOPS, value)
                                           : set_option(socket, IPPROTO_IP, IP_TTL, value);
  if (!done) return std::unexpected{sys_error("set TTL")};
  return {};
}

std::optional<Address> source_towards(const Address& remote) {
  if (remote.family() == Family::none || remote.is_any()) return std::nullopt;
  const UniqueFd socket{::socket(domain_of(remote.family()), SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  if (!socket) return std::nullopt;
  sockaddr_storage address;
  const auto length = Endpoint{remote, kAnyPort}.to_sockaddr(address);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0) return std::nullopt;
  const auto local = local_endpoint(socket.get());
  if (!local || local->address.is_any()) return std::nullopt;
  return local->address;
}

std::optional<Address> default_route_address() {
  // Addresses for documentation (RFC 5737, RFC 3849): on nobody's network, so only a default route leads there.
  for (const char* anywhere : {"192.0.2.1", "2001:db8::1"}) {
    const auto source = source_towards(*Address::parse(anywhere));
    if (source && !source->is_loopback()) return source;
  }
  return std::nullopt;
}

std::vector<Address> host_addresses() {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner{list, &::freeifaddrs};
  std::vector<Address> found;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || (entry->ifa_flags & IFF_UP) == 0) continue;
    const socklen_t length = entry->ifa_addr->sa_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
    const auto endpoint = Endpoint::from_sockaddr(entry->ifa_addr, length);
    if (endpoint && std::ranges::count(found, endpoint->address) == 0) found.push_back(endpoint->address);
  }
  return found;
}

bool is_local(const Address& address) {
  if (address.is_any() || (address.is_loopback() && !address.is_ipv6())) return true;
  if (address.family() == Family::none || is_multicast(address)) return false;
  // The kernel speaks to its own address from that address; this sees local routes that no interface lists, such as a
  // whole network on lo. All of 127/8 is spoken to from 127.0.0.1.
  return source_towards(address) == address || foreign_bind_allowed(address.family());
}

}  // namespace millrace::net
