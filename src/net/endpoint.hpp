#pragma once
// An IP address, and an address with a port, as values: IPv4 or IPv6, comparable, hashable, no allocation. A mapped
// address (::ffff:a.b.c.d) is kept as IPv4, so that one peer has one value.

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/strong.hpp"

struct sockaddr_storage;

namespace millrace::net {

enum class Family : std::uint8_t { none, ipv4, ipv6 };

class Address {
 public:
  constexpr Address() = default;
  static constexpr Address ipv4(std::uint32_t host_order) {
    Address address;
    address.family_ = Family::ipv4;
    for (int i = 0; i < 4; ++i)
      address.bytes_[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(host_order >> (24 - 8 * i));
    return address;
  }
  static Address ipv6(const std::array<std::uint8_t, 16>& bytes);
  static constexpr Address any(Family family) {
    Address address;
    address.family_ = family;
    return address;
  }
  // "192.0.2.1", "2001:db8::1", no brackets, no zone, no names.
  static std::optional<Address> parse(std::string_view text);

  [[nodiscard]] constexpr Family family() const { return family_; }
  [[nodiscard]] constexpr bool is_ipv6() const { return family_ == Family::ipv6; }
  [[nodiscard]] bool is_any() const;        // 0.0.0.0 or ::, "hold" in SDP
  [[nodiscard]] bool is_loopback() const;   // 127/8, ::1
  [[nodiscard]] bool is_private() const;    // RFC 1918, RFC 4193, RFC 6598
  [[nodiscard]] bool is_link_local() const;
  [[nodiscard]] const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }  // IPv4 in the first four
  [[nodiscard]] std::string to_string() const;
  friend constexpr bool operator==(const Address&, const Address&) = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
  Family family_ = Family::none;
};

struct Endpoint {
  Address address;
  Port port;

  // "192.0.2.1:5004", "[2001:db8::1]:5004".
  static std::optional<Endpoint> parse(std::string_view text);
  static std::optional<Endpoint> from_sockaddr(const sockaddr* address, socklen_t length);

  [[nodiscard]] bool is_set() const { return address.family() != Family::none; }
  [[nodiscard]] std::string to_string() const;
  // Fills `out`, returns the length to pass to the kernel.
  socklen_t to_sockaddr(sockaddr_storage& out) const;
  // Same address, port + 1: where RTCP is unless said otherwise, RFC 3550 §11.
  [[nodiscard]] Endpoint next_port() const { return {address, Port{static_cast<std::uint16_t>(port.value() + 1)}}; }
  friend constexpr bool operator==(const Endpoint&, const Endpoint&) = default;
};

struct EndpointHash {
  std::size_t operator()(const Endpoint& endpoint) const;
};

}  // namespace millrace::net
