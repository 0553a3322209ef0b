#include "app/dropin_addresses.hpp"

#include <algorithm>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "net/resolve.hpp"

namespace millrace::app {
namespace {

using Failure = std::unexpected<std::string>;
using net::Family;

// One address as it was written: [LABEL@]HOST[=ADVERTISED].
struct Written {
  std::string label{}, host{}, advertised{};
  Family family = Family::ipv4;
};

// One -l or -6: its address, and the one behind a slash.
struct Pair {
  std::optional<Written> first, second;
};

Written split(std::string_view text, Family family) {
  Written written{.family = family};
  if (const auto at = text.find('@'); at != std::string_view::npos) {
    written.label = text.substr(0, at);
    text = text.substr(at + 1);
  }
  if (const auto equals = text.find('='); equals != std::string_view::npos) {
    written.advertised = text.substr(equals + 1);
    text = text.substr(0, equals);
  }
  written.host = text;
  return written;
}

Pair split_pair(std::string_view text, Family family) {
  const auto slash = text.find('/');
  Pair pair;
  if (const auto first = text.substr(0, slash); !first.empty()) pair.first = split(first, family);
  if (slash == std::string_view::npos) return pair;
  if (const auto second = text.substr(slash + 1); !second.empty()) pair.second = split(second, family);
  return pair;
}

std::expected<net::Address, std::string> address_of(const Written& written, bool resolve_names) {
  const char* option = written.family == Family::ipv4 ? "-l" : "-6";
  if (written.host == "*") return net::Address::any(written.family);
  if (const auto address = net::Address::parse(written.host)) {
    if (address->family() == written.family) return *address;
    return Failure{fmt::format("{}: {} is an address of the other family", option, written.host)};
  }
  if (!resolve_names) return Failure{fmt::format("{}: '{}' is not an address", option, written.host)};
  auto address = net::resolve(written.host, written.family);
  if (!address) return Failure{fmt::format("{}: {}", option, address.error().message())};
  return *address;
}

// What the options say when taken together: the two sides of a bridge, and all others in order.
struct Roles {
  std::optional<Written> internal, external;  // bridging when both are there
  std::vector<Written> others;
};

std::expected<Roles, std::string> roles_of(const DropInAddresses& addresses) {
  Roles roles;
  const auto take = [&roles](const Pair& pair) -> bool {
    if (pair.second) {
      if (roles.external) return false;
      roles.external = pair.second;
      if (pair.first) {
        if (roles.internal) return false;
        roles.internal = pair.first;
      }
    } else if (pair.first) {
      roles.others.push_back(*pair.first);
    }
    return true;
  };
  bool fine = true;
  const auto take_all = [&](const std::vector<std::string>& texts, Family family) {
    for (const auto& text : texts) fine = fine && take(split_pair(text, family));
  };
  // Which family comes first is all that the order between the two says.
  if (addresses.ipv6_first) take_all(addresses.ipv6, Family::ipv6);
  take_all(addresses.ipv4, Family::ipv4);
  if (!addresses.ipv6_first) take_all(addresses.ipv6, Family::ipv6);
  if (!fine) return Failure{std::string{"-l/-6: there can be only one pair of bridged addresses"}};
  // -l A -6 /B: the side before the slash came by itself.
  if (roles.external && !roles.internal) {
    const auto plain = std::ranges::find_if(roles.others, [](const Written& w) { return w.label.empty(); });
    if (plain == roles.others.end()) {
      return Failure{fmt::format("'/{}': the internal address of the bridge is missing", roles.external->host)};
    }
    roles.internal = *plain;
    roles.others.erase(plain);
  }
  return roles;
}

std::optional<std::string> check(const Roles& roles) {
  for (const auto* side : {&roles.internal, &roles.external}) {
    if (*side && (!(*side)->label.empty() || !(*side)->advertised.empty())) {
      return fmt::format("{}: bridged addresses take no label and no =ADVERTISED (use -A)", (*side)->host);
    }
  }
  const std::size_t total = roles.others.size() + (roles.internal ? 2 : 0);
  if (total > kMaxDropInAddresses) return fmt::format("{} addresses, {} are allowed", total, kMaxDropInAddresses);
  for (std::size_t i = 0; i < roles.others.size(); ++i) {
    const auto& other = roles.others[i];
    // Older releases took one address of each family without a label; so do we.
    const bool second_family = i == 1 && !roles.internal && other.family != roles.others[0].family;
    if (other.label.empty() && (i > 0 || roles.internal) && !second_family) {
      return fmt::format("{}: a further address needs a label, LABEL@{}", other.host, other.host);
    }
    const auto same = [&](const Written& w) { return !w.label.empty() && w.label == other.label; };
    if (std::ranges::count_if(roles.others, same) > 1) return fmt::format("the label '{}' is used twice", other.label);
  }
  return std::nullopt;
}

// -A A[/B]: for the bridge both, else for the default address.
std::optional<std::string> advertise(std::string_view text, DropInInterfaces& made) {
  if (text.empty()) return std::nullopt;
  const auto slash = text.find('/');
  const auto first = text.substr(0, slash);
  const auto second = slash == std::string_view::npos ? std::string_view{} : text.substr(slash + 1);
  if (made.bridging) {
    if (first.empty() || second.empty()) return "-A: bridging needs both advertised addresses, -A INTERNAL/EXTERNAL";
    made.interfaces[0].advertised = first;
    made.interfaces[1].advertised = second;
    return std::nullopt;
  }
  if (!second.empty()) return "-A: two advertised addresses need bridging, -l INTERNAL/EXTERNAL";
  if (made.interfaces[0].advertised.empty()) made.interfaces[0].advertised = first;
  return std::nullopt;
}

}  // namespace

std::expected<DropInInterfaces, std::string> make_interfaces(const DropInAddresses& addresses,
                                                             const net::PortRange& range) {
  auto roles = roles_of(addresses);
  if (!roles) return Failure{roles.error()};
  if (const auto problem = check(*roles)) return Failure{*problem};

  DropInInterfaces made{.interfaces = {}, .bridging = roles->internal.has_value()};
  std::vector<Written> all;
  if (made.bridging) {
    roles->internal->label = "internal";
    roles->external->label = "external";
    all = {*roles->internal, *roles->external};
  }
  all.insert(all.end(), roles->others.begin(), roles->others.end());
  if (all.empty()) all.push_back({.host = "*"});
  for (const auto& written : all) {
    const auto address = address_of(written, addresses.resolve_names);
    if (!address) return Failure{address.error()};
    made.interfaces.push_back(
        {.name = written.label, .addresses = {*address}, .advertised = written.advertised, .range = range});
  }
  if (const auto problem = advertise(addresses.advertised, made)) return Failure{*problem};
  return made;
}

}  // namespace millrace::app
