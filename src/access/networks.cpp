#include "access/networks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/parse.hpp"

namespace millrace::access {
namespace {

using Failure = std::unexpected<std::string>;

constexpr unsigned kMappedBits = 96;  // of ::ffff:a.b.c.d, in front of the IPv4 address

unsigned bits_of(const net::Address& address) { return address.is_ipv6() ? 128 : 32; }

std::uint8_t mask_of_byte(unsigned prefix, std::size_t index) {
  const auto before = static_cast<unsigned>(index) * 8;
  if (prefix >= before + 8) return 0xff;
  return prefix <= before ? std::uint8_t{0} : static_cast<std::uint8_t>(0xff << (8 - (prefix - before)));
}

net::Address masked(const net::Address& address, unsigned prefix) {
  auto bytes = address.bytes();
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] &= mask_of_byte(prefix, i);
  if (address.is_ipv6()) return net::Address::ipv6(bytes);
  std::uint32_t host_order = 0;
  for (std::size_t i = 0; i < 4; ++i) host_order = host_order << 8 | bytes[i];
  return net::Address::ipv4(host_order);
}

std::optional<unsigned> prefix_of(std::string_view text, bool mapped, const net::Address& address) {
  auto prefix = parse_number<unsigned>(text);
  if (prefix && mapped) prefix = *prefix < kMappedBits ? std::nullopt : std::optional{*prefix - kMappedBits};
  return prefix && *prefix <= bits_of(address) ? prefix : std::nullopt;
}

}  // namespace

std::expected<Network, std::string> Network::parse(std::string_view text) {
  const auto slash = text.find('/');
  const auto host = text.substr(0, slash);
  const auto address = net::Address::parse(host);
  if (!address) return Failure{fmt::format("'{}' is no network such as 10.0.0.0/8, nor an address", text)};
  if (slash == std::string_view::npos) return Network{*address, bits_of(*address)};

  const bool mapped = !address->is_ipv6() && host.find(':') != std::string_view::npos;
  const auto prefix = prefix_of(text.substr(slash + 1), mapped, *address);
  if (!prefix) {
    return Failure{fmt::format("'{}': behind the slash stands the number of its first bits, {} at most", text,
                               address->is_ipv6() || mapped ? 128 : 32)};
  }
  // One of the two was not meant, and guessing would open or close a network that nobody named.
  if (const auto first = masked(*address, *prefix); first != *address) {
    return Failure{fmt::format("'{}' is an address within a network; write {}/{} or {}", text, first.to_string(),
                               *prefix, address->to_string())};
  }
  return Network{*address, *prefix};
}

bool Network::contains(const net::Address& address) const {
  if (address.family() != first_.family()) return false;
  for (std::size_t i = 0; i < address.bytes().size(); ++i) {
    if ((address.bytes()[i] & mask_of_byte(prefix_, i)) != first_.bytes()[i]) return false;
  }
  return true;
}

std::expected<Networks, std::string> Networks::parse(std::span<const std::string> texts, std::string_view setting) {
  Networks networks;
  for (const auto& text : texts) {
    const auto network = Network::parse(text);
    if (!network) return Failure{fmt::format("{}: {}", setting, network.error())};
    networks.networks_.push_back(*network);
  }
  return networks;
}

bool Networks::contains(const net::Address& address) const {
  return std::ranges::any_of(networks_, [&](const Network& network) { return network.contains(address); });
}

}  // namespace millrace::access
