#include "dataplane/socket/streams.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/check.hpp"
#include "net/tcp.hpp"
#include "net/udp.hpp"

namespace millrace::dataplane {

using flow::Slot;
using flow::StreamState;
using State = StreamPair::State;

namespace {

// The process has no descriptor or memory left for a client, or control does not listen: how long the next waits.
constexpr auto kAcceptAgain = std::chrono::milliseconds{100};
// Datagrams come every 20 ms; a destination that refuses, or accepts and closes, is not asked as often.
constexpr auto kConnectAgain = std::chrono::seconds{1};

const flow::PortPlan* plan_of(const flow::FlowPlan& plan, Slot slot) {
  const auto found = std::ranges::find(plan.ports, slot, &flow::PortPlan::slot);
  return found == plan.ports.end() ? nullptr : &*found;
}

bool has_streams(const flow::FlowPlan& plan) {
  return std::ranges::any_of(plan.ports, [](const auto& port) { return flow::is_stream(port.transport); });
}

int error_of(const net::UniqueFd& socket) {
  int error = 0;
  socklen_t length = sizeof error;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &length) != 0) return errno;
  return error;
}

// Closing tells the peer that bytes were lost (RST) instead of that all is well (FIN).
void reset_when_closed(const net::UniqueFd& socket) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  (void)::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

bool is_listener(const StreamEnd& end) { return end.port != nullptr && end.port->open; }

}  // namespace

void Streams::before_install(Connection& connection, const flow::FlowPlan& plan,
                             const std::array<net::UniqueFd, flow::kSlots>& sockets) {
  if (!connection.streams) return;
  StreamPair& pair = *connection.streams;
  const bool changed = std::ranges::any_of(connection.ports, [&](const MediaPort& port) {
    if (!port.open || flow::is_rtcp(port.slot)) return false;
    const flow::PortPlan* ours = plan_of(plan, port.slot);
    return ours == nullptr || Connections::is_renewed(port, *ours, sockets[static_cast<std::size_t>(port.slot)]);
  });
  if (!changed) return;
  finish(pair, true);
  listen(pair, false);
  pair.begun = false;
}

void Streams::after_install(Connection& connection, const flow::FlowPlan& plan, Now now) {
  if (!has_streams(plan)) {
    if (connection.streams) remove(connection);
    connection.streams = nullptr;
    return;
  }
  const bool fresh = connection.streams == nullptr;
  if (fresh) connection.streams = std::make_unique<StreamPair>(connection);
  StreamPair& pair = *connection.streams;
  for (const Slot slot : {Slot::offerer_rtp, Slot::answerer_rtp}) {
    const flow::PortPlan* port = plan_of(plan, slot);
    const bool stream = port != nullptr && flow::is_stream(port->transport);
    pair.end_of(slot).port = stream ? &connection.port(slot) : nullptr;
    if (!stream) pair.end_of(slot).framing = nullptr;
    if (stream) (slot == Slot::offerer_rtp ? pair.client_options : pair.destination_options) = port->stream;
  }
  // An unframed stream has nothing that could leave as a datagram or in a frame.
  const auto unframed = [](const StreamEnd& end) {
    return end.port != nullptr && end.port->transport == flow::Transport::stream;
  };
  MR_CHECK(!plan.complete || unframed(pair.client) == unframed(pair.destination));
  if (plan.complete) begin(pair, {});
  settle(pair, now);
}

void Streams::remove(Connection& connection) {
  if (!connection.streams) return;
  finish(*connection.streams, true);
  listen(*connection.streams, false);
}

void Streams::begin(StreamPair& pair, const std::string& reason) {
  if (pair.state != State::waiting) return;
  if (!std::exchange(pair.begun, true)) tell(pair, StreamState::waiting, reason);
  listen(pair, true);
}

// Of the client's port. A listener that nobody accepts from is not watched: it would be reported over and over.
void Streams::listen(StreamPair& pair, bool wanted) {
  if (!wanted) deadlines_.clear(pair.client);
  if (!is_listener(pair.client)) return;
  MediaPort& port = *pair.client.port;
  if (port.watched == wanted || !port.socket) return;
  epoll_event readable{.events = EPOLLIN, .data = {.ptr = static_cast<Watchable*>(&port)}};
  const int done = ::epoll_ctl(house_.epoll, wanted ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, port.socket.get(), &readable);
  if (done != 0) house_.statistics.sockets_failed.add();
  port.watched = wanted && done == 0;
}

void Streams::on_listener(MediaPort& port, Now now) {
  StreamPair* pair = port.connection->streams.get();
  if (pair == nullptr || pair->state != State::waiting) return;
  const auto try_later = [&] {
    listen(*pair, false);
    deadlines_.set(pair->client, now.mono + kAcceptAgain);
  };
  if (house_.told.size() > kOutboxSize) return try_later();
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  auto* const raw = reinterpret_cast<sockaddr*>(&address);
  net::UniqueFd socket{::accept4(port.socket.get(), raw, &length, SOCK_NONBLOCK | SOCK_CLOEXEC)};
  if (!socket) {   // a client that left again is nobody's fault
    if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM) return;
    house_.statistics.sockets_failed.add();
    return try_later();
  }
  adopt_client(*pair, std::move(socket), net::Endpoint::from_sockaddr(raw, length).value_or(net::Endpoint{}), now);
}

