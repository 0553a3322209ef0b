#pragma once
// Networks as the settings name them: "10.0.0.0/8", "2001:db8::/32", or one address. Values, any thread.

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/endpoint.hpp"

namespace millrace::access {

class Network {
 public:
  // The error is a sentence about the text. A mapped network (::ffff:10.0.0.0/104) is the IPv4 one, as addresses are.
  static std::expected<Network, std::string> parse(std::string_view text);
  [[nodiscard]] bool contains(const net::Address& address) const;

 private:
  Network(const net::Address& first, unsigned prefix) : first_{first}, prefix_{prefix} {}
  net::Address first_;
  unsigned prefix_;
};

class Networks {
 public:
  // `setting` is what the error begins with.
  static std::expected<Networks, std::string> parse(std::span<const std::string> texts, std::string_view setting);
  [[nodiscard]] bool empty() const { return networks_.empty(); }
  [[nodiscard]] bool contains(const net::Address& address) const;

 private:
  std::vector<Network> networks_;
};

}  // namespace millrace::access
