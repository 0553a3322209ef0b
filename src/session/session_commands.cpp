// What a Create, an Update and an End do: the life of a session, which is a call of one connection that has both its
// sides from the start. As everywhere, all that can fail comes first.

#include <fmt/format.h>

#include "session/calls.hpp"
#include "session/view_builder.hpp"

namespace millrace::session {

namespace {

bool is_sendable(const net::Endpoint& destination) {
  return destination.is_set() && !destination.address.is_any() && destination.port.value() != 0;
}

// Bytes without frames mean nothing to the other transports.
bool can_be_joined(flow::Transport one, flow::Transport other) {
  return (one == flow::Transport::stream) == (other == flow::Transport::stream);
}

void set_idle(Timers& timers, std::optional<std::chrono::seconds> timeout) {
  if (timeout) timers.set_idle(timeout->count() == 0 ? Timers::kNever : *timeout);
}

void set_statistics(SessionPart& session, std::optional<std::chrono::seconds> interval, TimePoint now) {
  if (!interval) return;
  session.stats_interval = *interval;
  session.stats_due = now + *interval;
}

void take_over(MediaStream& stream, SidePorts ports) {
  stream.place = ports.place;
  stream.local = ports.local;
  stream.transport = ports.transport;
  stream.rtcp = ports.rtcp;
  stream.port(Channel::rtp).socket = std::move(ports.rtp_socket);
  stream.port(Channel::rtcp).socket = std::move(ports.rtcp_socket);
}

}  // namespace

std::optional<Error> Calls::refuse_session(const Create& command) const {
  if (command.call_id.size() > kMaxName || command.owner.size() > kMaxName) return Error::limit_reached;
  if (calls_.contains(std::string_view{command.call_id})) return Error::in_use;
  if (!can_be_joined(command.caller.transport, command.callee.transport)) return Error::not_supported;
  if (draining_) return Error::draining;
  if (settings_.max_connections != 0 && connections_.size() >= settings_.max_connections) return Error::limit_reached;
  const auto owned = owners_.find(std::string_view{command.owner});
  const std::uint32_t limit = settings_.max_connections_per_owner;
  if (limit != 0 && owned != owners_.end() && owned->second >= limit) return Error::owner_limit_reached;
  if (!installer_.accepts_new()) return Error::busy;
  if (!is_sendable(command.destination)) return Error::no_route;
  if (command.destination.address.family() != command.callee.local.address.family()) return Error::no_address_of_family;
  return std::nullopt;
}

Reply Calls::run(const Create& command, Now now) {
  if (const auto refused = refuse_session(command)) return *refused;
  auto ports = ports_.make_session(command.caller, command.callee, now.mono);
  if (!ports) return ports.error();

  const Parties parties{.call_id = command.call_id, .from = std::string{kCaller}, .to = std::string{kCallee}};
  Call& call = call_of(command.call_id, now);
  Connection& connection = call.connect(ConnectionId{++last_id_}, parties, settings_, now);
  connection.session = std::make_unique<SessionPart>();
  SessionPart& session = *connection.session;
  session.labels = command.labels;
  session.owner = command.owner;
  session.note = std::move(ports->note);
  session.stream = command.options.stream;
  session.limit = command.options.limit.value_or(flow::RateLimit{});
  set_statistics(session, command.options.stats_interval, now.mono);
  connection.strong = true;
  connection.completed = now.mono;
  set_idle(connection.timers, command.options.idle_timeout);
  connection.timers.complete();

  MediaStream& caller = connection.stream(Side::offerer);
  MediaStream& callee = connection.stream(Side::answerer);
  take_over(caller, std::move(ports->caller));
  take_over(callee, std::move(ports->callee));
  callee.asymmetric = settings_.asymmetric;
  callee.signalled = command.destination;
  ++callee.signalled_revision;
  for (MediaStream* stream : connection.streams) installer_.give_counters(*stream);

  if (!command.owner.empty()) ++owners_[command.owner];
  connections_.emplace(connection.id, &connection);
  installer_.touch(connection);
  tally_.on_created();
  tally_.on_completed();
  announcer_.announce(connection, now, ConnectionCreated{});
  return view_of(connection, settings_.limits);
}

Reply Calls::run(const Update& command, Now now) {
  const auto id = find_session(command.call_id);
  if (!id) return Error::not_found;
  Connection& connection = *connections_.at(*id);
  MediaStream& callee = connection.stream(Side::answerer);
  if (command.destination) {
    if (!is_sendable(*command.destination)) return Error::no_route;
    if (command.destination->address.family() != callee.local.address.family()) return Error::no_address_of_family;
    callee.signalled = *command.destination;
    ++callee.signalled_revision;
  }
  if (command.options.limit) connection.session->limit = *command.options.limit;
  set_statistics(*connection.session, command.options.stats_interval, now.mono);
  set_idle(connection.timers, command.options.idle_timeout);
  connection.timers.restart();
  touch(connection);
  note_first_packet(connection, now);
  announcer_.announce(connection, now, ConnectionUpdated{});
  return view_of(connection, settings_.limits);
}

Reply Calls::run(const End& command, Now now) {
  const auto found = connections_.find(command.connection);
  if (found == connections_.end()) return Error::not_found;
  Connection& connection = *found->second;
  note_first_packet(connection, now);
  View last = view_of(connection, settings_.limits);
  last.state = State::closed;
  end(connection, EndReason::deleted, now);
  return last;
}

void Calls::disown(const Connection& connection) {
  if (connection.session == nullptr) return;
  const auto owned = owners_.find(std::string_view{connection.session->owner});
  if (owned != owners_.end() && --owned->second == 0) owners_.erase(owned);
}

}  // namespace millrace::session
