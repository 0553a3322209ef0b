#include "session/stream_state.hpp"

namespace millrace::session {

namespace {

using flow::StreamState;

// Who is at the other end of a stream; nobody: the endpoint is not set.
void set_peer(MediaStream& stream, const net::Endpoint& peer) {
  auto& remote = stream.port(Channel::rtp).remote;
  if (!peer.is_set()) {
    remote.reset();
    return;
  }
  if (remote == nullptr) remote = std::make_unique<LearnedRemote>();
  remote->destination = peer;
  remote->learned = true;
  remote->locked = true;
}

}  // namespace

State state_of(StreamState state) {
  switch (state) {
    case StreamState::waiting:
    case StreamState::connecting: return State::connecting;
    case StreamState::connected: return State::active;
    case StreamState::failed: return State::failed;
  }
  return State::failed;
}

std::string reason_of(const flow::StreamChanged& event) {
  if (!event.reason.empty()) return event.reason;
  switch (event.state) {
    case StreamState::waiting: return "waiting for a client";
    case StreamState::connecting: return "connecting to the destination";
    case StreamState::connected: return "connected";
    case StreamState::failed: break;
  }
  return "the stream failed";
}

void note_stream(Connection& connection, const flow::StreamChanged& event) {
  const bool connected = event.state == StreamState::connected;
  SessionPart& session = *connection.session;
  session.error = event.state == StreamState::failed ? reason_of(event) : std::string{};
  session.connected_from = connected ? event.local : net::Endpoint{};
  MediaStream& caller = connection.stream(Side::offerer);
  MediaStream& callee = connection.stream(Side::answerer);
  const bool client = connected || event.state == StreamState::connecting;
  if (flow::is_stream(caller.transport)) set_peer(caller, client ? event.client : net::Endpoint{});
  // An Update may name another destination while this one goes on.
  if (flow::is_stream(callee.transport)) set_peer(callee, connected ? callee.signalled : net::Endpoint{});
}

}  // namespace millrace::session
