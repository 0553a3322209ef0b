// The life of calls: where they are found, how they end, what events and time do to them. What commands do is in
// commands.cpp.

#include "session/calls.hpp"

#include <algorithm>

#include "session/fork.hpp"
#include "session/stream_state.hpp"
#include "session/view_builder.hpp"

namespace millrace::session {

Calls::Calls(const Settings& settings, net::PortPool& ports, flow::Forwarder& forwarder, flow::CounterArena& counters,
             HostAddresses host)
    : settings_{settings},
      ports_{ports, std::move(host)},
      installer_{settings, forwarder, counters},
      announcer_{settings} {}

Calls::~Calls() = default;

void Calls::flush() { installer_.flush(); }

void Calls::add_listener(ChangeListener& listener) { announcer_.add(listener); }

const Call* Calls::find(std::string_view call_id) const {
  const auto found = calls_.find(call_id);
  return found == calls_.end() ? nullptr : found->second.get();
}

std::vector<const Call*> Calls::list() const {
  std::vector<const Call*> calls;
  calls.reserve(calls_.size());
  for (const auto& [id, call] : calls_) calls.push_back(call.get());
  std::ranges::sort(calls, {}, &Call::serial);
  return calls;
}

Call::Match Calls::find_connection(const Parties& parties) {
  const auto found = calls_.find(parties.call_id);
  return found == calls_.end() ? Call::Match{} : found->second->find(parties);
}

Call& Calls::call_of(std::string_view call_id, Now now) {
  if (const auto found = calls_.find(call_id); found != calls_.end()) return *found->second;
  auto call = std::make_unique<Call>(std::string{call_id}, ++last_id_, now);
  const std::string_view key = call->id();
  return *calls_.emplace(key, std::move(call)).first->second;
}

void Calls::forget(Connection& connection) {
  Call& call = *connection.call;
  call.disconnect(connection);
  if (call.connections().empty()) calls_.erase(std::string_view{call.id()});
}

void Calls::touch(Connection& connection) {
  // Into before source: legs that are copied to are on the source's worker before the source sends from them.
  installer_.touch(connection);
  for (const ForkTo& fork : connection.forks) installer_.touch(*fork.into);
  if (connection.fed_by != nullptr) installer_.touch(*connection.fed_by);
}

void Calls::end(Connection& connection, EndReason reason, Now now) {
  note_first_packet(connection, now);
  const ConnectionCounters last = connection.counters(Side::offerer);
  tally_.on_ended(last, {.complete = connection.complete(),
                         .rtcp = connection.stream(Side::offerer).rtcp && connection.stream(Side::answerer).rtcp,
                         .lived = now.mono - connection.created.mono});
  if (announcer_.wanted(ChangeKind::ended, connection)) {
    std::optional<Notify> notify;
    if (connection.notify != nullptr) notify = *connection.notify;
    announcer_.announce(connection, now, ConnectionEnded{.reason = reason, .notify = notify, .counters = last});
  }
  for (Connection* changed : leave_forks(connection)) installer_.touch(*changed);
  for (MediaStream* stream : connection.streams) ports_.give_up(*stream, now.mono);
  installer_.remove(connection);
  disown(connection);
  connections_.erase(connection.id);
  forget(connection);
}

void Calls::end_everything(EndReason reason, Which which, Now now) {
  std::vector<Connection*> all;
  all.reserve(connections_.size());
  for (const auto& [id, connection] : connections_) {
    if (which == Which::all || connection->session == nullptr) all.push_back(connection);
  }
  std::ranges::sort(all, {}, [](const Connection* connection) { return connection->id.value(); });
  for (Connection* connection : all) end(*connection, reason, now);
}

void Calls::end_all(EndReason reason, Now now) {
  end_everything(reason, Which::all, now);
  flush();
}

// Streams have a state of their own: on(StreamChanged).
void Calls::note_first_packet(Connection& connection, Now now) {
  if (connection.state != State::connecting || connection.has_streams() || !connection.heard()) return;
  change_state(connection, State::active, "first packet", now);
}

void Calls::change_state(Connection& connection, State state, std::string reason, Now now) {
  if (connection.state == state) return;
  connection.state = state;
  announcer_.announce(connection, now, StateChanged{std::move(reason)});
}

std::optional<EndReason> Calls::sweep(Connection& connection, Now now) {
  note_first_packet(connection, now);
  if (connection.timers.tick(connection.note_activity())) {
    if (!connection.complete()) return EndReason::setup_timeout;
    return connection.timers.counts_held() ? EndReason::held_timeout : EndReason::idle_timeout;
  }
  const bool limited = settings_.max_duration.count() > 0;
  if (limited && now.mono - connection.created.mono >= settings_.max_duration) return EndReason::max_duration;
  if (connection.session != nullptr) tell_statistics(connection, now);
  return std::nullopt;
}

void Calls::tell_statistics(Connection& connection, Now now) {
  SessionPart& session = *connection.session;
  if (session.stats_interval.count() == 0 || now.mono < session.stats_due) return;
  session.stats_due += session.stats_interval;
  // After a pause of the process one is due, not one for each interval that was slept through.
  if (session.stats_due <= now.mono) session.stats_due = now.mono + session.stats_interval;
  announcer_.announce(connection, now, StatisticsDue{});
}

void Calls::tick(Now now) {
  std::vector<std::pair<Connection*, EndReason>> over;
  std::uint64_t packets = 0;
  for (const auto& [id, connection] : connections_) {
    if (const auto reason = sweep(*connection, now)) over.emplace_back(connection, *reason);
    packets +=
        connection->stream(Side::offerer).arrived_packets() + connection->stream(Side::answerer).arrived_packets();
  }
  tally_.on_sweep(packets, now.mono);
  std::ranges::sort(over, {}, [](const auto& each) { return each.first->id.value(); });
  for (const auto& [connection, reason] : over) {
    tally_.on_timed_out();
    end(*connection, reason, now);
  }
  flush();
}

void Calls::on(const flow::RemoteChanged& event, Now now) {
  const auto found = connections_.find(event.connection);
  if (found == connections_.end()) return;  // it ended while the event was on its way
  Connection& connection = *found->second;
  // What was learned was learned from a packet that was accepted.
  if (event.remote.learned && !connection.has_streams()) {
    change_state(connection, State::active, "first packet", now);
  }
  auto& remote = connection.stream(side_of(event.slot)).port(channel_of(event.slot)).remote;
  if (remote == nullptr) remote = std::make_unique<LearnedRemote>();
  remote->destination = event.remote.destination;
  remote->learned = event.remote.learned;
  remote->locked = event.remote.locked;
  remote->history = event.remote.history.entries();
  if (event.remote.learned)
    announcer_.announce(connection, now, RemoteLearned{.slot = event.slot, .remote = event.remote});
}

void Calls::on(const flow::PortClosed& event, Now now) { ports_.on_closed(event.local, now.mono); }

void Calls::on(const flow::Removed& event, Now) { installer_.on_removed(event.connection); }

void Calls::on(const flow::StreamChanged& event, Now now) {
  const auto found = connections_.find(event.connection);
  if (found == connections_.end() || found->second->session == nullptr) return;
  note_stream(*found->second, event);
  change_state(*found->second, state_of(event.state), reason_of(event), now);
}

std::optional<View> Calls::view(ConnectionId id, Now) const {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return std::nullopt;
  return view_of(*found->second, settings_.limits);
}

std::optional<ConnectionId> Calls::find_session(std::string_view call_id) const {
  const Call* call = find(call_id);
  if (call == nullptr) return std::nullopt;
  for (const Connection& connection : call->connections()) {
    if (connection.session != nullptr) return connection.id;
  }
  return std::nullopt;
}

std::optional<ConnectionId> Calls::find_connection_of(std::string_view call_id, std::string_view offerer) const {
  const Call* call = find(call_id);
  if (call == nullptr) return std::nullopt;
  for (const Connection& connection : call->connections()) {
    if (is_exactly(connection.offerer_tag(), offerer)) return connection.id;
  }
  return std::nullopt;
}

std::vector<ConnectionId> Calls::connections(ConnectionId after, bool with_calls) const {
  std::vector<ConnectionId> ids;
  ids.reserve(connections_.size());
  for (const auto& [id, connection] : connections_) {
    if (id.value() > after.value() && (with_calls || connection->session != nullptr)) ids.push_back(id);
  }
  std::ranges::sort(ids, {}, &ConnectionId::value);
  return ids;
}

Totals Calls::totals() const {
  Totals totals = tally_.ended();
  for (const auto& [id, connection] : connections_) add_alive(totals, *connection);
  totals.active_connections = connections_.size();
  totals.active_calls = calls_.size();
  return totals;
}

}  // namespace millrace::session