void Streams::adopt_client(StreamPair& pair, net::UniqueFd socket, const net::Endpoint& peer, Now now) {
  listen(pair, false);
  pair.client.socket = std::move(socket);
  pair.client.peer = peer;
  if (!prepare(pair.client, pair.client_options)) house_.statistics.sockets_failed.add();
  if (pair.destination.port != nullptr) return connect(pair, now);
  connected(pair);
  settle(pair, now);
}

// How every stream is, whoever began it. False: some option was refused; the stream works without.
bool Streams::prepare(StreamEnd& end, const flow::StreamOptions& options) {
  const int socket = end.socket.get();
  const net::Family family = end.port->local.address.family();
  bool done = net::set_stream_options(socket, {.keep_alive = options.keep_alive, .user_timeout = options.user_timeout})
                  .has_value();
  if (end.port->tos != 0) done = net::set_tos(socket, family, end.port->tos).has_value() && done;
  if (end.port->ttl != 0) done = net::set_ttl(socket, family, end.port->ttl).has_value() && done;
  if (end.port->transport != flow::Transport::framed_stream) {
    end.framing = nullptr;
    return done;
  }
  const int on = 1;
  done = ::setsockopt(socket, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) == 0 && done;
  if (!end.framing) end.framing = std::make_unique<Framing>();
  return done;
}

void Streams::want_destination(Connection& connection, Now now) {
  StreamPair& pair = *connection.streams;
  if (pair.state != State::waiting || pair.client.port != nullptr || pair.destination.port == nullptr) return;
  if (now.mono < pair.not_before || !pair.begun || house_.told.size() > kOutboxSize) return;
  pair.client.peer = connection.port(Slot::offerer_rtp).latch.destination();
  connect(pair, now);
}

void Streams::connect(StreamPair& pair, Now now) {
  StreamEnd& end = pair.destination;
  pair.state = State::connecting;
  pair.not_before = now.mono + kConnectAgain;
  tell(pair, StreamState::connecting);
  if (pair.client.socket) watch(pair.client, 0);
  end.peer = end.port->latch.state().signalled;
  if (!end.peer.is_set()) return fail(pair, StreamState::failed, "the destination is not known", now);

  auto socket = net::connect_tcp(end.port->local, end.peer);
  // The same two ports were connected a moment ago (TIME_WAIT): better from another port than not at all.
  if (!socket && (socket.error().code == EADDRNOTAVAIL || socket.error().code == EADDRINUSE)) {
    socket = net::connect_tcp({end.port->local.address, Port{0}}, end.peer);
  }
  if (!socket) return fail(pair, StreamState::failed, socket.error().message(), now);
  end.socket = std::move(*socket);
  if (!prepare(end, pair.destination_options)) house_.statistics.sockets_failed.add();
  deadlines_.set(end, now.mono + pair.destination_options.connect_timeout);
  watch(end, EPOLLOUT);
}

void Streams::on_connect_event(StreamPair& pair, Now now) {
  const int error = error_of(pair.destination.socket);
  if (error != 0) {
    const SysError what{error, "connect " + pair.destination.peer.to_string()};
    return fail(pair, StreamState::failed, what.message(), now);
  }
  deadlines_.clear(pair.destination);
  connected(pair);
}

void Streams::connected(StreamPair& pair) {
  pair.state = State::connected;
  tell(pair, StreamState::connected);
  for (StreamEnd* end : {&pair.client, &pair.destination}) {
    if (end->socket && end->framing) end->port->destination.set(end->peer);
  }
}

void Streams::on_event(StreamEnd& end, std::uint32_t events, Now now) {
  StreamPair& pair = *end.pair;
  if (!end.socket) return;   // closed by what came before it in this turn
  if (pair.state == State::connecting && &end == &pair.destination) {
    on_connect_event(pair, now);
    return;
  }
  const int error = (events & EPOLLERR) != 0 ? error_of(end.socket) : 0;
  if (error != 0) return fail({.end = &end, .error = error}, now);
  if (pair.state != State::connected) return;
  if (const Broken broken = move(end, events, now)) fail(broken, now);
}

Streams::Broken Streams::move(StreamEnd& end, std::uint32_t events, Now now) {
  StreamEnd& other = end.pair->other(end);
  const bool framed = end.framing != nullptr;
  if ((events & EPOLLOUT) != 0) {
    if (const Broken broken = framed ? write_rest(end) : drain(other)) return broken;
    // It takes more now, and there may be more: asking again costs less than changing what is waited for, twice.
    if (!framed && !other.held_up && !other.ended && !other.throttled) {
      if (const Broken broken = fill(other, now)) return broken;
    }
  }
  if ((events & (EPOLLIN | EPOLLHUP)) == 0 || end.held_up || end.ended || end.throttled) return {};
  return framed ? read_packets(end, now) : fill(end, now);
}

