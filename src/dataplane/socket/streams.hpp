#pragma once
// The streams of one worker: accepts clients, connects to destinations, moves bytes or packets between them, and ends
// what has ended. One client of a connection is served at a time; the next ones wait in the listener's backlog.
//
//   waiting ──a client, or a datagram for the destination──► connecting ──► connected ──both directions ended──► waiting
//                                                                └──────────────┴─────an error──► failed: waiting too
//
// Bytes of an unframed stream stay in the kernel (pump.cpp); packets of a framed one are taken out here and forwarded
// by the worker, and come back through send() (framed.cpp). What cannot be written is not read: interest in a socket
// is given up instead of asked for in vain. One thread; packets allocate nothing, a new connection may.

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>

#include "base/error.hpp"
#include "base/time.hpp"
#include "dataplane/socket/connections.hpp"
#include "dataplane/socket/deadlines.hpp"
#include "dataplane/socket/messages.hpp"
#include "dataplane/socket/pipes.hpp"
#include "dataplane/socket/relay.hpp"
#include "dataplane/socket/statistics.hpp"
#include "dataplane/socket/stream_pair.hpp"

namespace millrace::dataplane {

// One event passes on no more packets of a framed stream than these, so that a fast one does not keep a worker from
// other packets: about 70 us, like an unframed stream's.
inline constexpr std::size_t kPacketsPerEvent = 16;

class Streams {
 public:
  // What a worker lends: all of it outlives the streams.
  struct House {
    int epoll;
    Relay& relay;
    WorkerStatistics& statistics;
    std::deque<WorkerEvent>& told;  // goes to control, in order
  };
  Streams(House house, std::size_t pipes) : house_{house}, pipes_{pipes} {}

  // Around Connections::install(): what the new plan ends, before its sockets go; what it begins, after.
  void before_install(Connection& connection, const flow::FlowPlan& plan,
                      const std::array<net::UniqueFd, flow::kSlots>& sockets);
  void after_install(Connection& connection, const flow::FlowPlan& plan, Now now);
  void remove(Connection& connection);

  void on_listener(MediaPort& port, Now now);
  void on_event(StreamEnd& end, std::uint32_t events, Now now);
  // What is due, one after the other; the pair that it was about, nothing when none is.
  [[nodiscard]] StreamPair* run_due(Now now);
  [[nodiscard]] std::optional<TimePoint> next_due() const { return deadlines_.first(); }
  // After on_event() and run_due(): packets that came on framed streams, until there are no more or they have to wait;
  // then settle() passes on what has ended and says what to wait for.
  struct Arrived {
    MediaPort* port = nullptr;
    Datagram in;
  };
  [[nodiscard]] std::optional<Arrived> next_packet(StreamPair& pair);
  void settle(StreamPair& pair, Now now);

  // One packet out of a framed stream; says in `send` how it went.
  void send(Send& send, Now now);
  // A datagram was accepted and nobody is connected to take it.
  void want_destination(Connection& connection, Now now);

  [[nodiscard]] const PipePool& pipes() const { return pipes_; }

 private:
  // Which end broke, and how; nothing: neither. A system call tells an error once, so it is not left to an event.
  struct Broken {
    StreamEnd* end = nullptr;
    int error = 0;
    explicit operator bool() const { return end != nullptr; }
  };

  // streams.cpp
  void begin(StreamPair& pair, const std::string& reason);
  void listen(StreamPair& pair, bool wanted);
  void adopt_client(StreamPair& pair, net::UniqueFd socket, const net::Endpoint& peer, Now now);
  void connect(StreamPair& pair, Now now);
  void on_connect_event(StreamPair& pair, Now now);
  void connected(StreamPair& pair);
  void fail(StreamPair& pair, flow::StreamState state, std::string reason, Now now);
  void fail(const Broken& broken, Now now);
  void finish(StreamPair& pair, bool abort);
  void close(StreamEnd& end, bool abort);
  void tell(StreamPair& pair, flow::StreamState state, std::string reason = {});
  [[nodiscard]] bool prepare(StreamEnd& end, const flow::StreamOptions& options);
  void pass_on_end(StreamEnd& end);
  void update_interest(StreamEnd& end);
  void watch(StreamEnd& end, std::uint32_t interest);
  [[nodiscard]] Broken move(StreamEnd& end, std::uint32_t events, Now now);

  // pump.cpp
  [[nodiscard]] Broken fill(StreamEnd& from, Now now);
  [[nodiscard]] Broken drain(StreamEnd& from);
  [[nodiscard]] Broken fill_without_pipe(StreamEnd& from, std::size_t at_most, Now now);
  [[nodiscard]] std::size_t allowance(StreamEnd& from, Now now);
  void count_read(StreamEnd& from, std::size_t bytes, Now now);
  void count_out(StreamEnd& to, std::size_t bytes);
  void count_relayed(StreamEnd& from);

  // framed.cpp
  [[nodiscard]] Broken read_packets(StreamEnd& end, Now now);
  [[nodiscard]] Broken write_rest(StreamEnd& end);
  [[nodiscard]] bool has_room(const StreamEnd& end) const;
  void give_way(StreamEnd& end, Now now);

  House house_;
  PipePool pipes_;
  Deadlines deadlines_;
  std::array<std::byte, 64 * 1024> scratch_;  // for streams that got no pipe
};

}  // namespace millrace::dataplane
