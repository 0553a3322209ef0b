// RTCP compounds: framing, then every view of every packet, read to its last element.

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/check.hpp"
#include "rtp/rtcp.hpp"

namespace {

using namespace millrace;

// Iterating gives as many elements as over() counted.
template <class Walk>
void check_walk(const Walk& walk) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& element : walk) ++count;
  MR_CHECK(count == walk.size());
}

void check_packet(const rtp::RtcpPacket& packet) {
  MR_CHECK(packet.whole.size() % 4 == 0 && packet.body.size() + 4 <= packet.whole.size());
  if (const auto report = rtp::read_sender_report(packet)) {
    for (const auto& block : report->reports) (void)rtp::round_trip(block, report->ntp);
    (void)rtp::from_ntp(report->ntp);
  }
  if (const auto report = rtp::read_receiver_report(packet)) check_walk(report->reports);
  if (const auto description = rtp::read_source_description(packet)) {
    check_walk(description->chunks);
    for (const auto& chunk : description->chunks) check_walk(chunk.items);
  }
  if (const auto goodbye = rtp::read_goodbye(packet)) check_walk(goodbye->sources);
  if (const auto report = rtp::read_extended_report(packet)) check_walk(report->blocks);
  (void)rtp::read_application(packet);
  (void)rtp::read_feedback(packet);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto datagram = std::as_bytes(std::span{data, size});
  const auto compound = rtp::parse_compound(datagram);
  if (!compound) return 0;
  std::size_t bytes = 0;
  for (const rtp::RtcpPacket& packet : compound->packets) {
    bytes += packet.whole.size();
    check_packet(packet);
  }
  MR_CHECK(bytes == datagram.size());
  MR_CHECK(!compound->packets.empty());
  return 0;
}
