#pragma once
// Where sessions may send to: the settings' lists, else what no session of a stranger should reach. Immutable, any
// thread.

#include <expected>
#include <string>

#include "access/networks.hpp"
#include "access/settings.hpp"

namespace millrace::access {

class Destinations {
 public:
  static std::expected<Destinations, std::string> parse(const Settings& security);

  // The error is a sentence for the peer, which names the address and the setting that would allow it.
  [[nodiscard]] std::expected<void, std::string> check(const net::Address& destination,
                                                       const net::Address& forward) const;

 private:
  Networks allowed_, denied_;
};

}  // namespace millrace::access
