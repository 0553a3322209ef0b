#pragma once
// The contract between deciding (session) and forwarding (dataplane). A FlowPlan says, declaratively, how one
// connection is forwarded: its local ports, what is known of the peers, and for each port which ports its packets
// leave from. Installing a plan under a known id replaces the old one; learned remotes and counters stay.
//
//   peer ──► port (ingress) ──► egress: another port ──► that port's remote
//
// Plans are values, made on the control thread, moved to the worker that owns the connection.

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/strong.hpp"
#include "flow/counters.hpp"
#include "flow/latching.hpp"
#include "net/endpoint.hpp"
#include "net/unique_fd.hpp"

namespace millrace::flow {

inline constexpr std::size_t kMaxDatagram = 8192;  // bytes; longer ones are Drop::too_long

// The four ports of a connection. "Offerer" is the leg that was named first.
enum class Slot : std::uint8_t { offerer_rtp, offerer_rtcp, answerer_rtp, answerer_rtcp };
inline constexpr std::size_t kSlots = 4;
constexpr bool is_rtcp(Slot slot) { return (static_cast<unsigned>(slot) & 1) != 0; }
constexpr Slot rtcp_of(Slot rtp) { return static_cast<Slot>(static_cast<unsigned>(rtp) | 1); }
constexpr Slot other_side(Slot slot) { return static_cast<Slot>(static_cast<unsigned>(slot) ^ 2); }

// One subscription: packets that arrive at the port that lists it also leave from this one, to that one's remote.
// It may belong to another connection (a fork), on the same worker.
struct Egress {
  ConnectionId connection;
  Slot slot = Slot::offerer_rtp;
  friend bool operator==(const Egress&, const Egress&) = default;
};

inline constexpr std::size_t kMaxEgresses = 32;  // of one port

struct PortPlan {
  Slot slot = Slot::offerer_rtp;   // which peer it faces, RTP or RTCP
  net::Endpoint local;
  net::Endpoint signalled;         // where the signalling says the peer is; not set: not said yet
  std::uint32_t signalled_revision = 0;  // grows each time the signalling names an address, also the same one
  LatchRules latching;
  std::uint8_t tos = 0;            // IPv4 TOS / IPv6 traffic class of what leaves here
  std::uint8_t ttl = 0;            // of what leaves here; 0: the system's
  bool double_small = false;       // datagrams below kSmallDatagram are sent twice
  CounterBlock* counters = nullptr;  // control took it from the arena; lives until the connection is removed
  std::vector<Egress> egresses;
};
inline constexpr std::size_t kSmallDatagram = 128;  // bytes

struct FlowPlan {
  ConnectionId id;
  bool complete = false;  // both legs are named; before, what arrives is Drop::not_complete
  std::vector<PortPlan> ports;  // at most one of each slot
  // Forks need both connections on one worker: where this one belongs, when it is joined to another.
  std::optional<ConnectionId> beside;
};

// A plan with the sockets it needs for ports that are new (or renewed); -1: the one it has. The receiver owns them.
struct Installation {
  std::unique_ptr<const FlowPlan> plan;
  std::array<net::UniqueFd, kSlots> sockets;
};

// What the forwarding half tells back. Events state what is, so a later one makes an earlier one unnecessary.
struct RemoteChanged {
  ConnectionId connection;
  Slot slot = Slot::offerer_rtp;
  RemoteState remote;
};
struct PortClosed {   // the socket is closed: the port may rest
  net::Endpoint local;
};
struct Removed {      // every port of it is closed, its counters are final
  ConnectionId connection;
};

// What session asks of the forwarding half. Control thread. dataplane's placement implements it; a test may too.
class Forwarder {
 public:
  virtual ~Forwarder() = default;
  // False: too much is under way, answer "busy" to whoever wants a new connection.
  [[nodiscard]] virtual bool accepts_new() const = 0;
  // Never refused: what does not fit now is kept and goes on a later turn, the latest plan of a connection only.
  virtual void install(Installation installation) = 0;
  virtual void remove(ConnectionId connection) = 0;
};

}  // namespace millrace::flow
