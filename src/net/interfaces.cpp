#include "net/interfaces.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "net/udp.hpp"

namespace millrace::net {
namespace {

class Builder {
 public:
  Builder(const Settings& settings, const Host& host) : settings_{settings}, host_{host} {}

  void add_default(bool others) {
    if (settings_.address) {
      if (!host_.has(*settings_.address)) mistake("media.address", not_on_host(*settings_.address, host_));
      return add_unnamed(*settings_.address);
    }
    if (others) {
      if (!settings_.advertised.empty()) mistake("media.advertised", "needs media.address");
      return;
    }
    if (host_.default_route) return add_unnamed(*host_.default_route);
    result_.notes.emplace_back("this host has no default route: media uses 127.0.0.1 (media.address chooses another)");
    add_unnamed(Address::ipv4(0x7f000001));
  }

  void add(const InterfaceSettings& written, std::size_t number) {
    const auto key = fmt::format("interface {}", written.name.empty() ? fmt::format("#{}", number) : written.name);
    if (written.name.empty()) mistake(key, "has no name");
    if (!written.name.empty() && std::ranges::count(result_.interfaces, written.name, &Interface::name) != 0) {
      mistake(key, "is named twice");
    }
    if (written.addresses.empty()) mistake(key, "has no addresses");
    for (const Address& address : written.addresses) {
      if (address.family() != written.addresses.front().family()) mistake(key, "mixes IPv4 and IPv6 addresses");
      if (!host_.has(address)) mistake(key, not_on_host(address, host_));
    }
    result_.interfaces.push_back({.name = written.name,
                                  .addresses = written.addresses,
                                  .advertised = written.advertised,
                                  .range = written.ports.value_or(settings_.ports)});
  }

  std::expected<MediaInterfaces, std::vector<std::string>> result() {
    if (!mistakes_.empty()) return std::unexpected{std::move(mistakes_)};
    return std::move(result_);
  }

 private:
  void mistake(std::string_view key, std::string_view problem) {
    mistakes_.push_back(fmt::format("{}: {}", key, problem));
  }
  void add_unnamed(const Address& address) {
    result_.interfaces.push_back(
        {.name = {}, .addresses = {address}, .advertised = settings_.advertised, .range = settings_.ports});
  }

  const Settings& settings_;
  const Host& host_;
  MediaInterfaces result_;
  std::vector<std::string> mistakes_;
};

}  // namespace

Host this_host() { return {.addresses = host_addresses(), .default_route = default_route_address(), .has = is_local}; }

std::expected<MediaInterfaces, std::vector<std::string>> media_interfaces(const Settings& settings,
                                                                          const std::vector<InterfaceSettings>& named,
                                                                          const Host& host) {
  Builder builder{settings, host};
  builder.add_default(!named.empty());
  std::size_t number = 0;
  for (const InterfaceSettings& written : named) builder.add(written, ++number);
  return builder.result();
}

std::string not_on_host(const Address& address, const Host& host) {
  std::vector<std::string> names;
  for (const Address& own : host.addresses) names.push_back(own.to_string());
  return fmt::format("{} is not on this host, which has {}", address.to_string(),
                     names.empty() ? std::string{"no addresses"} : fmt::format("{}", fmt::join(names, ", ")));
}

}  // namespace millrace::net