StreamPair* Streams::run_due(Now now) {
  Deadline* due = deadlines_.take_due(now.mono);
  if (due == nullptr) return nullptr;
  auto& end = static_cast<StreamEnd&>(*due);
  StreamPair& pair = *end.pair;
  switch (pair.state) {
    case State::waiting: listen(pair, true); break;
    case State::connecting: {
      const SysError what{ETIMEDOUT, "connect " + pair.destination.peer.to_string()};
      fail(pair, StreamState::failed, what.message(), now);
      break;
    }
    case State::connected: end.throttled = false; break;
  }
  return &pair;
}

void Streams::settle(StreamPair& pair, Now now) {
  if (pair.state != State::connected) return;
  bool all_ended = true;
  for (StreamEnd* end : {&pair.client, &pair.destination}) {
    if (!end->socket) continue;
    give_way(*end, now);
    pass_on_end(*end);
    all_ended = all_ended && end->passed_on;
  }
  if (all_ended) {
    const bool client = pair.first_ended == &pair.client;
    finish(pair, false);
    tell(pair, StreamState::waiting, client ? "the client closed first" : "the destination closed first");
    listen(pair, true);
    return;
  }
  update_interest(pair.client);
  update_interest(pair.destination);
}

// Half-close: when everything that came before the end has left, the other side is told.
void Streams::pass_on_end(StreamEnd& end) {
  if (!end.ended) return;
  StreamPair& pair = *end.pair;
  if (pair.first_ended == nullptr) pair.first_ended = &end;
  StreamEnd& other = pair.other(end);
  if (end.held_up || end.throttled || end.passed_on) return;
  if (other.socket) (void)::shutdown(other.socket.get(), SHUT_WR);
  end.passed_on = true;
}

// An error of the client is its way of leaving; one of the destination is why the session does not work.
void Streams::fail(const Broken& broken, Now now) {
  StreamPair& pair = *broken.end->pair;
  const bool client = broken.end == &pair.client;
  const SysError what{broken.error, (client ? "client " : "destination ") + broken.end->peer.to_string()};
  fail(pair, client ? StreamState::waiting : StreamState::failed, what.message(), now);
}

void Streams::fail(StreamPair& pair, StreamState state, std::string reason, Now now) {
  finish(pair, true);
  pair.not_before = now.mono + kConnectAgain;
  tell(pair, state, std::move(reason));
  listen(pair, true);
}

void Streams::finish(StreamPair& pair, bool abort) {
  close(pair.client, abort);
  close(pair.destination, abort);
  pair.first_ended = nullptr;
  pair.state = State::waiting;
}

void Streams::close(StreamEnd& end, bool abort) {
  deadlines_.clear(end);
  if (end.pipe) {
    if (end.in_pipe != 0) house_.relay.drop(*end.port, flow::Drop::send_failed);
    pipes_.give_back(std::move(end.pipe), end.in_pipe == 0);
  }
  if (end.socket && abort) reset_when_closed(end.socket);
  end.socket = net::UniqueFd{};   // closing takes it out of the epoll set
  end.peer = {};
  end.interest = 0;
  end.ended = end.passed_on = end.throttled = end.held_up = false;
  end.in_pipe = 0;
  if (!end.framing) return;
  end.framing->in.clear();
  end.framing->out.clear();
  end.framing->given = 0;
  end.port->destination.set({});
}

void Streams::tell(StreamPair& pair, StreamState state, std::string reason) {
  flow::StreamChanged event{
      .connection = pair.connection->id, .state = state, .client = {}, .local = {}, .reason = std::move(reason)};
  if (state == StreamState::connecting || state == StreamState::connected) event.client = pair.client.peer;
  if (state == StreamState::connected) {
    event.local = pair.connection->port(Slot::answerer_rtp).local;
    if (pair.destination.socket) {
      event.local = net::local_endpoint(pair.destination.socket.get()).value_or(event.local);
    }
  }
  house_.told.push_back(std::move(event));
}

void Streams::update_interest(StreamEnd& end) {
  if (!end.socket) return;
  StreamEnd& other = end.pair->other(end);
  const bool reads = !end.ended && !end.held_up && !end.throttled;
  const bool writes = end.framing ? !end.framing->out.empty() : other.held_up;
  watch(end, (reads ? std::uint32_t{EPOLLIN} : 0u) | (writes ? std::uint32_t{EPOLLOUT} : 0u));
}

// What nobody waits for is still reported when it breaks (EPOLLERR, EPOLLHUP): then once, not over and over.
void Streams::watch(StreamEnd& end, std::uint32_t interest) {
  if (interest == 0) interest = EPOLLET;
  if (interest == end.interest) return;
  epoll_event event{.events = interest, .data = {.ptr = static_cast<Watchable*>(&end)}};
  const int how = end.interest == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  if (::epoll_ctl(house_.epoll, how, end.socket.get(), &event) != 0) house_.statistics.sockets_failed.add();
  end.interest = interest;
}

}  // namespace millrace::dataplane
