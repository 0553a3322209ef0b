#include "dataplane/socket/relay.hpp"

#include "dataplane/socket/counting.hpp"
#include "dataplane/socket/limits.hpp"
#include "dataplane/socket/reports.hpp"
#include "rtp/demux.hpp"
#include "rtp/header.hpp"
#include "rtp/reception.hpp"

namespace millrace::dataplane {

using flow::Count;
using flow::Drop;
using flow::Verdict;

namespace {

enum class Kind : std::uint8_t {
  rtp,
  rtcp,         // on its own port, where anything goes
  rtcp_on_rtp,  // RFC 5761: relayed port to port like RTP, but no part of its sequence
  other,        // T.38, ZRTP, STUN: relayed as it came
};

struct Seen {
  Kind kind = Kind::rtcp;
  std::optional<rtp::Packet> packet = std::nullopt;  // of Kind::rtp
};

Seen look_at(const MediaPort& port, std::span<std::byte> bytes) {
  if (flow::is_rtcp(port.slot)) return {};
  if (rtp::is_rtcp(bytes)) return {.kind = Kind::rtcp_on_rtp};
  if (auto packet = rtp::parse(bytes)) return {.kind = Kind::rtp, .packet = *packet};
  return {.kind = Kind::other};
}

flow::Arrival arrival_of(const Datagram& in, const Seen& seen) {
  flow::Arrival arrival{.from = in.from, .rtp = std::nullopt};
  if (seen.packet) arrival.rtp = flow::RtpIdentity{.ssrc = seen.packet->ssrc, .sequence = seen.packet->sequence};
  return arrival;
}

bool believable(Nanoseconds latency) { return latency >= Nanoseconds{0} && latency <= kLatencyBelieved; }

// When the kernel had it: what waited in the socket buffer has arrived all the same, and jitter must not see us.
Now arrival_time(const Datagram& in, Now now) {
  if (in.stamp == WallTime{}) return now;
  const Nanoseconds waited = now.wall - in.stamp;
  return believable(waited) ? Now{.mono = now.mono - waited, .wall = in.stamp} : now;
}

// Jitter is kept in thousandths of a tick: counters are whole numbers.
std::uint64_t thousandths(double ticks) { return static_cast<std::uint64_t>(ticks * 1000); }

void count_rtp(MediaPort& port, const rtp::Packet& packet, WallTime arrival) {
  rtp::Reception& reception = *port.reception;
  reception.update(packet, arrival);

  flow::CounterBlock& counters = *port.counters;
  const rtp::SequenceTotals totals = reception.sequence().totals();
  counters.set(Count::rtp_expected, totals.expected);
  counters.set(Count::rtp_received, totals.received);
  counters.set(Count::rtp_duplicates, totals.duplicates);
  counters.set(Count::rtp_reordered, totals.reordered);
  counters.set(Count::rtp_lost, totals.lost());
  counters.set(Count::rtp_ssrc, packet.ssrc.value());
  counters.set(Count::rtp_ssrc_count, reception.sequence().ssrc_count());
  counters.set(Count::rtp_payload_type, packet.payload_type.value());
  counters.set(Count::rtp_jitter_last, thousandths(reception.jitter().last()));
  counters.set(Count::rtp_jitter_max, thousandths(reception.jitter().max()));
  counters.set(Count::rtp_jitter_average, thousandths(reception.jitter().average()));
}

void count_packet(MediaPort& port, const Datagram& in, const Seen& seen, Now at) {
  flow::CounterBlock& counters = *port.counters;
  counters.begin();
  count_arrival(counters, in.bytes.size(), at);
  switch (seen.kind) {
    case Kind::rtp: count_rtp(port, *seen.packet, at.wall); break;
    case Kind::rtcp: break;
    case Kind::rtcp_on_rtp: counters.add(Count::rtcp_on_rtp); break;
    case Kind::other: counters.add(Count::not_rtp); break;
  }
  counters.end();
}

bool is_rtcp(Kind kind) { return kind == Kind::rtcp || kind == Kind::rtcp_on_rtp; }

bool takes(flow::Carries carries, Kind kind) {
  return carries == flow::Carries::everything || (carries == flow::Carries::rtcp) == is_rtcp(kind);
}

}  // namespace

std::optional<Drop> Relay::on_datagram(MediaPort& port, const Datagram& in, Now now, Sends& out) {
  if (in.too_long) return drop(port, Drop::too_long);
  if (!port.connection->complete) return drop(port, Drop::not_complete);

  const Seen seen = look_at(port, in.bytes);
  if (!accepts(port, arrival_of(in, seen), now)) return drop(port, Drop::wrong_source);
  const Now arrived = arrival_time(in, now);
  count_packet(port, in, seen, arrived);
  Limits* limits = port.connection->limits.get();
  if (limits != nullptr && !limits->of(port.slot).admit(in.bytes.size(), now.mono)) return drop(port, Drop::limit);

  bool linked = false;
  for (const Link& link : port.links) {
    if (link.port == nullptr || !takes(link.egress.carries, seen.kind)) continue;
    linked = true;
    if (!link.port->destination.is_set()) continue;
    const bool twice = link.port->double_small && in.bytes.size() < flow::kSmallDatagram;
    for (int copies = twice ? 2 : 1; copies > 0; --copies) out.push_back({.out = link.port, .bytes = in.bytes});
  }
  // The time of passing is the arrival's: what the peer's packets wait here is part of the way.
  if (is_rtcp(seen.kind)) note_reports(port, in.bytes, arrived.mono, !out.empty());
  if (out.empty()) return drop(port, linked ? Drop::no_destination : Drop::no_egress);
  return std::nullopt;
}

// Whoever is at the other end of a stream is its peer: there is nothing to learn.
bool Relay::accepts(MediaPort& port, const flow::Arrival& arrival, Now now) {
  if (flow::is_stream(port.transport)) return true;
  switch (port.latch.on_arrival(arrival, now)) {
    case Verdict::ignore: return false;
    case Verdict::accept_learned: learned(port, arrival.from, now); break;
    case Verdict::accept: break;
  }
  return true;
}

// The peer is not where it was: packets to it go there from now on, and its RTCP probably moved along.
void Relay::learned(MediaPort& port, const net::Endpoint& source, Now now) {
  port.refresh_destination();
  connections_.mark_changed(port);
  if (flow::is_rtcp(port.slot)) return;

  MediaPort& rtcp = port.connection->port(flow::rtcp_of(port.slot));
  if (!rtcp.open || !rtcp.latch.follow_rtp(source, now)) return;
  rtcp.refresh_destination();
  connections_.mark_changed(rtcp);
}

std::optional<Nanoseconds> Relay::on_sent(MediaPort& port, const Datagram& in, const Sends& sends, WallTime at) {
  bool relayed = false, congested = false;
  for (const Send& send : sends) {
    congested = congested || send.congested;
    if (!send.sent) continue;
    relayed = true;
    flow::CounterBlock& counters = *send.out->counters;
    counters.begin();
    counters.add(Count::packets_out);
    counters.add(Count::bytes_out, send.bytes.size());
    counters.end();
  }
  if (!relayed) {
    if (!sends.empty()) drop(port, congested ? Drop::congested : Drop::send_failed);
    return std::nullopt;
  }

  const Nanoseconds latency = at - in.stamp;
  const bool stamped = in.stamp != WallTime{};
  flow::CounterBlock& counters = *port.counters;
  counters.begin();
  counters.add(Count::packets_relayed);
  if (stamped && believable(latency)) {
    counters.add(Count::latency_sum_ns, static_cast<std::uint64_t>(latency.count()));
    counters.add(Count::latency_count);
  } else if (stamped) {
    counters.add(Count::latency_discarded);
  }
  counters.end();
  return stamped && believable(latency) ? std::optional{latency} : std::nullopt;
}

std::optional<Drop> Relay::drop(MediaPort& port, Drop reason) {
  port.counters->drop(reason);
  drops_.add(reason);
  return reason;
}

}  // namespace millrace::dataplane
