#pragma once
// What a worker keeps of a connection: its ports and whom each one feeds. One block per connection, never moved while
// a worker has it, handed over as a whole when the connection changes workers. About 2.8 KB: the two RTP ports share
// out what only RTP needs. Plain data: connections.hpp makes and changes it, relay.hpp forwards with it.

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include <absl/container/inlined_vector.h>

#include "base/static_vector.hpp"
#include "base/time.hpp"
#include "dataplane/socket/reports.hpp"
#include "flow/plan.hpp"
#include "rtp/reception.hpp"

namespace millrace::dataplane {

// A destination as the kernel wants it, made once when it changes and not once a packet.
class Destination {
 public:
  void set(const net::Endpoint& endpoint);
  [[nodiscard]] bool is_set() const { return length_ != 0; }
  [[nodiscard]] const sockaddr* address() const { return reinterpret_cast<const sockaddr*>(bytes_.data()); }
  [[nodiscard]] socklen_t length() const { return length_; }

 private:
  alignas(8) std::array<std::byte, 28> bytes_{};  // sockaddr_in or sockaddr_in6
  std::uint8_t length_ = 0;
};

struct Connection;
struct Limits;
struct MediaPort;
struct StreamPair;

// What an event of the worker's epoll set is about: each thing that is watched begins with what it is.
enum class Watched : std::uint8_t {
  datagrams,  // a MediaPort
  listener,   // a MediaPort whose clients are streams
  stream,     // a StreamEnd
};
struct Watchable {
  Watched watched_as = Watched::datagrams;
};

// A subscription, and the port it leads to while there is one.
struct Link {
  flow::Egress egress;
  MediaPort* port = nullptr;
};

struct MediaPort : Watchable {
  // What every packet touches comes first.
  flow::Slot slot = flow::Slot::offerer_rtp;
  flow::Transport transport = flow::Transport::datagram;
  bool open = false;
  bool double_small = false;
  bool dirty = false;  // the remote changed and control has not been told
  bool told = false;   // control has heard of the remote before
  flow::CounterBlock* counters = nullptr;
  Connection* connection = nullptr;
  rtp::Reception* reception = nullptr;  // nothing on an RTCP port
  net::UniqueFd socket;  // the worker's; the relay only carries it. Of a stream: listens, or keeps the port
  Destination destination;  // of a framed stream: its peer, while it is connected
  absl::InlinedVector<Link, 1> links;  // a plain call has one egress: no further line of memory is touched
  flow::Latch latch;

  // A stream's packets go to whom it is connected to, wherever that is.
  void refresh_destination() {
    if (!flow::is_stream(transport)) destination.set(latch.destination());
  }

  // What only an install looks at.
  net::Endpoint local;
  std::uint32_t signalled_revision = 0;
  std::uint8_t tos = 0, ttl = 0;
  bool watched = false;  // the worker's: the socket is in its epoll set
  std::uint8_t marked_tos = 0, marked_ttl = 0;  // the worker's: what the socket has
};

struct Connection {
  ConnectionId id;
  bool complete = false;
  std::array<MediaPort, flow::kSlots> ports;
  std::array<rtp::Reception, flow::kSlots / 2> receptions;
  std::array<PassedReport, flow::kSlots / 2> passed_reports;  // of the offerer, of the answerer
  std::unique_ptr<Limits> limits;  // nothing: what comes may pass
  std::unique_ptr<StreamPair> streams;  // nothing: datagrams alone

  Connection();
  ~Connection();
  Connection(const Connection&) = delete;  // ports point into it
  Connection& operator=(const Connection&) = delete;
  [[nodiscard]] MediaPort& port(flow::Slot slot) { return ports[static_cast<std::size_t>(slot)]; }
};

// A datagram as it was received.
struct Datagram {
  std::span<std::byte> bytes;
  net::Endpoint from;
  WallTime stamp;  // the kernel's, CLOCK_REALTIME; the epoch: none
  bool too_long = false;  // `bytes` is not all of it
};

// One packet that is to leave: from `out`'s socket to `out`'s destination. Whoever sends says how it went.
struct Send {
  MediaPort* out = nullptr;
  std::span<const std::byte> bytes;
  bool sent = false;
  bool congested = false;  // not sent: the stream takes nothing now
};
using Sends = StaticVector<Send, 2 * flow::kMaxEgresses>;  // small datagrams may leave twice

}  // namespace millrace::dataplane
