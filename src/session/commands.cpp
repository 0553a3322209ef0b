// What each command does to a call: one run() of Calls per command. A command that is refused has changed nothing, so
// in each of them all that can fail comes first.

#include <algorithm>

#include "session/calls.hpp"
#include "session/fork.hpp"

namespace millrace::session {

namespace {

bool fits(std::string_view name) { return name.size() <= kMaxName; }
bool fits(const Parties& parties) { return fits(parties.call_id) && fits(parties.from) && fits(parties.to); }
bool fits(const std::optional<Notify>& notify) { return !notify || (fits(notify->target) && fits(notify->tag)); }

// A weak reference holds the connection at the leg that the reply names; an Offer without one holds it strongly.
void refer(Connection& connection, const Offer& offer, MediaStream& replied) {
  if (offer.party.weak) {
    replied.weak = true;
  } else {
    connection.strong = true;
  }
  connection.notify = offer.notify ? std::make_unique<Notify>(*offer.notify) : nullptr;
}

// The answerer's tag as this command gives it; empty: not at all.
std::string_view answerer_in(const Parties& parties, Direction direction) {
  return direction == Direction::forward ? parties.to : parties.from;
}

}  // namespace

Reply Calls::execute(const Command& command, Now now) {
  return std::visit([&](const auto& each) { return run(each, now); }, command);
}

// In an Offer `from` speaks for itself.
Reply Calls::run(const Offer& command, Now now) {
  if (!fits(command.parties) || !fits(command.notify)) return Error::limit_reached;
  const Call::Match match = find_connection(command.parties);
  if (match.connection == nullptr) return create(command, now);
  if (match.connection->session != nullptr) return Error::not_supported;
  const Side speaker = match.speaker();
  Reply reply = update({.connection = *match.connection,
                        .speaker = speaker,
                        .party = command.party,
                        .answerer_name = answerer_in(command.parties, match.direction)},
                       now);
  if (!std::holds_alternative<Error>(reply)) {
    refer(*match.connection, command, match.connection->stream(other(speaker)));
  }
  return reply;
}

// In an Answer the party of `to` speaks.
Reply Calls::run(const Answer& command, Now now) {
  if (!fits(command.parties)) return Error::limit_reached;
  const Call::Match match = find_connection(command.parties);
  if (match.connection == nullptr) return Error::not_found;
  if (match.connection->session != nullptr) return Error::not_supported;
  const Side speaker = other(match.speaker());
  Reply reply = update({.connection = *match.connection,
                        .speaker = speaker,
                        .party = command.party,
                        .answerer_name = answerer_in(command.parties, match.direction)},
                       now);
  if (command.party.weak && !std::holds_alternative<Error>(reply)) {
    match.connection->stream(other(speaker)).weak = true;
  }
  return reply;
}

Reply Calls::create(const Offer& command, Now now) {
  if (draining_) return Error::draining;
  if (settings_.max_connections != 0 && connections_.size() >= settings_.max_connections) return Error::limit_reached;
  if (!installer_.accepts_new()) return Error::busy;
  const auto places = ports_.places_for_new(command.party);
  if (!places) return places.error();

  Call& call = call_of(command.parties.call_id, now);
  Connection& connection = call.connect(ConnectionId{++last_id_}, command.parties, settings_, now);
  MediaStream& answerer = connection.stream(Side::answerer);
  if (!ports_.make_pair(answerer, places->other, now.mono)) {
    forget(connection);
    return Error::no_port_for_new;
  }
  installer_.give_counters(answerer);
  connection.stream(Side::offerer).place = places->party;
  apply(connection, Side::offerer, command.party, settings_);
  refer(connection, command, answerer);

  connections_.emplace(connection.id, &connection);
  installer_.touch(connection);
  tally_.on_created();
  announcer_.announce(connection, now, ConnectionCreated{});
  return LocalPorts::media_of(answerer);
}

Reply Calls::update(const LegUpdate& update, Now now) {
  Connection& connection = update.connection;
  const bool was_complete = connection.complete();
  if (const auto made = make_ports(update, now); !made) return made.error();

  const bool completed = connection.complete() && !was_complete;
  if (completed) {
    connection.completed = now.mono;
    connection.timers.complete();
    tally_.on_completed();
  }
  connection.call->name_answerer(connection, update.answerer_name);
  apply(connection, update.speaker, update.party, settings_);
  touch(connection);
  if (completed) {
    announcer_.announce(connection, now, ConnectionCompleted{});
  } else {
    announcer_.announce(connection, now, ConnectionUpdated{});
  }
  return LocalPorts::media_of(connection.stream(other(update.speaker)));
}

std::expected<void, Error> Calls::make_ports(const LegUpdate& update, Now now) {
  MediaStream& leg = update.connection.stream(other(update.speaker));
  if (leg.has_ports() && !update.party.new_port) return {};
  const auto place = ports_.place_for_leg(leg, update.party);
  if (!place) return std::unexpected{place.error()};
  if (!ports_.make_pair(leg, *place, now.mono)) return std::unexpected{Error::no_port_for_leg};
  installer_.give_counters(leg);
  return {};
}

// A walk over the call's connections, oldest first. What loses its last reference is freed; when one connection was
// meant exactly the walk ends with it, a bare tag goes on to the party's other media.
Reply Calls::run(const Delete& command, Now now) {
  const auto found = calls_.find(command.parties.call_id);
  if (found == calls_.end()) return Error::not_found;
  std::vector<Connection*> freed;
  bool any = false;
  for (Connection& connection : found->second->connections()) {
    const auto match = match_for_delete(connection.offerer_tag(), command.parties.from, command.parties.to);
    if (!match) continue;
    any = true;
    if (command.weak) {
      connection.stream(match->direction == Direction::forward ? Side::offerer : Side::answerer).weak = false;
    } else {
      connection.strong = false;
    }
    if (connection.referenced()) continue;
    freed.push_back(&connection);
    if (match->exact) break;
  }
  for (Connection* connection : freed) end(*connection, EndReason::deleted, now);
  if (!any) return Error::not_found;
  return Done{};
}

Reply Calls::run(const DeleteAll&, Now now) {
  end_everything(EndReason::all_deleted, Which::signalled, now);
  return Done{};
}

Reply Calls::run(const Query& command, Now) {
  const Call::Match match = find_connection(command.parties);
  if (match.connection == nullptr) return Error::not_found;
  return match.connection->counters(match.speaker());
}

Reply Calls::run(const Adjust& command, Now now) {
  const Call::Match match = find_connection(command.parties);
  if (match.connection == nullptr) return Error::not_found;
  Connection& connection = *match.connection;
  const Side side = command.other_side ? other(match.speaker()) : match.speaker();
  if (command.ttl) connection.timers.adjust(side, *command.ttl);
  if (command.tos) {
    connection.stream(side).tos = command.tos;
    installer_.touch(connection);
  }
  announcer_.announce(connection, now, ConnectionUpdated{});
  return Done{};
}

Reply Calls::run(const Fork& command, Now now) {
  const Call::Match into = find_connection(command.into);
  const Call::Match source = find_connection(command.source);
  if (into.connection == nullptr || source.connection == nullptr) return Error::not_found;
  if (const auto refused = refuse_fork(*into.connection, *source.connection)) return *refused;
  if (Connection* former = into.connection->fed_by) installer_.touch(*former);
  fork(*into.connection, *source.connection, into.direction != source.direction);
  touch(*into.connection);
  announcer_.announce(*into.connection, now, ConnectionUpdated{});
  return Done{};
}

Reply Calls::run(const StopPlay& command, Now) {
  if (find_connection(command.parties).connection == nullptr) return Error::not_found;
  return Done{};  // nothing plays, so nothing is left to stop
}

// Without codecs of its own the command means those that the party has signalled.
Reply Calls::run(const Play& command, Now) {
  const Call::Match match = find_connection(command.parties);
  if (match.connection == nullptr) return Error::not_found;
  if (command.codecs.empty() && match.connection->stream(match.speaker()).codecs.empty()) return Error::no_codecs;
  return Error::not_supported;
}
Reply Calls::run(const StartRecording& command, Now) { return refuse_media(command.parties); }
Reply Calls::run(const StopRecording& command, Now) { return refuse_media(command.parties); }
Reply Calls::run(const Copy& command, Now) { return refuse_media(command.parties); }

Reply Calls::refuse_media(const Parties& parties) {
  if (find_connection(parties).connection == nullptr) return Error::not_found;
  return Error::not_supported;
}

}  // namespace millrace::session
