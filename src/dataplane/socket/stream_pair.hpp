#pragma once
// What a worker keeps of a connection that has streams: the client that was accepted, the destination that it was
// connected to, and what is under way between them. One pair a connection, made with the first plan that has a stream.
// Plain data: streams.hpp makes, connects and ends them, pump.hpp and framed.cpp move bytes.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "base/time.hpp"
#include "dataplane/socket/deadlines.hpp"
#include "dataplane/socket/framing.hpp"
#include "dataplane/socket/limits.hpp"
#include "dataplane/socket/pipes.hpp"
#include "dataplane/socket/port.hpp"
#include "flow/plan.hpp"
#include "net/unique_fd.hpp"

namespace millrace::dataplane {

// Of a framed stream: about 24 KiB, from its first connection on.
struct Framing {
  FrameReader in;
  FrameRest out;
  WallTime stamp;  // the kernel's, of the last read
  std::size_t given = 0;  // packets since the last event
};

// Its deadline means: the client's, while nobody is served: listen again; the destination's, while it is being
// connected: give up; later, either's: go on, the rate limit lets it, or others have had their turn.
struct StreamEnd : Watchable, Deadline {
  StreamPair* pair = nullptr;
  MediaPort* port = nullptr;  // nothing: this side is datagrams
  net::UniqueFd socket;       // none: not connected
  net::Endpoint peer;
  std::uint32_t interest = 0;  // what epoll was asked for
  bool ended = false;          // the peer has said that it sends no more (FIN), and everything before that was read
  bool passed_on = false;      // and the other side has been told
  bool throttled = false;
  bool held_up = false;        // what comes from here must wait: the other end takes nothing

  // Unframed: bytes of this peer on their way to the other end.
  std::unique_ptr<Pipe> pipe;  // lent while bytes are in it
  std::size_t in_pipe = 0;
  TimePoint read_at;           // what waits was read, or found, then

  std::unique_ptr<Framing> framing;  // of a framed stream
};

struct StreamPair {
  enum class State : std::uint8_t { waiting, connecting, connected };

  explicit StreamPair(Connection& owner) : connection{&owner} {
    for (StreamEnd* end : {&client, &destination}) {
      end->watched_as = Watched::stream;
      end->pair = this;
    }
  }
  [[nodiscard]] StreamEnd& other(const StreamEnd& end) { return &end == &client ? destination : client; }
  [[nodiscard]] StreamEnd& end_of(flow::Slot slot) { return slot == flow::Slot::offerer_rtp ? client : destination; }

  Connection* connection;
  StreamEnd client, destination;
  State state = State::waiting;
  bool begun = false;            // control has heard that it waits
  const StreamEnd* first_ended = nullptr;
  flow::StreamOptions client_options, destination_options;
  TimePoint not_before;          // the next attempt to connect for datagrams, not with every packet
};

}  // namespace millrace::dataplane
