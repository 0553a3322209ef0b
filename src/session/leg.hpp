#pragma once
// The parties of a call as plain data. A Leg is one party, named by its SIP tag, or not named yet. A MediaStream is
// one m= line of it: the local port pair that faces the party, where the party is, and what it said of itself.
// Written by session on the control thread alone.

#include <array>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flow/counters.hpp"
#include "flow/latching.hpp"
#include "flow/plan.hpp"
#include "net/endpoint.hpp"
#include "net/port_pool.hpp"
#include "net/unique_fd.hpp"
#include "session/side.hpp"

namespace millrace::session {

// Where a stream's ports are to be made.
struct Place {
  const net::Interface* interface = nullptr;
  net::Address exact;  // this address and no other; not set: any address of the interface
};

// What workers reported of a remote; the history is only as long as it has become.
struct LearnedRemote {
  net::Endpoint destination;
  bool learned = false;
  bool locked = false;
  std::vector<flow::HistoryEntry> history;
};

// One port of a pair.
struct MediaPort {
  net::UniqueFd socket;                     // from bind until the plan that names it is installed
  flow::CounterBlock* counters = nullptr;   // from the arena, as long as the connection
  std::unique_ptr<LearnedRemote> remote;    // nothing reported yet: null
};

struct Leg;

struct MediaStream {
  Leg* leg = nullptr;
  std::string media;  // ";1", or empty when the tag has no number

  Place place;
  net::Endpoint local;         // of RTP; not set: no ports yet
  bool handed_over = false;    // a worker owns the sockets
  bool rtcp = true;            // has an RTCP port, local + 1
  flow::Transport transport = flow::Transport::datagram;
  std::array<MediaPort, 2> ports;  // by Channel

  net::Endpoint signalled;               // of RTP; not set: never said
  std::uint32_t signalled_revision = 0;  // counts every time an address was said
  bool asymmetric = false;
  bool held = false;
  std::uint32_t hold_count = 0;          // how often it was put on hold
  std::vector<std::uint8_t> codecs;      // payload types that the party takes
  std::uint16_t repacketize_ms = 0;      // of what comes from the party
  std::optional<std::uint8_t> tos;       // of what is sent to the party, instead of the configured one
  bool weak = false;                     // a weak reference holds the connection at this leg
  std::uint64_t signs_at_sweep = 0;      // signs_of_life() when the last sweep looked

  [[nodiscard]] bool has_ports() const { return local.is_set(); }
  [[nodiscard]] bool has_port(Channel channel) const { return has_ports() && (channel == Channel::rtp || rtcp); }
  [[nodiscard]] MediaPort& port(Channel channel) { return ports[index_of(channel)]; }
  [[nodiscard]] const MediaPort& port(Channel channel) const { return ports[index_of(channel)]; }
  [[nodiscard]] std::string name() const;                  // "tag;1"
  [[nodiscard]] std::uint64_t accepted_packets() const;    // RTP and RTCP, as of now
  [[nodiscard]] std::uint64_t arrived_packets() const;     // the same with what was refused
  // What grows while the party is there: packets from it, and writes to a stream, which it takes one after the other.
  [[nodiscard]] std::uint64_t signs_of_life() const;
};

struct Leg {
  std::string tag;  // without a number; empty: not named yet
  std::list<MediaStream> streams;
};

}  // namespace millrace::session
