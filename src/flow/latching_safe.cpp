// `safe` and `strict`: learn at once, prefer what was signalled for a second, then lock. What would let a stranger in
// is named where it is decided.

#include "flow/latching.hpp"

namespace millrace::flow {
namespace {

// A stream that turns up elsewhere must go on where it was. Whoever has not seen it cannot guess SSRC and number.
constexpr int kMaxForward = 100;

}  // namespace

// Nothing is trusted any more, and the next packet is the first one.
void Latch::reopen() {
  if (heard_) stale_ = state_.destination;
  expected_ = {};
  identity_.reset();
  heard_ = false;
  source_is_rtp_ = false;
  state_.locked = !learns();
}

void Latch::signal_safe(const net::Endpoint& signalled, Now now) {
  if (signalled == state_.signalled) return;  // the same again opens nothing
  reopen();
  state_.signalled = signalled;
  set_destination(signalled, Cause::signalled, now);
}

Verdict Latch::on_arrival_safe(const Arrival& arrival, Now now) {
  if (rules_.asymmetric) {  // it listens where it was signalled and sends from any port of that host
    return arrival.from.address == state_.signalled.address ? Verdict::accept : Verdict::ignore;
  }
  if (rules_.policy == LatchPolicy::strict) {
    return arrival.from == state_.signalled ? Verdict::accept : Verdict::ignore;
  }
  if (heard_ && arrival.from == state_.destination) return hear_again(arrival, now);

  const auto cause = may_move_safe(arrival, now);
  if (!cause) return Verdict::ignore;
  take_safe(arrival, *cause, now);
  return Verdict::accept_learned;
}

Verdict Latch::hear_again(const Arrival& arrival, Now now) {
  heard_at_ = now.mono;
  if (arrival.rtp) {
    source_is_rtp_ = true;
    identity_ = arrival.rtp;
  }
  if (state_.locked || now.mono < window_end_) return Verdict::accept;
  state_.locked = true;  // also a stale one: still there a window after the signalling spoke
  return Verdict::accept_learned;
}

std::optional<Cause> Latch::may_move_safe(const Arrival& arrival, Now now) const {
  const Rank rank = rank_of(arrival.from);
  const bool elsewhere = rank == Rank::elsewhere || rank == Rank::stale_elsewhere;
  // RTCP waits for seconds between two packets, and a stranger must not have the port meanwhile: once the party's RTP
  // has shown its host, RTCP comes from there or from where it was signalled.
  if (expected_.is_set() && elsewhere) return std::nullopt;
  if (!heard_) return rank == Rank::exact ? Cause::signalled_source : Cause::first_packet;

  const Rank current = rank_of(state_.destination);
  if (rank == Rank::exact && current < Rank::exact) return Cause::signalled_source;  // displaces even what is locked
  const bool better = rank > current || (rank == current && arrival.rtp && !source_is_rtp_);
  if (better && !closed(now)) return Cause::better_source;
  if (continues_stream(arrival) && now.mono - heard_at_ >= rules_.relatch_after) return Cause::same_stream_moved;
  return std::nullopt;
}

// A source that was there before the signalling named another address closes nothing by the clock alone: its last
// packets may arrive after the command, and then its successor would be locked out.
bool Latch::closed(Now now) const {
  if (state_.locked) return true;
  return now.mono >= window_end_ && !source_is_stale();
}

bool Latch::continues_stream(const Arrival& arrival) const {
  if (!arrival.rtp || !identity_ || arrival.rtp->ssrc != identity_->ssrc) return false;
  const int forward = distance(identity_->sequence, arrival.rtp->sequence);
  return forward >= 1 && forward <= kMaxForward;
}

void Latch::take_safe(const Arrival& arrival, Cause cause, Now now) {
  if (!heard_ || source_is_stale()) window_end_ = now.mono + rules_.window;
  // An expected RTCP source is as good as a signalled one, but it was not the signalling that named it.
  if (cause == Cause::signalled_source && arrival.from != state_.signalled) cause = Cause::follows_rtp;
  set_destination(arrival.from, cause, now);
  if (rank_of(arrival.from) == Rank::exact) state_.locked = true;
  heard_ = true;
  heard_at_ = now.mono;
  source_is_rtp_ = arrival.rtp.has_value();
  identity_ = arrival.rtp;
}

bool Latch::follow_rtp_safe(const net::Endpoint& rtp_source, Now now) {
  const net::Endpoint guess = rtp_source.next_port();
  if (!learns() || guess == expected_) return false;
  expected_ = guess;
  if (state_.destination.address == guess.address) return false;  // what is known of that host stands
  if (heard_ && rank_of(state_.destination) == Rank::exact) return false;  // it came from where it should
  reopen();
  expected_ = guess;
  set_destination(guess, Cause::follows_rtp, now);
  return true;
}

Latch::Rank Latch::rank_of(const net::Endpoint& source) const {
  if (source == state_.signalled || source == expected_) return Rank::exact;
  const bool at_signalled = source.address == state_.signalled.address || source.address == expected_.address;
  if (source == stale_) return at_signalled ? Rank::stale_at_signalled : Rank::stale_elsewhere;
  return at_signalled ? Rank::at_signalled : Rank::elsewhere;
}

}  // namespace millrace::flow
