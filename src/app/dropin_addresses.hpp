#pragma once
// -l, -6 and -A of the drop-in command line: text → interfaces.
//
//   -l ADDR            the default interface             -l LABEL@ADDR=ADVERTISED   one more, by its label
//   -l INT/EXT         bridging within a family          -l INT -6 /EXT             bridging between families

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "net/port_pool.hpp"

namespace millrace::app {

struct DropInAddresses {
  std::vector<std::string> ipv4{};  // each -l, in order
  std::vector<std::string> ipv6{};  // each -6
  bool ipv6_first = false;          // a -6 came before the first -l: the default address is IPv6
  std::string advertised{};       // -A; empty: none
  bool resolve_names = true;
};

inline constexpr std::size_t kMaxDropInAddresses = 16;

struct DropInInterfaces {
  std::vector<net::Interface> interfaces;  // the default one first
  bool bridging = false;                   // then the first two are "internal" and "external"
};

// The error is a sentence for the operator.
std::expected<DropInInterfaces, std::string> make_interfaces(const DropInAddresses& addresses,
                                                             const net::PortRange& range);

}  // namespace millrace::app
