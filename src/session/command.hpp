#pragma once
// The one vocabulary that every control protocol is translated into. Commands are plain values; calls.execute() runs
// one on the control thread. Tags are the signalling's (SIP) tags; a text "tag;N" names media stream N of that party.
//
// Who is who: the first Offer of a connection makes its *offerer* (the party named by `from`); the other side is the
// *answerer*. A later command finds the connection by its tags, forward (from = the offerer) or reversed.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/strong.hpp"
#include "flow/plan.hpp"
#include "net/endpoint.hpp"

namespace millrace::session {

struct Parties {
  std::string call_id;
  std::string from;  // the tag of the party that speaks, with its ";N" if it has one
  std::string to;    // the other party's; empty: not named (yet)
};

// Which local address a port is to be made on.
struct InterfaceNamed {  // a configured interface: "internal", "external", a label
  std::string name;
};
struct LocalAddress {    // exactly this address of the host
  net::Address address;
};
struct RouteTo {         // the local address from which the routing table reaches that one
  net::Address remote;
};
using LocalChoice = std::variant<InterfaceNamed, LocalAddress, RouteTo>;

// What a command says of the party that it speaks for.
struct PartySide {
  std::optional<net::Endpoint> remote{};  // nothing: not said; a null address (0.0.0.0, ::) puts the party on hold
  bool ipv6 = false;                    // the party is reached over IPv6
  std::optional<bool> asymmetric{};       // nothing: as configured
  std::vector<std::uint8_t> codecs{};     // payload types the party takes, empty: not said (forgets earlier ones)
  std::uint16_t repacketize_ms = 0;     // of what comes from the party; 0: as it comes
  bool weak = false;                    // the reference that this command holds is weak
  bool new_port = false;                // make the leg that the reply names a new port pair
  std::optional<LocalChoice> port_on{};   // for every port that this command makes (all of a new connection)
  // For a new connection: where the port facing the party, and the one facing the other side, belong. On an existing
  // connection without effect, except that with new_port and both given facing_other is used for the renewed port.
  std::optional<LocalChoice> facing_party{};
  std::optional<LocalChoice> facing_other{};
  std::optional<std::chrono::seconds> idle_ttl{};  // from now on, instead of the configured one
};

// Whom to tell when the connection times out; what the target means is the front end's.
struct Notify {
  std::string target;
  std::string tag;
};

// Creates the connection if nothing matches. The reply names the port that the *other* party is to send to.
struct Offer {
  Parties parties;
  PartySide party;
  std::optional<Notify> notify{};  // replaces; nothing: removes
};

// Like Offer on an existing connection, with the roles turned round: `from` names the *other* party, `party` is the
// one named by `to`. The reply names the port that the party of `from` is to send to. Never creates.
struct Answer {
  Parties parties;
  PartySide party;
};

struct Delete {
  Parties parties;
  bool weak = false;  // only the weak reference of the party
};
struct DeleteAll {};  // all that signalling made; sessions are their controller's

// The counters of one connection, seen from the party of `from`.
struct Query {
  Parties parties;
};

// Changes one connection without touching its ports.
struct Adjust {
  Parties parties;
  bool other_side = false;                    // of the party that `from` names, or of the other one
  std::optional<std::chrono::seconds> ttl{};   // idle TTL, at once and for resets; > 0
  std::optional<std::uint8_t> tos{};           // of what is sent to the party
};

// Everything that `source` receives, RTP and RTCP, both directions, also leaves from the legs of `into`; what the
// parties of `into` send is dropped from then on.
struct Fork {
  Parties into;
  Parties source;
};

// A session: a call of one connection that is made in one go, with both its sides. The offerer ("caller") is whoever
// sends to its local endpoint, the answerer ("callee") is at `destination`.
inline constexpr std::string_view kCaller = "caller";
inline constexpr std::string_view kCallee = "callee";

struct SideWanted {
  net::Endpoint local;  // port 0: one of the ports that the address' interface hands out; else exactly this one
  flow::Transport transport = flow::Transport::datagram;
};
// Nothing: as configured, in an Update: as it is.
struct SessionOptions {
  std::optional<std::chrono::seconds> idle_timeout{};    // 0: it may be silent for ever
  std::optional<std::chrono::seconds> stats_interval{};  // a StatisticsDue that often; 0: never
  std::optional<flow::RateLimit> limit{};                // a configured limit that is lower stays
  flow::StreamOptions stream{};                          // of a Create
};
using Labels = std::map<std::string, std::string>;

// Refused with Error::in_use when the call-id is in use, whatever made it. Where a port is named whose RTCP port is
// taken the session runs without RTCP; a chosen pair has both.
struct Create {
  std::string call_id;
  SideWanted caller, callee;
  net::Endpoint destination;
  SessionOptions options;
  Labels labels{};
  std::string owner{};  // who made it; what counts for max_connections_per_owner
};
// Of a session only, others are not_found. The reply is its View.
struct Update {
  std::string call_id;
  std::optional<net::Endpoint> destination{};  // streams: from the next client on
  SessionOptions options{};
};
// Ends one connection, whatever made it. The reply is its last View.
struct End {
  ConnectionId connection;
};

// Media commands: decoded by the front ends already, refused by the session until the media stages are there.
struct Play {
  Parties parties;
  std::string name;
  std::vector<std::uint8_t> codecs;  // empty: the ones signalled for the party
  int repeat = 1;                    // negative: for ever; 0: only stop
};
struct StopPlay {
  Parties parties;
};
struct StartRecording {
  Parties parties;
  bool single_file = false;
};
struct StopRecording {
  Parties parties;
  bool both = false;
};
struct Copy {
  Parties parties;
  std::string target;
  bool single_file = false;
  bool tell_address = false;
};

using Command = std::variant<Offer, Answer, Delete, DeleteAll, Query, Adjust, Fork, Play, StopPlay, StartRecording,
                             StopRecording, Copy, Create, Update, End>;

}  // namespace millrace::session
