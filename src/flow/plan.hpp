#pragma once
// The contract between deciding (session) and forwarding (dataplane). A FlowPlan says, declaratively, how one
// connection is forwarded: its local ports, what is known of the peers, and for each port which ports its packets
// leave from. Installing a plan under a known id replaces the old one; learned remotes and counters stay.
//
//   peer ──► port (ingress) ──► egress: another port ──► that port's remote
//
// Plans are values, made on the control thread, moved to the worker that owns the connection.

#include <array>
#include <chrono>
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

// How a port's packets travel.
enum class Transport : std::uint8_t {
  datagram,       // UDP
  stream,         // TCP, bytes as they come: nothing looks at them
  framed_stream,  // TCP, each packet behind its length: RFC 4571. RTP and RTCP share it (RFC 5761)
};
constexpr bool is_stream(Transport transport) { return transport != Transport::datagram; }

// Which packets an egress takes. A framed stream carries RTP and RTCP; on its way to datagrams each goes to its port.
enum class Carries : std::uint8_t { everything, all_but_rtcp, rtcp };

// One subscription: packets that arrive at the port that lists it also leave from this one, to that one's remote.
// It may belong to another connection (a fork), on the same worker. Streams are never forked: the egress of an
// unframed one is the other side's unframed one.
struct Egress {
  ConnectionId connection;
  Slot slot = Slot::offerer_rtp;
  Carries carries = Carries::everything;
  friend bool operator==(const Egress&, const Egress&) = default;
};

inline constexpr std::size_t kMaxEgresses = 32;  // of one port

// Of a port that is a stream. The offerer's side listens: its socket is a listener, one client is served at a time, the
// next ones wait in its backlog. The answerer's side connects from `local` to `signalled` when the client is there (or,
// when the client's side is datagrams, with its first packet); its socket is bound and never used itself: it keeps the
// port, each connection is a socket of its own beside it (SO_REUSEADDR).
struct StreamOptions {
  std::chrono::milliseconds connect_timeout{5000};
  std::chrono::seconds keep_alive{60};  // silence before the kernel probes the peer; 0: never
  std::chrono::seconds user_timeout{120};  // unacknowledged data ends the stream; 0: the system's (TCP_USER_TIMEOUT)
  friend bool operator==(const StreamOptions&, const StreamOptions&) = default;
};

// What one side of a connection may send, RTP and RTCP together; 0: as much as it likes. Datagrams and frames above it
// are Drop::limit; an unframed stream is slowed down instead, to bits_per_second.
struct RateLimit {
  std::uint32_t packets_per_second = 0;
  std::uint64_t bits_per_second = 0;  // of payload: what is inside UDP or TCP
  std::chrono::milliseconds burst{1000};  // how much of it may come at once
  [[nodiscard]] bool is_set() const { return packets_per_second != 0 || bits_per_second != 0; }
  friend bool operator==(const RateLimit&, const RateLimit&) = default;
};

struct PortPlan {
  Slot slot = Slot::offerer_rtp;  // which peer it faces, RTP or RTCP
  net::Endpoint local;
  net::Endpoint signalled;  // where the signalling says the peer is; not set: not said yet
  std::uint32_t signalled_revision = 0;  // grows each time the signalling names an address, also the same one
  LatchRules latching;
  std::uint8_t tos = 0;  // IPv4 TOS / IPv6 traffic class of what leaves here
  std::uint8_t ttl = 0;  // of what leaves here; 0: the system's
  bool double_small = false;  // datagrams below kSmallDatagram are sent twice
  CounterBlock* counters = nullptr;  // control took it from the arena; lives until the connection is removed
  std::vector<Egress> egresses;
  Transport transport = Transport::datagram;  // of an RTP slot; a stream has no RTCP port
  StreamOptions stream;
};
inline constexpr std::size_t kSmallDatagram = 128;  // bytes

struct FlowPlan {
  ConnectionId id;
  bool complete = false;  // both legs are named; before, what arrives is Drop::not_complete
  std::vector<PortPlan> ports;  // at most one of each slot
  RateLimit limit;
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
struct PortClosed {  // the socket is closed: the port may rest
  net::Endpoint local;
};
// A stream's way, in order, each exactly once.
enum class StreamState : std::uint8_t {
  waiting,  // for a client: at first, and again when both directions of the last one have ended
  connecting,  // a client is there; on the way to the destination
  connected,
  failed,  // the way to the destination, or a stream in the middle; both ends are closed, the next client may come
};
struct StreamChanged {
  ConnectionId connection;
  StreamState state = StreamState::waiting;
  net::Endpoint client;  // of connecting and connected
  net::Endpoint local;  // of connected: what the destination sees; differs from the plan when its port was not free
  std::string reason;  // of failed and of waiting after a client: "connect 192.0.2.1:80: Connection refused"
};
struct Removed {  // every port of it is closed, its counters are final
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
