#include "net/resolve.hpp"

#include <fmt/format.h>
#include <netdb.h>

#include <memory>

namespace millrace::net {
namespace {

std::string_view family_name(Family family) {
  switch (family) {
    case Family::ipv4: return "IPv4 ";
    case Family::ipv6: return "IPv6 ";
    case Family::none: break;
  }
  return "";
}

// The resolver's errors are no errno.
std::unexpected<SysError> failure(std::string text) {
  return std::unexpected{SysError{.code = 0, .operation = std::move(text)}};
}

}  // namespace

std::expected<Address, SysError> resolve(const std::string& host, Family family) {
  if (const auto address = Address::parse(host)) {
    if (family == Family::none || address->family() == family) return *address;
    return failure(fmt::format("{} is no {}address", host, family_name(family)));
  }
  addrinfo hints{};
  hints.ai_family = family == Family::none ? AF_UNSPEC : family == Family::ipv6 ? AF_INET6 : AF_INET;
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* list = nullptr;
  const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (error != 0) {
    return failure(fmt::format("no {}address of '{}': {}", family_name(family), host, ::gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner{list, &::freeaddrinfo};
  const auto endpoint = Endpoint::from_sockaddr(list->ai_addr, list->ai_addrlen);
  if (!endpoint) return failure(fmt::format("no {}address of '{}'", family_name(family), host));
  return endpoint->address;
}

}  // namespace millrace::net
