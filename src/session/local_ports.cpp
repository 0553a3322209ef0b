#include "session/local_ports.hpp"

#include <algorithm>
#include <array>
#include <ranges>
#include <utility>

namespace millrace::session {

std::expected<Place, Error> LocalPorts::place(const LocalChoice& choice) const {
  if (const auto* named = std::get_if<InterfaceNamed>(&choice)) {
    const net::Interface* interface = pool_.find(named->name);
    if (interface == nullptr) return std::unexpected{Error::no_such_address};
    return Place{.interface = interface, .exact = {}};
  }
  if (const auto* local = std::get_if<LocalAddress>(&choice)) return place_of(local->address);
  const auto source = host_.towards(std::get<RouteTo>(choice).remote);
  if (!source) return std::unexpected{Error::no_route};
  return place_of(*source);
}

std::expected<Place, Error> LocalPorts::place_of(const net::Address& address) const {
  if (const net::Interface* interface = pool_.find(address)) return Place{.interface = interface, .exact = address};
  // The machine has addresses that no interface of ours lists; they share the default one's port range.
  if (address.is_any() || !host_.is_local(address)) return std::unexpected{Error::no_such_address};
  return Place{.interface = &default_interface(), .exact = address};
}

std::expected<Place, Error> LocalPorts::default_place(net::Family wanted) const {
  const auto family_of = [](const net::Interface& interface) { return interface.addresses.front().family(); };
  if (family_of(default_interface()) == wanted) return Place{.interface = &default_interface(), .exact = {}};
  for (const net::Interface& interface : pool_.interfaces() | std::views::reverse) {
    if (family_of(interface) == wanted) return Place{.interface = &interface, .exact = {}};
  }
  return std::unexpected{Error::no_address_of_family};
}

std::expected<LocalPorts::Places, Error> LocalPorts::places_for_new(const PartySide& party) const {
  if (party.port_on) {
    const auto both = place(*party.port_on);
    if (!both) return std::unexpected{both.error()};
    return Places{.party = *both, .other = *both};
  }
  if (!party.facing_party && !party.facing_other) {
    const auto both = default_place(party.ipv6 ? net::Family::ipv6 : net::Family::ipv4);
    if (!both) return std::unexpected{both.error()};
    return Places{.party = *both, .other = *both};
  }
  // A side that was not chosen is on the first interface, whatever its family: the choice of the one side says that
  // the operator bridges.
  Places places{.party = {.interface = &default_interface(), .exact = {}},
                .other = {.interface = &default_interface(), .exact = {}}};
  for (auto [choice, result] :
       {std::pair{&party.facing_party, &places.party}, std::pair{&party.facing_other, &places.other}}) {
    if (!*choice) continue;
    const auto chosen = place(**choice);
    if (!chosen) return std::unexpected{chosen.error()};
    *result = *chosen;
  }
  return places;
}

std::expected<Place, Error> LocalPorts::place_for_leg(const MediaStream& leg, const PartySide& party) const {
  if (party.port_on) return place(*party.port_on);
  if (party.new_port && leg.has_ports() && party.facing_party && party.facing_other) return place(*party.facing_other);
  return leg.place;
}

bool LocalPorts::make_pair(MediaStream& stream, const Place& place, TimePoint now) {
  const bool any = place.exact.family() == net::Family::none;
  auto pair = any ? pool_.take(*place.interface, now) : pool_.take(place.exact, place.interface->range, now);
  if (!pair) return false;
  give_up(stream, now);
  stream.place = place;
  stream.local = pair->rtp;
  stream.port(Channel::rtp).socket = std::move(pair->rtp_socket);
  stream.port(Channel::rtcp).socket = std::move(pair->rtcp_socket);
  stream.handed_over = false;
  return true;
}

// A wildcard address that no interface lists is fine here: whoever names it wants all of the host's.
std::expected<Place, Error> LocalPorts::place_for_session(const net::Address& address) const {
  if (!address.is_any() || pool_.find(address) != nullptr) return place_of(address);
  return Place{.interface = &default_interface(), .exact = address};
}

std::expected<SessionPorts, PortRefused> LocalPorts::make_session(const SideWanted& caller, const SideWanted& callee,
                                                                  TimePoint now) {
  std::array<Place, 2> places;
  for (const auto& [wanted, side] : {std::pair{&caller, Side::offerer}, std::pair{&callee, Side::answerer}}) {
    const auto place = place_for_session(wanted->local.address);
    if (!place) {
      return std::unexpected{PortRefused{.callee_side = side == Side::answerer,
                                         .local = wanted->local,
                                         .error = place.error(),
                                         .reason = std::string{describe(place.error())}}};
    }
    places[index_of(side)] = *place;
  }
  return take_session_ports(pool_, {.wanted = caller, .place = places[0]}, {.wanted = callee, .place = places[1]}, now);
}

void LocalPorts::give_up(MediaStream& stream, TimePoint now) {
  if (!stream.has_ports()) return;
  if (flow::is_stream(stream.transport)) pool_.retire_stream(stream.local);
  if (stream.handed_over) return;
  for (MediaPort& port : stream.ports) port.socket = net::UniqueFd{};
  pool_.give_back(stream.local, now);
}

LocalMedia LocalPorts::media_of(const MediaStream& stream) {
  const net::Interface& interface = *stream.place.interface;
  // What is advertised stands for the addresses the interface lists, not for one that a command picked beside them.
  const bool listed = std::ranges::find(interface.addresses, stream.local.address) != interface.addresses.end();
  return {.local = stream.local, .advertised = listed ? interface.advertised : std::string{}};
}

}  // namespace millrace::session
