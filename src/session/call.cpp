#include "session/call.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace millrace::session {

Call::Match Call::find(const Parties& parties) {
  for (Connection& connection : connections_) {
    if (const auto direction = match(connection.offerer_tag(), parties.from, parties.to)) {
      return {.connection = &connection, .direction = *direction};
    }
  }
  return {};
}

Connection& Call::connect(ConnectionId id, const Parties& parties, const Settings& settings, Now now) {
  const MediaTag from = split_tag(parties.from);
  const MediaTag to = split_tag(parties.to);
  Connection& connection = connections_.emplace_back(id, *this, settings, now);
  // Until the answerer is named it is "whoever answers": one leg, the same numbers.
  connection.streams = {&add_stream(from.tag, from.media),
                        &add_stream(to.tag, to.media.empty() ? from.media : to.media)};
  return connection;
}

void Call::name_answerer(Connection& connection, std::string_view text) {
  if (text.empty()) return;
  MediaStream& stream = connection.stream(Side::answerer);
  const MediaTag name = split_tag(text);
  if (!name.media.empty()) stream.media = name.media;
  Leg& from = *stream.leg;
  if (from.tag == name.tag) return;
  Leg& to = leg(name.tag);
  const auto place = std::ranges::find(from.streams, &stream, [](const MediaStream& each) { return &each; });
  MR_CHECK(place != from.streams.end());
  to.streams.splice(to.streams.end(), from.streams, place);
  stream.leg = &to;
  remove_if_empty(from);
}

void Call::disconnect(Connection& connection) {
  remove_stream(connection.stream(Side::offerer));
  remove_stream(connection.stream(Side::answerer));
  const auto place = std::ranges::find(connections_, &connection, [](const Connection& each) { return &each; });
  MR_CHECK(place != connections_.end());
  connections_.erase(place);
}

Leg& Call::leg(std::string_view tag) {
  const auto found = std::ranges::find(legs_, tag, &Leg::tag);
  if (found != legs_.end()) return *found;
  return legs_.emplace_back(Leg{.tag = std::string{tag}, .streams = {}});
}

MediaStream& Call::add_stream(std::string_view tag, std::string_view media) {
  Leg& owner = leg(tag);
  MediaStream& stream = owner.streams.emplace_back();
  stream.leg = &owner;
  stream.media = media;
  return stream;
}

void Call::remove_stream(const MediaStream& stream) {
  Leg& owner = *stream.leg;
  owner.streams.remove_if([&stream](const MediaStream& each) { return &each == &stream; });
  remove_if_empty(owner);
}

void Call::remove_if_empty(const Leg& leg) {
  if (!leg.streams.empty()) return;
  legs_.remove_if([&leg](const Leg& each) { return &each == &leg; });
}

}  // namespace millrace::session
