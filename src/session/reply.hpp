#pragma once
// What calls.execute() answers. Front ends put it into their own words.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "flow/counters.hpp"
#include "net/endpoint.hpp"
#include "session/view.hpp"

namespace millrace::session {

enum class Error : std::uint8_t {
  not_found,             // no such call or connection
  no_port_for_new,       // a new connection found no free port pair; nothing is left of it
  no_port_for_leg,       // no port pair for the second leg or for a renewed one; the rest is as before
  no_such_address,       // an address or interface that is not ours or is unknown
  no_route,              // nothing leads from here to the address given
  no_address_of_family,  // no local address of the family that the party needs
  busy,                  // too much under way
  draining,              // no new connections any more
  limit_reached,         // configured number of calls
  not_supported,         // a media stage that is not there
  no_codecs,             // the party never said which codecs it takes
  in_use,                // the call-id of a Create
  owner_limit_reached,   // max_connections_per_owner
};
std::string_view describe(Error error);

struct Done {};

// The local port that the reply is about.
struct LocalMedia {
  net::Endpoint local;
  std::string advertised;  // what to say instead of the address; empty: the address itself
};

// Seen from the party that asked: `party` is what arrives from it, `other` what arrives from the other side.
struct ConnectionCounters {
  std::chrono::seconds ttl{0};  // remaining, the smaller of both sides; Timers::kNever: it may be silent for ever
  flow::FlowCounters party_rtp, party_rtcp, other_rtp, other_rtcp;
};

// Of a Create: which of its two local endpoints could not be had, and why.
struct PortRefused {
  bool callee_side = false;
  net::Endpoint local;
  Error error = Error::no_such_address;  // or no_port_for_new
  std::string reason;                    // what the machine said: "Address already in use"
};

using Reply = std::variant<Done, LocalMedia, ConnectionCounters, Error, PortRefused, View>;

}  // namespace millrace::session
