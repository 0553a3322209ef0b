#include "net/resolve.hpp"

#include <netdb.h>

#include <cerrno>
#include <memory>
#include <string>

namespace millrace::net {

std::expected<Address, SysError> resolve(std::string_view host, Family family) {
  if (const auto literal = Address::parse(host); literal && literal->family() == family) return *literal;
  addrinfo wanted{};
  wanted.ai_family = family == Family::ipv6 ? AF_INET6 : AF_INET;
  wanted.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  const std::string name{host};
  const int result = ::getaddrinfo(name.c_str(), nullptr, &wanted, &found);
  if (result != 0) {
    const int code = result == EAI_SYSTEM ? errno : ENOENT;
    return std::unexpected{SysError{.code = code, .operation = "look up '" + name + "' (" + ::gai_strerror(result) + ")"}};
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned{found, ::freeaddrinfo};
  const auto endpoint = Endpoint::from_sockaddr(found->ai_addr, found->ai_addrlen);
  if (!endpoint) return std::unexpected{SysError{.code = ENOENT, .operation = "look up '" + name + "'"}};
  return endpoint->address;
}

}  // namespace millrace::net
