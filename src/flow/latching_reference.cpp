// `reference`: learns and latches exactly as the reference rtpproxy does (docs/protocols/rtpproxy.md), oddities
// included. In RemoteState's words its "untrusted" is `learned`, its "latched" is `locked`.

#include "flow/latching.hpp"

namespace millrace::flow {
namespace {

using namespace std::chrono_literals;

constexpr auto kUpdateWindow = 10s;          // after the signalling named an address any RTP source may take over
constexpr auto kFollowInterval = 1s;         // how often the remembered number follows the stream
constexpr std::uint16_t kMaxForward = 536;   // numbers that a stream may have gone on when it turns up elsewhere

}  // namespace

void Latch::signal_reference(const net::Endpoint& signalled, Now now) {
  state_.signalled = signalled;
  if (state_.destination.is_set()) {
    updated_ = true;
    updated_at_ = now.mono;
  }
  if (state_.learned || state_.destination == signalled) return;
  set_destination(signalled, Cause::signalled, now);
}

Verdict Latch::on_arrival_reference(const Arrival& arrival, Now now) {
  if (rules_.asymmetric) return on_arrival_asymmetric(arrival, now);
  if (!state_.destination.is_set() || !state_.locked) return take_reference(arrival, Cause::first_packet, now);
  if (arrival.from == state_.destination) {
    if (arrival.rtp) keep_up(*arrival.rtp, now);
    return Verdict::accept;
  }
  const auto cause = may_move_reference(arrival, now);
  return cause ? take_reference(arrival, *cause, now) : Verdict::ignore;
}

// Any port of the destination's host may send; only an unknown destination is filled by a packet.
Verdict Latch::on_arrival_asymmetric(const Arrival& arrival, Now now) {
  if (state_.destination.is_set()) {
    return arrival.from.address == state_.destination.address ? Verdict::accept : Verdict::ignore;
  }
  set_destination(arrival.from, Cause::first_packet, now);
  return Verdict::accept_learned;
}

std::optional<Cause> Latch::may_move_reference(const Arrival& arrival, Now now) const {
  if (rules_.rtcp || !arrival.rtp || !identity_) return std::nullopt;
  if (soon_after_update(now)) return Cause::after_update;
  // A distance forward is a number modulo 2^16; the signed one would call 40,000 "behind".
  const auto forward = static_cast<std::uint16_t>(arrival.rtp->sequence.value() - identity_->sequence.value());
  if (arrival.rtp->ssrc != identity_->ssrc || forward > kMaxForward) return std::nullopt;
  return Cause::same_stream_moved;
}

// Learns the source unless it is known, and latches to it unless its SSRC is 0. A datagram that is not RTP latches
// without an SSRC: nothing can move the latch afterwards.
Verdict Latch::take_reference(const Arrival& arrival, Cause cause, Now now) {
  const bool elsewhere = arrival.from != state_.destination;
  const bool was_locked = state_.locked;
  if (elsewhere) set_destination(arrival.from, cause, now);
  identity_ = arrival.rtp;
  heard_at_ = now.mono;
  state_.locked = rules_.rtcp || !arrival.rtp || arrival.rtp->ssrc != Ssrc{0};
  if (!elsewhere && state_.locked && arrival.from == state_.signalled) remember(Cause::signalled_source, now);
  return elsewhere || state_.locked != was_locked ? Verdict::accept_learned : Verdict::accept;
}

void Latch::keep_up(const RtpIdentity& rtp, Now now) {
  if (!identity_) return;
  const bool changed = rtp.ssrc != identity_->ssrc;
  if (changed ? soon_after_update(now) : now.mono - heard_at_ < kFollowInterval) return;
  identity_ = rtp;
  heard_at_ = now.mono;
}

bool Latch::soon_after_update(Now now) const { return updated_ && now.mono - updated_at_ <= kUpdateWindow; }

// A guess that the first RTCP packet may correct; for an asymmetric party, which is latched anyway, it is final.
bool Latch::follow_rtp_reference(const net::Endpoint& rtp_source, Now now) {
  if (state_.destination.address == rtp_source.address) return false;
  set_destination(rtp_source.next_port(), Cause::follows_rtp, now);
  state_.locked = rules_.asymmetric;
  return true;
}

}  // namespace millrace::flow
