#include "net/udp.hpp"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <memory>

namespace millrace::net {
namespace {

int family_of(const Address& address) { return address.is_ipv6() ? AF_INET6 : AF_INET; }

bool set_number(int socket, int level, int option, int value) {
  return ::setsockopt(socket, level, option, &value, sizeof value) == 0;
}

// Any address behind the default route will do: nothing is sent to it. RFC 5737 and RFC 3849 keep these for documents.
constexpr std::string_view kSomewhere4 = "192.0.2.1", kSomewhere6 = "2001:db8::1";

}  // namespace

std::expected<UniqueFd, SysError> bind_udp(const Endpoint& local, const UdpOptions& options) {
  UniqueFd socket{::socket(family_of(local.address), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!socket) return std::unexpected{sys_error("open a UDP socket")};
  if (local.address.is_ipv6()) set_number(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (options.timestamps && !set_number(socket.get(), SOL_SOCKET, SO_TIMESTAMPNS, 1)) {
    return std::unexpected{sys_error("ask for receive timestamps")};
  }
  if (options.receive_buffer > 0) set_number(socket.get(), SOL_SOCKET, SO_RCVBUF, options.receive_buffer);
  sockaddr_storage address{};
  const auto length = local.to_sockaddr(address);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0) {
    return std::unexpected{sys_error("bind " + local.to_string())};
  }
  return socket;
}

std::expected<Endpoint, SysError> local_endpoint(int socket) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    return std::unexpected{sys_error("ask for a socket's address")};
  }
  const auto endpoint = Endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&address), length);
  if (!endpoint) return std::unexpected{SysError{.code = EAFNOSUPPORT, .operation = "ask for a socket's address"}};
  return *endpoint;
}

// Connecting a UDP socket sends nothing and lets the kernel choose the source by its routes.
std::optional<Address> source_towards(const Address& remote) {
  const UniqueFd socket{::socket(family_of(remote), SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  if (!socket) return std::nullopt;
  sockaddr_storage address{};
  const auto length = Endpoint{remote, Port{9}}.to_sockaddr(address);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0) return std::nullopt;
  const auto local = local_endpoint(socket.get());
  if (!local || local->address.is_any()) return std::nullopt;
  return local->address;
}

std::optional<Address> default_route_address() {
  for (const auto somewhere : {kSomewhere4, kSomewhere6}) {
    const auto source = source_towards(*Address::parse(somewhere));
    if (source && !source->is_loopback()) return source;
  }
  return std::nullopt;
}

std::vector<Address> host_addresses() {
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> list{first, ::freeifaddrs};
  std::vector<Address> addresses;
  for (const ifaddrs* entry = list.get(); entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr == nullptr || (entry->ifa_flags & IFF_UP) == 0) continue;
    const int family = entry->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    const socklen_t length = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
    const auto endpoint = Endpoint::from_sockaddr(entry->ifa_addr, length);
    if (endpoint && std::ranges::find(addresses, endpoint->address) == addresses.end()) {
      addresses.push_back(endpoint->address);
    }
  }
  return addresses;
}

bool is_local(const Address& address) {
  if (address.is_any() || address.is_loopback()) return true;
  const auto addresses = host_addresses();
  return std::ranges::find(addresses, address) != addresses.end();
}

}  // namespace millrace::net
