// RTP header, demultiplexing, and the state machines behind them. The input is a list of datagrams, each behind a
// byte that gives its length: one call of the fuzzer is one stream.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/byte_reader.hpp"
#include "base/check.hpp"
#include "rtp/demux.hpp"
#include "rtp/header.hpp"
#include "rtp/reception.hpp"

namespace {

using namespace millrace;

void check_header(std::span<const std::byte> datagram, const rtp::PacketView& packet) {
  MR_CHECK(packet.payload.size() + rtp::kHeaderSize <= datagram.size());
  MR_CHECK(packet.payload.data() + packet.payload.size() == datagram.data() + datagram.size());
  MR_CHECK(rtp::without_padding(packet).size() <= packet.payload.size());
}

void check_totals(const rtp::SequenceTotals& before, const rtp::SequenceTotals& now, std::uint64_t packets) {
  MR_CHECK(now.expected >= now.received);
  MR_CHECK(now.reordered <= now.received);
  const auto counted = now.received + now.duplicates + now.late;
  MR_CHECK(counted == packets || counted + 1 == packets);  // one straggler may wait for its verdict
  MR_CHECK(now.expected >= before.expected && now.received >= before.received);
  MR_CHECK(now.duplicates >= before.duplicates && now.late >= before.late);
  (void)rtp::fraction_lost(before, now);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ConstByteReader in{std::as_bytes(std::span{data, size})};
  rtp::Reception reception{48000};
  WallTime arrival{};
  std::uint64_t packets = 0;
  while (in.left() > 0) {
    const auto length = in.u8();
    const auto datagram = in.take(length < in.left() ? length : in.left());
    (void)rtp::is_rtcp(datagram);
    const auto packet = rtp::parse_view(datagram);
    if (!packet) continue;
    check_header(datagram, *packet);
    arrival += std::chrono::milliseconds{length};
    const auto before = reception.sequence().totals();
    reception.update(*packet, arrival);
    check_totals(before, reception.sequence().totals(), ++packets);
    MR_CHECK(reception.jitter().last() >= 0 && reception.jitter().max() >= reception.jitter().last());
  }
  return 0;
}
