#pragma once
// Which addresses and ports media uses, as it is written; interfaces.hpp makes net::Interface of it.

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/schema.hpp"
#include "net/endpoint.hpp"
#include "net/port_pool.hpp"

namespace millrace::config {

template <>
struct Text<net::Address> {
  static constexpr std::string_view kind = "an IP address";
  static std::expected<net::Address, std::string> parse(std::string_view text);
  static std::string print(const net::Address& address) { return address.to_string(); }
};

// Both ports of a pair are in the range: 10000-20000 and 10000-19999 end with RTP on 19998 and its RTCP on 19999.
template <>
struct Text<net::PortRange> {
  static constexpr std::string_view kind = "a port range such as 10000-19999";
  static std::expected<net::PortRange, std::string> parse(std::string_view text);
  static std::string print(const net::PortRange& range);
};

}  // namespace millrace::config

namespace millrace::net {

struct Settings {
  std::optional<Address> address;
  std::string advertised;
  PortRange ports;
  PortOrder order = PortOrder::random;
  std::chrono::milliseconds port_rest{5000};
  config::Bytes receive_buffer;
  static constexpr auto schema = config::section(
      "media", "Where media is received",
      config::field("address", &Settings::address, "",
                    "Local address of media; empty: the first [[interface]], else the address of the default route"),
      config::field("advertised", &Settings::advertised, "",
                    "What peers are told in place of media.address, an address or a name; empty: the address itself"),
      config::field("ports", &Settings::ports, "",
                    "Ports of media, both ends included; RTP takes the even ones, RTCP the odd ones above them"),
      config::field("order", &Settings::order, "random|sequential", "How the next free port is chosen"),
      config::field(
          "port_rest", &Settings::port_rest, "0s..5m",
          "How long a port stays unused after its call, if others are free, so that late packets meet nobody"),
      config::field("receive_buffer", &Settings::receive_buffer, "0|2KiB..64MiB",
                    "Receive buffer of each media socket; 0: what the system gives"));
};

struct InterfaceSettings {
  std::string name;
  std::vector<Address> addresses;
  std::string advertised;
  std::optional<PortRange> ports;
  static constexpr auto schema =
      config::repeated("interface", "Further addresses of media, by name; SIP servers choose them by that name",
                       config::field("name", &InterfaceSettings::name, "", "What commands call it"),
                       config::field("addresses", &InterfaceSettings::addresses, "",
                                     "Its local addresses, all IPv4 or all IPv6; calls spread over them"),
                       config::field("advertised", &InterfaceSettings::advertised, "",
                                     "What peers are told in place of its address; empty: the address itself"),
                       config::field("ports", &InterfaceSettings::ports, "", "Ports of its own; empty: media.ports"));
};

}  // namespace millrace::net
