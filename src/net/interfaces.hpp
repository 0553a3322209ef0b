#pragma once
// Settings → the interfaces that media uses, checked against the addresses that this host has. At the start only.

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "net/port_pool.hpp"
#include "net/settings.hpp"

namespace millrace::net {

// What is asked of the host; a test gives its own.
struct Host {
  std::vector<Address> addresses;
  std::optional<Address> default_route;
  std::function<bool(const Address&)> has;
};
Host this_host();

struct MediaInterfaces {
  std::vector<Interface> interfaces;  // the default one first
  std::vector<std::string> notes;     // what the operator should read at the start
};

// All mistakes at once, each a sentence that names the setting.
std::expected<MediaInterfaces, std::vector<std::string>> media_interfaces(const Settings& settings,
                                                                          const std::vector<InterfaceSettings>& named,
                                                                          const Host& host);

// "203.0.113.9 is not on this host, which has 127.0.0.1, 192.168.1.20"
std::string not_on_host(const Address& address, const Host& host);

}  // namespace millrace::net
