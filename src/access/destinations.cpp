#include "access/destinations.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace millrace::access {
namespace {

using Failure = std::unexpected<std::string>;

// Who reaches one of these from a machine of the provider is given that machine's credentials.
constexpr std::array<std::string_view, 4> kMetadata{"169.254.169.254", "fd00:ec2::254", "100.100.100.200",
                                                    "fd20:ce::254"};

bool is_metadata(const net::Address& address) {
  return std::ranges::any_of(kMetadata, [&](auto text) { return net::Address::parse(text) == address; });
}

bool is_multicast(const net::Address& address) {
  const auto first = address.bytes()[0];
  return address.is_ipv6() ? first == 0xff : (first & 0xf0) == 0xe0;
}

// 0.0.0.0/8 is this host on this network, RFC 1122 §3.2.1.3: Linux takes 0.0.0.0 for loopback.
bool is_unspecified(const net::Address& address) {
  return address.is_any() || (address.family() == net::Family::ipv4 && address.bytes()[0] == 0);
}

// Of 64:ff9b::/96, RFC 6052 §2.1: a translator sends to the IPv4 address at its end.
std::optional<net::Address> translated(const net::Address& address) {
  constexpr std::array<std::uint8_t, 12> kPrefix{0x00, 0x64, 0xff, 0x9b};
  const auto& bytes = address.bytes();
  if (!address.is_ipv6() || !std::equal(kPrefix.begin(), kPrefix.end(), bytes.begin())) return std::nullopt;
  std::uint32_t host_order = 0;
  for (std::size_t i = 12; i < bytes.size(); ++i) host_order = host_order << 8 | bytes[i];
  return net::Address::ipv4(host_order);
}

// What is dangerous about it; empty: nothing.
std::string_view danger_of(const net::Address& destination, const net::Address& forward) {
  if (is_metadata(destination)) return "a cloud metadata address";
  if (is_unspecified(destination)) return "no destination but a wildcard";
  if (destination.is_loopback() && !forward.is_loopback()) {
    return "loopback while the session's forward address is not";
  }
  if (destination.is_link_local()) return "a link-local address";
  if (is_multicast(destination)) return "a multicast address";
  if (destination == net::Address::ipv4(0xffffffff)) return "the broadcast address";
  return {};
}

}  // namespace

std::expected<Destinations, std::string> Destinations::parse(const Settings& security) {
  Destinations destinations;
  auto allowed = Networks::parse(security.allow_destinations, "security.allow_destinations");
  if (!allowed) return Failure{allowed.error()};
  auto denied = Networks::parse(security.deny_destinations, "security.deny_destinations");
  if (!denied) return Failure{denied.error()};
  destinations.allowed_ = std::move(*allowed);
  destinations.denied_ = std::move(*denied);
  return destinations;
}

std::expected<void, std::string> Destinations::check(const net::Address& destination,
                                                     const net::Address& forward) const {
  const auto behind = translated(destination);
  if (denied_.contains(destination) || (behind && denied_.contains(*behind))) {
    return Failure{
        fmt::format("sessions may not send to {}: security.deny_destinations names it", destination.to_string())};
  }
  if (!allowed_.empty()) {
    if (allowed_.contains(destination)) return {};
    return Failure{fmt::format("sessions may not send to {}: security.allow_destinations does not name it",
                               destination.to_string())};
  }
  auto danger = danger_of(destination, forward);
  if (danger.empty() && behind) danger = danger_of(*behind, forward);
  if (danger.empty()) return {};
  return Failure{fmt::format("sessions may not send to {}, {}, unless security.allow_destinations names it",
                             destination.to_string(), danger)};
}

}  // namespace millrace::access
