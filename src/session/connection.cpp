#include "session/connection.hpp"

#include <utility>

#include "session/totals.hpp"

namespace millrace::session {

std::string MediaStream::name() const { return leg->tag + media; }

std::uint64_t MediaStream::accepted_packets() const {
  std::uint64_t packets = 0;
  for (const MediaPort& port : ports) {
    if (port.counters != nullptr) packets += port.counters->get(flow::Count::packets_in);
  }
  return packets;
}

// A party that reads slowly may take minutes for what was read from the other one at once.
std::uint64_t MediaStream::signs_of_life() const {
  const flow::CounterBlock* counters = port(Channel::rtp).counters;
  const bool takes = transport == flow::Transport::stream && counters != nullptr;
  return accepted_packets() + (takes ? counters->get(flow::Count::packets_out) : 0);
}

std::uint64_t MediaStream::arrived_packets() const {
  std::uint64_t packets = 0;
  for (const MediaPort& port : ports) {
    if (port.counters != nullptr) packets += arrived(*port.counters);
  }
  return packets;
}

MediaTag Connection::offerer_tag() const {
  const MediaStream& offerer = stream(Side::offerer);
  return {.tag = offerer.leg->tag, .media = offerer.media};
}

bool Connection::complete() const { return stream(Side::offerer).has_ports() && stream(Side::answerer).has_ports(); }

bool Connection::held() const { return stream(Side::offerer).held || stream(Side::answerer).held; }

bool Connection::has_streams() const {
  return flow::is_stream(stream(Side::offerer).transport) || flow::is_stream(stream(Side::answerer).transport);
}

bool Connection::heard() const {
  return stream(Side::offerer).accepted_packets() != 0 || stream(Side::answerer).accepted_packets() != 0;
}

bool Connection::referenced() const { return strong || stream(Side::offerer).weak || stream(Side::answerer).weak; }

Activity Connection::activity() const {
  const auto moved = [](const MediaStream& stream) { return stream.signs_of_life() != stream.signs_at_sweep; };
  return {.offerer = moved(stream(Side::offerer)), .answerer = moved(stream(Side::answerer))};
}

Activity Connection::note_activity() {
  // One reading serves both: a packet between two readings would be forgotten.
  const auto moved = [](MediaStream& stream) {
    const std::uint64_t before = std::exchange(stream.signs_at_sweep, stream.signs_of_life());
    return stream.signs_at_sweep != before;
  };
  return {.offerer = moved(stream(Side::offerer)), .answerer = moved(stream(Side::answerer))};
}

ConnectionCounters Connection::counters(Side party) const {
  const auto sample = [this](Side side, Channel channel) {
    const flow::CounterBlock* block = stream(side).port(channel).counters;
    return block != nullptr ? block->sample() : flow::FlowCounters{};
  };
  return {.ttl = timers.remaining(activity()),
          .party_rtp = sample(party, Channel::rtp),
          .party_rtcp = sample(party, Channel::rtcp),
          .other_rtp = sample(other(party), Channel::rtp),
          .other_rtcp = sample(other(party), Channel::rtcp)};
}

namespace {
// A null address is hold: nothing is learned from it and media keeps going where it went (RFC 3264 §8.4 knows it as
// the old way to say "stop sending").
void apply_address(MediaStream& stream, const net::Endpoint& remote) {
  if (remote.address.is_any()) {
    if (!stream.held) ++stream.hold_count;
    stream.held = true;
    return;
  }
  stream.held = false;
  stream.signalled = remote;
  ++stream.signalled_revision;
}
}  // namespace

void apply(Connection& connection, Side side, const PartySide& party, const Settings& settings) {
  MediaStream& stream = connection.stream(side);
  if (party.remote) apply_address(stream, *party.remote);
  stream.asymmetric = party.asymmetric.value_or(settings.asymmetric);
  stream.codecs = party.codecs;
  stream.repacketize_ms = party.repacketize_ms;
  if (party.idle_ttl) connection.timers.set_idle(*party.idle_ttl);
  connection.timers.set_held(connection.held());
  connection.timers.restart();
}

}  // namespace millrace::session
