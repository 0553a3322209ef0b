#include "session/totals.hpp"

#include <array>

#include "session/connection.hpp"

namespace millrace::session {

using flow::Count;
using flow::Drop;
using flow::FlowCounters;

namespace {
// These are refused before they count as accepted; every other drop is of a packet in packets_in.
constexpr std::array kRefused{Drop::not_complete, Drop::wrong_source, Drop::too_long};
}  // namespace

std::uint64_t arrived(const FlowCounters& counters) {
  std::uint64_t packets = counters[Count::packets_in];
  for (const Drop reason : kRefused) packets += counters[reason];
  return packets;
}

std::uint64_t arrived(const flow::CounterBlock& block) {
  std::uint64_t packets = block.get(Count::packets_in);
  for (const Drop reason : kRefused) packets += block.get(reason);
  return packets;
}

namespace {

void add_packets(Totals& totals, const FlowCounters& counters) {
  const std::uint64_t in = arrived(counters);
  totals.packets_in += in;
  totals.packets_relayed += counters[Count::packets_relayed];
  totals.packets_discarded += in - counters[Count::packets_relayed];
}

void add_reception(Totals& totals, const FlowCounters& rtp) {
  totals.rtp_expected += rtp[Count::rtp_expected];
  totals.rtp_received += rtp[Count::rtp_received];
  totals.rtp_duplicates += rtp[Count::rtp_duplicates];
  totals.rtp_lost += rtp[Count::rtp_lost];
  totals.not_rtp += rtp[Count::not_rtp] + rtp[Count::rtcp_on_rtp];
}

// A complete connection in which nobody, or only one, was heard.
void add_silence(const FlowCounters& one, const FlowCounters& other, std::uint64_t& none, std::uint64_t& one_way) {
  const bool heard_one = one[Count::packets_in] != 0;
  const bool heard_other = other[Count::packets_in] != 0;
  if (!heard_one && !heard_other) ++none;
  if (heard_one != heard_other) ++one_way;
}

}  // namespace

void Tally::on_ended(const ConnectionCounters& last, const Life& life) {
  ++ended_.destroyed;
  ended_.duration_seconds += std::chrono::duration<double>(life.lived).count();
  for (const FlowCounters* counters : {&last.party_rtp, &last.party_rtcp, &last.other_rtp, &last.other_rtcp}) {
    add_packets(ended_, *counters);
  }
  add_reception(ended_, last.party_rtp);
  add_reception(ended_, last.other_rtp);
  if (!life.complete) return;
  add_silence(last.party_rtp, last.other_rtp, ended_.no_rtp, ended_.one_way_rtp);
  if (!life.rtcp) return;
  add_silence(last.party_rtcp, last.other_rtcp, ended_.no_rtcp, ended_.one_way_rtcp);
}

void Tally::on_sweep(std::uint64_t alive_packets_in, TimePoint now) {
  const std::uint64_t packets = ended_.packets_in + alive_packets_in;
  const double elapsed = std::chrono::duration<double>(now - sweep_).count();
  // The first sweep has nothing to compare with.
  if (sweep_ != TimePoint{} && elapsed > 0) {
    ended_.packets_in_per_second = static_cast<double>(packets - packets_at_sweep_) / elapsed;
  }
  packets_at_sweep_ = packets;
  sweep_ = now;
}

void add_alive(Totals& totals, const Connection& connection) {
  for (const MediaStream* stream : connection.streams) {
    for (const MediaPort& port : stream->ports) {
      if (port.counters != nullptr) add_packets(totals, port.counters->sample());
    }
  }
}

}  // namespace millrace::session
