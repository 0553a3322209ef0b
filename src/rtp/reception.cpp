#include "rtp/reception.hpp"

#include "rtp/clock_rate.hpp"

namespace millrace::rtp {

SequenceTracker::Arrival Reception::update(const Header& packet, WallTime arrival) {
  using enum SequenceTracker::Arrival;
  const auto source = sequence_.ssrc();
  const auto was = sequence_.update(packet.ssrc, packet.sequence, packet.marker);
  payload_type_ = packet.payload_type;
  if (was == new_run) {
    if (source == packet.ssrc) {
      jitter_.restart();
    } else {
      jitter_.restart_source();
    }
  }
  // A copy tells of the network's loops, a straggler of another run; neither of the spacing of this stream.
  if (was != duplicate && was != straggler) update_jitter(packet, arrival);
  return was;
}

void Reception::update_jitter(const Header& packet, WallTime arrival) {
  const auto fixed = static_clock_rate_hz(packet.payload_type);
  const auto rate_hz = fixed != 0 ? fixed : packet.payload_type.value() >= 96 ? dynamic_rate_hz_ : 0;
  // Events amid audio (RFC 4733) come under a dynamic type: left out, they do not disturb the audio's estimate.
  if (rate_hz != 0) jitter_.update(packet.timestamp, rate_hz, arrival);
}

}  // namespace millrace::rtp
