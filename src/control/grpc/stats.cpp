#include "control/grpc/stats.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "flow/drop.hpp"
#include "rtp/clock_rate.hpp"

namespace millrace::control::grpc {

namespace {

using flow::Count;
using flow::Drop;
using flow::FlowCounters;
using session::SideView;

// Drops of what was accepted; those of what was not are refusals.
constexpr std::array kLosses{Drop::no_destination, Drop::no_egress, Drop::send_failed,
                             Drop::limit,          Drop::congested, Drop::too_long};
constexpr std::array kRefusals{Drop::not_complete, Drop::wrong_source};

std::uint64_t both(const SideView& side, Count what) { return side.rtp_counters[what] + side.rtcp_counters[what]; }
std::uint64_t both(const SideView& side, Drop why) { return side.rtp_counters[why] + side.rtcp_counters[why]; }

template <class Reasons>
std::uint64_t sum(const SideView& side, const Reasons& reasons) {
  std::uint64_t all = 0;
  for (const Drop why : reasons) all += both(side, why);
  return all;
}

double percent(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

// Counters keep thousandths of a tick: divided by ticks a second that is milliseconds. A dynamic payload type's clock
// is known to nobody here.
double jitter_ms(std::uint64_t thousandths, std::uint64_t payload_type) {
  if (payload_type > 127) return 0;
  const auto rate_hz = rtp::static_clock_rate_hz(PayloadType{static_cast<std::uint8_t>(payload_type)});
  return rate_hz == 0 ? 0 : static_cast<double>(thousandths) / rate_hz;
}

struct Latency {
  std::uint64_t sum_ns = 0, count = 0;
  void add(const FlowCounters& counters) {
    sum_ns += counters[Count::latency_sum_ns];
    count += counters[Count::latency_count];
  }
  [[nodiscard]] double average_ms() const {
    return count == 0 ? 0 : static_cast<double>(sum_ns) / static_cast<double>(count) / 1e6;
  }
};

// Reports come on the RTCP port, or beside RTP (RFC 5761): whichever has heard one.
std::uint64_t reported(const SideView& side, Count what) {
  return std::max(side.rtp_counters[what], side.rtcp_counters[what]);
}

// What came from `from`, and left towards `to`.
void write_direction(const SideView& from, const SideView& to, ::rtpproxy::DirectionStats& out) {
  // What is too long is read no further, and counted nowhere else.
  out.set_packets_received(both(from, Count::packets_in) + both(from, Drop::too_long));
  out.set_bytes_received(both(from, Count::bytes_in));
  out.set_packets_sent(both(to, Count::packets_out));
  out.set_bytes_sent(both(to, Count::bytes_out));
  out.set_packets_lost(sum(from, kLosses));
  out.set_packets_refused(sum(from, kRefusals));
  for (std::size_t i = 0; i < flow::kDropReasons; ++i) {
    const auto why = static_cast<Drop>(i);
    if (const auto count = both(from, why); count != 0) (*out.mutable_drops())[std::string{name_of(why)}] = count;
  }

  const FlowCounters& rtp = from.rtp_counters;
  out.set_network_packets_lost(rtp[Count::rtp_lost]);
  out.set_network_loss_rate(percent(rtp[Count::rtp_lost], rtp[Count::rtp_expected]));
  out.set_duplicates(rtp[Count::rtp_duplicates]);
  out.set_reordered(rtp[Count::rtp_reordered]);
  out.set_jitter_ms(jitter_ms(rtp[Count::rtp_jitter_last], rtp[Count::rtp_payload_type]));

  out.set_round_trip_ms(static_cast<double>(reported(from, Count::rtcp_round_trip_ns)) / 1e6);
  // It reports of what the other side sends to it through us.
  out.set_reported_jitter_ms(
      jitter_ms(reported(from, Count::rtcp_reported_jitter), to.rtp_counters[Count::rtp_payload_type]));
  out.set_reported_loss_rate(percent(reported(from, Count::rtcp_reported_fraction), 256));

  Latency latency;
  latency.add(from.rtp_counters);
  latency.add(from.rtcp_counters);
  out.set_avg_latency_ms(latency.average_ms());
}

}  // namespace

void write_stats(const session::View& view, ::rtpproxy::TrafficStats& out) {
  const SideView& client = view.side(session::Side::offerer);
  const SideView& destination = view.side(session::Side::answerer);
  auto& there = *out.mutable_from_client();
  auto& back = *out.mutable_from_destination();
  write_direction(client, destination, there);
  write_direction(destination, client, back);

  out.set_packets_received(there.packets_received() + back.packets_received());
  out.set_bytes_received(there.bytes_received() + back.bytes_received());
  out.set_packets_sent(there.packets_sent() + back.packets_sent());
  out.set_bytes_sent(there.bytes_sent() + back.bytes_sent());
  out.set_packets_lost(there.packets_lost() + back.packets_lost());
  out.set_packet_loss_rate(percent(out.packets_lost(), out.packets_received()));
  out.set_network_packets_lost(there.network_packets_lost() + back.network_packets_lost());
  out.set_network_loss_rate(percent(out.network_packets_lost(), client.rtp_counters[Count::rtp_expected] +
                                                                    destination.rtp_counters[Count::rtp_expected]));
  out.set_jitter_ms(std::max(there.jitter_ms(), back.jitter_ms()));
  out.set_round_trip_ms(there.round_trip_ms() + back.round_trip_ms());

  Latency latency;
  for (const SideView* side : {&client, &destination}) {
    latency.add(side->rtp_counters);
    latency.add(side->rtcp_counters);
  }
  out.set_avg_latency_ms(latency.average_ms());
}

}  // namespace millrace::control::grpc
