#include "dataplane/socket/reports.hpp"

#include <algorithm>

#include "dataplane/socket/port.hpp"
#include "rtp/rtcp.hpp"

namespace millrace::dataplane {

using flow::Count;
using flow::Slot;

namespace {

Nanoseconds from_units(std::uint32_t units) {   // of 2^-16 s
  return Nanoseconds{static_cast<std::int64_t>(units) * 1'000'000'000 >> 16};
}

void note_block(MediaPort& rtp, const rtp::ReportBlock& block, const PassedReport& answered, TimePoint arrived) {
  flow::CounterBlock& counters = *rtp.counters;
  counters.begin();
  counters.set(Count::rtcp_reported_jitter, std::uint64_t{block.jitter} * 1000);
  counters.set(Count::rtcp_reported_lost, static_cast<std::uint64_t>(std::max(block.lost, 0)));
  counters.set(Count::rtcp_reported_fraction, block.fraction_lost);
  if (answered.known && block.last_sr == answered.middle) {
    const Nanoseconds round_trip = arrived - answered.at - from_units(block.delay_since_sr);
    // Below nothing: the peer counts its delay wrongly.
    if (round_trip > Nanoseconds{0}) {
      counters.set(Count::rtcp_round_trip_ns, static_cast<std::uint64_t>(round_trip.count()));
    }
  }
  counters.end();
}

}  // namespace

void note_reports(MediaPort& port, std::span<const std::byte> bytes, TimePoint arrived, bool passed) {
  const auto compound = rtp::parse_compound(bytes);
  if (!compound) return;
  Connection& connection = *port.connection;
  const Slot rtp_slot = static_cast<Slot>(static_cast<unsigned>(port.slot) & ~1u);
  MediaPort& rtp = connection.port(rtp_slot);
  PassedReport& own = connection.passed_reports[static_cast<std::size_t>(rtp_slot) / 2];
  const PassedReport& others = connection.passed_reports[static_cast<std::size_t>(flow::other_side(rtp_slot)) / 2];
  const auto note_blocks = [&](const rtp::ReportBlocks& blocks) {
    if (!rtp.open) return;
    for (const rtp::ReportBlock& block : blocks) note_block(rtp, block, others, arrived);
  };
  for (const rtp::RtcpPacket& packet : compound->packets) {
    if (const auto report = rtp::read_sender_report(packet)) {
      if (passed) own = {.at = arrived, .middle = report->ntp.middle(), .known = true};
      note_blocks(report->reports);
    } else if (const auto receiver = rtp::read_receiver_report(packet)) {
      note_blocks(receiver->reports);
    }
  }
}

}  // namespace millrace::dataplane
